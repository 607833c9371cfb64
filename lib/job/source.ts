import { components, type DataOf, type DType, product } from '../ndarray.ts'
import { openNpy } from '../npy/index.ts'
import { openZarr } from '../zarr/index.ts'
import { JobError } from './error.ts'
import { below, onPath } from './storage.ts'

/** A stack of matrices that a job reads. */
export interface Source {
  /** As in the description. */
  readonly path: string
  readonly dtype: DType
  readonly n: number
  readonly count: number
  /** As stored; undefined where any range can be read alike. */
  readonly chunkLength: number | undefined
  /** Reads matrices `start` to the end of `into`, which begin where a chunk does. */
  read(start: number, into: DataOf<DType>, signal?: AbortSignal): Promise<void>
  close(): void
}

/**
 * Opens an input below a root (without links): a `.npy` file where the name ends so, else a Zarr array.
 * Errors: {@link JobError}, for anything but a stack of square matrices of order 1 or more too.
 */
export async function openSource(root: string, path: string): Promise<Source> {
  return onPath('read', path, async () => {
    const real = await below(root, path)
    return /\.npy$/i.test(path) ? openNpySource(path, real) : openZarrSource(path, real, root)
  })
}

async function openZarrSource(path: string, real: string, root: string): Promise<Source> {
  const array = await openZarr(real, { root })
  const { dtype, n, count, chunkLength } = array
  if (n === undefined) throw new JobError(`${path}: expected shape (count, n, n), got (${count},)`)
  const isOutput = Object.hasOwn(array.attributes, 'matfun')
  return {
    path,
    dtype,
    n,
    count,
    chunkLength,
    async read(start, into, signal) {
      const k = start / chunkLength
      // A job's output that is missing is not its fill value: it is not done yet.
      if (isOutput && !(await array.hasChunk(k)))
        throw new JobError(`${path}: chunk ${k} is missing, and the job that writes it has not done it`, {
          retryable: true,
        })
      await array.readChunk(k, { into, signal })
    },
    close: () => {},
  }
}

function openNpySource(path: string, real: string): Source {
  const reader = openNpy(real)
  const { shape, dtype } = reader
  const [rows, columns] = shape.slice(-2)
  if (shape.length < 2 || rows !== columns || rows === 0) {
    reader.close()
    throw new JobError(`${path}: expected shape (..., n, n) with n of at least 1, got (${shape.join(', ')})`)
  }
  const size = reader.itemLength * components(dtype)
  return {
    path,
    dtype,
    n: rows,
    count: product(shape.slice(0, -2)),
    chunkLength: undefined,
    async read(start, target) {
      reader.read(start, start + target.length / size, target)
    },
    close: () => reader.close(),
  }
}
