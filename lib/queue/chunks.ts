import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { JobDescription } from '../job/index.ts'
import type { FailedChunk } from './job-queue.ts'
import { chunkId, chunkOfId, type Payload } from './payload.ts'

/** The queue's name in BullMQ, where its own tools show it. */
export const queueName = 'matfun'

/** A job as far as its chunks must know it. */
export interface ChunkedJob {
  readonly id: string
  readonly description: JobDescription
}

const atOnce = 1000

/**
 * A chunk is tried five times, after 2 to 3, 4 to 6, 8 to 12 and 16 to 24 s again: what a storage that hiccups needs, without all hosts
 * coming back at once. What trying again cannot mend is tried once.
 */
const options = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 3000, jitter: 1 / 3 },
  removeOnComplete: true, // the storage and the ledger say that it is done
  removeOnFail: false,
} as const

/** Puts chunks of a job into the queue, but for those that wait, run or have failed there already. Cost: one round trip for 1000. */
export async function addChunks(
  queue: Queue,
  { id, description }: ChunkedJob,
  chunks: readonly number[],
  onProgress?: (added: number) => void,
): Promise<void> {
  for (let first = 0; first < chunks.length; first += atOnce) {
    const some = chunks.slice(first, first + atOnce)
    await queue.addBulk(
      some.map((chunk) => {
        const data: Payload = { version: 1, job: id, chunk, description }
        return { name: description.operation, data, opts: { ...options, jobId: chunkId(id, chunk) } }
      }),
    )
    onProgress?.(first + some.length)
  }
}

/** Which chunks of a job are being worked on, and which have failed. Cost: two lists of ids, of all jobs. */
export async function stateOfChunks(
  queue: Queue,
  job: string,
): Promise<{ active: number[]; failed: number[] }> {
  const [active, failed] = await Promise.all([
    queue.getRanges(['active'], 0, -1),
    queue.getRanges(['failed'], 0, -1),
  ])
  const chunksOf = (ids: readonly string[]): number[] =>
    ids
      .map((id) => chunkOfId(job, id))
      .filter((chunk) => chunk !== undefined)
      .sort((a, b) => a - b)
  return { active: chunksOf(active), failed: chunksOf(failed) }
}

/** Those of some chunks that the queue does not hold: they neither wait nor run nor have failed. Cost: one round trip for 1000. */
export async function notQueued(
  queue: Queue,
  redis: Redis,
  job: string,
  chunks: readonly number[],
): Promise<number[]> {
  const lost: number[] = []
  for (let first = 0; first < chunks.length; first += atOnce) {
    const some = chunks.slice(first, first + atOnce)
    const commands = redis.pipeline()
    for (const chunk of some) commands.exists(queue.toKey(chunkId(job, chunk)))
    const answers = (await commands.exec()) ?? []
    lost.push(...some.filter((_, k) => answers[k]?.[1] === 0))
  }
  return lost
}

/** Why chunks failed, one round trip each. */
export async function reasonsOf(
  queue: Queue,
  job: string,
  chunks: readonly number[],
): Promise<FailedChunk[]> {
  const jobs = await Promise.all(chunks.map((chunk) => queue.getJob(chunkId(job, chunk))))
  return jobs.flatMap((found, k) =>
    found ? [{ chunk: chunks[k], reason: printable(found.failedReason), attempts: found.attemptsMade }] : [],
  )
}

/** Takes chunks out of the queue, but for those that are being worked on. */
export async function removeChunks(queue: Queue, job: string, chunks: Iterable<number>): Promise<void> {
  let some: Promise<number>[] = []
  for (const chunk of chunks) {
    some.push(queue.remove(chunkId(job, chunk)))
    if (some.length === atOnce) {
      await Promise.all(some)
      some = []
    }
  }
  await Promise.all(some)
}

/** A reason as it may be shown: whoever writes to the server may have put into it what a terminal would obey. */
function printable(reason: unknown): string {
  return String(reason)
    .slice(0, 1000)
    .replace(/\p{Cc}/gu, '\ufffd')
}
