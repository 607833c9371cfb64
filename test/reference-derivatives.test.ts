import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NDArray } from '../lib/ndarray.ts'
import { expm, expmJVP, expmVJP } from '../lib/reference/index.ts'
import { largest } from '../lib/reference/matrix.ts'
import { blockExactly, exponentialExactly, rationalMatrix, upperRightExactly } from './support/rational.ts'
import { adjoint, complex, entries, inner, norm, real, times, ulps } from './support/small-matrices.ts'

const u = 2 ** -53
// Half an ulp is the final rounding's; beyond it at most 2^-37 is expected, at 90 bits before the rounding.
const rounded = 0.5 + 2 ** -20

/** A, a direction and a cotangent of one order from 1 to 4, all real or all complex. */
function triples(size: number): fc.Arbitrary<[NDArray, NDArray, NDArray]> {
  return fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.boolean())
    .map(
      ([n, isComplex]) =>
        (each: number) =>
          matrices(n, isComplex, each),
    )
    .chain((of) => fc.tuple(of(size), of(1), of(1)))
}

function matrices(n: number, isComplex: boolean, size: number): fc.Arbitrary<NDArray> {
  if (!isComplex) return entries(n, size).map((data) => real(data))
  return fc
    .tuple(entries(n, size), entries(n, size))
    .map(([re, im]) => complex(Array.from(re).flatMap((x, k) => [x, im[k]])))
}

function derivativeExactly(n: number, a: ArrayLike<number>, e: ArrayLike<number>) {
  const block = blockExactly(rationalMatrix(n, a), rationalMatrix(n, e))
  return upperRightExactly(exponentialExactly(block, 200))
}

describe('the derivative of the reference', () => {
  test.each([1e-8, 1e-3, 0.1, 1, 5])('is correctly rounded at the largest entry, A up to %d', (size) => {
    const cases = fc
      .integer({ min: 1, max: 3 })
      .chain((n) => fc.tuple(fc.constant(n), entries(n, size), entries(n, 1)))
    fc.assert(
      fc.property(cases, ([n, a, e]) => {
        fc.pre(largest(e) > 2 ** -20)
        const { value, tangent } = expmJVP(real(a), real(e))
        expect(value).toEqual(expm(real(a)))
        expect(ulps(tangent.data, derivativeExactly(n, a, e))).toBeLessThanOrEqual(rounded)
        const pulled = expmVJP(real(a), real(e))
        expect(pulled.value).toEqual(value)
        const transposed = adjoint(real(a)).data
        expect(ulps(pulled.cotangent.data, derivativeExactly(n, transposed, e))).toBeLessThanOrEqual(rounded)
      }),
      { numRuns: 30 },
    )
  })

  test('is E at A = 0, and 0 along E = 0', () => {
    const e = real([1, -2, 3e-200, 4e20])
    const zero = real([0, 0, 0, 0])
    expect(expmJVP(zero, e).tangent.data).toEqual(e.data)
    expect(expmVJP(zero, e).cotangent.data).toEqual(e.data)
    expect(
      expmJVP(
        e.data.map((x) => x / 1e300),
        zero,
      ).tangent,
    ).toEqual(zero)
  })

  test('scales with E exactly, down to 2^-900 and up to 2^900', () => {
    const a = real([1, 2, -3, 4])
    const e = Float64Array.of(0.1, -0.7, 0.3, 1)
    const { data } = expmJVP(a, e).tangent
    for (const exponent of [-900, -20, 1, 20, 900]) {
      const scaled = expmJVP(
        a,
        e.map((x) => x * 2 ** exponent),
      ).tangent.data
      expect(scaled).toEqual(data.map((x) => x * 2 ** exponent))
    }
  })

  test('keeps its accuracy for tiny and for fast A', () => {
    // For commuting A and E, L(A, E) = E e^A.
    const e = real([3, 1, 1, 3])
    for (const scale of [1e-320, 1e-300, 1e-20])
      expect(
        expmJVP(
          e.data.map((x) => x * scale),
          e,
        ).tangent.data,
      ).toEqual(e.data)
    const steady = expmJVP(
      [
        [-3e4, 3e4],
        [1e4, -1e4],
      ],
      [
        [1, 0],
        [0, 1],
      ],
    ).tangent.data
    expect(Array.from(steady)).toEqual([0.25, 0.75, 0.25, 0.75])
  })

  test.each([1e-3, 1, 3])('satisfies the identities, real and complex, A up to %d', (size) => {
    fc.assert(
      fc.property(triples(size), ([a, e, w]) => {
        const n = a.shape[0]
        const { value, tangent } = expmJVP(a, e)
        const { cotangent } = expmVJP(a, w)
        // Each entry's rounding is u of the largest, and a sum of m = 2 n^2 products adds m u.
        const sums = 4 * n * n * u
        expect(Math.abs(inner(w.data, tangent.data) - inner(cotangent.data, e.data))).toBeLessThanOrEqual(
          sums * (norm(w.data) * norm(tangent.data) + norm(cotangent.data) * norm(e.data)),
        )

        const along = expmJVP(a, a).tangent
        const product = times(a, value)
        const bound = 4 * n * u * norm(a.data) * norm(value.data) + u * norm(along.data)
        expect(norm(along.data.map((x, k) => x - product.data[k]))).toBeLessThanOrEqual(n * bound)

        const [al, la, ee, ve] = [times(a, tangent), times(tangent, a), times(e, value), times(value, e)]
        const commutator = al.data.map((x, k) => x - la.data[k] - ve.data[k] + ee.data[k])
        const scale = norm(a.data) * norm(tangent.data) + norm(value.data) * norm(e.data)
        expect(norm(commutator)).toBeLessThanOrEqual(8 * n * n * u * scale)
      }),
      { numRuns: 60 },
    )
  })
})

