import { describe, typeError } from './errors.ts'
import type { NDArray } from './ndarray.ts'

/**
 * How the exponential is evaluated. `polynomial`: polynomials that agree with Taylor's to degree 1 to 21, in at most five products,
 * without a linear solve. `pade`: rational approximants of degree 3 to 13 with one LU factorization, slower at every
 * order and useful as an independent check. `auto`: polynomial.
 */
export type Method = 'auto' | 'polynomial' | 'pade'

/** Where to write a result: a Float64Array of exactly its length, or an array object of its shape. */
export type Out =
  | Float64Array
  | NDArray<'float64'>
  | { readonly data: Float64Array; readonly shape: ArrayLike<number> }

/** Options of every call that computes. */
export interface ComputeOptions {
  /** Default `auto`. */
  readonly method?: Method
  /**
   * What becomes of matrices that cannot be done (a NaN or Inf in them, a result that overflows, a singular
   * denominator). `throw` (the default): a MatfunError that lists them; the others are done all the same, as `out` then
   * shows. `nan`: NaN in their places, and nothing is thrown.
   */
  readonly onFailure?: 'throw' | 'nan'
}

/** The codes of native/expm/plan.hpp's Method. */
const methodCodes: Record<Method, number> = { auto: 0, polynomial: 1, pade: 2 }

/** Refuses options that are not an object or hold a name not known here: a typing error should not pass in silence. */
export function requireKnown(name: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw typeError('ERR_INVALID_ARG_TYPE', `${name} must be an object, got ${describe(options)}`)
  for (const key of Object.keys(options))
    if (!known.includes(key))
      throw typeError(
        'ERR_INVALID_OPTION',
        `${name}.${key} is not known; expected one of ${known.join(', ')}`,
      )
}

export function methodCode(method: unknown): number {
  if (method === undefined) return methodCodes.auto
  if (typeof method !== 'string' || !Object.hasOwn(methodCodes, method))
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.method must be 'auto', 'polynomial' or 'pade', got ${describe(method)}`,
    )
  return methodCodes[method as Method]
}

export function fillsWithNaN(onFailure: unknown): boolean {
  if (onFailure !== undefined && onFailure !== 'throw' && onFailure !== 'nan')
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.onFailure must be 'throw' or 'nan', got ${describe(onFailure)}`,
    )
  return onFailure === 'nan'
}
