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
  return await chunksThat(0, queue, redis, job, chunks)
}

/** The chunks whose key exists (1) or does not exist (0) in the queue. */
async function chunksThat(
  exist: 0 | 1,
  queue: Queue,
  redis: Redis,
  job: string,
  chunks: Iterable<number>,
): Promise<number[]> {
  const found: number[] = []
  for (const some of slices(chunks)) {
    const commands = redis.pipeline()
    for (const chunk of some) commands.exists(queue.toKey(chunkId(job, chunk)))
    const answers = (await commands.exec()) ?? []
    found.push(...some.filter((_, k) => answers[k]?.[1] === exist))
  }
  return found
}

function* slices(chunks: Iterable<number>): Generator<number[], void, undefined> {
  let some: number[] = []
  for (const chunk of chunks)
    if (some.push(chunk) === atOnce) {
      yield some
      some = []
    }
  if (some.length > 0) yield some
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

/** Takes chunks out of the queue, but for those that are being worked on. A chunk in the list of waiting ones costs a search of that list. */
export async function removeChunks(queue: Queue, job: string, chunks: Iterable<number>): Promise<void> {
  for (const some of slices(chunks)) await Promise.all(some.map((chunk) => queue.remove(chunkId(job, chunk))))
}

/** Entries that one script looks at. It holds the server for about a millisecond. */
const entriesAtOnce = 500

/**
 * Takes entries from the end of a list, where workers take theirs. Removes the entries of a job and puts the others back at the beginning.
 * KEYS: the list. ARGV: the prefix of all keys, the prefix of the job's entries, how many entries to take.
 */
const removeWaiting = `local ids = redis.call('rpop', KEYS[1], ARGV[3])
if not ids then return 0 end
local others = {}
for _, id in ipairs(ids) do
  if string.sub(id, 1, #ARGV[2]) == ARGV[2] then
    redis.call('unlink', ARGV[1] .. id, ARGV[1] .. id .. ':logs')
  else
    others[#others + 1] = id
  end
end
if #others > 0 then redis.call('lpush', KEYS[1], unpack(others)) end
return #ids`

/**
 * Takes all chunks of a job out of the queue, but for those that are being worked on.
 *
 * BullMQ searches the list of waiting chunks for each chunk that it removes, which is quadratic. Here the list is rotated once instead.
 * Other jobs' chunks are in their order again at the end, and none is lost if the rotation ends early.
 * Cost: linear in the job's chunks and in all waiting chunks; one round trip for 500.
 */
export async function removeJob(queue: Queue, redis: Redis, job: string, chunks: number): Promise<void> {
  for (const name of ['wait', 'paused']) {
    const list = queue.toKey(name)
    let left = await redis.llen(list)
    while (left > 0) {
      const most = Math.min(entriesAtOnce, left)
      const taken = await redis.call('eval', removeWaiting, 1, list, queue.toKey(''), chunkId(job, ''), most)
      if (taken === 0) break // workers took the others
      left -= taken as number
    }
  }
  // These have failed, wait for another try, run, or came into the list during the rotation.
  await removeChunks(queue, job, await chunksThat(1, queue, redis, job, Array(chunks).keys()))
}

/** A reason as it may be shown: whoever writes to the server may have put into it what a terminal would obey. */
function printable(reason: unknown): string {
  return String(reason)
    .slice(0, 1000)
    .replace(/\p{Cc}/gu, '\ufffd')
}
