import { setTimeout as sleep } from 'node:timers/promises'
import { defaultLimits } from '../job/index.ts'
import type { JobQueue, JobStatus, QueueAddress } from '../queue/index.ts'
import type { Command } from './arguments.ts'
import { describeJob } from './describe.ts'
import { UsageError } from './errors.ts'
import { showProgress } from './progress.ts'
import { reportChunk, reportStatus, reportSubmission } from './queue-report.ts'
import { showCount } from './report.ts'
import type { ExitCode, Surroundings } from './surroundings.ts'
import type { Terminal } from './terminal.ts'

/**
 * Where the queue is: `--queue` or MATFUN_QUEUE, with the user and password of MATFUN_QUEUE_USERNAME and MATFUN_QUEUE_PASSWORD.
 * Errors: {@link UsageError} where none is given, and for a password among the arguments, which everybody on the machine can read.
 */
export function queueAddress(given: string | undefined, environment = process.env): QueueAddress {
  const url = given ?? environment.MATFUN_QUEUE
  if (!url)
    throw new UsageError('expected a queue: --queue redis://host:port, or MATFUN_QUEUE in the environment')
  if (given !== undefined && mayHoldPassword(given))
    throw new UsageError(
      '--queue expects an address without a password, which others could read among the arguments: set MATFUN_QUEUE_PASSWORD',
    )
  return {
    url,
    username: environment.MATFUN_QUEUE_USERNAME,
    password: environment.MATFUN_QUEUE_PASSWORD,
  }
}

/** What stands before an @ may be one, unless that is plainly a user and no more. */
function mayHoldPassword(address: string): boolean {
  return address.includes('@') && !/^\w+:\/\/[^:@/]+@[^@]*$/.test(address)
}

const secondsToGiveBack = 5

/** Opens a queue for a step, and closes it after; a signal ends both. What the server refuses is told as a {@link QueueError}. */
async function withQueue<T>(
  given: string | undefined,
  signal: AbortSignal | undefined,
  step: (queue: JobQueue) => Promise<T>,
): Promise<T> {
  const { openQueue, QueueError } = await import('../queue/index.ts')
  const queue = await openQueue(queueAddress(given), { signal })
  try {
    return await step(queue)
  } catch (error) {
    const { name, message, previousErrors } = error as Error & { previousErrors?: Error[] }
    if (name !== 'ReplyError') throw error
    throw new QueueError(`the queue's server says: ${previousErrors?.[0]?.message ?? message}`, {
      cause: error,
    })
  } finally {
    await queue.close()
  }
}

/** Says what goes wrong once in half a minute: a server that is away says so at every try. */
function sayOnce(stderr: Terminal): (message: string) => void {
  const said = new Map<string, number>()
  return (message) => {
    const now = performance.now()
    for (const [text, time] of said) if (now - time > 30_000) said.delete(text)
    if (said.has(message)) return
    said.set(message, now)
    stderr.write(`matfun: ${message}\n`)
  }
}

/** `matfun worker`: until a signal ends it, after the chunks that it is at; a second one gives these back to the queue. */
export async function runWorker(command: Command, surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr, signal, insist } = surroundings
  const { threads, json } = command
  const { concurrency, lock, limits, verbose } = command.queue
  const { root = '.' } = command.arrays
  const { startWorker } = await import('../queue/index.ts')
  const { withoutPassword } = await import('../queue/address.ts')
  const address = queueAddress(command.queue.address)
  let [chunks, failures] = [0, 0]
  const worker = await startWorker(address, {
    root,
    threads,
    limits,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(lock === undefined ? {} : { lock }),
    ...(signal ? { signal } : {}),
    onChunk(chunk) {
      chunks++
      failures += chunk.failures
      if (json) stdout.writeJson(chunk)
      else if (verbose) stderr.write(reportChunk(chunk))
    },
    onTrouble: sayOnce(stderr),
  })
  const { maxOrder, maxChunkBytes } = { ...defaultLimits, ...limits }
  stderr.write(
    `matfun: at work on ${withoutPassword(address.url)}, in ${root}; matrices up to order ${maxOrder}, ` +
      `chunks up to ${showCount(maxChunkBytes / 2 ** 20)} MiB\n`,
  )
  await aborted(signal)
  // Without its server a worker cannot even give its chunks back: then others take them up when the lock ends.
  const insisting = aborted(insist).then(() =>
    Promise.race([worker.abort(), sleep(secondsToGiveBack * 1000)]),
  )
  await Promise.race([worker.close(), insisting])
  stderr.write(
    `matfun: ended after ${showCount(chunks)} chunks, in which ${showCount(failures)} matrices failed\n`,
  )
  return insist?.aborted ? 'interrupted' : 0
}

