import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { type Job, type JobDescription, openJob } from '../job/index.ts'
import { addChunks, reasonsOf, removeChunks, removeJob, stateOfChunks } from './chunks.ts'
import { QueueError } from './error.ts'
import type { FollowOptions, JobQueue, JobRecord, JobStatus, Submission, SubmitOptions } from './job-queue.ts'
import { isSet, Ledger, readingOf, type Storage } from './ledger.ts'

const reasonsAtMost = 100
/** Milliseconds that a rate is taken over while a job is followed. */
const rateWindow = 30_000

/** The queue behind {@link JobQueue}: BullMQ's, with a ledger beside it. */
export class RedisQueue implements JobQueue {
  readonly #redis: Redis
  readonly #queue: Queue
  readonly #ledger: Ledger

  constructor(redis: Redis, queue: Queue) {
    this.#redis = redis
    this.#queue = queue
    this.#ledger = new Ledger(redis)
    queue.on('error', () => {}) // what a server that went away means to a call, the call says
  }

  async submit(description: JobDescription, options: SubmitOptions = {}): Promise<Submission> {
    const { root = '.', limits, retryFailed = false, onProgress } = options
    const job = await openJob(description, { root, limits })
    try {
      const { id, chunks } = job
      const before = await this.#ledger.doneBits(id)
      const storage = await storageOf(job)
      const submitted = await this.#ledger.enter(job, storage, before)
      const { absent } = storage
      const lacking = new Set(absent)
      const { failed } = await stateOfChunks(this.#queue, id)
      // What is on the storage has not failed; and what is to be tried again comes anew, with all its tries.
      const open = failed.filter((chunk) => lacking.has(chunk))
      await removeChunks(
        this.#queue,
        id,
        retryFailed ? failed : failed.filter((chunk) => !lacking.has(chunk)),
      )
      await addChunks(this.#queue, job, absent, (added) => onProgress?.(added, absent.length))
      if (absent.length === 0) await this.#ledger.finish(id, submitted)
      await job.removeAbandoned()
      const [retried, left] = retryFailed ? [open.length, 0] : [0, open.length]
      return { id, chunks, present: chunks - absent.length, retried, failed: left }
    } finally {
      await job.close()
    }
  }

  async jobs(): Promise<string[]> {
    return await this.#ledger.ids()
  }

  async status(id: string): Promise<JobStatus> {
    return await readingOf(id, () => this.#status(id))
  }

  async #status(id: string): Promise<JobStatus> {
    const record = await this.#known(id)
    const { active, failed: inFailed } = await stateOfChunks(this.#queue, id)
    const bits = inFailed.length > 0 ? await this.#ledger.doneBits(id) : new Uint8Array()
    const failed = inFailed.filter((chunk) => !isSet(bits, chunk))
    const failedChunks = await reasonsOf(this.#queue, id, failed.slice(0, reasonsAtMost))
    const { chunks, done, present, started, finished, latest } = record
    const until = finished === undefined ? await this.#ledger.now() : latest
    const seconds = started === undefined || until === undefined ? 0 : (until - started) / 1000
    // A chunk is entered as done a moment before the queue lets go of it.
    const busy = Math.min(active.length, chunks - done)
    const waiting = Math.max(0, chunks - done - busy - failed.length)
    return {
      ...record,
      complete: finished !== undefined,
      active: busy,
      waiting,
      failed: failed.length,
      failedChunks,
      ...rateOf(done - present, seconds, busy + waiting),
    }
  }

  async *follow(
    id: string,
    { interval = 1000, signal }: FollowOptions = {},
  ): AsyncGenerator<JobStatus, void, void> {
    const seen: { time: number; done: number }[] = []
    for (;;) {
      const status = await this.status(id)
      const time = performance.now()
      seen.push({ time, done: status.done })
      while (seen.length > 2 && time - seen[0].time > rateWindow) seen.shift()
      const [first] = seen
      const seconds = (time - first.time) / 1000
      const recent = rateOf(status.done - first.done, seconds, status.active + status.waiting)
      yield recent.chunksPerSecond > 0 && !status.complete ? { ...status, ...recent } : status
      if (status.complete || (status.failed > 0 && status.active + status.waiting === 0)) return
      await sleep(interval, undefined, { signal })
    }
  }

  async cancel(id: string): Promise<void> {
    const { chunks } = await this.#known(id)
    await removeJob(this.#queue, this.#redis, id, chunks)
    await this.#ledger.forget(id)
    // A worker may have mended the queue meanwhile, or a chunk have failed. What comes later workers let go of.
    const { failed } = await stateOfChunks(this.#queue, id)
    await removeChunks(this.#queue, id, failed)
  }

  async close(): Promise<void> {
    await this.#queue.close()
    this.#redis.disconnect()
  }

  async #known(id: string): Promise<JobRecord> {
    const record = await this.#ledger.read(id)
    if (record) return record
    throw new QueueError(`there is no job ${id} in this queue`)
  }
}

/** What the storage has of a job's results. */
async function storageOf(job: Job): Promise<Storage> {
  const absent = await job.missingChunks()
  const failures = new Map<number, number>()
  if (absent.length === job.chunks) return { absent, failures }
  const lacking = new Set(absent)
  for await (const { index } of job.failures()) {
    const chunk = Math.floor(index / job.chunkLength)
    if (!lacking.has(chunk)) failures.set(chunk, (failures.get(chunk) ?? 0) + 1)
  }
  return { absent, failures }
}

/** Of `chunks` that took `seconds`, where `left` are still to do. */
function rateOf(
  chunks: number,
  seconds: number,
  left: number,
): { chunksPerSecond: number; secondsLeft: number | undefined } {
  const chunksPerSecond = seconds > 0 ? Math.max(0, chunks) / seconds : 0
  const secondsLeft = left === 0 ? 0 : chunksPerSecond > 0 ? left / chunksPerSecond : undefined
  return { chunksPerSecond, secondsLeft }
}
