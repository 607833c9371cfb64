import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  add,
  divide,
  exponentOf,
  normalize,
  productError,
  scaleByPowerOfTwo,
  sumError,
  upperHalf,
} from '../lib/reference/double-double.ts'
import { largest, multiply } from '../lib/reference/matrix.ts'
import { derivative, exponential, type Scaled } from '../lib/reference/taylor.ts'
import {
  atMost,
  blockExactly,
  distance,
  dyadic,
  exponentialExactly,
  largestEntry,
  magnitude,
  minus,
  multiplyExactly,
  over,
  plus,
  type Rational,
  type RationalMatrix,
  rational,
  rationalMatrix,
  times,
  toDouble,
  upperRightExactly,
} from './support/rational.ts'

// Significands of all lengths, and those next to powers of two, where rounding errors and ties are found.
const significand = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.integer({ min: 1, max: 52 }).map((k) => 2 ** k + 1),
  fc.integer({ min: 1, max: 53 }).map((k) => 2 ** k - 1),
)

function doubles(exponents: { min: number; max: number }): fc.Arbitrary<number> {
  return fc.tuple(significand, fc.integer(exponents)).map(([m, e]) => m * 2 ** e)
}

const moderate = doubles({ min: -450, max: 440 })
const near = doubles({ min: -60, max: 0 })
const nonzero = moderate.filter((x) => x !== 0)
const pair = fc.tuple(near, near).map(([hi, tail]) => normalize(hi, tail * 2 ** -53))
const runs = { numRuns: 2000 }

const exactly = (hi: number, lo: number): Rational => plus(rational(hi), rational(lo))
const same = (x: Rational, y: Rational): boolean => x.num * y.den === y.num * x.den

function within(computed: Rational, exact: Rational, exponent: number): boolean {
  return atMost(magnitude(minus(computed, exact)), times(magnitude(exact), dyadic(1n, exponent)))
}

describe('double-double arithmetic', () => {
  test('the halves of a double have 26 bits each and sum to it', () => {
    fc.assert(
      fc.property(nonzero, (a) => {
        const upper = upperHalf(a)
        const odd = (x: number) => {
          let { num } = rational(x)
          while (num !== 0n && num % 2n === 0n) num /= 2n
          return num < 0n ? -num : num
        }
        expect(same(exactly(upper, a - upper), rational(a))).toBe(true)
        expect(odd(upper) < 1n << 26n).toBe(true)
        expect(odd(a - upper) < 1n << 26n).toBe(true)
      }),
      runs,
    )
  })

  test('a sum and its error are the exact sum, whichever term is larger', () => {
    fc.assert(
      fc.property(fc.oneof(near, moderate), fc.oneof(near, moderate), (a, b) => {
        const sum = a + b
        expect(same(exactly(sum, sumError(a, b, sum)), plus(rational(a), rational(b)))).toBe(true)
      }),
      runs,
    )
  })

  test('a product and its error are the exact product', () => {
    fc.assert(
      fc.property(moderate, moderate, (a, b) => {
        const product = a * b
        expect(same(exactly(product, productError(a, b, product)), times(rational(a), rational(b)))).toBe(
          true,
        )
      }),
      runs,
    )
  })

  test('normalizing keeps the value and leaves at most half an ulp in the lower part', () => {
    fc.assert(
      fc.property(moderate, moderate, (a, b) => {
        const { hi, lo } = normalize(a, b)
        expect(same(exactly(hi, lo), plus(rational(a), rational(b)))).toBe(true)
        expect(hi + lo).toBe(hi)
      }),
      runs,
    )
  })

  test('adding a double errs by at most 2^-105', () => {
    const cancelling = fc
      .tuple(pair, fc.integer({ min: -2, max: 2 }))
      .map(([x, k]) => ({ x, b: -x.hi * (1 + k * 2 ** -52) }))
    const any = fc.record({ x: pair, b: near })
    fc.assert(
      fc.property(fc.oneof(any, cancelling), ({ x, b }) => {
        const sum = add(x, b)
        expect(within(exactly(sum.hi, sum.lo), plus(exactly(x.hi, x.lo), rational(b)), -105)).toBe(true)
        expect(sum.hi + sum.lo).toBe(sum.hi)
      }),
      runs,
    )
  })

  test('dividing by a double errs by at most 2^-104', () => {
    fc.assert(
      fc.property(
        pair,
        near.filter((d) => d !== 0),
        (x, d) => {
          const quotient = divide(x, d)
          expect(
            within(exactly(quotient.hi, quotient.lo), over(exactly(x.hi, x.lo), rational(d)), -104),
          ).toBe(true)
        },
      ),
      runs,
    )
  })

  test('the exponent of a double is the floor of its binary logarithm, for subnormals too', () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => x !== 0)
    fc.assert(
      fc.property(any, (x) => {
        const size = magnitude(rational(x))
        const exponent = exponentOf(x)
        expect(atMost(dyadic(1n, exponent), size) && !atMost(dyadic(1n, exponent + 1), size)).toBe(true)
      }),
      runs,
    )
  })

  test('scaling by a power of two rounds once, to the nearest subnormal where it must', () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(any, fc.integer({ min: -2200, max: 2200 }), (x, exponent) => {
        const scaled = scaleByPowerOfTwo(x, exponent)
        const exact = times(rational(x), dyadic(1n, exponent))
        if (!Number.isFinite(scaled)) expect(atMost(magnitude(exact), rational(Number.MAX_VALUE))).toBe(false)
        else if (Math.abs(scaled) >= 2 ** -1022) expect(same(rational(scaled), exact)).toBe(true)
        else expect(atMost(magnitude(minus(rational(scaled), exact)), dyadic(1n, -1075))).toBe(true)
      }),
      runs,
    )
    expect(scaleByPowerOfTwo(1, 2 ** 40)).toBe(Number.POSITIVE_INFINITY)
    expect(scaleByPowerOfTwo(1, -(2 ** 40))).toBe(0)
  })
})

