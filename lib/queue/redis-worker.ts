import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue, Job as QueuedJob, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { type Job, JobError } from '../job/index.ts'
import { addChunks, notQueued, queueName } from './chunks.ts'
import { QueueError } from './error.ts'
import type { JobRecord } from './job-queue.ts'
import { isSet, Ledger } from './ledger.ts'
import { OpenJobs } from './open-jobs.ts'
import { type Payload, parsePayload } from './payload.ts'
import type { ChunkWorker, WorkerOptions } from './worker.ts'

/** How often a chunk may lose its worker (killed, out of memory, cut off); once more, and it counts as one that kills workers. */
const maxStalledCount = 9

/** Milliseconds that a worker which does not find a job's arrays waits before it takes another chunk: others may see them. */
const pauseWithoutStorage = 5000

/** Jobs in which nothing has moved for so many lock times are looked at for chunks that the queue has lost. */
const locksUntilMended = 2
const longestMending = 10_000

/** The worker behind {@link ChunkWorker}: BullMQ's, which takes chunks one by one and extends its locks by itself. */
export class RedisWorker implements ChunkWorker {
  readonly #redis: Redis
  readonly #queue: Queue
  readonly #worker: Worker
  readonly #ledger: Ledger
  readonly #open: OpenJobs
  readonly #options: WorkerOptions
  readonly #bullmq: typeof import('bullmq')
  readonly #lock: number
  readonly #closed = new AbortController()
  readonly #ending = new AbortController()
  readonly #timer: NodeJS.Timeout
  #closing: Promise<void> | undefined
  #mending: Promise<void> | undefined

  constructor(redis: Redis, bullmq: typeof import('bullmq'), options: WorkerOptions) {
    const { root = '.', limits, threads, concurrency = 2, lock = 30 } = options
    this.#redis = redis
    this.#bullmq = bullmq
    this.#options = options
    this.#lock = 1000 * lock
    this.#ledger = new Ledger(redis)
    this.#open = new OpenJobs({ root, limits, threads })
    this.#queue = new bullmq.Queue(queueName, { connection: redis })
    this.#worker = new bullmq.Worker(queueName, (job, token) => this.#work(job, token), {
      connection: redis,
      concurrency,
      lockDuration: this.#lock,
      stalledInterval: this.#lock,
      maxStalledCount,
    })
    const tell = (error: Error): void => this.#tell(error.message)
    this.#queue.on('error', tell)
    this.#worker.on('error', tell)
    this.#worker.on('failed', (job, error) => {
      if (!this.#ending.signal.aborted) this.#tell(`chunk ${job?.id ?? 'unknown'}: ${error.message}`)
    })
    this.#timer = setInterval(() => this.#startMending(), this.#lock)
    this.#startMending()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async abort(): Promise<void> {
    this.#ending.abort()
    await this.close()
  }

  async #close(): Promise<void> {
    this.#closed.abort()
    clearInterval(this.#timer)
    await this.#worker.close()
    await this.#mending
    await this.#queue.close()
    await this.#open.close()
    this.#redis.disconnect()
  }

  async #work(queued: QueuedJob, token: string | undefined): Promise<void> {
    const { signal } = this.#ending
    try {
      signal.throwIfAborted()
      const payload = parsePayload(queued.data)
      if (await this.#ledger.has(payload.job)) await this.#compute(payload)
    } catch (error) {
      if (signal.aborted) {
        await queued.moveToWait(token)
        throw new this.#bullmq.WaitingError()
      }
      const isFinal = error instanceof QueueError || (error instanceof JobError && !error.retryable)
      throw isFinal ? new this.#bullmq.UnrecoverableError(error.message) : error
    }
  }

  async #compute({ job: id, chunk, description }: Payload): Promise<void> {
    const { signal } = this.#ending
    const start = performance.now()
    try {
      await this.#open.use(id, description, async (job) => {
        if (chunk >= job.chunks)
          throw new QueueError(`job ${id} has ${job.chunks} chunks, got chunk ${chunk}`)
        const { done, failures } = await job.runChunk(chunk, { signal })
        const milliseconds = performance.now() - start
        const count = await this.#ledger.enterDone(id, chunk, failures, milliseconds)
        // The chunk is done, whatever comes now; what fails here is mended later.
        await this.#attempt(async () => {
          this.#options.onChunk?.({ job: id, chunk, done, failures, seconds: milliseconds / 1000 })
          if (count >= job.chunks) await this.#finish(job)
        })
      })
    } catch (error) {
      if (signal.aborted) throw error
      if (!(await this.#ledger.has(id))) return // cancelled: nobody waits for it, done or failed
      // Where this worker alone does not see the storage, it should not be the one that tries every chunk.
      if (isAway(error))
        await sleep(pauseWithoutStorage, undefined, { signal: this.#closed.signal }).catch(() => {})
      throw error
    }
  }

  /** Makes sure that what the ledger says of a job is true of the storage; what is not there is computed again. */
  async #finish(job: Job): Promise<void> {
    const record = await this.#ledger.read(job.id)
    if (!record) return // cancelled
    const absent = await job.missingChunks()
    if (absent.length > 0) {
      await this.#ledger.removeDone(job.id, absent)
      return await addChunks(this.#queue, job, absent)
    }
    await this.#ledger.finish(job.id, record.submitted)
    await job.removeAbandoned()
  }

  #startMending(): void {
    this.#mending ??= this.#attempt(() => this.#mend()).finally(() => {
      this.#mending = undefined
    })
  }

  /**
   * Looks after jobs in which nothing has moved for a while: chunks that the queue does not hold and ought to come into it again, those of a
   * submission that was interrupted or of a server that lost its last second; and a job whose last worker died is finished.
   */
  async #mend(): Promise<void> {
    // One worker does that for all, and does not keep others with shorter locks from it for long.
    const milliseconds = Math.min(0.9 * this.#lock, longestMending)
    const isFirst = await this.#redis.set('matfun:mending', '1', 'PX', Math.round(milliseconds), 'NX')
    if (isFirst === null) return
    const now = await this.#ledger.now()
    for (const id of await this.#ledger.ids())
      await this.#attempt(async () => {
        const record = await this.#ledger.read(id)
        if (!record || record.finished !== undefined) return
        if (now - Math.max(record.submitted, record.latest ?? 0) < locksUntilMended * this.#lock) return
        if (record.done < record.chunks) await addChunks(this.#queue, record, await this.#lost(record))
        else await this.#open.use(id, record.description, (job) => this.#finish(job))
      })
  }

  async #lost({ id, chunks }: JobRecord): Promise<number[]> {
    const bits = await this.#ledger.doneBits(id)
    const undone: number[] = []
    for (let k = 0; k < chunks; k++) if (!isSet(bits, k)) undone.push(k)
    return await notQueued(this.#queue, this.#redis, id, undone)
  }

  /** What fails is told, and no more. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#tell((error as Error).message)
    }
  }

  #tell(message: string): void {
    this.#options.onTrouble?.(message)
  }
}

/** Whether an error says that a file or folder is not there. */
function isAway(error: unknown): boolean {
  return error instanceof JobError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}
