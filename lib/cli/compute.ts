import { expm, expmCond, expmJVP, expmVJP, type Failure, MatfunError } from '../index.ts'
import { components, type DataOf, type DType, type NDArray, ndarray } from '../ndarray.ts'
import type { PlanOptions } from '../options.ts'
import type { Operation } from './arguments.ts'

/** What a chunk's matrices are, and what is done with them. */
export interface Task {
  readonly operation: Operation
  readonly options: PlanOptions
  readonly dtype: DType
  readonly n: number
}

/**
 * The numbers of a chunk, each array but cond's result [..., n, n]: as many of A as of `value`, and these meet the
 * directions by NumPy's rule.
 */
export interface Chunk {
  /** How many matrices A holds. */
  readonly count: number
  readonly A: DataOf<DType>
  /** E or W; empty where the operation takes none. */
  readonly direction: DataOf<DType>
  /** exp(A); empty for cond. */
  readonly value: DataOf<DType>
  /** The derivatives, or a float64 for each matrix of cond; empty for expm. */
  readonly result: DataOf<DType>
}

/**
 * Does the operation on each item, writing to `value` and, for a derivative or condition number, to `result`.
 * Returns the items that cannot be done, whose results are NaN; where only its direction cannot, an item keeps its
 * value. The others are done all the same.
 */
export function compute({ operation, options, dtype, n }: Task, chunk: Chunk): readonly Failure[] {
  const { count, value, result } = chunk
  const A = ndarray(dtype, [count, n, n], chunk.A)
  const size = n * n * components(dtype)
  const direction = ndarray(dtype, [chunk.direction.length / size || 0, n, n], chunk.direction)
  if (operation === 'cond') return conditionNumbers(A, options, result)
  try {
    if (operation === 'expm') expm(A, { ...options, out: value })
    else if (operation === 'jvp') expmJVP(A, direction, { ...options, out: { value, tangent: result } })
    else expmVJP(A, direction, { ...options, out: { value, cotangent: result } })
    return []
  } catch (error) {
    if (error instanceof MatfunError) return error.failures
    throw error
  }
}

function conditionNumbers(A: NDArray, options: PlanOptions, result: DataOf<DType>): readonly Failure[] {
  const numbers = expmCond(A, { ...options, onFailure: 'nan' }) as Float64Array
  result.set(numbers)
  const failed = [...numbers.keys()].filter((k) => Number.isNaN(numbers[k]))
  if (failed.length === 0) return []
  // Why they failed is only told by the error, which comes without numbers.
  const size = A.data.length / numbers.length
  const bad = A.data.slice(0, failed.length * size) as typeof A.data
  failed.forEach((k, to) => {
    bad.set(A.data.subarray(k * size, (k + 1) * size), to * size)
  })
  try {
    expmCond(ndarray(A.dtype, [failed.length, ...A.shape.slice(1)], bad), options)
    return []
  } catch (error) {
    if (!(error instanceof MatfunError)) throw error
    return error.failures.map(({ index, code }) => ({ index: failed[index], code }))
  }
}
