import { setImmediate } from 'node:timers/promises'
import { expmPlan, type Failure, MatfunError, type Method, type Plan } from '../index.ts'
import { allocate, ndarray } from '../ndarray.ts'
import { onFile } from './errors.ts'
import { openMatrices } from './files.ts'
import { chunkBudget, type JobControl } from './job.ts'

/** Matrices of a file that are done in the same way. */
export interface PlanGroup {
  readonly method: Plan['method']
  readonly degree: number
  readonly products: number
  readonly squarings: number
  /** How many matrices. */
  readonly count: number
  /** The greatest of their norms. */
  readonly norm: number
}

/** What `matfun plan` found. */
export interface PlanSummary {
  readonly operation: 'plan'
  readonly inputs: readonly string[]
  readonly shape: readonly number[]
  readonly dtype: 'float64'
  /** What was asked for; a group's is what comes of it. */
  readonly method: Method
  readonly count: number
  readonly seconds: number
  /** From the cheapest to the dearest. */
  readonly plans: readonly PlanGroup[]
  /** Every matrix that has no plan because it is not finite, by its place in row-major order. */
  readonly failures: readonly Failure[]
}

/** Groups a file's matrices by what expm would do for them. Errors as for a job. */
export async function planFile(
  path: string,
  method: Method,
  { budget = chunkBudget, signal, onProgress }: JobControl = {},
): Promise<PlanSummary> {
  const start = performance.now()
  const { reader, n, count } = openMatrices(path)
  try {
    const groups = new Map<string, PlanGroup>()
    const failures: Failure[] = []
    // A plan takes some hundred bytes, which counts where matrices are tiny.
    const step = Math.min(count, Math.max(1, Math.floor(budget / (n * n * 8 + 512))))
    const buffer = allocate('float64', step * n * n)
    if (n === 0) add(groups, planChunk(new Float64Array(0), 1, 0, method).plans[0], count)
    for (let first = 0; n > 0 && first < count; first += step) {
      await setImmediate()
      signal?.throwIfAborted()
      const end = Math.min(count, first + step)
      const data = buffer.subarray(0, (end - first) * n * n)
      onFile('read', path, () => reader.read(first, end, data))
      const found = planChunk(data, end - first, n, method)
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
      dtype: 'float64',
      method,
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
  data: Float64Array,
  count: number,
  n: number,
  method: Method,
): { plans: readonly Plan[]; failures: readonly Failure[] } {
  const planAll = (numbers: Float64Array, items: number): Plan[] =>
    expmPlan(ndarray('float64', [items, n, n], numbers), { method }) as Plan[]
  try {
    return { plans: planAll(data, count), failures: [] }
  } catch (error) {
    if (!(error instanceof MatfunError)) throw error
    const failed = new Set(error.failures.map(({ index }) => index))
    const size = n * n
    let kept = 0
    for (let k = 0; k < count; k++)
      if (!failed.has(k)) data.copyWithin(kept++ * size, k * size, (k + 1) * size)
    return { plans: planAll(data.subarray(0, kept * size), kept), failures: error.failures }
  }
}

function add(groups: Map<string, PlanGroup>, plan: Plan, times: number): void {
  if (times === 0) return
  const { method, degree, products, squarings } = plan
  const key = `${method} ${degree} ${products} ${squarings}`
  const known = groups.get(key)
  groups.set(key, {
    method,
    degree,
    products,
    squarings,
    count: (known?.count ?? 0) + times,
    norm: Math.max(known?.norm ?? 0, plan.norm),
  })
}

function work({ products, squarings }: PlanGroup): number {
  return products + squarings
}
