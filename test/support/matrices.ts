import { expmJVP, expmVJP, type NDArray } from '../../lib/index.ts'

/** The unit roundoff of float64. */
export const u = 2 ** -53

/** A seeded source of numbers in [0, 1) (mulberry32's recurrence has period 2^32, plenty for tests). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** count n x n matrices with entries in [-1, 1), row-major. */
export function random(n: number, seed: number, count = 1): Float64Array {
  const next = uniform(seed)
  return Float64Array.from({ length: count * n * n }, () => 2 * next() - 1)
}

export function oneNorm(A: Float64Array, n: number): number {
  let norm = 0
  for (let j = 0; j < n; j++) {
    let sum = 0
    for (let i = 0; i < n; i++) sum += Math.abs(A[i * n + j])
    norm = Math.max(norm, sum)
  }
  return norm
}

/** A scaled so that its 1-norm is `norm`, up to rounding. */
export function withNorm(A: Float64Array, n: number, norm: number): Float64Array {
  const factor = norm / oneNorm(A, n)
  return A.map((x) => x * factor)
}

export function transpose(A: ArrayLike<number>, n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => A[(k % n) * n + Math.floor(k / n)])
}

export function multiply(A: ArrayLike<number>, B: ArrayLike<number>, n: number): Float64Array {
  const C = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) for (let j = 0; j < n; j++) C[i * n + j] += A[i * n + k] * B[k * n + j]
  return C
}

export function inner(A: ArrayLike<number>, B: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < A.length; k++) sum += A[k] * B[k]
  return sum
}

export function frobenius(A: ArrayLike<number>): number {
  // In units of the largest entry, so that no square over- or underflows; not by Math.hypot, whose arguments are on the stack.
  const largest = Array.prototype.reduce.call(A, (m, x) => Math.max(m as number, Math.abs(x)), 0) as number
  if (largest === 0 || !Number.isFinite(largest)) return largest
  let sum = 0
  for (let k = 0; k < A.length; k++) sum += (A[k] / largest) ** 2
  return largest * Math.sqrt(sum)
}

/** |A - B| / |B| in the Frobenius norm. */
export function relativeError(A: ArrayLike<number>, B: ArrayLike<number>): number {
  return frobenius(Array.from(A, (x, k) => x - B[k])) / frobenius(B)
}

/**
 * The relative condition number of exp at A in the Frobenius norm, |L| |A| / |exp A|, with |L| by power iteration on the
 * pullback of the pushforward: a lower bound, so that an error measured in its units is never flattered.
 */
export function conditionNumber(A: Float64Array, n: number): number {
  let E: Float64Array = random(n, 12345)
  let value: NDArray<'float64'> | undefined
  let norm = 0
  for (let step = 0; step < 8; step++) {
    const size = frobenius(E)
    E = E.map((x) => x / size)
    const pushed = expmJVP(A, E)
    value = pushed.value
    norm = frobenius(pushed.tangent.data)
    E = expmVJP(A, pushed.tangent).cotangent.data
  }
  return (norm * frobenius(A)) / frobenius(value!.data)
}

/** Named families of well-behaved n x n matrices, scaled by their callers; the hard ones are issue-sized by themselves. */
export const families: Record<string, (n: number, seed: number) => Float64Array> = {
  dense: (n, seed) => random(n, seed),
  symmetric: (n, seed) => {
    const A = random(n, seed)
    const At = transpose(A, n)
    return A.map((x, k) => x + At[k])
  },
  'skew-symmetric': (n, seed) => {
    const A = random(n, seed)
    const At = transpose(A, n)
    return A.map((x, k) => x - At[k])
  },
  'Markov generator': (n, seed) => {
    const A = random(n, seed).map(Math.abs)
    for (let i = 0; i < n; i++) {
      A[i * n + i] = 0
      for (let j = 0; j < n; j++) if (j !== i) A[i * n + i] -= A[i * n + j]
    }
    return A
  },
  'upper triangular': (n, seed) => random(n, seed).map((x, k) => (k % n >= Math.floor(k / n) ? x : 0)),
}
