import { NpyError } from '../npy/index.ts'

/** Wrong use, or a file that cannot be used: exit code 2. The message says what was expected and what came. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** A command line that cannot be read; the message is followed by where to find help. */
export class UsageError extends CommandError {}

/** Runs a step on a file; errors of the file system come back as {@link CommandError}s that name the file as given. */
export function onFile<T>(doing: 'read' | 'write', path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!isSystemError(error)) throw error
    // What follows the comma is Node's name for the call, and for outputs a temporary path.
    throw new CommandError(`cannot ${doing} ${path}: ${error.message.split(', ')[0]}`, { cause: error })
  }
}

/** What an error looks like on stderr, without `matfun: `. The stack is for errors that should not happen. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  const foreseen = error instanceof CommandError || error instanceof NpyError || code?.startsWith('ERR_')
  return foreseen ? error.message : (error.stack ?? error.message)
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}
