import { existsSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { syncFolder } from '../beside.ts'
import type { Failure } from '../errors.ts'
import type { DataOf, DType } from '../ndarray.ts'
import { NpyWriter } from '../npy/writer.ts'
import { type Continuation, chooseContinuation, type JobFiles, takenByAnother } from './continuation.ts'
import { CommandError, onFile } from './errors.ts'
import { Journal } from './journal.ts'
import { claimRun, createRun, findRuns, type Run, removeRun } from './leftovers.ts'
import { createOwner, endOwner } from './owner.ts'
import { showCount } from './report.ts'

/** What becomes of earlier runs of the same job. */
export interface ResumeOptions {
  /** Continue one, where there is one. */
  readonly resume?: boolean | undefined
  /** Also one of which it cannot be known whether it still runs. */
  readonly takeOver?: boolean | undefined
}

/** Milliseconds from the end of one checkpoint to the beginning of the next, at least. */
const betweenCheckpoints = 1000

/**
 * The files of a job while it runs: its outputs under hidden names, and a journal of how far they are on the disk. At any
 * moment the process may be killed, and another {@link Attempt} can continue from the last checkpoint, since no
 * result depends on those before it. docs/decisions/0015-resume.md says why it is as it is.
 */
export class Attempt {
  /** Matrices that an earlier run had done. */
  readonly resumed: number
  /** What was found to continue, or why nothing was. */
  readonly story: string
  readonly #job: JobFiles
  #run: Run
  readonly #interval: number
  readonly #writers: NpyWriter[] = []
  readonly #failures: Failure[]
  #journal: Journal | undefined
  #done: number
  /** Of the last checkpoint. */
  #saved: { done: number; failures: number }
  #saving: Promise<void> | undefined
  #lastSaved = performance.now()
  /** Of a checkpoint; after it nothing more is known of what is on the disk. */
  #error: unknown
  /** Whether an output has taken its name. */
  #isPlaced = false

  /**
   * Without `resume` what is left of earlier runs that are dead is removed, and others are let be.
   * Errors: {@link CommandError} where an output cannot be created or an earlier run may not be continued.
   */
  constructor(job: JobFiles, { resume, takeOver }: ResumeOptions, interval = betweenCheckpoints) {
    const out = job.outputs[0].path
    const found = onFile('write', out, () => findRuns(job.identity))
    const from = resume ? chooseContinuation(job, found, takeOver ?? false) : ''
    const owner = createOwner()
    const isContinued = typeof from !== 'string'
    this.#job = job
    this.#interval = interval
    this.#run = isContinued ? claim(job, from, owner) : createRun(job.identity, owner)
    this.resumed = isContinued ? from.content.done : 0
    this.story = isContinued
      ? `continuing an earlier run: ${showCount(this.resumed)} of ${showCount(job.count)} matrices are done`
      : `${from}: starting from the beginning`
    this.#done = this.resumed
    this.#failures = isContinued ? [...from.content.failures] : []
    this.#saved = { done: this.#done, failures: this.#failures.length }
    for (const { liveness, ...run } of found) {
      const isOver = liveness === 'dead' || (resume && takeOver && liveness === 'unknown')
      if (isOver && run.run !== this.#run.run) removeLeftover(job, run, owner)
    }
    try {
      this.#open(isContinued ? from : undefined)
    } catch (error) {
      this.#close()
      if (!isContinued) removeRun(this.#run)
      throw error
    }
  }

  /** Matrices that the job has. */
  get count(): number {
    return this.#job.count
  }

  /** Every matrix that could not be done, those of earlier runs included. */
  get failures(): readonly Failure[] {
    return this.#failures
  }

  /** Appends to an output, by its place among the job's. Errors: {@link CommandError} where there is no room, say. */
  write(output: number, data: DataOf<DType>): void {
    onFile('write', this.#job.outputs[output].path, () => this.#writers[output].write(data))
  }

  /** Says that the outputs hold so many matrices, of which these failed. Now and then that becomes a checkpoint. */
  reached(done: number, failures: readonly Failure[]): void {
    for (const failure of failures) this.#failures.push(failure)
    this.#done = done
    this.#throwError()
    if (this.#saving !== undefined || performance.now() - this.#lastSaved < this.#interval) return
    // The next chunk is computed meanwhile.
    this.#saving = this.#save()
      .catch((error) => {
        this.#error = error
      })
      .finally(() => {
        this.#saving = undefined
        this.#lastSaved = performance.now()
      })
  }

  /** Gives the outputs their names. Errors: {@link CommandError} where that cannot be. */
  async finish(): Promise<void> {
    await this.#saving
    this.#throwError()
    const { outputs } = this.#job
    try {
      // All that can well fail comes before the first output takes its name.
      for (const [k, writer] of this.#writers.entries())
        onFile('write', outputs[k].path, () => writer.flush())
    } catch (error) {
      this.#error = error
      throw error
    }
    // Nobody who means to take it over finds the journal under this name from now on.
    const claimed = onFile('write', outputs[0].path, () =>
      claimRun(this.#job.identity, this.#run, createOwner()),
    )
    if (claimed === undefined) throw takenOver()
    endOwner(this.#run.owner)
    this.#run = claimed
    for (const [k, writer] of this.#writers.entries()) {
      onFile('write', outputs[k].path, () => writer.finish())
      this.#isPlaced = true
    }
  }

  /**
   * Closes all files, whatever happened. Where outputs did not take their names they are removed, or, where `keeps`, left
   * for another run. Returns how many matrices are kept so.
   */
  async end(keeps: boolean): Promise<number> {
    await this.#saving
    const mayKeep = keeps && !this.#isPlaced
    // After an error of the disk a second try could succeed without having written what the first one lost.
    if (mayKeep && this.#error === undefined && this.#done > this.#saved.done)
      await this.#save().catch(() => {})
    this.#close()
    if (!this.#isOwn) return 0
    if (mayKeep && this.#saved.done > 0) return this.#saved.done
    removeRun(this.#run)
    return 0
  }

  /** Whether the files are not another process's by now. */
  get #isOwn(): boolean {
    return existsSync(this.#run.journal)
  }

  #open(from: Continuation | undefined): void {
    const { outputs, identity, fingerprints, computedBy } = this.#job
    const [{ path }] = outputs
    this.#journal = onFile('write', path, () => new Journal(this.#run.journal, from?.content))
    outputs.forEach((output, k) => {
      const written = from ? output.lengthAt(this.resumed) : undefined
      const kept = { temporary: this.#run.files[k], written }
      const create = (): NpyWriter => new NpyWriter(output.path, output.dtype, output.shape, kept)
      this.#writers.push(onFile('write', output.path, create))
    })
    if (from) return
    const files = this.#run.files.map((file) => `${statSync(file, { bigint: true }).ino}`)
    const job = identity
    const head = {
      matfun: 'journal',
      format: 1,
      job,
      fingerprints,
      computedBy,
      host: hostname(),
      files,
    } as const
    onFile('write', path, () => this.#journal!.append(head))
  }

  /** A checkpoint: first what it promises comes to the disk, then it. */
  async #save(): Promise<void> {
    const done = this.#done
    const failures = this.#failures.slice(this.#saved.failures)
    await Promise.all(this.#writers.map((writer) => writer.sync()))
    if (this.#saved.done === this.resumed) for (const file of this.#run.files) syncFolder(dirname(file))
    if (!this.#isOwn) throw takenOver()
    this.#journal!.append({ done, failures })
    this.#saved = { done, failures: this.#saved.failures + failures.length }
    await this.#journal!.sync()
  }

  #throwError(): void {
    const error = this.#error
    if (error === undefined) return
    onFile('write', this.#job.outputs[0].path, () => {
      throw error
    })
  }

  #close(): void {
    for (const writer of this.#writers) writer.close()
    this.#journal?.close()
    endOwner(this.#run.owner)
  }
}

function takenOver(): CommandError {
  return new CommandError('another process has taken this job over, and will end it')
}

function claim(job: JobFiles, { found }: Continuation, owner: string): Run {
  const run = onFile('write', job.outputs[0].path, () => claimRun(job.identity, found, owner))
  if (run === undefined) throw takenByAnother()
  return run
}

function removeLeftover(job: JobFiles, run: Run, owner: string): void {
  try {
    const claimed = claimRun(job.identity, run, owner)
    if (claimed) removeRun(claimed)
  } catch {
    // Another user's, perhaps. It is in nobody's way.
  }
}
