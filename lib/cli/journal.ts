import { createHash } from 'node:crypto'
import { closeSync, fdatasync, ftruncateSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { type Failure, failureCodes } from '../errors.ts'
import { writeBytes } from '../npy/bytes.ts'

/** What a job is, by which another run knows it for the same: all that its results depend on but the inputs' contents. */
export interface JobIdentity {
  readonly operation: string
  /** Real paths, as those of the outputs. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly options: object
}

/** The first line of a journal. */
export interface JournalHead {
  readonly matfun: 'journal'
  readonly format: 1
  readonly job: JobIdentity
  /** A text for each input, which changes with the file. */
  readonly fingerprints: readonly string[]
  /** What bits may depend on besides: versions, processor, kernels. */
  readonly computedBy: Readonly<Record<string, string>>
  /** The name of the machine, for messages. */
  readonly host: string
  /** Inodes of the temporary files, in the order of the outputs. */
  readonly files: readonly string[]
}

/** Every other line: matrices 0 to done - 1 are on the disk, and so many of those since the line before failed. */
export interface Checkpoint {
  readonly done: number
  readonly failures: readonly Failure[]
}

/** A journal as far as it is whole. */
export interface JournalContent {
  readonly head: JournalHead
  readonly done: number
  readonly failures: readonly Failure[]
  /** In bytes, of what is whole. */
  readonly length: number
  /** Of the last whole line. */
  readonly checksum: string
}

/**
 * A file of JSON, line by line, each with a checksum of itself and all lines before it. So a line that is torn, changed,
 * or from elsewhere ends what is trusted.
 */
export class Journal {
  readonly #fd: number
  #length: number
  #checksum: string

  /** Creates the file, empty, or, where its content is given, goes on behind that. Errors: those of the file system. */
  constructor(path: string, content?: JournalContent) {
    this.#fd = openSync(path, content ? 'r+' : 'wx')
    this.#length = content?.length ?? 0
    this.#checksum = content?.checksum ?? ''
    if (content) ftruncateSync(this.#fd, this.#length)
  }

  /** Appends a line. */
  append(entry: JournalHead | Checkpoint): void {
    const text = JSON.stringify(entry)
    const checksum = checksumOf(this.#checksum, text)
    const line = Buffer.from(`${text}\t${checksum}\n`)
    writeBytes(this.#fd, this.#length, line)
    this.#length += line.length
    this.#checksum = checksum
  }

  /** Brings the lines to the disk, off the event loop. */
  sync(): Promise<void> {
    return promisify(fdatasync)(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** Reads a journal; undefined where not even its first line is whole. */
export function parseJournal(bytes: Buffer): JournalContent | undefined {
  const lines = linesOf(bytes)
  const first = lines.next().value
  if (first === undefined || !isHead(first.entry)) return undefined
  const { entry: head, ...rest } = first
  let content: JournalContent = { head, done: 0, failures: [], ...rest }
  const failures: Failure[] = []
  for (const { entry, length, checksum } of lines) {
    if (!isCheckpoint(entry, content.done)) break
    for (const failure of entry.failures) failures.push(failure)
    content = { head, done: entry.done, failures, length, checksum }
  }
  return content
}

/** The lines that are whole, up to the first that is not. */
function* linesOf(bytes: Buffer): Generator<{ entry: object; length: number; checksum: string }> {
  let checksum = ''
  for (let start = 0, end: number; ; start = end + 1) {
    end = bytes.indexOf('\n', start)
    if (end < 0) return
    const [text, claimed, ...more] = bytes.toString('utf8', start, end).split('\t')
    checksum = checksumOf(checksum, text)
    if (claimed !== checksum || more.length > 0) return
    const entry = parseOr(text)
    if (typeof entry !== 'object' || entry === null) return
    yield { entry, length: end + 1, checksum }
  }
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function checksumOf(before: string, text: string): string {
  return createHash('sha256').update(before).update(text).digest('hex').slice(0, 16)
}

// The checksum says that matfun wrote it. What is asked besides is that this one would have.

function isHead(entry: Partial<JournalHead>): entry is JournalHead {
  const { matfun, format, job, fingerprints, computedBy, files } = entry
  const areTexts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((item) => typeof item === 'string')
  return (
    matfun === 'journal' &&
    format === 1 &&
    [job, computedBy].every((part) => typeof part === 'object' && part !== null) &&
    [fingerprints, files].every(areTexts)
  )
}

function isCheckpoint(entry: Partial<Checkpoint>, before: number): entry is Checkpoint {
  const { done, failures } = entry
  if (!(Number.isInteger(done) && before < done! && Array.isArray(failures))) return false
  return failures.every(
    (failure: Partial<Failure> | null) =>
      Number.isInteger(failure?.index) &&
      before <= failure!.index! &&
      failure!.index! < done! &&
      failureCodes.some((code) => code === failure!.code),
  )
}
