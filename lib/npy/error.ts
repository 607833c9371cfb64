/**
 * Thrown for a file that is not a `.npy` file that can be read whole, and for a write that does not fit what was
 * promised. The message begins with the path and says what was expected and what came. Errors of the file system
 * itself (ENOENT, EACCES, ENOSPC, ...) are thrown as Node has them.
 *
 * @example
 * import { writeFileSync } from 'node:fs'
 *
 * writeFileSync('text.npy', 'no array')
 * try {
 *   readNpy('text.npy')
 * } catch (error) {
 *   console.log(error instanceof NpyError, error.code)  // true ERR_NPY
 * }
 */
export class NpyError extends Error {
  override readonly name = 'NpyError'
  readonly code = 'ERR_NPY'
  readonly path: string

  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`)
    this.path = path
  }
}
