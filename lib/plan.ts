import { readMatrices } from './call.ts'
import type { DTypeOf, SingleMatrix } from './dtypes.ts'
import { describe, type Failure, failureCodes, MatfunError, rangeError, typeError } from './errors.ts'
import type { Complex, MatrixInput, Stack } from './input.ts'
import { jobCode, native, operationCodes } from './native.ts'
import { allocate, components, type DType } from './ndarray.ts'
import { type PlanOptions, planCode, planOptionNames, requireKnown } from './options.ts'

/** What will be done for one matrix of dtype D. */
export interface Plan<D extends DType = DType> {
  /**
   * `scalar`: the exponential of a 1 x 1 matrix. `nonnegative`: polynomials with positive coefficients, for matrices without negative
   * entries off the diagonal. `zero`: the exponential underflows to 0.
   */
  readonly method: 'scalar' | 'polynomial' | 'pade' | 'nonnegative' | 'zero'
  /**
   * To which the polynomial is Taylor's: 1, 2, 4, 8, 15, 21; of `nonnegative` 1, 2, 4, 8, 12, 16, 20. Of `pade` the degree of numerator and
   * denominator: 3, 5, 7, 9, 13.
   */
  readonly degree: number
  /** n x n products that the scheme takes, without squarings; a Padé scheme takes a linear solve besides. */
  readonly products: number
  /** How often the exponential of the reduced matrix over 2^squarings is squared. */
  readonly squarings: number
  /** min(|B|₁, |B|∞) of B, the matrix after shift and balancing; of a generator the greatest rate at which a state is left. */
  readonly norm: number
  /** What degree and squarings were chosen from: a bound from |B| and |B²|, at most `norm`. `norm` itself for `nonnegative`. */
  readonly alpha: number
  /**
   * `full`: as it stands. `triangular`: it is, and its diagonals are recomputed at every squaring. `schur`: the same on its
   * Schur form, for strongly non-normal matrices. A `full` one whose squarings turn out to lose too much is done again in
   * Schur form, which no plan can foresee. `generator`: rows are made to sum to 1 at every squaring.
   */
  readonly form: 'full' | 'triangular' | 'schur' | 'generator'
  /** Whether `norm` and `alpha` are those of the balanced matrix D⁻¹ B D. */
  readonly balanced: boolean
  /** What was taken off the diagonal, 0 where nothing was; `{ re, im }` for complex dtypes. */
  readonly shift: D extends 'complex128' | 'complex64' ? Complex : number
}

/** Options of {@link expmPlan}. */
export interface ExpmPlanOptions extends PlanOptions {
  /** `value` (the default): the plan of `expm`. `derivative`: that of `expmJVP` and `expmVJP`, whose bound is stricter. */
  readonly purpose?: 'value' | 'derivative'
}

/** native/expm/plan.hpp's Scheme and Form. */
const schemes = ['scalar', 'polynomial', 'pade', 'nonnegative', 'zero'] as const
const forms = ['full', 'triangular', 'schur', 'generator'] as const
const fields = 11

/** So many plans take 1 to 2 GB, and V8 ends a process whose objects take more than 2 to 4. */
const maxPlans = 2 ** 23

/**
 * What `expm` or its derivatives will do for each matrix, without doing it.
 *
 * @param A shape [..., n, n], as for `expm`.
 * @returns one {@link Plan} for a single matrix (shape [n, n]); for a stack a list of them in row-major order.
 * @throws as `expm` for wrong arguments, and ERR_TOO_LARGE for more than 2^23 matrices; {@link MatfunError} for a
 *   matrix with a NaN or Inf, or whose plan tells already that no digit would be certain or that it lacks the structure.
 * Cost: a few passes over each matrix, and for large norms a product. For nonnegative matrices a search of the ways between states:
 * at most n³ / 64 operations.
 *
 * @example
 * expmPlan([[0, 10.7], [-10.7, 0]])
 * // { method: 'polynomial', degree: 21, products: 5, squarings: 3, norm: 10.7, alpha: 10.7,
 * //   form: 'full', balanced: false, shift: 0 }
 */
export function expmPlan<const A extends SingleMatrix>(A: A, options?: ExpmPlanOptions): Plan<DTypeOf<A>>
export function expmPlan<const A extends MatrixInput>(
  A: A,
  options?: ExpmPlanOptions,
): Plan<DTypeOf<A>> | Plan<DTypeOf<A>>[]
export function expmPlan(A: MatrixInput, options: ExpmPlanOptions = {}): Plan | Plan[] {
  requireKnown('options', options, [...planOptionNames, 'purpose'])
  const how = planCode(options)
  const { purpose = 'value' } = options
  if (purpose !== 'value' && purpose !== 'derivative')
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.purpose must be 'value' or 'derivative', got ${describe(purpose)}`,
    )
  const operation = purpose === 'value' ? operationCodes.expm : operationCodes.jvp
  const a = readMatrices('A', A)
  if (a.count > maxPlans)
    throw rangeError(
      'ERR_TOO_LARGE',
      `A holds ${a.count} matrices, but at most ${maxPlans} are planned at once; give it in parts`,
    )
  const raw = allocate('float64', a.count * fields)
  native.plan(jobCode(operation, a.dtype, how), a.n, a.count, a.data, raw)
  const plans = readPlans(a, raw)
  return a.batch.length === 0 ? plans[0] : plans
}

function readPlans(a: Stack, raw: Float64Array): Plan[] {
  const isComplex = components(a.dtype) === 2
  const plans: Plan[] = []
  const failures: Failure[] = []
  for (let k = 0; k < a.count; k++) {
    const [status, scheme, degree, products, squarings, norm, alpha, form, balanced, re, im] = raw.subarray(
      k * fields,
      (k + 1) * fields,
    )
    if (status !== 0) failures.push({ index: k, code: failureCodes[status - 1] })
    plans.push({
      method: schemes[scheme],
      degree,
      products,
      squarings,
      norm,
      alpha,
      form: forms[form],
      balanced: balanced !== 0,
      shift: isComplex ? { re, im } : re,
    })
  }
  if (failures.length > 0) throw new MatfunError(failures)
  return plans
}
