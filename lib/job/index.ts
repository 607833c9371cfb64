export { chunkLengthFor } from './chunk-length.ts'
export { type JobDescription, type JobFacts, jobId, type Operation, parseDescription } from './description.ts'
export { ChunkError, JobError } from './error.ts'
export type { ChunkControl, ChunkResult, Job, JobLimits, JobPlace } from './job.ts'
