import type { JobDescription, JobLimits } from '../job/index.ts'
import type { DType } from '../ndarray.ts'

/** How a job is submitted. */
export interface SubmitOptions {
  /** The folder that the description's paths are relative to; default: the working directory. */
  readonly root?: string
  readonly limits?: Partial<JobLimits> | undefined
  /** Tries chunks again that have failed for good before; default: they stay failed. */
  readonly retryFailed?: boolean
  /** Told how many of the chunks that the queue may lack are in it. */
  readonly onProgress?: (queued: number, chunks: number) => void
}

/** What submitting a job did. */
export interface Submission {
  readonly id: string
  readonly chunks: number
  /** Chunks that were on the storage already. */
  readonly present: number
  /** Chunks that failed for good before and are being tried again. */
  readonly retried: number
  /** Chunks that failed for good before and are left so. */
  readonly failed: number
}

/** What is known of a job without its arrays. */
export interface KnownJob {
  readonly id: string
  readonly description: JobDescription
  readonly dtype: DType
  /** n of the matrices. */
  readonly n: number
  /** How many results there will be, and in how many chunks. */
  readonly count: number
  readonly chunks: number
}

/** How far a job has come. Times are by the clocks of the hosts, in milliseconds since 1970; undefined where that has not been. */
export interface JobRecord extends KnownJob {
  /** Chunks that are on the storage. */
  readonly done: number
  /** Of these, the ones that were there when the job was submitted last. */
  readonly present: number
  /** Results that are NaN because they cannot be done, in the chunks that are done. */
  readonly failures: number
  readonly submitted: number
  readonly started: number | undefined
  /** When the latest chunk was done. */
  readonly latest: number | undefined
  /** When every chunk was found on the storage. */
  readonly finished: number | undefined
}

/** A chunk that was tried for the last time. */
export interface FailedChunk {
  readonly chunk: number
  readonly reason: string
  readonly attempts: number
}

/** How far a job is. */
export interface JobStatus extends JobRecord {
  /** Every chunk was found on the storage after the last one was written. */
  readonly complete: boolean
  /** Chunks that workers are at. */
  readonly active: number
  /** Chunks that are neither done nor active nor failed. */
  readonly waiting: number
  /** Chunks that were tried for the last time: how many, and why the first 100 of them, in their order. */
  readonly failed: number
  readonly failedChunks: readonly FailedChunk[]
  /** Since the job was submitted last, or of late where it is followed; 0 where that cannot be told yet. */
  readonly chunksPerSecond: number
  readonly secondsLeft: number | undefined
}

/** How a job is followed. */
export interface FollowOptions {
  /** Milliseconds from one look to the next; default 1000. */
  readonly interval?: number
  readonly signal?: AbortSignal | undefined
}

/** Jobs on a queue in Redis: submits them, tells how far they are, takes them back. Workers compute them; see {@link startWorker}. */
export interface JobQueue {
  /**
   * Creates a job's outputs and puts those of its chunks into the queue that are not on the storage yet. Submitting a job twice
   * does nothing twice. A submission that was interrupted is completed by the workers, or by another one.
   * Cost: a look at each chunk of the outputs, and one round trip for 1000 chunks.
   * Errors: JobError for a description that is none, or whose arrays cannot be opened; those of the server.
   */
  submit(description: JobDescription, options?: SubmitOptions): Promise<Submission>
  /** The jobs that were submitted, the latest first; finished ones for 30 days. */
  jobs(): Promise<string[]>
  /** How far a job is. Errors: QueueError for one that is not known. */
  status(id: string): Promise<JobStatus>
  /**
   * Tells how far a job is, again and again until it is complete or only failed chunks are left of it. A server that goes away
   * meanwhile is waited for.
   * Errors: as for status; the signal's reason.
   */
  follow(id: string, options?: FollowOptions): AsyncGenerator<JobStatus, void, void>
  /**
   * Takes a job's chunks out of the queue, and forgets it. Chunks that are being worked on are ended; what is on the storage stays.
   * Cost: linear in its chunks and in all chunks that wait (2 µs of the server each), in steps of a millisecond.
   * Errors: QueueError for a job that is not known.
   */
  cancel(id: string): Promise<void>
  /** Ends the connection. */
  close(): Promise<void>
}
