export type { JobDescription, JobLimits, Operation } from '../job/index.ts'
export type { QueueAddress } from './address.ts'
export { QueueError } from './error.ts'
export type {
  FailedChunk,
  FollowOptions,
  JobQueue,
  JobRecord,
  JobStatus,
  KnownJob,
  Submission,
  SubmitOptions,
} from './job-queue.ts'
export { type OpenOptions, openQueue, startWorker } from './open.ts'
export type { ChunkWorker, DoneChunk, WorkerOptions } from './worker.ts'
