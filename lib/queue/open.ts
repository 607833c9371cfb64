import { onAbort } from '../abort.ts'
import type { QueueAddress } from './address.ts'
import { queueName } from './chunks.ts'
import { connect, loadPackages } from './connection.ts'
import type { JobQueue } from './job-queue.ts'
import { RedisQueue } from './redis-queue.ts'
import { RedisWorker } from './redis-worker.ts'
import type { ChunkWorker, WorkerOptions } from './worker.ts'

/** How a queue is opened. */
export interface OpenOptions {
  /** Ends the connection, and with it what waits for an answer. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Connects to a queue. Needs the packages bullmq and ioredis. Close it when done.
 *
 * @throws QueueError (as a rejection) where they are missing, for a wrong address, and where no server answers there.
 *
 * @example
 * const queue = await openQueue({ url: 'redis://queue:6379' })
 * for (const id of await queue.jobs()) console.log(id, (await queue.status(id)).complete)
 * await queue.close()
 */
export async function openQueue(address: QueueAddress, { signal }: OpenOptions = {}): Promise<JobQueue> {
  const { bullmq, Redis } = await loadPackages()
  const redis = await connect(address, Redis, { patient: false, signal })
  const release = signal && onAbort(signal, () => redis.disconnect())
  redis.once('end', () => release?.())
  return new RedisQueue(redis, new bullmq.Queue(queueName, { connection: redis }))
}

/**
 * Starts a worker: it takes chunks from a queue and computes them, until it is closed. A server that is not there is waited for. Any
 * number of workers may run, on any hosts that see the same storage. Needs the packages bullmq and ioredis.
 * Memory: `concurrency` chunks with their results, whatever the arrays' sizes.
 *
 * @throws QueueError (as a rejection) where packages are missing, for a wrong address, and where user or password are refused;
 *   RangeError for wrong options; the signal's reason.
 *
 * @example
 * const worker = await startWorker({ url: 'redis://queue:6379' }, { root: '.', onTrouble: console.error })
 * process.once('SIGTERM', () => worker.close())
 * setTimeout(() => process.kill(process.pid, 'SIGTERM'), 1000)
 */
export async function startWorker(address: QueueAddress, options: WorkerOptions = {}): Promise<ChunkWorker> {
  inRange('concurrency', options.concurrency ?? 2, 16)
  inRange('lock', options.lock ?? 30, 3600)
  const { bullmq, Redis } = await loadPackages()
  const { signal, onTrouble } = options
  const redis = await connect(address, Redis, {
    patient: true,
    signal,
    onTrouble: (error) => onTrouble?.(error.message),
  })
  return new RedisWorker(redis, bullmq, options)
}

function inRange(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new RangeError(`${name} must be an integer from 1 to ${most}, got ${value}`)
}