describe('complex matrices in the reference', () => {
  test('the exponential of a number is e^x (cos y + i sin y)', () => {
    for (const [x, y] of [
      [0, 1],
      [1, -2],
      [-3, 100],
      [0.5, 1e-9],
      [700, 3],
    ]) {
      const { dtype, data } = expm(complex([x, y]))
      expect(dtype).toBe('complex128')
      // An ulp each for exp, cos and sin, half for the product, half for the result.
      expect(Math.abs(data[0] - Math.exp(x) * Math.cos(y))).toBeLessThanOrEqual(6 * u * Math.exp(x))
      expect(Math.abs(data[1] - Math.exp(x) * Math.sin(y))).toBeLessThanOrEqual(6 * u * Math.exp(x))
    }
  })

  test('i t times a Pauli matrix gives cos t I + i sin t times it', () => {
    const t = 0.7
    const [zero, it, real] = [
      { re: 0, im: 0 },
      { re: 0, im: t },
      { re: t, im: 0 },
    ]
    const x = expm([
      [zero, it],
      [it, zero],
    ]).data
    const y = expm([
      [zero, real],
      [{ re: -t, im: 0 }, zero],
    ]).data
    const [cos, sin] = [Math.cos(t), Math.sin(t)]
    const truth = { x: [cos, 0, 0, sin, 0, sin, cos, 0], y: [cos, 0, sin, 0, -sin, 0, cos, 0] }
    for (let k = 0; k < 8; k++) {
      expect(Math.abs(x[k] - truth.x[k])).toBeLessThanOrEqual(3 * u)
      expect(Math.abs(y[k] - truth.y[k])).toBeLessThanOrEqual(3 * u)
    }
  })

  test('a real matrix given as complex has the real result, derivatives as well', () => {
    const [a, e] = [Float64Array.of(1, 2, -3, 0.5), Float64Array.of(0.1, 4, -1, 2)]
    const widen = (data: Float64Array) => Array.from(data).flatMap((x) => [x, 0])
    expect(Array.from(expm(complex(widen(a))).data)).toEqual(widen(expm(a).data))
    const { tangent } = expmJVP(complex(widen(a)), complex(widen(e)))
    expect(Array.from(tangent.data)).toEqual(widen(expmJVP(a, e).tangent.data))
  })

  test('the pullback is L(A^H, W), not the conjugate that JAX has', () => {
    // 1 x 1: L(a, e) = exp(a) e, so the pullback of w is conj(exp(a)) w.
    const [x, y, re, im] = [0.3, 0.8, 2, -1]
    const { cotangent } = expmVJP(complex([x, y]), complex([re, im]))
    const [cos, sin] = [Math.exp(x) * Math.cos(y), Math.exp(x) * Math.sin(y)]
    const truth = [cos * re + sin * im, cos * im - sin * re]
    for (let k = 0; k < 2; k++)
      expect(Math.abs(cotangent.data[k] - truth[k])).toBeLessThanOrEqual(8 * u * Math.hypot(cos, sin) * 3)
  })

  test('a batch of them broadcasts, and each is as alone', () => {
    const a = complex([1, 2, 0, 1], [2])
    const e = complex([0, 1, 3, -1, 1, 1], [3, 1])
    const { value, tangent } = expmJVP(a, e)
    expect(value).toEqual(expm(a))
    expect(tangent.shape).toEqual([3, 2, 1, 1])
    for (let k = 0; k < 6; k++) {
      const [i, j] = [k % 2, Math.floor(k / 2)]
      const alone = expmJVP(complex(a.data.slice(2 * i, 2 * i + 2)), complex(e.data.slice(2 * j, 2 * j + 2)))
      expect(tangent.data.slice(2 * k, 2 * k + 2)).toEqual(alone.tangent.data)
    }
  })
})
