import { closeSync, existsSync, lstatSync, openSync, readFileSync } from 'node:fs'
import type { DType } from '../ndarray.ts'
import { components } from '../ndarray.ts'
import { readBytes } from '../npy/bytes.ts'
import { formatHeader, itemSize } from '../npy/header.ts'
import { CommandError, onFile } from './errors.ts'
import { type JobIdentity, type JournalContent, parseJournal } from './journal.ts'
import type { findRuns, Run } from './leftovers.ts'
import { processOf } from './owner.ts'
import { showCount } from './report.ts'

/** An output of a job. */
export interface JobOutput {
  /** As it was given. */
  readonly path: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Numbers that are in it when so many matrices are done. */
  readonly lengthAt: (done: number) => number
}

/** What a job is to whoever keeps its files. */
export interface JobFiles {
  readonly identity: JobIdentity
  /** As they were given. */
  readonly inputs: readonly string[]
  readonly fingerprints: readonly string[]
  readonly computedBy: Readonly<Record<string, string>>
  readonly outputs: readonly JobOutput[]
  readonly count: number
}

/** An earlier run that can be continued. */
export interface Continuation {
  readonly found: Run
  readonly content: JournalContent
}

/**
 * Of the earlier runs of a job the one that did most, or in words why none can be continued.
 * Errors: {@link CommandError} where one may still run, where the inputs have changed, or where the results of this
 * process would not be those of that one to the last bit.
 */
export function chooseContinuation(
  job: JobFiles,
  found: ReturnType<typeof findRuns>,
  takeOver: boolean,
): Continuation | string {
  for (const { liveness, ...run } of found)
    if (liveness === 'alive' || (liveness === 'unknown' && !takeOver)) throw refusal(run, liveness)
  let best: Continuation | undefined
  let why = 'there is nothing to continue'
  for (const run of found) {
    const content = contentOf(run)
    const problem = problemOf(job, run, content)
    if (problem !== undefined) why = `an earlier run cannot be continued, because ${problem}`
    else if (best === undefined || content!.done > best.content.done) best = { found: run, content: content! }
  }
  return best ?? why
}

function refusal(run: Run, liveness: 'alive' | 'unknown'): CommandError {
  const pid = processOf(run.owner)
  if (liveness === 'alive')
    return new CommandError(`process ${pid} is doing this job: wait for it, or end it and try again`)
  const host = contentOf(run)?.head.host ?? 'unknown'
  return new CommandError(
    `this job was begun by process ${pid} of another machine or container (${host}), and whether that still runs cannot ` +
      'be known from here: if it does not, add --take-over',
  )
}

/** What there is to say where an earlier run was there a moment ago and now is another process's. */
export function takenByAnother(): CommandError {
  return new CommandError('another process has just begun to continue this job: wait for it, or end it')
}

function contentOf({ journal }: Run): JournalContent | undefined {
  if (!existsSync(journal)) throw takenByAnother()
  return onFile('read', journal, () => (isOwn(journal) ? parseJournal(readFileSync(journal)) : undefined))
}

function problemOf(job: JobFiles, run: Run, content: JournalContent | undefined): string | undefined {
  if (content === undefined) return 'its journal is damaged, or of another user'
  const { head, done } = content
  if (JSON.stringify(head.job) !== JSON.stringify(job.identity)) return 'its journal is of another job'
  if (done === 0) return 'it ended before its first checkpoint'
  requireSame(job, content)
  if (done > job.count) return 'its journal is damaged'
  const isThere = job.outputs.every((output, k) => holds(run.files[k], output, head.files[k], done))
  return isThere ? undefined : 'a file of it is missing, or not the one that it wrote'
}

/** Whether a temporary file is the one that was written, with as much in it as there should be. */
function holds(path: string, output: JobOutput, inode: string, done: number): boolean {
  const { dtype, shape, path: name } = output
  const header = formatHeader(dtype, shape)
  const bytes = header.length + output.lengthAt(done) * (itemSize(dtype) / components(dtype))
  if (!isOwn(path, inode, bytes)) return false
  const fd = openSync(path, 'r')
  try {
    const start = new Uint8Array(header.length)
    readBytes(name, fd, 0, start)
    return Buffer.compare(start, header) === 0
  } finally {
    closeSync(fd)
  }
}

/** Whether this user wrote a file, and nobody put a link in its place to have another file overwritten. */
function isOwn(path: string, inode?: string, leastSize = 0): boolean {
  const status = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (!status?.isFile() || status.size < leastSize) return false
  const uid = process.getuid?.()
  return (uid === undefined || status.uid === BigInt(uid)) && (inode ?? `${status.ino}`) === `${status.ino}`
}

function requireSame(job: JobFiles, { head, done }: JournalContent): void {
  const earlier = `the earlier run, which did ${showCount(done)} of ${showCount(job.count)} matrices`
  job.inputs.forEach((path, k) => {
    if (head.fingerprints[k] !== job.fingerprints[k])
      throw new CommandError(`${path} has changed since ${earlier}: start over, without --resume`)
  })
  for (const [name, ours] of Object.entries(job.computedBy)) {
    const theirs = head.computedBy[name]
    if (theirs !== ours)
      throw new CommandError(
        `${earlier}, had ${name} ${theirs}, and here it is ${ours}, which may change last bits: continue where it ` +
          'began, or start over, without --resume',
      )
  }
}
