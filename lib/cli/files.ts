import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { DType } from '../ndarray.ts'
import { type NpyReader, openNpy } from '../npy/index.ts'
import { resolveTarget } from '../npy/writer.ts'
import { findClash } from '../places.ts'
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
    return join(realpathSync.native(dirname(target)), basename(target))
  })
}

/** Refuses outputs that are an input or one another, or lie within, also through links and other spellings. */
export function requireApart(inputs: readonly string[], outputs: readonly string[]): void {
  const placesOf = (role: string, paths: readonly string[]) =>
    paths.map((path) => ({ name: `the ${role} ${path}`, path }))
  const clash = findClash(placesOf('input', inputs), placesOf('output', outputs))
  if (clash === undefined) return
  const how = { same: 'is the same file as', inside: 'lies inside', around: 'holds' }[clash.relation]
  throw new CommandError(`output ${clash.output.path} ${how} ${clash.other.name}: expected another place`)
}
