/**
 * What a queue cannot do, or be: a wrong address, no Redis there, a job that it does not know.
 *
 * @example
 * try {
 *   await openQueue({ url: 'localhost:6379' })
 * } catch (error) {
 *   if (error instanceof QueueError) console.log(error.code) // ERR_QUEUE
 * }
 */
export class QueueError extends Error {
  override readonly name = 'QueueError'
  readonly code = 'ERR_QUEUE'
}
