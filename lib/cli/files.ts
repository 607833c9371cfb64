import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { DType } from '../ndarray.ts'
import { type NpyReader, openNpy } from '../npy/index.ts'
import { resolveTarget } from '../npy/writer.ts'
import { CommandError, onFile } from './errors.ts'

/** A file open for reading that holds a stack of square matrices. */
export interface Matrices {
  readonly reader: NpyReader
  readonly dtype: DType
  readonly batch: readonly number[]
  readonly n: number
  readonly count: number
}

/** Opens a stack of shape (..., n, n); {@link CommandError} or NpyError for any other file. The caller closes it. */
export function openMatrices(path: string): Matrices {
  const reader = onFile('read', path, () => openNpy(path))
  const { shape, dtype, count } = reader
  const [rows, columns] = shape.slice(-2)
  if (shape.length >= 2 && rows === columns)
    return { reader, dtype, batch: shape.slice(0, -2), n: rows, count }
  reader.close()
  throw new CommandError(`${path}: expected shape (..., n, n), got ${showShape(shape)}`)
}

/** A shape as NumPy shows it. */
export function showShape(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
}

/** The real path of an output, which need not be there; NpyError for something that is no regular file. */
export function placeOf(path: string): string {
  return onFile('write', path, () => {
    const target = resolveTarget(path)
    return join(realpathSync(dirname(target)), basename(target))
  })
}

/** Refuses outputs that would replace an input or one another, also through links and other spellings. */
export function refuseSameFile(inputs: readonly string[], outputs: readonly string[]): void {
  const taken = new Map(inputs.map((path) => [identify(path), `the input ${path}`]))
  for (const path of outputs) {
    const identity = onFile('write', path, () => identify(path))
    const other = taken.get(identity)
    if (other !== undefined)
      throw new CommandError(`output ${path} is the same file as ${other}: expected another`)
    taken.set(identity, `the output ${path}`)
  }
}

function identify(path: string): string {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (status !== undefined) return `${status.dev}:${status.ino}`
  const folder = dirname(resolve(path))
  try {
    return join(realpathSync(folder), basename(path))
  } catch {
    return resolve(path) // There is no such folder: creating the output will say so.
  }
}
