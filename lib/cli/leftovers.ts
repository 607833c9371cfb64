import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { JobIdentity } from './journal.ts'
import { type Liveness, livenessOf, type Owner, ownerPattern } from './owner.ts'

// A run of a job has its files beside its outputs, under hidden names: .matfun-<run>.tmp for the result, with .value before
// .tmp for the other output, and the journal beside the result: .matfun-<run>.<job>.<owner>.journal. Whose they are is a
// part of a name, so that renaming the journal gives them to another owner, or fails where someone was quicker.
const journalName = new RegExp(`^\\.matfun-([0-9a-f]{12})\\.([0-9a-f]{16})\\.(${ownerPattern})\\.journal$`)

/** A run of a job, or what is left of one. */
export interface Run {
  readonly run: string
  readonly owner: Owner
  readonly journal: string
  /** Temporary files, in the order of the outputs. */
  readonly files: readonly string[]
}

/** A new run's names. Nothing is created. */
export function createRun(identity: JobIdentity, owner: Owner): Run {
  return runOf(identity, randomBytes(6).toString('hex'), owner)
}

/**
 * What is there of a job, by whether its owner lives. Reads the names in one folder.
 * Errors: those of the file system; a folder that may not be listed has none.
 */
export function findRuns(identity: JobIdentity): (Run & { readonly liveness: Liveness })[] {
  const job = nameOf(identity)
  const matches = listFolder(dirname(identity.outputs[0])).map((name) => journalName.exec(name))
  return matches.flatMap((match) => {
    if (match?.[2] !== job) return []
    return [{ ...runOf(identity, match[1], match[3]), liveness: livenessOf(match[3]) }]
  })
}

/** Takes a run over; undefined where someone else did so, or it is over. */
export function claimRun(identity: JobIdentity, found: Run, owner: Owner): Run | undefined {
  const claimed = runOf(identity, found.run, owner)
  try {
    renameSync(found.journal, claimed.journal)
    return claimed
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Removes the files of a run of one's own. The journal is the last, so that another run can do the rest. */
export function removeRun({ files, journal }: Run): void {
  for (const path of [...files, journal]) rmSync(path, { force: true })
}

function runOf(identity: JobIdentity, run: string, owner: Owner): Run {
  const [result, value] = identity.outputs
  const files = [join(dirname(result), `.matfun-${run}.tmp`)]
  if (value !== undefined) files.push(join(dirname(value), `.matfun-${run}.value.tmp`))
  const journal = join(dirname(result), `.matfun-${run}.${nameOf(identity)}.${owner}.journal`)
  return { run, owner, journal, files }
}

function nameOf(identity: JobIdentity): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16)
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return []
    throw error
  }
}
