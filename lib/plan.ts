import { describe, type Failure, MatfunError, typeError } from './errors.ts'
import { operationCodes, readFloat64 } from './expm.ts'
import type { MatrixInput, Stack } from './input.ts'
import { native } from './native.ts'
import { type Method, methodCode, requireKnown } from './options.ts'

/** What will be done for one matrix. */
export interface Plan {
  /** `scalar` is the exponential of a 1 x 1 matrix. */
  readonly method: 'scalar' | 'polynomial' | 'pade'
  /** To which the polynomial is Taylor's (1, 2, 4, 8, 15, 21), or of the approximant's numerator and denominator (3, 5, 7, 9, 13). */
  readonly degree: number
  /** n x n products that the scheme takes, without squarings; a Padé scheme takes a linear solve besides. */
  readonly products: number
  /** How often the exponential of A / 2^squarings is squared. */
  readonly squarings: number
  /** min(|A|₁, |A|∞), from which the rest follows. */
  readonly norm: number
}

/** Options of {@link expmPlan}. */
export interface ExpmPlanOptions {
  /** Default `auto`. */
  readonly method?: Method
  /** `value` (the default): the plan of `expm`. `derivative`: that of `expmJVP` and `expmVJP`, whose bound is stricter. */
  readonly purpose?: 'value' | 'derivative'
}

/** native/expm/plan.hpp's Scheme. */
const schemes = ['scalar', 'polynomial', 'pade'] as const
const fields = 6

/**
 * What `expm` or its derivatives will do for each matrix, without doing it.
 *
 * @param A shape [..., n, n], as for `expm`.
 * @returns one {@link Plan} for a single matrix (shape [n, n]); for a stack a list of them in row-major order.
 * @throws as `expm` for wrong arguments; {@link MatfunError} with ERR_NOT_FINITE for a matrix with a NaN or Inf.
 * Cost: 2n² additions a matrix.
 *
 * @example
 * expmPlan([[0, 10.7], [10.7, 0]])
 * // { method: 'polynomial', degree: 21, products: 5, squarings: 3, norm: 10.7 }
 */
export function expmPlan(A: Float64Array | readonly (readonly number[])[], options?: ExpmPlanOptions): Plan
export function expmPlan(A: MatrixInput, options?: ExpmPlanOptions): Plan | Plan[]
export function expmPlan(A: MatrixInput, options: ExpmPlanOptions = {}): Plan | Plan[] {
  requireKnown('options', options, ['method', 'purpose'])
  const method = methodCode(options.method)
  const { purpose = 'value' } = options
  if (purpose !== 'value' && purpose !== 'derivative')
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.purpose must be 'value' or 'derivative', got ${describe(purpose)}`,
    )
  const operation = purpose === 'value' ? operationCodes.expm : operationCodes.jvp
  const a = readFloat64('A', A)
  const plans = readPlans(a, native.plan(operation, method, a.n, a.count, a.data))
  return a.batch.length === 0 ? plans[0] : plans
}

function readPlans(a: Stack, raw: Float64Array): Plan[] {
  const plans: Plan[] = []
  const failures: Failure[] = []
  for (let k = 0; k < a.count; k++) {
    const [status, scheme, degree, products, squarings, norm] = raw.subarray(k * fields, (k + 1) * fields)
    if (status !== 0) failures.push({ index: k, code: 'ERR_NOT_FINITE' })
    plans.push({ method: schemes[scheme], degree, products, squarings, norm })
  }
  if (failures.length > 0) throw new MatfunError(failures)
  return plans
}
