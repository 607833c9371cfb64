import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expm, expmJVP } from '../lib/reference/index.ts'
import {
  atMost,
  entry,
  exponentialExactly,
  exponentialOf,
  largestEntry,
  magnitude,
  minus,
  over,
  plus,
  rational,
  rationalMatrix,
  taylorExactly,
  times,
  toDouble,
} from './support/rational.ts'
import { entries, norm, real, ulps } from './support/small-matrices.ts'

const u = 2 ** -53

// Half an ulp is the final rounding's; beyond it at most 2^-37 is expected, at 90 bits before the rounding.
const rounded = 0.5 + 2 ** -20

describe('expm of the reference against exact arithmetic', () => {
  test.each([1e-8, 1e-3, 0.1, 1, 5])(
    'is correctly rounded at the largest entry, entries up to %d',
    (size) => {
      const cases = fc.integer({ min: 1, max: 4 }).chain((n) => fc.tuple(fc.constant(n), entries(n, size)))
      fc.assert(
        fc.property(cases, ([n, a]) => {
          const exact = exponentialExactly(rationalMatrix(n, a), 200)
          expect(ulps(expm(real(a)).data, exact)).toBeLessThanOrEqual(rounded)
        }),
        { numRuns: 60 },
      )
    },
  )

  test('gives the finite sum for nilpotent matrices, exactly for huge and tiny entries of order 2', () => {
    for (const b of [1, -6, 2 ** 40, 1e300, 1e-300, 5e-324])
      expect(
        Array.from(
          expm([
            [0, b],
            [0, 0],
          ]).data,
        ),
      ).toEqual([1, b, 0, 1])
    const strictlyUpper = fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(strictlyUpper, (integers) => {
        const a = integers.map((x, k) => (k % 4 > Math.floor(k / 4) ? x : 0))
        const exact = taylorExactly(rationalMatrix(4, a), 3n) // A^4 = 0
        const computed = expm(real(a)).data
        const slack = 2 ** -90 * toDouble(largestEntry(exact)) // for entries that cancel
        for (let k = 0; k < 16; k++) {
          const truth = toDouble(entry(exact, Math.floor(k / 4), k % 4))
          expect(Math.abs(computed[k] - truth)).toBeLessThanOrEqual(u * Math.abs(truth) + slack)
        }
      }),
    )
  })

  test('is exact for the zero matrix of every order', () => {
    for (const n of [1, 2, 5, 16]) {
      const identity = Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0))
      expect(Array.from(expm(new Float64Array(n * n)).data)).toEqual(identity)
    }
  })

  test('stands the badly scaled matrix of Al-Mohy and Higham, balanced by powers of two for the truth', () => {
    const [a, b, c, d, e] = [2e10, 4e8 / 6, 200 / 3, 3, 1e-8]
    const matrix = [0, e, 0, -(a + b), -d, a, c, 0, -c]
    const balance = [0, 30, 0] // D = diag(2^balance), and B = D^-1 A D has norm 150 instead of 4e10
    const scaleOf = (k: number) => 2 ** (balance[k % 3] - balance[Math.floor(k / 3)])
    const balanced = matrix.map((x, k) => x * scaleOf(k))
    const { nums, den } = exponentialExactly(rationalMatrix(3, balanced), 200)
    const computed = expm(real(matrix)).data
    for (let k = 0; k < 9; k++) {
      const truth = toDouble({ num: nums[k], den }) / scaleOf(k)
      expect(Math.abs(computed[k] - truth)).toBeLessThanOrEqual(2 * u * Math.abs(truth))
    }
  })
})

