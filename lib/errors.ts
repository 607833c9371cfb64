/**
 * What a wrong call is told by: the `code` of the TypeError or RangeError that it throws, before any work. ERR_OUT_OF_MEMORY can also
 * come of a right one, when some of the work is done: what it was to write to is void then, and the next call works.
 */
export type ArgumentErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_OPTION'
  | 'ERR_SHAPE'
  | 'ERR_STRIDES'
  | 'ERR_DTYPE'
  | 'ERR_DETACHED'
  | 'ERR_ALIASED_OUT'
  | 'ERR_TOO_LARGE'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_DISPOSED'

/** Why one matrix of a batch could not be computed. */
export type FailureCode =
  | 'ERR_NOT_FINITE'
  | 'ERR_OVERFLOW'
  | 'ERR_SINGULAR'
  | 'ERR_UNCERTAIN'
  | 'ERR_STRUCTURE'

/** native/linalg/scalar.hpp's Status, from 1 on. */
export const failureCodes: readonly FailureCode[] = [
  'ERR_NOT_FINITE',
  'ERR_OVERFLOW',
  'ERR_SINGULAR',
  'ERR_UNCERTAIN',
  'ERR_STRUCTURE',
]

/**
 * One matrix that could not be done: its place in the batch (row-major, 0 for a single matrix), and why. For a
 * derivative the batch is the broadcast one, so that a direction that cannot be done is told apart from its neighbours.
 */
export interface Failure {
  readonly index: number
  readonly code: FailureCode
}

const reasons: Record<FailureCode, string> = {
  ERR_NOT_FINITE: 'has an entry that is not finite',
  ERR_OVERFLOW: 'has an exponential that overflows',
  ERR_SINGULAR: 'has a singular denominator in the Padé method',
  ERR_UNCERTAIN:
    'has so large a norm that no digit of its exponential is certain: rounding the matrix alone changes every digit',
  ERR_STRUCTURE:
    'is no generator: entries off the diagonal must be 0 or more, and each row must sum to 0 but for rounding',
}
const reasonsOfDerivatives: Record<FailureCode, string> = {
  ...reasons,
  ERR_NOT_FINITE: 'or its direction has an entry that is not finite',
  ERR_OVERFLOW: 'has an exponential or derivative that overflows',
}

/**
 * Thrown when matrices were well given but cannot be done. `failures` lists every one of them, in order of
 * index; `code` is the first one's. Pass `onFailure: 'nan'` to get NaN in their places instead.
 *
 * @example
 * try {
 *   expm([[[1]], [[Number.NaN]], [[1000]]])
 * } catch (error) {
 *   if (error instanceof MatfunError) console.log(JSON.stringify(error.failures))
 *   // [{"index":1,"code":"ERR_NOT_FINITE"},{"index":2,"code":"ERR_OVERFLOW"}]
 * }
 */
export class MatfunError extends Error {
  override readonly name = 'MatfunError'
  readonly code: FailureCode
  readonly failures: readonly Failure[]

  constructor(failures: readonly Failure[], of: 'value' | 'derivative' = 'value') {
    const first = failures[0]
    const reason = (of === 'value' ? reasons : reasonsOfDerivatives)[first.code]
    const others = failures.length > 1 ? ` (and ${failures.length - 1} more; see failures)` : ''
    super(`matrix ${first.index} ${reason}${others}`)
    this.code = first.code
    this.failures = failures
  }
}

/** A TypeError with a Node-style `code`. */
export function typeError(code: ArgumentErrorCode, message: string): TypeError & { code: ArgumentErrorCode } {
  return Object.assign(new TypeError(message), { code })
}

/** A RangeError with a Node-style `code`. */
export function rangeError(
  code: ArgumentErrorCode,
  message: string,
): RangeError & { code: ArgumentErrorCode } {
  return Object.assign(new RangeError(message), { code })
}

/** What came, in words short enough for an error message. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return `an array of length ${value.length}`
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object') {
    const name: unknown = value.constructor?.name
    return `an object of type ${(typeof name === 'string' && name.slice(0, 40)) || 'unknown'}`
  }
  return `${typeof value} ${String(value)}`
}
