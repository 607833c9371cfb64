import { describe, typeError } from './errors.ts'
import type { ArrayLike2D, ComplexArray } from './input.ts'
import type { DataOf, DType, NDArray } from './ndarray.ts'
import { threadCount } from './threads.ts'

/**
 * How the exponential is evaluated. `polynomial`: polynomials that agree with Taylor's to degree 1 to 21, in at most five products,
 * without a linear solve. `pade`: rational approximants of degree 3 to 13 with one LU factorization, slower at every
 * order and useful as an independent check. `auto`: polynomial.
 */
export type Method = 'auto' | 'polynomial' | 'pade'

/** Whether a reduction is made before the evaluation: where it helps, always, or never. */
export type Choice = 'auto' | boolean

/**
 * What a matrix is. `auto` (the default): what can be used without risk is found; a real matrix without negative entries off its
 * diagonal has no negative entry in its exponential. `general`: no structure is looked for but triangles. `generator`: the matrix
 * generates a Markov chain. Entries off the diagonal are rates, 0 at least, and each row sums to 0. Real dtypes only.
 *
 * With `generator` the diagonal is taken as minus the sum of the rest of its row, from which it may differ by 4 n u of that sum. Then every
 * entry of exp(Q) is right to its own condition, rows sum to 1, and nothing is negative, at any norm. A direction's diagonal is taken
 * likewise; a cotangent is the gradient by the rates, with 0 on its diagonal, so that <W, L(Q, E)> = <C, E>.
 */
export type Structure = 'auto' | 'general' | 'generator'

type Storage<D extends DType> = D extends 'complex128' | 'complex64' ? DataOf<D> | ComplexArray : DataOf<D>

/**
 * Where to write a result of dtype D: a typed array of exactly its length (twice the elements for complex D), or an
 * array object of its shape and dtype, of any strides.
 */
export type Out<D extends DType = DType> =
  | DataOf<D>
  | NDArray<D>
  | (ArrayLike2D & { readonly data: Storage<D> })

/** How a matrix is evaluated. */
export interface PlanOptions {
  /** Default `auto`. */
  readonly method?: Method
  /**
   * Takes the mean of the diagonal off and multiplies by its exponential as the squarings go. `auto` (the default): where
   * that at least halves the norm. `true`: always. `false`: never.
   */
  readonly shift?: Choice
  /**
   * Takes degree and squarings from the norms of the balanced matrix D⁻¹ A D, D of powers of two. `auto` (the default): if that halves
   * the norm, and for derivatives as far as truncation allows. `true`: always. `false`: from A's own norms.
   */
  readonly balance?: Choice
  /** Default `auto`. A matrix that has not the structure fails with ERR_STRUCTURE. */
  readonly structure?: Structure
}

/** Options of every call that computes. */
export interface ComputeOptions extends PlanOptions {
  /**
   * What becomes of matrices that cannot be computed (a NaN or Inf in them, a result that overflows or of which no digit is certain,
   * a structure that they do not have, a singular denominator). `throw` (the default): a MatfunError that lists them; the others are done all the same, as `out` then
   * shows. `nan`: NaN in their places, and nothing is thrown.
   */
  readonly onFailure?: 'throw' | 'nan'
  /**
   * At most so many threads at once, from 1 to 256; they change no bit of a result. Default: the environment variable
   * MATFUN_NUM_THREADS, or else as many as the machine can run at once. A batch that takes less than about 50 µs stays on
   * one thread, and so does one matrix with few directions of order below 512.
   */
  readonly threads?: number
}

/** The names of {@link PlanOptions}. */
export const planOptionNames = ['method', 'shift', 'balance', 'structure'] as const

/** The names of {@link ComputeOptions}. */
export const computeOptionNames = [...planOptionNames, 'onFailure', 'threads'] as const

/** The codes of native/expm/plan.hpp's Method. */
const methodCodes: Record<Method, number> = { auto: 0, polynomial: 1, pade: 2 }

/** The codes of native/expm/plan.hpp's Structure. */
const structureCodes: Record<Structure, number> = { auto: 0, general: 1, generator: 2 }

/** Refuses options that are not an object or hold a name not known here: a typing error should not pass in silence. */
export function requireKnown(name: string, options: object, known: readonly string[]): void {
  // Arrays are none, and to list the keys of a large one would take all memory.
  if (
    typeof options !== 'object' ||
    options === null ||
    ArrayBuffer.isView(options) ||
    Array.isArray(options)
  )
    throw typeError('ERR_INVALID_ARG_TYPE', `${name} must be an object, got ${describe(options)}`)
  // Not Object.keys, which makes an array at every call.
  for (const key in options)
    if (!known.includes(key) && Object.hasOwn(options, key))
      throw typeError(
        'ERR_INVALID_OPTION',
        `${name}.${key} is not known; expected one of ${known.join(', ')}`,
      )
}

/** The addon's method, shift, balance and structure in one number. ERR_INVALID_OPTION for a value that is none. */
export function planCode({ method, shift, balance, structure }: PlanOptions): number {
  return (
    methodCode(method) +
    4 * choiceCode('shift', shift) +
    16 * choiceCode('balance', balance) +
    64 * structureCode(structure)
  )
}

/** True for the planCode of generators. */
export function isOfGenerators(plan: number): boolean {
  return plan >= 64 * structureCodes.generator
}

/** The options of a call as they were when it began. */
export interface Settings<O = unknown> {
  /** See {@link planCode}. */
  readonly plan: number
  readonly threads: number
  /** Whether failures become NaN. */
  readonly nan: boolean
  readonly out: O
}

/**
 * Reads and checks the options of a call, each once, so that a getter cannot answer two readers differently.
 * ERR_INVALID_ARG_TYPE, or ERR_INVALID_OPTION for a name not among `known` and for a value that is none.
 */
export function readSettings<O>(
  options: ComputeOptions & { readonly out?: O },
  known: readonly string[],
): Settings<O | undefined> {
  requireKnown('options', options, known)
  return {
    plan: planCode(options),
    threads: threadCount(options.threads),
    nan: fillsWithNaN(options.onFailure),
    out: options.out,
  }
}

function fillsWithNaN(onFailure: unknown): boolean {
  if (onFailure !== undefined && onFailure !== 'throw' && onFailure !== 'nan')
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.onFailure must be 'throw' or 'nan', got ${describe(onFailure)}`,
    )
  return onFailure === 'nan'
}

function methodCode(method: unknown): number {
  if (method === undefined) return methodCodes.auto
  if (typeof method !== 'string' || !Object.hasOwn(methodCodes, method))
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.method must be 'auto', 'polynomial' or 'pade', got ${describe(method)}`,
    )
  return methodCodes[method as Method]
}

function structureCode(structure: unknown): number {
  if (structure === undefined) return structureCodes.auto
  if (typeof structure !== 'string' || !Object.hasOwn(structureCodes, structure))
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.structure must be 'auto', 'general' or 'generator', got ${describe(structure)}`,
    )
  return structureCodes[structure as Structure]
}

/** native/expm/plan.hpp's Choice. */
function choiceCode(name: 'shift' | 'balance', choice: unknown): 0 | 1 | 2 {
  if (choice === undefined || choice === 'auto') return 0
  if (typeof choice !== 'boolean')
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.${name} must be 'auto', true or false, got ${describe(choice)}`,
    )
  return choice ? 2 : 1
}
