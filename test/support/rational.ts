/** An exact fraction; den > 0, not reduced. */
export interface Rational {
  readonly num: bigint
  readonly den: bigint
}

/** A square matrix of exact fractions over one denominator, row-major. */
export interface RationalMatrix {
  readonly n: number
  readonly nums: readonly bigint[]
  readonly den: bigint
}

const abs = (x: bigint): bigint => (x < 0n ? -x : x)
const greater = (x: bigint, y: bigint): bigint => [x, y][Number(x < y)]
const bitLength = (x: bigint): number => abs(x).toString(2).length

/** num 2^exponent. */
export function dyadic(num: bigint, exponent: number): Rational {
  return exponent >= 0 ? { num: num << BigInt(exponent), den: 1n } : { num, den: 1n << BigInt(-exponent) }
}

/** The exact value of a finite double. */
export function rational(x: number): Rational {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, x)
  const bits = view.getBigUint64(0)
  const biased = Number((bits >> 52n) & 0x7ffn)
  if (biased === 0x7ff) throw new RangeError(`${x} has no exact value`)
  const fraction = bits & 0xfffffffffffffn
  const magnitude = biased === 0 ? fraction : fraction | (1n << 52n)
  return dyadic(x < 0 ? -magnitude : magnitude, Math.max(biased, 1) - 1075)
}

export function plus(x: Rational, y: Rational): Rational {
  return { num: x.num * y.den + y.num * x.den, den: x.den * y.den }
}

export function times(x: Rational, y: Rational): Rational {
  return { num: x.num * y.num, den: x.den * y.den }
}

export function minus(x: Rational, y: Rational): Rational {
  return { num: x.num * y.den - y.num * x.den, den: x.den * y.den }
}

/** x / y for y other than 0. */
export function over(x: Rational, y: Rational): Rational {
  const num = x.num * y.den
  const den = x.den * y.num
  return den < 0n ? { num: -num, den: -den } : { num, den }
}

export function magnitude(x: Rational): Rational {
  return { num: abs(x.num), den: x.den }
}

export function atMost(x: Rational, y: Rational): boolean {
  return x.num * y.den <= y.num * x.den
}

/** The nearest double, ties to even, for a value that is 0 or in the range of normal doubles. */
export function toDouble({ num, den }: Rational): number {
  if (num === 0n) return 0
  const shift = 66 - (bitLength(num) - bitLength(den))
  const scaled =
    shift >= 0 ? { n: abs(num) << BigInt(shift), d: den } : { n: abs(num), d: den << BigInt(-shift) }
  // A last bit stands for all that the division left, so that Number() rounds once and knows a tie from none.
  const quotient = (scaled.n / scaled.d) | (scaled.n % scaled.d === 0n ? 0n : 1n)
  const half = Math.trunc(-shift / 2)
  return (num < 0n ? -1 : 1) * Number(quotient) * 2 ** half * 2 ** (-shift - half)
}

/** The exact values of n x n doubles, or of unevaluated sums of two where `lo` is given. */
export function rationalMatrix(n: number, hi: ArrayLike<number>, lo?: ArrayLike<number>): RationalMatrix {
  const entries = Array.from(hi, (x, k) => (lo ? plus(rational(x), rational(lo[k])) : rational(x)))
  const den = entries.reduce((most, entry) => greater(most, entry.den), 1n)
  // All denominators are powers of two, so that the largest is a multiple of each.
  return { n, nums: entries.map((entry) => entry.num * (den / entry.den)), den }
}

export function entry({ n, nums, den }: RationalMatrix, i: number, j: number): Rational {
  return { num: nums[i * n + j], den }
}

export function multiplyExactly(x: RationalMatrix, y: RationalMatrix): RationalMatrix {
  const n = x.n
  const nums = x.nums.map((_, at) => {
    const row = at - (at % n)
    let sum = 0n
    for (let k = 0; k < n; k++) sum += x.nums[row + k] * y.nums[k * n + (at % n)]
    return sum
  })
  return { n, nums, den: x.den * y.den }
}

/** The largest absolute value of an entry. */
export function largestEntry({ nums, den }: RationalMatrix): Rational {
  return { num: nums.reduce((top, x) => greater(top, abs(x)), 0n), den }
}

/** The largest absolute difference of two entries in the same place. */
export function distance(x: RationalMatrix, y: RationalMatrix): Rational {
  const nums = x.nums.map((num, k) => num * y.den - y.nums[k] * x.den)
  return largestEntry({ n: x.n, nums, den: x.den * y.den })
}

/** [A E; 0 A]. */
export function blockExactly(a: RationalMatrix, e: RationalMatrix): RationalMatrix {
  const n = a.n
  const nums: bigint[] = []
  for (let i = 0; i < 2 * n; i++)
    for (let j = 0; j < 2 * n; j++) {
      const at = (i % n) * n + (j % n)
      if (i < n === j < n) nums.push(a.nums[at] * e.den)
      else nums.push(i < n ? e.nums[at] * a.den : 0n)
    }
  return { n: 2 * n, nums, den: a.den * e.den }
}

/** The upper right quarter of a matrix of even order. */
export function upperRightExactly({ n, nums, den }: RationalMatrix): RationalMatrix {
  const kept = nums.filter((_, at) => at % n >= n / 2 && at < (n * n) / 2)
  return { n: n / 2, nums: kept, den }
}

/** I + A + A^2 / 2 + ... + A^terms / terms!, exactly; exp(A) itself where A^(terms + 1) = 0. */
export function taylorExactly(a: RationalMatrix, terms: bigint): RationalMatrix {
  const { n, nums } = a
  let sum: RationalMatrix = { n, nums: nums.map((_, at) => (at % (n + 1) === 0 ? 1n : 0n)), den: 1n }
  for (let k = terms; k > 0n; k--) {
    const next = multiplyExactly(a, sum)
    const scale = next.den * k
    sum = { n, nums: next.nums.map((num, at) => (at % (n + 1) === 0 ? num + scale : num)), den: scale }
  }
  return sum
}

/**
 * The Taylor polynomial of exp at A, exactly, with so many terms that no entry of exp(A) is further than
 * 2^-bits away. Proof: what is left out has a 1-norm of at most t (1 + r + r^2 + ...) for the first norm left out
 * t = |A|^(m+1) / (m+1)! and r = |A| / (m+2); at r <= 1/2 that is at most 2t.
 */
export function exponentialExactly(a: RationalMatrix, bits: number): RationalMatrix {
  const { n, nums, den } = a
  let norm = 0n // |A| den
  for (let j = 0; j < n; j++) {
    let sum = 0n
    for (let i = 0; i < n; i++) sum += abs(nums[i * n + j])
    if (sum > norm) norm = sum
  }
  let terms = 0n
  // t = top / bottom; tested as 2t <= 2^-bits.
  let top = norm
  let bottom = den
  while (2n * norm > (terms + 2n) * den || top << BigInt(bits + 1) > bottom) {
    terms++
    top *= norm
    bottom *= den * (terms + 1n)
  }
  return taylorExactly(a, terms)
}

/** exp(x) within 2^-bits. */
export function exponentialOf(x: Rational, bits: number): Rational {
  return entry(exponentialExactly({ n: 1, nums: [x.num], den: x.den }, bits), 0, 0)
}
