import type { DoneChunk, JobStatus, Submission } from '../queue/index.ts'
import { countChunks, showCount, showSeconds } from './report.ts'

/** What `run --queue` prints without --json. */
export function reportSubmission(
  { id, chunks, present, retried, failed }: Submission,
  next?: string,
): string {
  const lines = [`job ${id}: ${countChunks(chunks)}, of which ${showCount(present)} were there already`]
  if (retried > 0) lines.push(`${countChunks(retried)} that had failed will be tried again`)
  if (failed > 0)
    lines.push(`${countChunks(failed)} failed before: run this again with --retry-failed to try again`)
  if (present < chunks && next !== undefined) lines.push(`${next} shows how it gets on`)
  return `${lines.join('\n')}\n`
}

/** What `status` prints of a job without --json. */
export function reportStatus(status: JobStatus): string {
  const { id, description, count, n, dtype, chunks, done, active, waiting, failed, failures } = status
  const { operation, A, direction, out, value } = description
  const inputs = direction === undefined ? A : `${A} and ${direction}`
  const outputs = value === undefined ? out : `${out} and ${value}`
  const lines = [
    `job ${id}: ${operation} of ${inputs} to ${outputs}, ${showCount(count)} of order ${n}, ${dtype}`,
    `  ${stateOf(status)}: ${showCount(done)} of ${countChunks(chunks)} done, ${showCount(active)} active, ` +
      `${showCount(waiting)} waiting, ${showCount(failed)} failed${rateOf(status)}`,
  ]
  if (failures > 0)
    lines.push(
      `  ${showCount(failures)} matrices cannot be done, with NaN in their places: see ${out}/matfun/failures`,
    )
  for (const { chunk, reason, attempts } of status.failedChunks)
    lines.push(`  chunk ${chunk} failed after ${attempts === 1 ? 'one try' : `${attempts} tries`}: ${reason}`)
  if (failed > status.failedChunks.length)
    lines.push(`  and ${countChunks(failed - status.failedChunks.length)} more`)
  return `${lines.join('\n')}\n`
}

/** What a worker prints of a chunk with --verbose. */
export function reportChunk({ job, chunk, done, failures, seconds }: DoneChunk): string {
  const how = done === 'computed' ? `computed in ${showSeconds(seconds)}` : 'there already'
  return `job ${job}, chunk ${chunk}: ${how}${failures > 0 ? `, ${showCount(failures)} matrices cannot be done` : ''}\n`
}

function stateOf({ complete, done, failed, chunks, active }: JobStatus): string {
  if (complete) return 'complete'
  if (done + failed >= chunks) return failed > 0 ? 'ended with failures' : 'being checked'
  return active > 0 ? 'running' : 'waiting for a worker'
}

function rateOf({ complete, chunksPerSecond, secondsLeft, count, chunks }: JobStatus): string {
  if (chunksPerSecond === 0) return ''
  const matrices = `${showCount((chunksPerSecond * count) / chunks)} matrices per second`
  return complete || secondsLeft === undefined
    ? `; ${matrices}`
    : `; ${matrices}, ${showSeconds(secondsLeft)} left`
}
