import { rangeError, typeError } from './errors.ts'
import type { Stack } from './input.ts'
import {
  allocate,
  type DataOf,
  type DType,
  gather,
  type NDArray,
  product,
  rowMajorStrides,
} from './ndarray.ts'

/**
 * How the leading dimensions of A and of its directions meet, by NumPy's rule. Each matrix of A meets the same number
 * of directions; `directions` holds them matrix by matrix, as the addon takes them.
 */
export interface Pairing {
  /** The broadcast leading dimensions: the derivative has shape [...batch, n, n]. */
  readonly batch: readonly number[]
  readonly directionsPerMatrix: number
  /** [count of A, directionsPerMatrix, n, n], contiguous. */
  readonly directions: DataOf<DType>
  /**
   * Strides that show results laid out like `directions` in the order of `batch`, or undefined where that is how they
   * lie already.
   */
  readonly resultStrides: readonly number[] | undefined
}

/** Pairs A with E or W of its dtype; ERR_SHAPE where orders differ or the leading dimensions do not broadcast. */
export function pair(A: Pick<Stack, 'n' | 'batch'>, name: string, E: Stack): Pairing {
  if (A.n !== E.n)
    throw rangeError('ERR_SHAPE', `${name} must have matrices of order ${A.n} like A, got order ${E.n}`)
  if (sameShape(A.batch, E.batch))
    return { batch: A.batch, directionsPerMatrix: 1, directions: E.data, resultStrides: undefined }

  const batch = broadcastShape(A.batch, E.batch)
  if (batch === undefined)
    throw rangeError(
      'ERR_SHAPE',
      `${name}'s leading dimensions [${E.batch}] do not broadcast with A's [${A.batch}]`,
    )
  if (!Number.isSafeInteger(product(batch)))
    throw rangeError(
      'ERR_TOO_LARGE',
      `A and ${name} broadcast to leading dimensions [${batch}], more matrices than can be counted`,
    )
  const a = alignedRight(A.batch, batch.length)
  const e = alignedRight(E.batch, batch.length)

  // A's own dimensions first, then those along which a matrix of A meets further directions.
  const own = batch.map((_, k) => k).filter((k) => a[k] === batch[k])
  const free = batch.map((_, k) => k).filter((k) => a[k] !== batch[k])
  const order = [...own, ...free]
  const { n } = A
  const eStrides = rowMajorStrides([...e, n, n])
  const spread: NDArray = {
    dtype: E.dtype,
    shape: [...order.map((k) => batch[k]), n, n],
    data: E.data,
    strides: [...order.map((k) => (e[k] === 1 ? 0 : eStrides[k])), n, 1],
    offset: 0,
    order: 'row-major',
  }
  const inOrder = order.every((k, at) => k === at)
  const asTheyLie = inOrder && e.every((d, k) => d === batch[k])
  const laidOut = rowMajorStrides(spread.shape)
  const resultStrides = [...batch.map((_, k) => laidOut[order.indexOf(k)]), n, 1]
  return {
    batch,
    directionsPerMatrix: product(free.map((k) => batch[k])),
    directions: asTheyLie ? E.data : gather(spread),
    resultStrides: inOrder ? undefined : resultStrides,
  }
}

/**
 * A and its direction in one dtype. Nested arrays carry none of their own: plain numbers among them become complex128
 * beside a complex128 operand, since nothing is lost by that.
 * Errors: ERR_DTYPE where the dtypes differ otherwise.
 */
export function inOneDType(a: Stack, name: string, e: Stack): readonly [a: Stack, e: Stack] {
  if (isPlain(a) && e.dtype === 'complex128') return [toComplex(a), e]
  return [a, inDTypeOf(a.dtype, a.view === undefined, name, e)]
}

/** The direction in A's dtype, where that is settled, of an A that was given as nested arrays or not; as {@link inOneDType}. */
export function inDTypeOf(dtype: DType, isNested: boolean, name: string, e: Stack): Stack {
  if (dtype === e.dtype) return e
  if (isPlain(e) && dtype === 'complex128') return toComplex(e)
  const hint =
    isNested || e.view === undefined
      ? '; nested arrays are float64, or complex128 where they hold { re, im }'
      : ''
  throw typeError('ERR_DTYPE', `${name} must have dtype ${dtype} like A, got ${e.dtype}${hint}`)
}

function isPlain({ view, dtype }: Stack): boolean {
  return view === undefined && dtype === 'float64'
}

function toComplex(stack: Stack): Stack<'complex128'> {
  const data = allocate('complex128', stack.data.length)
  stack.data.forEach((x, k) => {
    data[2 * k] = x
  })
  return { ...stack, dtype: 'complex128', data, view: undefined }
}

/** NumPy's rule: aligned at the right, dimensions are equal or one of them is 1. Undefined where that does not hold. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length)
  const bAligned = alignedRight(b, rank)
  const shape: number[] = []
  for (const [k, d] of alignedRight(a, rank).entries()) {
    if (d !== bAligned[k] && d !== 1 && bAligned[k] !== 1) return undefined
    shape.push(d === 1 ? bAligned[k] : d)
  }
  return shape
}

function alignedRight(shape: readonly number[], rank: number): number[] {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape]
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, k) => d === b[k])
}
