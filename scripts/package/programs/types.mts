// Compiled against the installed package under each way of resolving modules, never run.
import { expm, expmVJPAsync, type Info, info, type NDArray } from 'matfun'
import { readNpy } from 'matfun/npy'
import { type JobStatus, openQueue } from 'matfun/queue'
import { expm as exact } from 'matfun/reference'
import { openZarr, type ZarrArray } from 'matfun/zarr'

export const real: NDArray<'float64'> = expm([
  [0, 1],
  [1, 0],
])
export const single: NDArray<'float32'> = expm(new Float32Array(4))
export const later: Promise<{ readonly cotangent: NDArray<'float64'> }> = expmVJPAsync([[1]], [[1]])
export const facts: Info = info()
export const file: NDArray = readNpy('A.npy')
export const array: Promise<ZarrArray> = openZarr('A.zarr')
export const reference = exact(real)
export const queue = async (): Promise<JobStatus> =>
  (await openQueue({ url: 'redis://localhost' })).status('')
// @ts-expect-error a string is no matrix
expm('A')
