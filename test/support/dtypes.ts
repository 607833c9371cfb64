import {
  allocate,
  components,
  type DataOf,
  type DType,
  type NDArray,
  ndarray,
  product,
} from '../../lib/ndarray.ts'
import { uniform } from './matrices.ts'

/** Every element type. */
export const dtypes = ['float64', 'float32', 'complex128', 'complex64'] as const

/** The unit roundoff that a dtype is computed with. */
export const roundoff: Readonly<Record<DType, number>> = {
  float64: 2 ** -53,
  float32: 2 ** -24,
  complex128: 2 ** -53,
  complex64: 2 ** -24,
}

/** Matrices of a dtype and shape with entries in [-size, size), real and imaginary parts alike. */
export function randomArray<D extends DType>(
  dtype: D,
  shape: readonly number[],
  seed: number,
  size = 1,
): NDArray<D> {
  const next = uniform(seed)
  const data = allocate(dtype, product(shape))
  return ndarray(dtype, shape, data.map(() => size * (2 * next() - 1)) as typeof data)
}

/** The same numbers in double precision. */
export function inDouble(x: NDArray): NDArray<'float64'> | NDArray<'complex128'> {
  const data = Float64Array.from(x.data)
  return components(x.dtype) === 2 ? ndarray('complex128', x.shape, data) : ndarray('float64', x.shape, data)
}

/** |x - y| / |y| in the Frobenius norm, over numbers of any kind. */
export function relativeDistance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return Math.hypot(...Array.from(x, (value, k) => value - y[k])) / Math.hypot(...Array.from(y))
}

/** The k-th n x n matrix of a stack, as a copy. */
export function matrixAt<D extends DType>(x: NDArray<D>, k: number): NDArray<D> {
  const shape = x.shape.slice(-2)
  const size = product(shape) * components(x.dtype)
  return ndarray(x.dtype, shape, x.data.slice(k * size, (k + 1) * size) as DataOf<D>)
}
