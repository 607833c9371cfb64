import { expm, expmJVP, expmVJP, type Failure, MatfunError, type Method } from '../index.ts'
import { ndarray } from '../ndarray.ts'
import type { Operation } from './arguments.ts'

/** The numbers of a chunk, each array [..., n, n]: as many of A as of `value`, and these meet the directions by NumPy's rule. */
export interface Chunk {
  readonly A: Float64Array
  /** E or W; for expm empty, as is `result`. */
  readonly direction: Float64Array
  readonly value: Float64Array
  readonly result: Float64Array
}

/**
 * Does the operation on each item, writing to `value` and, for a derivative, to `result`.
 * Returns the items that cannot be done, whose results are NaN; where only its direction cannot, an item keeps its
 * value. The others are done all the same.
 */
export function compute(operation: Operation, method: Method, n: number, chunk: Chunk): readonly Failure[] {
  const stack = (data: Float64Array) => ndarray('float64', [data.length / (n * n), n, n], data)
  const A = stack(chunk.A)
  const direction = stack(chunk.direction)
  const { value, result } = chunk
  try {
    if (operation === 'expm') expm(A, { method, out: value })
    else if (operation === 'jvp') expmJVP(A, direction, { method, out: { value, tangent: result } })
    else expmVJP(A, direction, { method, out: { value, cotangent: result } })
    return []
  } catch (error) {
    if (error instanceof MatfunError) return error.failures
    throw error
  }
}
