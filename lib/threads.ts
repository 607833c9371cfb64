import { availableParallelism } from 'node:os'
import { describe, rangeError } from './errors.ts'
import { readInteger } from './integer.ts'

/** More than any call can use; OpenBLAS has room for so many callers at once. */
export const maxThreads = 256

/** Of {@link defaultThreads}: the environment and the machine are asked once. */
let known: number | undefined

/**
 * Threads of a call that does not say how many: MATFUN_NUM_THREADS, or else as many as the machine can run at once.
 * ERR_INVALID_OPTION where MATFUN_NUM_THREADS is no such number.
 */
export function defaultThreads(): number {
  known ??= readEnvironment(process.env.MATFUN_NUM_THREADS) ?? Math.min(availableParallelism(), maxThreads)
  return known
}

/** The threads of a call with this option; ERR_INVALID_OPTION where it is no such number. */
export function threadCount(threads: unknown): number {
  if (threads === undefined) return defaultThreads()
  if (!isThreadCount(threads)) throw refusal('options.threads', threads)
  return threads
}

/** True for what can be a number of threads. */
export function isThreadCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maxThreads
}

function readEnvironment(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const value = readInteger(text, 1, maxThreads)
  if (value === undefined) throw refusal('the environment variable MATFUN_NUM_THREADS', text)
  return value
}

function refusal(name: string, value: unknown): RangeError {
  return rangeError(
    'ERR_INVALID_OPTION',
    `${name} must be an integer from 1 to ${maxThreads}, got ${describe(value)}`,
  )
}
