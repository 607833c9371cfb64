import { broadcastShape } from '../broadcast.ts'
import { type FailureCode, MatfunError, rangeError, typeError } from '../errors.ts'
import { type MatrixInput, readStack, requireStackStill, type Stack } from '../input.ts'
import { allocate, type NDArray, ndarray, product } from '../ndarray.ts'
import { bufferOf, byteOffsetOf, lengthOf } from '../typed-array.ts'
import { mapped } from './matrix.ts'
import { derivative, exponential, type Scaled, toDoubles } from './taylor.ts'

/** The element types of the reference. */
export type ReferenceDType = 'float64' | 'complex128'

/** exp(A), and L(A, E) in the shape that A and E broadcast to. */
export interface ReferenceJVP {
  readonly value: NDArray<ReferenceDType>
  readonly tangent: NDArray<ReferenceDType>
}

/** exp(A), and L(A^H, W) in the shape that A and W broadcast to. */
export interface ReferenceVJP {
  readonly value: NDArray<ReferenceDType>
  readonly cotangent: NDArray<ReferenceDType>
}

type ReferenceStack = Stack<ReferenceDType>

interface Outcome {
  readonly result: NDArray<ReferenceDType>
  /** By place in the batch. */
  readonly failures: ReadonlyMap<number, FailureCode>
}

/**
 * The matrix exponential, in double-double arithmetic and rounded to double at the end.
 *
 * A: [..., n, n], float64 or complex128, in any form that `expm` of matfun accepts; not changed.
 * Returns exp(A) in A's shape and dtype, in new memory. In all that was measured the relative error before the
 * final rounding is below 2^-104 max(1, |A|) cond(exp, A), so that the largest entry is correctly rounded unless A
 * is extreme: [1 b; 0 -1] in a rotated basis, with cond near b^2 / 10, comes out right up to b = 1e6, 22 ulps off at
 * 1e7 and by 4e-12 at 1e8. In units of cond(exp, A) u, to which a method in double is held, that is at most
 * 2^-51 |A|. Entries far smaller than the largest share its absolute error.
 * Costs about 26 + log2 |A| products of n x n matrices (2n x 2n for complex128), each of n^3 times 25 flops.
 *
 * Errors: ERR_INVALID_ARG_TYPE, ERR_SHAPE, ERR_STRIDES, ERR_DETACHED, ERR_DTYPE (float32 and complex64 too);
 * a {@link MatfunError} with ERR_NOT_FINITE for a NaN or Inf in A, or ERR_OVERFLOW where exp(A) itself overflows.
 *
 * @example
 * expm([[0, 1], [0, 0]]).data // Float64Array [1, 1, 0, 1]
 */
export function expm(A: MatrixInput): NDArray<ReferenceDType> {
  const { result, failures } = exponentials(readReference('A', A))
  throwFailures(failures)
  return result
}

/**
 * The matrix exponential and its Fréchet derivative L(A, E), the change of exp(A) to first order as A moves by E,
 * from exp([A E; 0 A]).
 *
 * A, E: [..., n, n] of one dtype, float64 or complex128; their leading dimensions broadcast by NumPy's rule.
 * Returns `value`, bit for bit {@link expm} of A, in A's shape, and `tangent` in the broadcast shape, as accurate
 * as the value: its error is relative to its largest entry, whatever the size of E.
 * Costs nine times {@link expm} for each matrix of the tangent.
 *
 * Errors: those of {@link expm}; ERR_SHAPE where A and E differ in n or do not broadcast, ERR_DTYPE where they
 * differ in dtype; `failures` counts the matrices of the tangent.
 *
 * @example
 * expmJVP([[0, 0], [0, 0]], [[1, 2], [3, 4]]).tangent.data // Float64Array [1, 2, 3, 4]
 */
export function expmJVP(A: MatrixInput, E: MatrixInput): ReferenceJVP {
  const { value, derivatives } = differentiate(A, 'E', E, false)
  return { value, tangent: derivatives }
}

/**
 * The matrix exponential and the pullback L(A^H, W) of a cotangent W: the gradient of Re tr(W^H exp(A)) with
 * respect to A. The inner product is Re tr(X^H Y), as in PyTorch and ChainRules; JAX's pullback of a complex
 * matrix is the conjugate.
 *
 * A, W: [..., n, n] of one dtype, float64 or complex128; their leading dimensions broadcast by NumPy's rule.
 * Returns `value`, bit for bit {@link expm} of A, in A's shape, and `cotangent` in the broadcast shape.
 * Accuracy, cost and errors are those of {@link expmJVP}.
 *
 * @example
 * expmVJP([[0, 0], [0, 0]], [[1, 2], [3, 4]]).cotangent.data // Float64Array [1, 2, 3, 4]
 */
export function expmVJP(A: MatrixInput, W: MatrixInput): ReferenceVJP {
  const { value, derivatives } = differentiate(A, 'W', W, true)
  return { value, cotangent: derivatives }
}

function readReference(name: string, input: MatrixInput): ReferenceStack {
  const stack = readStack(name, input)
  if (stack.dtype !== 'float64' && stack.dtype !== 'complex128')
    throw typeError('ERR_DTYPE', `${name} must have dtype float64 or complex128, got ${stack.dtype}`)
  const { data } = stack as ReferenceStack
  // An array of our own over the same numbers: what the caller's does when it is asked for a part is its own affair.
  const length = lengthOf.call(data)
  // Of a buffer that is gone there can be none, but where there are no numbers nothing is missing.
  const own =
    length === 0
      ? new Float64Array(0)
      : new Float64Array(bufferOf.call(data), byteOffsetOf.call(data), length)
  return { ...(stack as ReferenceStack), data: own }
}

