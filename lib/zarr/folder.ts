import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { syncFolderLater, temporaryBeside, temporaryName } from '../beside.ts'
import { ZarrError } from './error.ts'

/**
 * Files by keys below a folder, where each is written whole or not at all. With `root`, what lies outside that folder
 * is neither read nor written, also through symbolic links that stand there when it is asked for.
 */
export class Folder {
  readonly path: string
  readonly #root: string | undefined

  constructor(path: string, root: string | undefined) {
    this.path = path
    this.#root = root
  }

  /** Opens a file for reading; undefined where there is none. The caller closes it. */
  async open(key: string): Promise<{ file: FileHandle; size: number } | undefined> {
    let file: FileHandle
    try {
      // Without O_NONBLOCK (which Windows lacks) a named pipe would hold a thread up instead of being refused.
      const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
      file = await open(await this.#confined(join(this.path, key)), flags)
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw error
    }
    try {
      const status = await file.stat()
      if (!status.isFile()) throw new ZarrError(this.path, `${key} is not a regular file`)
      return { file, size: status.size }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Errors: ZarrError, with the code ENOENT for a folder without a zarr.json; those of the file system if nothing is there. */
  async requireArray(): Promise<void> {
    const opened = await this.open('zarr.json')
    await opened?.file.close()
    if (opened !== undefined) return
    const expected = 'expected a Zarr array, which is a folder with a zarr.json'
    if (!(await stat(this.path)).isDirectory()) throw new ZarrError(this.path, `${expected}, got a file`)
    throw new ZarrError(this.path, `${expected}, got a folder without one`, { code: 'ENOENT' })
  }

  /** The whole of a file of at most `most` bytes; undefined where there is none. */
  async read(key: string, most: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const opened = await this.open(key)
    if (opened === undefined) return undefined
    try {
      if (opened.size > most)
        throw new ZarrError(this.path, `${key} must have at most ${most} bytes, got ${opened.size}`)
      const bytes = new Uint8Array(opened.size)
      await this.fill(key, opened.file, bytes, signal)
      return bytes
    } finally {
      await opened.file.close()
    }
  }

  /** Fills `target` from a file's start. */
  async fill(key: string, file: FileHandle, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    for (let done = 0; done < target.length; ) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(target, done, Math.min(mostAtOnce, target.length - done), done)
      if (bytesRead === 0) throw new ZarrError(this.path, `${key} became shorter while it was read`)
      done += bytesRead
    }
  }

  /**
   * Writes a file from pieces: beside its place, to the disk, and then to its name. Folders on the way are made. `isNew`: only
   * where there is no file of that name; returns false, with nothing changed, where there is one.
   */
  async write(key: string, pieces: Iterable<Uint8Array>, isNew = false): Promise<boolean> {
    const folder = await this.#makeFolder(dirname(join(this.path, key)))
    const target = join(folder, basename(key))
    const temporary = temporaryBeside(target)
    const file = await open(temporary, 'wx')
    try {
      try {
        for (const piece of pieces) await writeAll(file, piece)
        await file.sync()
      } finally {
        await file.close()
      }
      if (isNew && !(await linkNew(temporary, target))) return false
      if (!isNew) await rename(temporary, target)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    if (isNew) await rm(temporary, { force: true })
    await syncFolderLater(folder)
    return true
  }

  /** What tells a file from another one that takes its name later. Errors: ENOENT where there is none. */
  async identityOf(key: string): Promise<string> {
    const { dev, ino, mtimeNs } = await stat(join(this.path, key), { bigint: true })
    return `${dev}:${ino}:${mtimeNs}`
  }

  /** Removes a file, if there is one. */
  async remove(key: string): Promise<void> {
    try {
      const path = join(this.path, key)
      await rm(join(await this.#confined(dirname(path)), basename(path)), { force: true })
    } catch (error) {
      if (!isAbsence(error)) throw error
    }
  }

  /** Removes what processes that were killed have left half written, when nothing has been written to it for so long. */
  async removeAbandoned(milliseconds: number): Promise<void> {
    for (const name of (await this.names('')).filter((one) => temporaryName.test(one))) {
      const path = join(this.path, name)
      const status = await stat(path).catch(() => undefined)
      if (status?.isFile() && Date.now() - status.mtimeMs > milliseconds) await rm(path, { force: true })
    }
  }

  /** The names in a folder below this one; none where there is no such folder. */
  async names(key: string): Promise<string[]> {
    try {
      return await readdir(await this.#confined(join(this.path, key)))
    } catch (error) {
      if (isAbsence(error)) return []
      throw error
    }
  }

  async #makeFolder(path: string): Promise<string> {
    try {
      return await this.#confined(path)
    } catch (error) {
      if (!isAbsence(error) || path === this.path) throw error
    }
    const parent = await this.#makeFolder(dirname(path))
    const made = join(parent, basename(path))
    await mkdir(made, { recursive: true })
    await syncFolderLater(parent)
    return this.#confined(made)
  }

  /** Where a path leads. */
  async #confined(path: string): Promise<string> {
    if (this.#root === undefined) return path
    const real = await realpath(path)
    requireBelow(this.#root, real, path)
    return real
  }
}

/** Linux moves at most 2 GiB in one call. */
const mostAtOnce = 1 << 30

/** Refuses a path (without links) that is not below a root (without links). `shown` is the path as it was given. */
export function requireBelow(root: string, path: string, shown: string): void {
  const start = root.endsWith(sep) ? root : root + sep
  if (path !== root && !path.startsWith(start))
    throw new ZarrError(shown, 'leads outside the root: expected a place below it')
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; )
    done += (await file.write(piece, done, Math.min(mostAtOnce, piece.length - done))).bytesWritten
}

/** Gives a file a name that none has; false where one has it. */
async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      await rm(from, { force: true })
      return false
    }
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw error
  }
  // A file system without links: of two who come at once the last one stays.
  await rename(from, to)
  return true
}
