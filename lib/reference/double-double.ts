/**
 * An unevaluated sum of two doubles with |lo| at most half an ulp of hi: about 106 bits. hi alone is the sum
 * rounded to double.
 */
export interface DoubleDouble {
  readonly hi: number
  readonly lo: number
}

const splitter = 134217729 // 2^27 + 1, Veltkamp's constant for 53 bits
const bits = new DataView(new ArrayBuffer(8))

/** The upper 26 bits of `a`, rounded; `a - upperHalf(a)` is exact and fits in 26 bits too. For |a| < 2^996. */
export function upperHalf(a: number): number {
  const t = splitter * a
  return t - (t - a)
}

/** What rounding took from `sum = a + b`, exactly, whichever of the two is larger (Knuth). No overflow. */
export function sumError(a: number, b: number, sum: number): number {
  const bRounded = sum - a
  return a - (sum - bRounded) + (b - bRounded)
}

/**
 * What rounding took from `product = a * b` (Dekker; JavaScript has no fused multiply-add).
 * Exact for |a|, |b| < 2^996 and a product of 0 or between 2^-968 and 2^1020; below, off by 2^-1074 at most a few times.
 */
export function productError(a: number, b: number, product: number): number {
  const aUpper = upperHalf(a)
  const aLower = a - aUpper
  const bUpper = upperHalf(b)
  const bLower = b - bUpper
  return aLower * bLower - (product - aUpper * bUpper - aLower * bUpper - aUpper * bLower)
}

/** hi + lo as a double-double, exactly, whatever their sizes. */
export function normalize(hi: number, lo: number): DoubleDouble {
  const sum = hi + lo
  return { hi: sum, lo: sumError(hi, lo, sum) }
}

/** x + b with a relative error of at most 2^-105. */
export function add(x: DoubleDouble, b: number): DoubleDouble {
  const sum = x.hi + b
  return normalize(sum, sumError(x.hi, b, sum) + x.lo)
}

/** x / d with a relative error of at most 2^-104, within the domain of {@link productError}. */
export function divide(x: DoubleDouble, d: number): DoubleDouble {
  const quotient = x.hi / d
  const product = quotient * d
  const remainder = x.hi - product - productError(quotient, d, product) + x.lo
  return normalize(quotient, remainder / d)
}

/** floor(log2 |x|) for a finite x other than 0, subnormals included. */
export function exponentOf(x: number): number {
  bits.setFloat64(0, x)
  const biased = (bits.getUint32(0) >>> 20) & 0x7ff
  return biased === 0 ? exponentOf(x * 2 ** 54) - 54 : biased - 1023
}

/** x * 2^exponent, rounded once, for any integer exponent. */
export function scaleByPowerOfTwo(x: number, exponent: number): number {
  let left = Math.max(-3000, Math.min(3000, exponent))
  // The remainder first: were the full steps first, a subnormal result would be rounded at each.
  let y = x * powerOfTwo(left % 1022)
  for (left -= left % 1022; left > 0; left -= 1022) y *= powerOfTwo(1022)
  for (; left < 0; left += 1022) y *= powerOfTwo(-1022)
  return y
}

/** By its bits, because the language leaves the accuracy of `**` to each engine. For |exponent| <= 1022. */
function powerOfTwo(exponent: number): number {
  bits.setUint32(0, (exponent + 1023) << 20)
  bits.setUint32(4, 0)
  return bits.getFloat64(0)
}