function exponentials(a: ReferenceStack): Outcome {
  return fill(a, a.batch, (at) => {
    const matrix = realMatrix(a, at)
    return matrix.every(Number.isFinite) ? exponential(realOrder(a), matrix) : 'ERR_NOT_FINITE'
  })
}

function differentiate(A: MatrixInput, name: string, direction: MatrixInput, adjoint: boolean) {
  const a = readReference('A', A)
  const e = readReference(name, direction)
  requireStackStill('A', a)
  if (a.dtype !== e.dtype)
    throw typeError('ERR_DTYPE', `${name} must have dtype ${a.dtype} like A, got ${e.dtype}`)
  const batch = broadcastShape(a.batch, e.batch)
  if (a.n !== e.n || batch === undefined)
    throw rangeError(
      'ERR_SHAPE',
      `A of shape [${[...a.batch, a.n, a.n]}] and ${name} of shape [${[...e.batch, e.n, e.n]}] must have the same n ` +
        'and leading dimensions that broadcast',
    )
  if (!Number.isSafeInteger(product(batch)))
    throw rangeError(
      'ERR_TOO_LARGE',
      `A and ${name} broadcast to leading dimensions [${batch}], more matrices than can be counted`,
    )
  const values = exponentials(a)
  const order = realOrder(a)
  const derivatives = fill(a, batch, (at) => {
    const aIndex = sourceIndex(at, batch, a.batch)
    const failed = values.failures.get(aIndex)
    if (failed !== undefined) return failed
    const matrix = realMatrix(a, aIndex)
    const along = realMatrix(e, sourceIndex(at, batch, e.batch))
    if (!along.every(Number.isFinite)) return 'ERR_NOT_FINITE'
    // The real form of A^H is the transpose of A's, for both dtypes.
    return derivative(order, adjoint ? transpose(order, matrix) : matrix, along)
  })
  throwFailures(derivatives.failures)
  throwFailures(values.failures) // reached by a failure only where the broadcast batch is empty
  return { value: values.result, derivatives: derivatives.result }
}

/** An array of `like`'s order and dtype, each matrix computed by its place in the batch. */
function fill(
  like: ReferenceStack,
  batch: readonly number[],
  compute: (at: number) => Scaled | FailureCode,
): Outcome {
  const { n, dtype } = like
  const shape = [...batch, n, n]
  const data = allocate(dtype, product(shape))
  const failures = new Map<number, FailureCode>()
  const count = n === 0 ? 0 : product(batch)
  for (let at = 0; at < count; at++) {
    const computed = compute(at)
    if (typeof computed === 'string') failures.set(at, computed)
    else {
      const doubles = toDoubles(computed)
      if (doubles.every(Number.isFinite)) data.set(fromReal(like, doubles), (data.length / count) * at)
      else failures.set(at, 'ERR_OVERFLOW')
    }
  }
  return { result: ndarray(dtype, shape, data), failures }
}

function throwFailures(failures: ReadonlyMap<number, FailureCode>): void {
  if (failures.size > 0) throw new MatfunError(Array.from(failures, ([index, code]) => ({ index, code })))
}

function realOrder({ dtype, n }: ReferenceStack): number {
  return dtype === 'complex128' ? 2 * n : n
}

/** One matrix of the stack as a real one: itself, or [Re, -Im; Im, Re], which maps products to products. */
function realMatrix(stack: ReferenceStack, index: number): Float64Array {
  const { dtype, n, data } = stack
  const size = data.length / stack.count
  const entries = data.subarray(index * size, (index + 1) * size)
  if (dtype === 'float64') return entries
  const real = allocate('float64', 4 * n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const re = entries[2 * (i * n + j)]
      const im = entries[2 * (i * n + j) + 1]
      real[i * 2 * n + j] = re
      real[i * 2 * n + n + j] = -im
      real[(i + n) * 2 * n + j] = im
      real[(i + n) * 2 * n + n + j] = re
    }
  return real
}

function fromReal({ dtype, n }: ReferenceStack, real: Float64Array): Float64Array {
  if (dtype === 'float64') return real
  const entries = allocate('complex128', n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      entries[2 * (i * n + j)] = real[i * 2 * n + j]
      entries[2 * (i * n + j) + 1] = real[(i + n) * 2 * n + j]
    }
  return entries
}

function transpose(n: number, a: Float64Array): Float64Array {
  return mapped(a, (_, k) => a[(k % n) * n + Math.floor(k / n)])
}

/** The matrix of a batch `source` that meets place `at` of the batch it was broadcast to. */
function sourceIndex(at: number, shape: readonly number[], source: readonly number[]): number {
  let rest = at
  let index = 0
  let stride = 1
  for (let k = 1; k <= source.length; k++) {
    const size = shape[shape.length - k]
    const sourceSize = source[source.length - k]
    if (sourceSize !== 1) index += (rest % size) * stride
    stride *= sourceSize
    rest = Math.floor(rest / size)
  }
  return index
}
