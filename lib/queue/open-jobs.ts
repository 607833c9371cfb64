import { type Job, type JobDescription, JobError, type JobLimits, openJob } from '../job/index.ts'

/** How the jobs are opened; see {@link openJob}. */
export interface OpenJobsOptions {
  readonly root: string
  readonly limits?: Partial<JobLimits> | undefined
  readonly threads?: number | undefined
}

interface OpenJob {
  readonly opening: Promise<Job>
  users: number
}

/** One that is not in use keeps the memory of its chunks, for the next one. */
const keptAtMost = 1

/** Jobs that a worker has open, so that their arrays' metadata is read once and not for each chunk: those in use, and the latest. */
export class OpenJobs {
  readonly #options: OpenJobsOptions
  /** The latest used last. */
  readonly #open = new Map<string, OpenJob>()

  constructor(options: OpenJobsOptions) {
    this.#options = options
  }

  /**
   * Does something with the job of an id.
   * Errors: those of opening it; {@link JobError} where the description is another job's by now, because the arrays have changed.
   */
  async use<T>(id: string, description: JobDescription, step: (job: Job) => Promise<T>): Promise<T> {
    const entry = this.#open.get(id) ?? { opening: openAs(id, description, this.#options), users: 0 }
    entry.opening.catch(() => {}) // it is met below
    this.#open.delete(id)
    this.#open.set(id, entry)
    entry.users++
    try {
      await this.#closeUnused(entry)
      return await step(await entry.opening)
    } catch (error) {
      // What went wrong may be what was read when it was opened.
      if (this.#open.get(id) === entry) this.#open.delete(id)
      throw error
    } finally {
      entry.users--
      await this.#closeUnused(entry)
    }
  }

  /** Closes those that nothing uses; the others close when their use ends. */
  async close(): Promise<void> {
    const entries = [...this.#open.values()]
    this.#open.clear()
    for (const entry of entries) await this.#closeUnused(entry)
  }

  async #closeUnused(latest: OpenJob): Promise<void> {
    const unused: OpenJob[] = []
    if (latest.users === 0 && ![...this.#open.values()].includes(latest)) unused.push(latest)
    for (const [id, entry] of this.#open) {
      if (this.#open.size <= keptAtMost) break
      if (entry.users > 0) continue
      this.#open.delete(id)
      unused.push(entry)
    }
    for (const { opening } of unused) await (await opening.catch(() => undefined))?.close()
  }
}

async function openAs(id: string, description: JobDescription, options: OpenJobsOptions): Promise<Job> {
  const job = await openHere(description, options)
  if (job.id === id) return job
  await job.close()
  throw new JobError(
    `the arrays are not what they were when job ${id} was submitted: expected the same shape, dtype and chunks of ${description.A}`,
  )
}

/** What is not there may be there later, or for another host: a storage that is not mounted yet, say. */
async function openHere(description: JobDescription, options: OpenJobsOptions): Promise<Job> {
  try {
    return await openJob(description, { ...options, create: false })
  } catch (error) {
    const { cause } = error as JobError
    if (!(error instanceof JobError) || (cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT')
      throw error
    throw new JobError(error.message, { retryable: true, cause })
  }
}
