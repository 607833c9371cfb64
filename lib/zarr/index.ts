/** Zarr v3 arrays of matrices on disk, read and written chunk by chunk. */
export type { DataOf, DType } from '../ndarray.ts'
export type { ReadOptions, ZarrArray } from './array.ts'
export { ZarrError } from './error.ts'
export { createZarr, openZarr, type ZarrPlace, type ZarrSpec } from './open.ts'
