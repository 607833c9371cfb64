import type { Output, Terminal } from './terminal.ts'

/** All done; some items failed; wrong use or a file that cannot be used; ended by a signal. */
export type ExitCode = 0 | 1 | 2 | 'interrupted'

/** Where a run prints, and how its job runs. */
export interface Surroundings<T extends Output | Terminal = Terminal> {
  readonly stdout: T
  readonly stderr: T
  readonly signal?: AbortSignal
  /** Aborts when a signal comes for the second time. */
  readonly insist?: AbortSignal
  /** Bytes of a chunk, and milliseconds between checkpoints; see job.ts. */
  readonly budget?: number | undefined
  readonly interval?: number | undefined
}
