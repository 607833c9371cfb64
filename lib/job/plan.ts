import { components, storageOf } from '../ndarray.ts'
import { chunkLengthFor } from './chunk-length.ts'
import type { JobDescription, JobFacts } from './description.ts'
import { JobError } from './error.ts'
import type { JobLimits } from './job.ts'
import type { Source } from './source.ts'

/** The default of {@link JobLimits}. */
export const defaultLimits: JobLimits = { maxOrder: 8192, maxChunkBytes: 2 ** 30, maxChunks: 10_000_000 }

/** What a job's inputs are to each other, and how the work is cut. */
export interface WorkPlan extends JobFacts {
  readonly chunks: number
  readonly chunkBytes: number
  /** Whether all of the job's chunks meet one matrix, or one direction. */
  readonly sharesA: boolean
  readonly sharesDirection: boolean
}

/**
 * How the inputs meet and are cut: equal counts, or one matrix on one side, which then meets each of the other's.
 * Errors: {@link JobError} where they do not fit each other, or the limits.
 */
export function planWork(
  description: JobDescription,
  A: Source,
  direction: Source | undefined,
  limits: JobLimits,
): WorkPlan {
  const { operation } = description
  if (direction !== undefined) requireMatch(A, direction)
  const { dtype, n } = A
  const count = direction !== undefined && A.count === 1 ? direction.count : A.count
  const sharesA = A.count === 1 && count !== 1
  const sharesDirection = direction?.count === 1 && count !== 1
  const cut = cutOf(description, [
    ...(sharesA ? [] : [A]),
    ...(direction && !sharesDirection ? [direction] : []),
  ])
  const chunkLength = Math.max(1, Math.min(cut ?? chunkLengthFor(n, dtype, operation), count))
  const matrices = {
    A: sharesA ? 1 : chunkLength,
    direction: direction ? (sharesDirection ? 1 : chunkLength) : 0,
    value: operation === 'cond' ? 0 : sharesA ? 1 : chunkLength,
    result: direction ? chunkLength : 0,
  }
  const matrixBytes = n * n * storageOf(dtype).BYTES_PER_ELEMENT * components(dtype)
  const { A: a, direction: e, value, result } = matrices
  const chunkBytes = (a + e + value + result) * matrixBytes + (operation === 'cond' ? 8 * chunkLength : 0)
  const chunks = Math.ceil(count / chunkLength)
  requireWithin(limits, { n, chunkBytes, chunks })
  return { dtype, n, count, chunkLength, chunks, chunkBytes, sharesA, sharesDirection }
}

function requireMatch(A: Source, direction: Source): void {
  if (A.dtype !== direction.dtype)
    throw new JobError(
      `expected the same dtype in both inputs, got ${A.dtype} in ${A.path} and ${direction.dtype} in ${direction.path}`,
    )
  const meets = A.count === direction.count || (A.count === 1 && direction.count > 1) || direction.count === 1
  if (A.n !== direction.n || !meets || (A.count === 0 && direction.count === 1))
    throw new JobError(
      'expected matrices of one order and as many of them in both inputs, or a single one in one of them, got ' +
        `${A.count} of order ${A.n} in ${A.path} and ${direction.count} of order ${direction.n} in ${direction.path}`,
    )
}

/** The matrices of a chunk, where the inputs or the description say so. */
function cutOf({ chunk }: JobDescription, inputs: readonly Source[]): number | undefined {
  let cut = chunk
  let from = `chunk is ${chunk}`
  for (const { path, count, chunkLength } of inputs) {
    // Chunks that hold everything are alike, however long.
    if (chunkLength === undefined) continue
    if (cut !== undefined && Math.min(cut, count) !== Math.min(chunkLength, count))
      throw new JobError(
        `expected inputs that are cut alike, but ${from}, and ${path} has chunks of ${chunkLength}`,
      )
    cut = chunkLength
    from = `${path} has chunks of ${chunkLength}`
  }
  return cut
}

function requireWithin(
  { maxOrder, maxChunkBytes, maxChunks }: JobLimits,
  { n, chunkBytes, chunks }: { n: number; chunkBytes: number; chunks: number },
): void {
  if (!(n <= maxOrder)) throw new JobError(`expected matrices of order ${maxOrder} at most, got ${n}`)
  if (!(chunkBytes <= maxChunkBytes))
    throw new JobError(
      `expected chunks that take ${maxChunkBytes} bytes of memory at most, got ${chunkBytes}: cut the arrays into smaller ones`,
    )
  if (!(chunks <= maxChunks))
    throw new JobError(`expected ${maxChunks} chunks at most, got ${chunks}: cut the arrays into larger ones`)
}