describe('expm of the reference against closed forms', () => {
  test.each([0, 1e-9, 0.1, 1, Math.PI, 10.7, 100, 50000])('rotates by %d', (theta) => {
    const { data } = expm([
      [0, -theta],
      [theta, 0],
    ])
    const truth = [Math.cos(theta), -Math.sin(theta), Math.sin(theta), Math.cos(theta)]
    // Half an ulp for the rounding here, one for Math.cos and Math.sin: 3 u of the largest entry, 1 at most.
    for (let k = 0; k < 4; k++) expect(Math.abs(data[k] - truth[k])).toBeLessThanOrEqual(3 * u)
  })

  test('exponentiates a diagonal entry by entry, from underflow to nearly overflow', () => {
    const diagonal = [-745, -700, -40.25, -1e-9, 0, 1e-300, 1, 40.25, 700, 709.78]
    for (const x of diagonal) {
      const truth = toDouble(exponentialOf(rational(x), 1200))
      if (x > -700.5) expect(expm([[x]]).data[0]).toBe(truth)
      else expect(expm([[x]]).data[0]).toBe(5e-324) // e^-745 is 1.007 times the least subnormal
    }
    const together = diagonal.filter((x) => Math.abs(x) < 640).concat(-640, 640)
    const n = together.length
    const both = expm(
      real(Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? together[k % n] : 0))),
    )
    together.forEach((x, k) => {
      expect(both.data[k * (n + 1)]).toBe(expm([[x]]).data[0])
    })
  })

  test.each([1, 1e-3, 1e-9, 2 ** -52])('keeps the superdiagonal at an eigenvalue gap of %d', (gap) => {
    const [a, b, c] = [1 + gap, 3, 1]
    const [x, z] = [exponentialOf(rational(a), 200), exponentialOf(rational(c), 200)]
    const quotient = over(minus(x, z), minus(rational(a), rational(c)))
    const truth = [x, times(rational(b), quotient), rational(0), z].map(toDouble)
    expect(
      Array.from(
        expm([
          [a, b],
          [0, c],
        ]).data,
      ),
    ).toEqual(truth)
  })

  test('is finite for 500 I + ones, and accurate for the overscaling cases', () => {
    const large = [exponentialOf(rational(502), 200), exponentialOf(rational(500), 200)]
    const half = rational(0.5)
    const [same, other] = [times(half, plus(large[0], large[1])), times(half, minus(large[0], large[1]))].map(
      toDouble,
    )
    expect(
      Array.from(
        expm([
          [501, 1],
          [1, 501],
        ]).data,
      ),
    ).toEqual([same, other, other, same])

    const e = exponentialOf(rational(1), 200)
    const sinh = times(half, minus(e, over(rational(1), e)))
    expect(
      Array.from(
        expm([
          [1, 1e6],
          [0, -1],
        ]).data,
      ),
    ).toEqual([e, times(rational(1e6), sinh), rational(0), over(rational(1), e)].map(toDouble))
    // A - I squares to 0.
    const b = 1e4
    const shear = expm([
      [1 - b / 2, b / 2],
      [-b / 2, 1 + b / 2],
    ]).data
    const sheared = [1 - b / 2, b / 2, -b / 2, 1 + b / 2].map((x) => toDouble(times(e, rational(x))))
    expect(Array.from(shear)).toEqual(sheared)
    // And here to -w^2 I, with w = 50000 far below |A|: exp(A) = e (cos w I + sin w / w (A - I)).
    const [w, r] = [50000, 50000050]
    const turned = expm([
      [51, 50],
      [-r, -49],
    ]).data
    const turn = (x: number) => (Math.E * Math.sin(w) * x) / w
    const cos = Math.E * Math.cos(w)
    const truth = [cos + turn(50), turn(50), turn(-r), cos + turn(-50)]
    for (let k = 0; k < 4; k++)
      expect(Math.abs(turned[k] - truth[k])).toBeLessThanOrEqual(8 * u * (Math.abs(truth[k]) + Math.E))
  })

  test.each([1e4, 1e5, 1e6, 1e7, 1e8])('keeps its bound for [1 b; 0 -1] in a rotated basis, b = %d', (b) => {
    const [cos, sin] = [Math.cos(0.7), Math.sin(0.7)]
    const shear = b * cos * sin
    const [diagonal, off] = [cos * cos - sin * sin - shear, 2 * cos * sin]
    const a = Float64Array.of(diagonal, off + b * cos * cos, off - b * sin * sin, -diagonal)
    // The trace is 0, so A^2 = -det A I: exp(A) = sum of (-det A)^k (I / (2k)! + A / (2k + 1)!).
    const [p, q, r] = [a[0], a[1], a[2]].map(rational)
    const minusDet = plus(times(p, p), times(q, r))
    let term = rational(1)
    let [even, odd] = [term, term]
    for (let k = 1; k <= 60; k++) {
      term = over(times(term, minusDet), rational((2 * k - 1) * (2 * k)))
      even = plus(even, term)
      odd = plus(odd, over(term, rational(2 * k + 1)))
    }
    expect(Math.abs(toDouble(minusDet))).toBeLessThan(10) // 60 terms leave 10^61 / 122!, below 2^-400
    const truth = [plus(even, times(odd, p)), times(odd, q), times(odd, r), minus(even, times(odd, p))]
    const size = norm(a)
    const value = expm(a).data
    const steepest = [0, 1, 2, 3].map((k) =>
      norm(
        expmJVP(
          a,
          Float64Array.from(a, (_, j) => Number(j === k)),
        ).tangent.data,
      ),
    )
    const cond = (2 * Math.max(...steepest) * size) / norm(value)
    const largest = Math.max(...value.map(Math.abs))
    const bound = rational((u + 2 ** -104 * size * cond) * largest)
    for (let k = 0; k < 4; k++)
      expect(atMost(magnitude(minus(rational(value[k]), truth[k])), bound)).toBe(true)
  })

  test('reaches the steady state of a fast Markov chain', () => {
    expect(
      Array.from(
        expm([
          [-3e4, 3e4],
          [1e4, -1e4],
        ]).data,
      ),
    ).toEqual([0.25, 0.75, 0.25, 0.75])
  })

  test('vanishes for a hugely negative matrix', () => {
    expect(
      Array.from(
        expm([
          [-1e300, 0],
          [0, -1e5],
        ]).data,
      ),
    ).toEqual([0, 0, 0, 0])
  })
})
