/**
 * Thrown for a folder that is not a Zarr array that can be read, for chunks that are damaged, and for a write that does not fit the
 * array. The message begins with the path and says what was expected and what came. Errors of the file system itself (ENOENT,
 * EACCES, ENOSPC, ...) are thrown as Node has them.
 *
 * @example
 * import { mkdirSync, writeFileSync } from 'node:fs'
 *
 * mkdirSync('group.zarr')
 * writeFileSync('group.zarr/zarr.json', '{ "zarr_format": 3, "node_type": "group" }')
 * try {
 *   await openZarr('group.zarr')
 * } catch (error) {
 *   console.log(error instanceof ZarrError, error.code)  // true ERR_ZARR
 * }
 */
export class ZarrError extends Error {
  override readonly name = 'ZarrError'
  /** ENOENT for a folder without a zarr.json, and ERR_ZARR for anything else. */
  readonly code: 'ERR_ZARR' | 'ENOENT'
  readonly path: string

  constructor(
    path: string,
    problem: string,
    { cause, code = 'ERR_ZARR' }: { readonly cause?: unknown; readonly code?: 'ERR_ZARR' | 'ENOENT' } = {},
  ) {
    super(`${path}: ${problem}`, cause === undefined ? {} : { cause })
    this.code = code
    this.path = path
  }
}
