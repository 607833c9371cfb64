import fc from 'fast-check'
import { type NDArray, ndarray } from '../../lib/ndarray.ts'
import { exponentOf } from '../../lib/reference/double-double.ts'
import { distance, largestEntry, type RationalMatrix, rationalMatrix, toDouble } from './rational.ts'

/** Entries of n x n matrices of numbers up to `size`, with 31 significant bits before the factor `size`. */
export function entries(n: number, size: number): fc.Arbitrary<Float64Array> {
  return fc
    .array(fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), { minLength: n * n, maxLength: n * n })
    .map((list) => Float64Array.from(list, (m) => m * 2 ** -30 * size))
}

/** One n x n matrix, or a batch of them, over a copy of its entries. */
export function real(data: ArrayLike<number>, batch: readonly number[] = []): NDArray<'float64'> {
  const n = Math.sqrt(data.length / batch.reduce((p, d) => p * d, 1))
  return ndarray('float64', [...batch, n, n], Float64Array.from(data))
}

/** The same for interleaved complex entries. */
export function complex(data: ArrayLike<number>, batch: readonly number[] = []): NDArray<'complex128'> {
  const n = Math.sqrt(data.length / 2 / batch.reduce((p, d) => p * d, 1))
  return ndarray('complex128', [...batch, n, n], Float64Array.from(data))
}

/** The largest error of an entry, in ulps of the largest exact entry. */
export function ulps(computed: ArrayLike<number>, exact: RationalMatrix): number {
  const ulp = 2 ** (exponentOf(toDouble(largestEntry(exact))) - 52)
  return toDouble(distance(rationalMatrix(exact.n, computed), exact)) / ulp
}

/** The Frobenius norm. */
export function norm(data: ArrayLike<number>): number {
  return Math.hypot(...Array.from(data))
}

/** The conjugate transpose of one matrix. */
export function adjoint(x: NDArray): NDArray<'float64'> | NDArray<'complex128'> {
  const n = x.shape[0]
  const c = x.dtype === 'complex128' ? 2 : 1
  const data = Float64Array.from(x.data, (_, at) => {
    const k = Math.floor(at / c)
    const from = c * ((k % n) * n + Math.floor(k / n)) + (at % c)
    return at % c === 1 ? -x.data[from] : x.data[from]
  })
  return c === 2 ? complex(data) : real(data)
}

/** x y for one matrix each, real or complex, in plain double arithmetic. */
export function times(x: NDArray, y: NDArray): NDArray<'float64'> | NDArray<'complex128'> {
  const n = x.shape[0]
  const c = x.dtype === 'complex128' ? 2 : 1
  const data = new Float64Array(c * n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++) {
        const [a, b, to] = [c * (i * n + k), c * (k * n + j), c * (i * n + j)]
        const [aIm, bIm] = c === 2 ? [x.data[a + 1], y.data[b + 1]] : [0, 0]
        data[to] += x.data[a] * y.data[b] - aIm * bIm
        if (c === 2) data[to + 1] += x.data[a] * bIm + aIm * y.data[b]
      }
  return c === 2 ? complex(data) : real(data)
}

/** Re tr(X^H Y), the inner product of entries. */
export function inner(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k]
  return sum
}