/** `matfun run --queue`: submits a job, and with --follow shows how it gets on. */
export async function submitJob(command: Command, surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr } = surroundings
  const { json } = command
  const { address, limits, retryFailed, follow } = command.queue
  const { description, root } = describeJob(command)
  return await withQueue(address, surroundings.signal, async (queue) => {
    const progress = showProgress(stderr, 'submit')
    const submission = await queue
      .submit(description, { root, limits, retryFailed, onProgress: progress.update })
      .finally(progress.end)
    const { id } = submission
    if (follow) {
      if (!json) stderr.write(reportSubmission(submission))
      return await followJob(queue, id, json, surroundings)
    }
    if (json) stdout.writeJson(submission)
    else stdout.write(reportSubmission(submission, `matfun status ${id} --follow --queue ${address}`))
    return 0
  })
}

/** `matfun status`: of one job, or of all of them. */
export async function showStatus(command: Command, surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr } = surroundings
  const { inputs, json } = command
  const { address, follow } = command.queue
  return await withQueue(address, surroundings.signal, async (queue) => {
    const ids = inputs.length > 0 ? inputs : await queue.jobs()
    if (follow) {
      const [latest] = ids
      if (latest === undefined)
        throw new UsageError('status --follow expects a job: there is none in this queue')
      return await followJob(queue, latest, json, surroundings)
    }
    const jobs: JobStatus[] = []
    for (const id of ids)
      try {
        jobs.push(await queue.status(id))
      } catch (error) {
        if (inputs.length > 0 || (error as Error).name !== 'QueueError') throw error
        stderr.write(`matfun: ${(error as Error).message}\n`) // the others can be shown all the same
      }
    if (json) stdout.writeJson(jobs)
    else stdout.write(ids.length === 0 ? 'no jobs\n' : jobs.map(reportStatus).join(''))
    return 0
  })
}

/** Shows a progress bar until a job ends, and then how it ended. 0: all done; 1: some matrices cannot be done; 2: some chunks. */
export async function followJob(
  queue: JobQueue,
  id: string,
  json: boolean,
  { stdout, stderr, signal }: Surroundings,
): Promise<ExitCode> {
  const progress = showProgress(stderr, `job ${id}`)
  let status: JobStatus | undefined
  try {
    for await (status of queue.follow(id, { signal })) progress.update(status.done, status.chunks)
  } catch (error) {
    if (!signal?.aborted) throw error
    progress.end()
    stderr.write(`matfun: interrupted; the job goes on: matfun status ${id} --follow\n`)
    return 'interrupted'
  } finally {
    progress.end()
  }
  const last = status!
  if (json) stdout.writeJson(last)
  else stdout.write(reportStatus(last))
  return last.failed > 0 ? 2 : last.failures > 0 ? 1 : 0
}

/** `matfun cancel`. */
export async function cancelJob(
  { queue, inputs, json }: Command,
  { stdout, signal }: Surroundings,
): Promise<ExitCode> {
  const [id] = inputs
  await withQueue(queue.address, signal, (opened) => opened.cancel(id))
  if (json) stdout.writeJson({ cancelled: id })
  else stdout.write(`cancelled job ${id}; what is on the storage stays\n`)
  return 0
}

async function aborted(signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return
  await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
}
