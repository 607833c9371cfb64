import type { JobLimits } from '../job/index.ts'

/** How a worker works. */
export interface WorkerOptions {
  /** The folder that it may read and write; what leads out of it is refused. Default: the working directory. */
  readonly root?: string
  /** What it refuses as too large. */
  readonly limits?: Partial<JobLimits>
  /** As the functions' option. */
  readonly threads?: number | undefined
  /**
   * How many chunks it is at at once, 1 to 16; default 2, so that one is read or written while another is computed. Each has its
   * arrays in memory.
   */
  readonly concurrency?: number
  /**
   * Seconds, 1 to 3600, after which another worker takes up the chunks of one that is gone; default 30. A worker that is
   * alive extends its hold every half of that, however long a chunk takes.
   */
  readonly lock?: number
  /** Told of each chunk that is done. */
  readonly onChunk?: (chunk: DoneChunk) => void
  /** Told of what goes wrong: a chunk that could not be done and why, a server that is not there. The worker goes on. */
  readonly onTrouble?: (message: string) => void
  /** Ends waiting for a server that is not there, with its reason. */
  readonly signal?: AbortSignal
}

/** A chunk that a worker has done. */
export interface DoneChunk {
  readonly job: string
  readonly chunk: number
  /** `present`: it was on the storage already. */
  readonly done: 'computed' | 'present'
  /** Matrices in it that cannot be done. */
  readonly failures: number
  readonly seconds: number
}

/** A worker at work; see {@link startWorker}. */
export interface ChunkWorker {
  /** Takes no more chunks, ends those that it is at, and disconnects. Without a server there, that is waited for. */
  close(): Promise<void>
  /** As close, but gives the chunks that it is at back to the queue. */
  abort(): Promise<void>
}
