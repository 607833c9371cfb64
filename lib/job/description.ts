import { createHash } from 'node:crypto'
import { describe } from '../errors.ts'
import type { DType } from '../ndarray.ts'
import type { Choice, Method, PlanOptions, Structure } from '../options.ts'
import { JobError } from './error.ts'

/** What is done with each matrix. */
export type Operation = 'expm' | 'jvp' | 'vjp' | 'cond'

/**
 * What is to be done, as plain JSON. Paths are relative to a root that whoever runs the job has chosen, with / between their
 * parts: two hosts that see one storage in different places do the same job.
 */
export interface JobDescription {
  readonly operation: Operation
  /** The matrices: a Zarr array of shape (count, n, n), or a .npy file of shape (..., n, n). */
  readonly A: string
  /** E of `jvp` or W of `vjp`, of A's dtype and order, cut like A; one matrix may meet many, either way. */
  readonly direction?: string
  /** The Zarr array of results. */
  readonly out: string
  /** Also write exp(A), a Zarr array; not of `cond`. */
  readonly value?: string
  readonly options: Required<PlanOptions>
  /** Matrices of a chunk where the inputs are .npy files; Zarr arrays have their own. Default: 32 MiB of them, or what takes about a second. */
  readonly chunk?: number
}

/** What a job's inputs turned out to be. */
export interface JobFacts {
  readonly dtype: DType
  readonly n: number
  readonly count: number
  readonly chunkLength: number
}

const operations: readonly Operation[] = ['expm', 'jvp', 'vjp', 'cond']
const methods: readonly Method[] = ['auto', 'polynomial', 'pade']
const choices: readonly Choice[] = ['auto', true, false]
const keys = ['operation', 'A', 'direction', 'out', 'value', 'options', 'chunk'] as const
const structures: readonly Structure[] = ['auto', 'general', 'generator']
const optionKeys = ['method', 'shift', 'balance', 'structure'] as const
const longestPath = 1024

/**
 * The description that a value from anywhere is, such as JSON that came over a network.
 * Nothing of the value is kept but strings, numbers and booleans that were looked at.
 * Errors: {@link JobError} for anything that is not wholly a description: what is not known is refused, not passed over.
 */
export function parseDescription(value: unknown): JobDescription {
  const given = fieldsOf('the job', value, keys)
  const operation = oneOf('operation', given.operation, operations)
  const options = fieldsOf('options', given.options, optionKeys)
  const A = pathOf('A', given.A)
  const out = pathOf('out', given.out)
  const isDerivative = operation === 'jvp' || operation === 'vjp'
  if (isDerivative !== (given.direction !== undefined))
    throw new JobError(
      isDerivative
        ? `direction must be a path for ${operation}, got none`
        : `direction is not taken by ${operation}, got ${describe(given.direction)}`,
    )
  if (operation === 'cond' && given.value !== undefined)
    throw new JobError(`value is not taken by cond, got ${describe(given.value)}`)
  if (operation === 'expm' && given.value !== undefined)
    throw new JobError(`value is not taken by expm, whose result it is, got ${describe(given.value)}`)
  const description: JobDescription = {
    operation,
    A,
    ...(isDerivative ? { direction: pathOf('direction', given.direction) } : {}),
    out,
    ...(given.value === undefined ? {} : { value: pathOf('value', given.value) }),
    options: {
      method: oneOf('options.method', options.method, methods),
      shift: oneOf('options.shift', options.shift, choices),
      balance: oneOf('options.balance', options.balance, choices),
      structure: oneOf('options.structure', options.structure, structures),
    },
    ...(given.chunk === undefined ? {} : { chunk: chunkOf(given.chunk) }),
  }
  requireApart(description)
  return description
}

/**
 * The name of a job: 16 hexadecimal digits, the same wherever and however often the same job is described, and another one where
 * anything of it differs, the sizes of its inputs included (not their numbers).
 */
export function jobId(description: JobDescription, facts: JobFacts): string {
  const { operation, A, direction, out, value, options, chunk } = description
  const { method, shift, balance, structure } = options
  const { dtype, n, count, chunkLength } = facts
  const all = [
    operation,
    A,
    direction,
    out,
    value,
    method,
    shift,
    balance,
    structure,
    chunk,
    dtype,
    n,
    count,
    chunkLength,
  ]
  const canonical = JSON.stringify(all.map((item) => item ?? null))
  return createHash('sha256').update(canonical).digest('hex').slice(0, 16)
}

type Fields<K extends string> = Readonly<Partial<Record<K, unknown>>>

/** The own fields of a plain object that has no others. */
function fieldsOf<K extends string>(name: string, value: unknown, known: readonly K[]): Fields<K> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new JobError(`${name} must be an object, got ${describe(value)}`)
  const fields: Partial<Record<K, unknown>> = {}
  for (const key of Object.keys(value)) {
    const found = known.find((one) => one === key)
    if (found === undefined)
      throw new JobError(
        `${name} has a field ${describe(key)}, which is not known: expected ${known.join(', ')}`,
      )
    fields[found] = (value as Record<string, unknown>)[key]
  }
  return fields
}

function oneOf<T extends string | boolean>(name: string, given: unknown, known: readonly T[]): T {
  const found = known.find((one) => one === given)
  if (found !== undefined) return found
  throw new JobError(
    `${name} must be one of ${known.map((one) => JSON.stringify(one)).join(', ')}, got ${describe(given)}`,
  )
}

function chunkOf(given: unknown): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 1) return given
  throw new JobError(`chunk must be a positive integer, got ${describe(given)}`)
}

/** A path that stays below the folder it starts from, by its letters; what links make of it is seen when it is opened. */
function pathOf(name: string, given: unknown): string {
  const expected = `${name} must be a relative path with / between its parts`
  if (typeof given !== 'string') throw new JobError(`${expected}, got ${describe(given)}`)
  if (given.length > longestPath)
    throw new JobError(`${expected} and at most ${longestPath} characters, got ${given.length}`)
  // Backslashes and drives are for Windows what slashes are elsewhere; a lone surrogate is no file's name.
  const isPlain = !/[\0\\]|^[A-Za-z]:|\p{Surrogate}/u.test(given)
  const parts = given.split('/')
  if (isPlain && parts.every((part) => part !== '' && part !== '.' && part !== '..')) return given
  throw new JobError(`${expected}, none of which is empty, "." or "..", got ${describe(given)}`)
}

/** Refuses outputs that lie in, around or on another array. */
function requireApart({ A, direction, out, value }: JobDescription): void {
  if (/\.npy$/i.test(out) || (value !== undefined && /\.npy$/i.test(value)))
    throw new JobError('out and value are Zarr arrays: expected names that do not end in .npy')
  const paths = Object.entries({ A, direction, value }).filter(([, path]) => path !== undefined)
  const touches = (a: string, b: string): boolean => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
  const outputs = [['out', out] as const, ...paths.filter(([name]) => name === 'value')]
  for (const [name, path] of outputs)
    for (const [other, place] of [...paths, ['out', out] as const])
      if (name !== other && touches(path!, place!))
        throw new JobError(`${name} ${describe(path)} lies in the same place as ${other}: expected another`)
}
