import type { Failure } from '../errors.ts'
import type { DType } from '../ndarray.ts'
import type { JobDescription } from './description.ts'

/** What a job may be at most; for those who take descriptions from others. */
export interface JobLimits {
  /** n of its matrices. Default 8192. */
  readonly maxOrder: number
  /** What A, direction, value and result of one chunk take in memory together. Default 1 GiB. */
  readonly maxChunkBytes: number
  /** How many chunks there are. Default 10 million. */
  readonly maxChunks: number
}

/** How a chunk runs. */
export interface ChunkControl {
  /** When it aborts, {@link Job.runChunk} throws its reason; the chunk is then not written. */
  readonly signal?: AbortSignal | undefined
  /** How many of the chunk's results are computed. */
  readonly onProgress?: (done: number, count: number) => void
}

/** What came of a chunk. */
export interface ChunkResult {
  /** `present`: it was there, whole, and nothing was done. */
  readonly done: 'computed' | 'present'
  /** How many of its results are NaN because they cannot be done; see {@link Job.failures}. */
  readonly failures: number
}

/** How a job is opened. */
export interface JobPlace {
  /** The folder that the description's paths are relative to; nothing outside it is read or written. */
  readonly root: string
  readonly limits?: Partial<JobLimits> | undefined
  /** As the functions' option; by default as many as theirs. */
  readonly threads?: number | undefined
  /** Whether to make the outputs where they are not there. Default true. */
  readonly create?: boolean
}

/**
 * Work cut into chunks that can be done in any order, by any number of processes, any number of times: what a chunk
 * leaves behind is the same bytes each time, and is there whole or not at all.
 */
export interface Job {
  /** {@link jobId}. */
  readonly id: string
  readonly description: JobDescription
  readonly dtype: DType
  readonly n: number
  /** Results: matrices or, of cond, numbers. */
  readonly count: number
  /** Results of a chunk; the last one may have fewer. */
  readonly chunkLength: number
  readonly chunks: number
  /** What A, direction, value and result of one chunk take in memory together. */
  readonly chunkBytes: number
  /**
   * Does chunk k, unless it is there. Several may run at once, each with memory of its own.
   * Errors: {@link ChunkError} where it cannot be read or written; the signal's reason.
   */
  runChunk(k: number, control?: ChunkControl): Promise<ChunkResult>
  /** The chunks that are not on the storage whole, in order. Costs a look at each file. */
  missingChunks(): Promise<number[]>
  /** Every result that could not be done, by its place among all, in order, of the chunks that are there. */
  failures(): AsyncIterable<Failure>
  /**
   * Removes what killed processes left half written in the outputs' folders a day ago or longer. Nothing needs that but the
   * space they take: a chunk each at most.
   */
  removeAbandoned(): Promise<void>
  /** Lets go of files and memory. Chunks that run are not waited for. */
  close(): Promise<void>
}
