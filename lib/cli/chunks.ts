import type { Failure } from '../errors.ts'
import { ChunkError, type Job, type JobDescription, openJob } from '../job/index.ts'
import type { DescribedJob } from './describe.ts'
import { CommandError } from './errors.ts'
import type { JobControl, ResultSummary } from './job.ts'

/** What `matfun run` did. */
export interface ChunksSummary extends ResultSummary {
  /** The job's name, which the attributes of its outputs hold. */
  readonly job: string
  /** Results of a chunk. */
  readonly chunkLength: number
  readonly chunks: number
  /** Chunks that were there already, from a run that was interrupted, say. */
  readonly present: number
}

/** So many chunks are under way at once: while one is computed, the one before is written and the next one read. */
const atOnce = 2

/**
 * Does the chunks of a job that are missing, in this process.
 * Errors: JobError where it cannot be opened; {@link CommandError} where a chunk cannot be done, which says how many are there by then.
 */
export async function runChunks(
  { description, root }: DescribedJob,
  threads: number | undefined,
  control: JobControl = {},
): Promise<ChunksSummary> {
  const start = performance.now()
  const job = await openJob(description, { root, threads, limits: own })
  try {
    const missing = await job.missingChunks()
    const computed = await runMissing(job, missing, control)
    await job.removeAbandoned()
    const failures: Failure[] = []
    for await (const failure of job.failures()) failures.push(failure)
    const seconds = (performance.now() - start) / 1000
    return {
      ...namesOf(description),
      job: job.id,
      shape: description.operation === 'cond' ? [job.count] : [job.count, job.n, job.n],
      order: job.n,
      dtype: job.dtype,
      ...description.options,
      count: job.count,
      chunkLength: job.chunkLength,
      chunks: job.chunks,
      present: job.chunks - missing.length,
      seconds,
      matricesPerSecond: computed / seconds,
      failures,
    }
  } finally {
    await job.close()
  }
}

/** On one's own machine one may do what fits it. */
const own = { maxOrder: Number.MAX_SAFE_INTEGER, maxChunkBytes: Number.MAX_SAFE_INTEGER }

function namesOf({ operation, A, direction, out, value }: JobDescription) {
  return {
    operation,
    inputs: [A, ...(direction === undefined ? [] : [direction])],
    outputs: [out, ...(value === undefined ? [] : [value])],
  }
}

/** Does some chunks, and returns how many results they have. */
async function runMissing(
  job: Job,
  missing: readonly number[],
  { signal, onProgress }: JobControl,
): Promise<number> {
  const lengthOf = (k: number): number => Math.min(job.chunkLength, job.count - k * job.chunkLength)
  const total = missing.reduce((sum, k) => sum + lengthOf(k), 0)
  const parts = new Map<number, number>()
  let written = 0
  let next = 0
  // One that fails ends the other.
  const ended = new AbortController()
  const both = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal
  const report = (): void => {
    const running = [...parts.values()].reduce((sum, done) => sum + done, 0)
    onProgress?.(job.count - total + written + running, job.count)
  }
  const runNext = async (): Promise<void> => {
    while (next < missing.length) {
      const k = missing[next++]
      await job.runChunk(k, {
        signal: both,
        onProgress: (done) => {
          // The end is when it is written.
          parts.set(k, Math.min(done, lengthOf(k) - 1))
          report()
        },
      })
      parts.delete(k)
      written += lengthOf(k)
      report()
    }
  }
  const running = Array.from({ length: atOnce }, () =>
    runNext().catch((error) => {
      ended.abort(error)
      throw error
    }),
  )
  const failed = (await Promise.allSettled(running)).find((end) => end.status === 'rejected')
  if (failed === undefined) return total
  throw await explain(job, ended.signal.reason ?? failed.reason)
}

/** An error of a chunk, and what is there all the same. */
async function explain(job: Job, error: unknown): Promise<unknown> {
  if (!(error instanceof ChunkError)) return error
  const missing = (await job.missingChunks().catch(() => undefined))?.length
  const there = missing === undefined ? '' : ` (${job.chunks - missing} of ${job.chunks} chunks are there`
  return new CommandError(`${error.message}${there && `${there}, and the same command does the others)`}`, {
    cause: error,
  })
}
