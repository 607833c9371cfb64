import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expm, expmJVP, expmVJP } from '../lib/index.ts'
import {
  conditionNumber,
  frobenius,
  inner,
  multiply,
  random,
  relativeError,
  transpose,
  u,
} from './support/matrices.ts'

/** A matrix of order 1 to 9 whose norm reaches over every rung; two more of the same order. */
const problems = fc
  .record({
    n: fc.integer({ min: 1, max: 9 }),
    seed: fc.nat(),
    exponent: fc.double({ min: -6, max: 0.6, noNaN: true }),
  })
  .map(({ n, seed, exponent }) => {
    const scale = 10 ** exponent
    return {
      n,
      A: random(n, seed).map((x) => x * scale),
      E: random(n, seed + 1),
      W: random(n, seed + 2),
    }
  })

const identity = (n: number) => Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0))
const trace = (A: ArrayLike<number>, n: number) => {
  let sum = 0
  for (let i = 0; i < n; i++) sum += A[i * (n + 1)]
  return sum
}
const combine = (A: ArrayLike<number>, c: number, B: ArrayLike<number>) =>
  Float64Array.from(A, (x, k) => x + c * B[k])

/** Rounding of a product of order n, and ten units of condition. */
const unit = (A: Float64Array, n: number) => 10 * (n + Math.max(conditionNumber(A, n), 1)) * u

const holds = (check: (problem: { n: number; A: Float64Array; E: Float64Array; W: Float64Array }) => void) =>
  fc.assert(fc.property(problems, check), { numRuns: 150, seed: 20261123 })

describe('identities', () => {
  test('<W, L(A, E)> = <L(Aᵀ, W), E>', () => {
    holds(({ n, A, E, W }) => {
      const L = expmJVP(A, E).tangent.data
      const G = expmVJP(A, W).cotangent.data
      const size = frobenius(W) * frobenius(L) + frobenius(G) * frobenius(E)
      expect(Math.abs(inner(W, L) - inner(G, E))).toBeLessThanOrEqual(unit(A, n) * size)
    })
  })

  test('A L(A, E) - L(A, E) A = exp(A) E - E exp(A)', () => {
    holds(({ n, A, E }) => {
      const { value, tangent } = expmJVP(A, E)
      const left = combine(multiply(A, tangent.data, n), -1, multiply(tangent.data, A, n))
      const right = combine(multiply(value.data, E, n), -1, multiply(E, value.data, n))
      const size = 2 * (frobenius(A) * frobenius(tangent.data) + frobenius(value.data) * frobenius(E))
      expect(frobenius(combine(left, -1, right))).toBeLessThanOrEqual(unit(A, n) * size)
    })
  })

  test('L(A, A) = A exp(A), L(A, I) = exp(A), and tr L(A, E) = tr(exp(A) E)', () => {
    holds(({ n, A, E }) => {
      const directions = { data: Float64Array.from([...A, ...identity(n), ...E]), shape: [3, n, n] }
      const { value, tangent } = expmJVP(A, directions)
      const [LA, LI, LE] = [0, 1, 2].map((k) => tangent.data.subarray(k * n * n, (k + 1) * n * n))
      const most = unit(A, n) * frobenius(value.data)
      expect(frobenius(combine(LA, -1, multiply(A, value.data, n)))).toBeLessThanOrEqual(most * frobenius(A))
      expect(frobenius(combine(LI, -1, value.data))).toBeLessThanOrEqual(most * Math.sqrt(n))
      const traces = Math.abs(trace(LE, n) - trace(multiply(value.data, E, n), n))
      expect(traces).toBeLessThanOrEqual(most * frobenius(E) * Math.sqrt(n))
    })
  })

  test('exp(A) exp(-A) = I', () => {
    holds(({ n, A }) => {
      const X = expm(A).data
      const Y = expm(A.map((x) => -x)).data
      const difference = frobenius(combine(multiply(X, Y, n), -1, identity(n)))
      expect(difference).toBeLessThanOrEqual(2 * unit(A, n) * frobenius(X) * frobenius(Y))
    })
  })

  test('exp(A) = exp(A/2)²', () => {
    holds(({ n, A }) => {
      const half = expm(A.map((x) => x / 2)).data
      const most = 2 * unit(A, n) * frobenius(half) ** 2
      expect(frobenius(combine(expm(A).data, -1, multiply(half, half, n)))).toBeLessThanOrEqual(most)
    })
  })

  test('exp(Aᵀ) = exp(A)ᵀ', () => {
    holds(({ n, A }) => {
      const difference = relativeError(expm(transpose(A, n)).data, transpose(expm(A).data, n))
      expect(difference).toBeLessThanOrEqual(2 * unit(A, n))
    })
  })

  test('a permutation of rows and columns permutes the exponential', () => {
    holds(({ n, A }) => {
      const at = (k: number) => ((Math.floor(k / n) + 1) % n) * n + (((k % n) + 1) % n)
      const permute = (M: ArrayLike<number>) => Float64Array.from({ length: n * n }, (_, k) => M[at(k)])
      expect(relativeError(expm(permute(A)).data, permute(expm(A).data))).toBeLessThanOrEqual(2 * unit(A, n))
    })
  })

  test('the derivative is the upper right block of exp([A E; 0 A])', () => {
    holds(({ n, A, E }) => {
      const block = new Float64Array(4 * n * n)
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          block[i * 2 * n + j] = block[(i + n) * 2 * n + j + n] = A[i * n + j]
          block[i * 2 * n + j + n] = E[i * n + j]
        }
      const whole = expm(block).data
      const upperRight = Float64Array.from(
        { length: n * n },
        (_, k) => whole[Math.floor(k / n) * 2 * n + (k % n) + n],
      )
      const most = unit(block, 2 * n) * frobenius(whole)
      expect(frobenius(combine(expmJVP(A, E).tangent.data, -1, upperRight))).toBeLessThanOrEqual(most)
    })
  })

  test('the derivative is linear in its direction', () => {
    holds(({ n, A, E, W }) => {
      const sum = expmJVP(A, combine(E, -2.5, W)).tangent.data
      const parts = combine(expmJVP(A, E).tangent.data, -2.5, expmJVP(A, W).tangent.data)
      const size = frobenius(expm(A).data) * (frobenius(E) + 2.5 * frobenius(W))
      expect(frobenius(combine(sum, -1, parts))).toBeLessThanOrEqual(
        unit(A, n) * Math.exp(frobenius(A)) * size,
      )
    })
  })

  test('polynomial and Padé, which share no step but the products, agree', () => {
    holds(({ n, A, E }) => {
      const a = expmVJP(A, E, { method: 'polynomial' })
      const b = expmVJP(A, E, { method: 'pade' })
      expect(relativeError(a.value.data, b.value.data)).toBeLessThanOrEqual(5 * unit(A, n))
      expect(relativeError(a.cotangent.data, b.cotangent.data)).toBeLessThanOrEqual(5 * unit(A, n))
    })
  })
})
