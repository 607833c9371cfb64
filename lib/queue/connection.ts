import type { Redis } from 'ioredis'
import { onAbort } from '../abort.ts'
import { connectionOptions, type QueueAddress, withoutPassword } from './address.ts'
import { QueueError } from './error.ts'

type BullMQ = typeof import('bullmq')

/** The two packages that a queue is made of. Throws a {@link QueueError} that names what to install. */
export async function loadPackages(): Promise<{ bullmq: BullMQ; Redis: typeof Redis }> {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')])
    return { bullmq, Redis: ioredis.Redis }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new QueueError('a queue needs the packages bullmq and ioredis: npm install bullmq ioredis', {
      cause: error,
    })
  }
}

/** How a server that is not there is met. */
export interface Patience {
  /** Wait for a server that is not there yet, instead of throwing. */
  readonly patient: boolean
  /** Ends the waiting, with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Told of every failed attempt that is followed by another. */
  readonly onTrouble?: ((error: Error) => void) | undefined
}

/**
 * Connects. A server that goes away later is waited for, whatever the patience.
 * Errors: {@link QueueError} where there is none, or none that takes user and password; the signal's reason.
 */
export async function connect(
  address: QueueAddress,
  RedisClient: typeof Redis,
  { patient, signal, onTrouble }: Patience,
): Promise<Redis> {
  signal?.throwIfAborted()
  let wasReady = false
  const client = new RedisClient({
    ...connectionOptions(address),
    lazyConnect: true,
    retryStrategy: (times) => (wasReady || patient ? Math.min(100 * 2 ** times, 2000) : null),
  })
  let release: (() => void) | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      release = signal && onAbort(signal, () => reject(signal.reason))
      client.once('ready', () => {
        wasReady = true
        resolve()
      })
      client.on('error', (error: Error) => {
        if (wasReady || (patient && !isRefusal(error))) onTrouble?.(error)
        else reject(unreachable(address, error))
      })
      client.connect().catch((error: Error) => {
        if (!patient) reject(unreachable(address, error)) // where no 'error' said it better
      })
    })
    return client
  } catch (error) {
    client.disconnect()
    throw error
  } finally {
    release?.()
  }
}

/** What waiting does not help against. */
function isRefusal({ message }: Error): boolean {
  return /^(NOAUTH|WRONGPASS|NOPERM|ERR (invalid password|AUTH|DB index))/.test(message)
}

function unreachable({ url }: QueueAddress, error: Error): QueueError {
  return new QueueError(`cannot use the queue at ${withoutPassword(url)}: ${error.message}`, { cause: error })
}
