import { describe, type Failure, failureCodes } from '../errors.ts'
import type { Folder } from '../zarr/folder.ts'
import { JobError } from './error.ts'

/** Where they lie in the folder of the array. */
export const failuresFolder = 'matfun/failures'

/** {"index":9007199254740991,"code":"ERR_NOT_FINITE"}, and a comma. */
const longestFailure = 64

/**
 * What could not be done, a file for each chunk that has any, in the folder of the array of results. It is written before the
 * chunk is, so that a chunk that is there has its failures recorded.
 */
export class FailureFiles {
  readonly #folder: Folder
  readonly #chunkLength: number
  readonly #count: number

  /** In the folder of an array of `count` results, of which a chunk has `chunkLength`. */
  constructor(folder: Folder, chunkLength: number, count: number) {
    this.#folder = folder
    this.#chunkLength = chunkLength
    this.#count = count
  }

  /** Indices are those in the whole stack. */
  async write(k: number, failures: readonly Failure[]): Promise<void> {
    if (failures.length > 0) await this.#folder.write(keyOf(k), [Buffer.from(JSON.stringify(failures))])
    // There is one where the chunk was done before, of other numbers, and then taken away.
    else await this.#folder.remove(keyOf(k))
  }

  /** Those of chunk k. Errors: {@link JobError} for a file that is damaged. */
  async read(k: number): Promise<readonly Failure[]> {
    const bytes = await this.#folder.read(keyOf(k), longestFailure * this.#chunkLength + longestFailure)
    if (bytes === undefined) return []
    try {
      return this.#parse(k, JSON.parse(new TextDecoder().decode(bytes)))
    } catch (error) {
      throw new JobError(`${keyOf(k)} is not a list of failures: ${(error as Error).message}`)
    }
  }

  /** The chunks that have any, in order. */
  async chunks(): Promise<number[]> {
    const names = await this.#folder.names(failuresFolder)
    return names
      .flatMap((name) => /^(0|[1-9][0-9]*)\.json$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  }

  #parse(k: number, list: unknown): Failure[] {
    if (!Array.isArray(list)) throw new TypeError(`expected a list, got ${describe(list)}`)
    const start = k * this.#chunkLength
    const end = Math.min(this.#count, start + this.#chunkLength)
    return list.map((item) => {
      const { index, code } = item ?? {}
      const found = failureCodes.find((one) => one === code)
      if (found === undefined || !(Number.isInteger(index) && start <= index && index < end))
        throw new TypeError(`expected an index from ${start} to ${end - 1} and a code, got ${describe(item)}`)
      return { index, code: found }
    })
  }
}

function keyOf(k: number): string {
  return `${failuresFolder}/${k}.json`
}
