import { isAbsolute, relative, resolve, sep } from 'node:path'
import { type JobDescription, JobError, parseDescription } from '../job/index.ts'
import type { Command } from './arguments.ts'
import { UsageError } from './errors.ts'

/** What `matfun run` was asked to do, and below which folder. */
export interface DescribedJob {
  readonly description: JobDescription
  /** Absolute. */
  readonly root: string
}

/**
 * The job that the arguments of `matfun run` describe. Paths are given as to any command, and described from the root.
 * Errors: {@link UsageError} for an unknown operation, an argument that is missing or not taken, or a path outside the root.
 */
export function describeJob({ inputs: [operation], out, value, options, arrays }: Command): DescribedJob {
  const root = resolve(arrays.root ?? '.')
  const { a, direction, chunk } = arrays
  if (a === undefined) throw new UsageError('run expects the matrices: --a A.zarr')
  try {
    const description = parseDescription({
      operation,
      A: fromRoot(root, '--a', a),
      out: fromRoot(root, '--out', out!),
      options,
      ...(direction === undefined ? {} : { direction: fromRoot(root, '--direction', direction) }),
      ...(value === undefined ? {} : { value: fromRoot(root, '--value', value) }),
      ...(chunk === undefined ? {} : { chunk }),
    })
    return { description, root }
  } catch (error) {
    throw error instanceof JobError ? new UsageError(error.message) : error
  }
}

function fromRoot(root: string, option: string, path: string): string {
  const found = relative(root, resolve(path))
  if (found !== '' && !isAbsolute(found) && found.split(sep)[0] !== '..') return found.split(sep).join('/')
  throw new UsageError(`${option} expects a path below ${root}, or --root DIR that holds it, got ${path}`)
}
