import { setImmediate } from 'node:timers/promises'
import { type ExpmPlanOptions, expmPlan, type Failure, MatfunError, type Plan } from '../index.ts'
import { allocate, type DType, type NDArray, ndarray } from '../ndarray.ts'
import { itemSize } from '../npy/header.ts'
import { onFile } from './errors.ts'
import { openMatrices } from './files.ts'
import { chunkBudget, type JobControl } from './job.ts'

/** Matrices of a file that are done in the same way. */
export interface PlanGroup {
  readonly method: Plan['method']
  readonly degree: number
  readonly products: number
  readonly squarings: number
  readonly form: Plan['form']
  readonly balanced: boolean
  readonly shifted: boolean
  /** How many matrices. */
  readonly count: number
  /** The greatest of their norms, after shift and balancing. */
  readonly norm: number
  /** The greatest of what their squarings were chosen from. */
  readonly alpha: number
}

/** What `matfun plan` found; method, shift, balance and purpose are what was asked for. */
export interface PlanSummary extends Required<ExpmPlanOptions> {
  readonly operation: 'plan'
  readonly inputs: readonly string[]
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly count: number
  readonly seconds: number
  /** From the cheapest to the dearest. */
  readonly plans: readonly PlanGroup[]
  /** Every matrix that has no plan because it is not finite, by its place in row-major order. */
  readonly failures: readonly Failure[]
}

/** Groups a file's matrices by what expm or its derivatives would do for them. Errors as for a job. */
export async function planFile(
  path: string,
  options: Required<ExpmPlanOptions>,
  { budget = chunkBudget, signal, onProgress }: JobControl = {},
): Promise<PlanSummary> {
  const start = performance.now()
  const { reader, dtype, n, count } = openMatrices(path)
  try {
    const groups = new Map<string, PlanGroup>()
    const failures: Failure[] = []
    // A plan takes some hundred bytes, which counts where matrices are tiny.
    const step = Math.min(count, Math.max(1, Math.floor(budget / (n * n * itemSize(dtype) + 512))))
    const buffer = allocate(dtype, step * n * n)
    const chunk = (items: number): NDArray =>
      ndarray(dtype, [items, n, n], buffer.subarray(0, (buffer.length / step) * items))
    if (n === 0) add(groups, planChunk(chunk(1), options).plans[0], count)
    for (let first = 0; n > 0 && first < count; first += step) {
      await setImmediate()
      signal?.throwIfAborted()
      const end = Math.min(count, first + step)
      const matrices = chunk(end - first)
      onFile('read', path, () => reader.read(first, end, matrices.data))
      const found = planChunk(matrices, options)
      for (const plan of found.plans) add(groups, plan, 1)
      for (const { index, code } of found.failures) failures.push({ index: first + index, code })
      onProgress?.(end, count)
    }
    const plans = [...groups.values()].sort((a, b) => work(a) - work(b) || a.degree - b.degree)
    const seconds = (performance.now() - start) / 1000
    return {
      operation: 'plan',
      inputs: [path],
      shape: reader.shape,
      dtype,
      ...options,
      count,
      seconds,
      plans,
      failures,
    }
  } finally {
    reader.close()
  }
}

/** The plans of those that have one, and the others. */
function planChunk(
  matrices: NDArray,
  options: ExpmPlanOptions,
): { plans: readonly Plan[]; failures: readonly Failure[] } {
  const { dtype, shape, data } = matrices
  const [count, n] = shape
  try {
    return { plans: expmPlan(matrices, options) as Plan[], failures: [] }
  } catch (error) {
    if (!(error instanceof MatfunError)) throw error
    const failed = new Set(error.failures.map(({ index }) => index))
    const size = data.length / count
    let kept = 0
    for (let k = 0; k < count; k++)
      if (!failed.has(k)) data.copyWithin(kept++ * size, k * size, (k + 1) * size)
    const others = ndarray(dtype, [kept, n, n], data.subarray(0, kept * size))
    return { plans: expmPlan(others, options) as Plan[], failures: error.failures }
  }
}

function add(groups: Map<string, PlanGroup>, plan: Plan, times: number): void {
  if (times === 0) return
  const { method, degree, products, squarings, form, balanced } = plan
  const shifted =
    typeof plan.shift === 'number' ? plan.shift !== 0 : plan.shift.re !== 0 || plan.shift.im !== 0
  const key = [method, degree, products, squarings, form, balanced, shifted].join()
  const known = groups.get(key)
  groups.set(key, {
    method,
    degree,
    products,
    squarings,
    form,
    balanced,
    shifted,
    count: (known?.count ?? 0) + times,
    norm: Math.max(known?.norm ?? 0, plan.norm),
    alpha: Math.max(known?.alpha ?? 0, plan.alpha),
  })
}

function work({ products, squarings }: PlanGroup): number {
  return products + squarings
}