/** n x n matrices of numbers up to `size`, with 31 significant bits at most. */
function matrices(n: number, size: number): fc.Arbitrary<Float64Array> {
  return fc
    .array(fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), { minLength: n * n, maxLength: n * n })
    .map((entries) => Float64Array.from(entries, (m) => m * 2 ** -30 * size))
}

const order = fc.integer({ min: 1, max: 4 })

function exactValue({ matrix: { n, hi, lo }, exponent }: Scaled): RationalMatrix {
  const { nums, den } = rationalMatrix(n, hi, lo)
  const scale = dyadic(1n, exponent)
  return { n, nums: nums.map((num) => num * scale.num), den: den * scale.den }
}

/** The largest error of an entry, relative to the largest entry. */
function errorOf(computed: Scaled, exact: RationalMatrix): number {
  return toDouble(over(distance(exactValue(computed), exact), largestEntry(exact)))
}

describe('double-double matrices', () => {
  test('a product errs by at most (n + 5)^2 2^-107 of the product of the absolute values', () => {
    const parts = order.chain((n) =>
      fc.tuple(fc.constant(n), ...[1, 2 ** -54, 1, 2 ** -54].map((size) => matrices(n, size))),
    )
    fc.assert(
      fc.property(parts, ([n, xHi, xLo, yHi, yLo]) => {
        const join = (hi: Float64Array, lo: Float64Array) => {
          const entries = Array.from(hi, (h, k) => normalize(h, lo[k]))
          return {
            n,
            hi: Float64Array.from(entries, (e) => e.hi),
            lo: Float64Array.from(entries, (e) => e.lo),
          }
        }
        const x = join(xHi, xLo)
        const y = join(yHi, yLo)
        const product = multiply(x, y)
        const [exactX, exactY] = [x, y].map(({ hi, lo }) => rationalMatrix(n, hi, lo))
        const absolute = ({ nums, ...rest }: RationalMatrix) => ({
          ...rest,
          nums: nums.map((v) => (v < 0n ? -v : v)),
        })
        const exact = multiplyExactly(exactX, exactY)
        const scale = multiplyExactly(absolute(exactX), absolute(exactY))
        for (let k = 0; k < n * n; k++) {
          const error = minus(exactly(product.hi[k], product.lo[k]), { num: exact.nums[k], den: exact.den })
          const bound = times({ num: scale.nums[k], den: scale.den }, dyadic(BigInt((n + 5) ** 2), -107))
          expect(atMost(magnitude(error), bound)).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the largest of no entries is 0', () => {
    expect(largest(new Float64Array(0))).toBe(0)
    expect(largest(Float64Array.of(1, -3, 2))).toBe(3)
  })
})

describe('the exponential before it is rounded', () => {
  // Each squaring doubles the error in units of 2^-106: 50 are seen at entries up to 4, 5 below 1/2. The margin
  // is for what a far from normal matrix adds; a lower part lost anywhere costs 40 bits or more.
  const sizes = [
    { size: 1e-8, kept: 100 },
    { size: 1e-3, kept: 100 },
    { size: 0.1, kept: 100 },
    { size: 0.5, kept: 98 },
    { size: 1, kept: 96 },
    { size: 4, kept: 90 },
  ]

  test.each(sizes)('keeps $kept bits at entries up to $size', ({ size, kept }) => {
    const cases = order.chain((n) => fc.tuple(fc.constant(n), matrices(n, size)))
    fc.assert(
      fc.property(cases, ([n, a]) => {
        const exact = exponentialExactly(rationalMatrix(n, a), 200)
        expect(errorOf(exponential(n, a), exact)).toBeLessThan(2 ** -kept)
      }),
      { numRuns: 80 },
    )
  })

  test('does not cancel at negative numbers', () => {
    // At a scaled norm of 8 instead of 1/2 the Taylor series of exp(-7.9) would lose 22 bits.
    for (const x of [-0.49, -0.99, -7.9, -15.9, -31.9]) {
      const exact = exponentialExactly(rationalMatrix(1, [x]), 200)
      expect(errorOf(exponential(1, Float64Array.of(x)), exact)).toBeLessThan(2 ** -98)
    }
  })

  test.each(sizes)('keeps $kept bits in the derivative at entries up to $size', ({ size, kept }) => {
    const cases = fc
      .integer({ min: 1, max: 3 })
      .chain((n) => fc.tuple(fc.constant(n), matrices(n, size), matrices(n, 1)))
    fc.assert(
      fc.property(cases, ([n, a, e]) => {
        fc.pre(largest(e) > 2 ** -20)
        const block = blockExactly(rationalMatrix(n, a), rationalMatrix(n, e))
        const exact = upperRightExactly(exponentialExactly(block, 200))
        expect(errorOf(derivative(n, a, e), exact)).toBeLessThan(2 ** -kept)
      }),
      { numRuns: 30 },
    )
  })
})
