import { type Control, runLater } from '../async.ts'
import { type Call, condCall, derivativeCall, expmCall } from '../call.ts'
import { type Failure, MatfunError } from '../index.ts'
import { components, type DataOf, type DType, ndarray } from '../ndarray.ts'
import { type ComputeOptions, computeOptionNames, readSettings } from '../options.ts'
import type { Operation } from './description.ts'

/** What a chunk's matrices are, and what is done with them. */
export interface Task {
  readonly operation: Operation
  readonly options: ComputeOptions
  readonly dtype: DType
  readonly n: number
}

/**
 * The numbers of a chunk, each array but cond's result [..., n, n]: as many of A as of `value`, and these meet the
 * directions by NumPy's rule. None of them may be touched while the chunk is computed.
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
 * value. The others are done all the same. Throws the signal's reason where it aborts.
 */
export async function compute(task: Task, chunk: Chunk, control: Control): Promise<readonly Failure[]> {
  try {
    await runLater(callOf(task, chunk), control, 0)
    return []
  } catch (error) {
    if (error instanceof MatfunError) return error.failures
    throw error
  }
}

function callOf({ operation, options, dtype, n }: Task, chunk: Chunk): Call<unknown> {
  const { count, value, result } = chunk
  const A = ndarray(dtype, [count, n, n], chunk.A)
  const settings = readSettings(options, computeOptionNames)
  if (operation === 'cond') return condCall(A, settings, result as Float64Array)
  if (operation === 'expm') return expmCall(A, settings, value)
  const size = n * n * components(dtype)
  const direction = ndarray(dtype, [chunk.direction.length / size || 0, n, n], chunk.direction)
  return derivativeCall(operation, A, direction, settings, { value, result })
}
