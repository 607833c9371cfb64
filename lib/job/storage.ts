import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { NpyError } from '../npy/index.ts'
import { requireBelow } from '../zarr/folder.ts'
import { ZarrError } from '../zarr/index.ts'
import { ChunkError, JobError } from './error.ts'

/** What a file system says when it may be otherwise in a while: full, out of handles, disconnected, or a disk that stutters. */
const passing = new Set(
  (
    'EAGAIN EBUSY ECONNABORTED ECONNREFUSED ECONNRESET EDQUOT EHOSTDOWN EHOSTUNREACH EINTR EIO EMFILE ENETDOWN ENETRESET ' +
    'ENETUNREACH ENFILE ENOBUFS ENOLCK ENOMEM ENOSPC ENOTCONN EREMOTEIO ESTALE ETIMEDOUT ERR_OUT_OF_MEMORY'
  ).split(' '),
)

/** A path of a description below a root, with links resolved. Errors: {@link JobError} where it leads outside. */
export async function below(root: string, path: string): Promise<string> {
  const real = await realpath(join(root, path))
  requireBelow(root, real, path)
  return real
}

/** Runs a step on a path; what goes wrong with files comes back as a {@link JobError} that names it as it was given. */
export async function onPath<T>(doing: 'read' | 'write', path: string, step: () => T): Promise<Awaited<T>> {
  try {
    return await step()
  } catch (error) {
    throw problemOf(error, doing, path) ?? error
  }
}

/** The same of a chunk, as a {@link ChunkError}. */
export async function onChunk<T>(
  chunk: number,
  doing: 'read' | 'write',
  path: string,
  step: () => T,
): Promise<Awaited<T>> {
  try {
    return await onPath(doing, path, step)
  } catch (error) {
    if (!(error instanceof JobError) || error instanceof ChunkError) throw error
    // What was there when the job was opened may be there again, such as storage that is unmounted.
    const isGone = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
    throw new ChunkError(chunk, error.message, { retryable: error.retryable || isGone, cause: error.cause })
  }
}

function problemOf(error: unknown, doing: 'read' | 'write', path: string): JobError | undefined {
  if (!(error instanceof Error) || error instanceof JobError) return undefined
  const { code = '', syscall } = error as NodeJS.ErrnoException
  const retryable = passing.has(code)
  if (error instanceof ZarrError || error instanceof NpyError) {
    // These begin with a path of this machine, in the place of that of the description.
    const problem = error.message.slice(error.path.length + 2)
    return new JobError(`${path}: ${problem}`, { retryable, cause: error })
  }
  if (syscall === undefined && !retryable) return undefined
  // What follows the comma is Node's name for the call, and for outputs a temporary path.
  return new JobError(`cannot ${doing} ${path}: ${error.message.split(', ')[0]}`, { retryable, cause: error })
}
