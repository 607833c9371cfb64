import { components, type DType, storageOf } from '../ndarray.ts'
import type { Operation } from './description.ts'

/** Bytes of a chunk's results at most: enough that opening, reading, writing and renaming files costs little beside them. */
const mostBytes = 32 * 2 ** 20

/** Multiply-adds of a chunk at most: about a second for two cores. Losing a host then loses no more than that. */
const mostWork = 2e10

/** Products of n x n matrices that one result takes: at most some ten, three times as many with a derivative. */
const products = { expm: 10, jvp: 30, vjp: 30, cond: 60 } as const

/** What one result takes besides, in multiply-adds; the estimates of cond take tens of microseconds for the smallest matrix. */
const besides = { expm: 0, jvp: 0, vjp: 0, cond: 500_000 } as const

/**
 * How many matrices make a chunk where nothing else says so: the fewer of what fits 32 MiB and of what takes about a
 * second, at least one. A pure function of its arguments, so that every host cuts a job alike.
 */
export function chunkLengthFor(n: number, dtype: DType, operation: Operation): number {
  const bytes = n * n * storageOf(dtype).BYTES_PER_ELEMENT * components(dtype)
  const work = products[operation] * n ** 3 * components(dtype) ** 2 + besides[operation]
  return Math.max(1, Math.floor(Math.min(mostBytes / bytes, mostWork / work)))
}
