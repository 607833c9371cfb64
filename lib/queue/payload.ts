import { describe } from '../errors.ts'
import { type JobDescription, parseDescription } from '../job/index.ts'
import { QueueError } from './error.ts'
import { isJobId } from './ledger.ts'

/** What waits in Redis for each chunk: references, never matrices. */
export interface Payload {
  readonly version: 1
  /** The job that the chunk is of. */
  readonly job: string
  readonly chunk: number
  readonly description: JobDescription
}

/** The id that a chunk has in the queue: submitted twice, it is there once. Without a chunk, what the ids of all of a job's begin with. */
export function chunkId(job: string, chunk: number | ''): string {
  return `${job}-${chunk}`
}

/** The chunk of a job that an id of the queue names; undefined for another job's. */
export function chunkOfId(job: string, id: string): number | undefined {
  const text = id.startsWith(`${job}-`) ? id.slice(job.length + 1) : ''
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

/** Reads what came over the queue, which anybody who may write to Redis can have put there. {@link QueueError} for anything else. */
export function parsePayload(value: unknown): Payload {
  const { version, job, chunk, description } = { ...(typeof value === 'object' ? value : {}) } as Record<
    string,
    unknown
  >
  if (version !== 1) throw new QueueError(`expected a chunk of version 1, got ${describe(version)}`)
  if (!isJobId(job)) throw new QueueError('expected a job of 16 hex digits')
  if (typeof chunk !== 'number' || !Number.isSafeInteger(chunk) || chunk < 0)
    throw new QueueError(`expected a chunk's number, got ${describe(chunk)}`)
  return { version, job, chunk, description: parseDescription(description) }
}
