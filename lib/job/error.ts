/**
 * Thrown for a job that cannot be opened or done as it is described: a description that is none, arrays that do not fit,
 * an output that belongs to another job. The message says what was expected and what came.
 */
export class JobError extends Error {
  override readonly name: string = 'JobError'
  readonly code: 'ERR_JOB' | 'ERR_CHUNK' = 'ERR_JOB'
  /** Whether trying again later can help: so it is for what a file system says of itself, not for what a file holds. */
  readonly retryable: boolean

  constructor(problem: string, options: { readonly retryable?: boolean; readonly cause?: unknown } = {}) {
    super(problem, options.cause === undefined ? {} : { cause: options.cause })
    this.retryable = options.retryable ?? false
  }
}

/** Thrown for a chunk that cannot be read or written. The message names the file, what was expected and what came. */
export class ChunkError extends JobError {
  override readonly name = 'ChunkError'
  override readonly code = 'ERR_CHUNK'
  /** Which chunk, counted from 0. */
  readonly chunk: number

  constructor(
    chunk: number,
    problem: string,
    options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(`chunk ${chunk}: ${problem}`, options)
    this.chunk = chunk
  }
}
