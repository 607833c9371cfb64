/** Reading and writing `.npy` files: whole, or in chunks of matrices with bounded memory. */
export type { DataOf, DType, NDArray } from '../ndarray.ts'
export { type NpyArray, readNpy, writeNpy } from './array.ts'
export { NpyError } from './error.ts'
export { type NpyReader, openNpy } from './reader.ts'
export { createNpy, type NpyWriter } from './writer.ts'
