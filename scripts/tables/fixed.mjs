/**
 * Fixed-point numbers: a BigInt that counts units of 2^-BITS. Doubles of magnitude 2^-240 and above, and the products
 * of up to four table entries, are exact in it; everything else is good to about 300 decimal digits, which is why the
 * checks may treat a difference below TINY as none.
 *
 * @typedef {bigint} Fixed
 */

export const BITS = 1024n

/** @type {Fixed} */
export const ONE = 1n << BITS

/** Below this a difference is the arithmetic's own. @type {Fixed} */
export const TINY = 1n << 200n

/** @param {Fixed} a @param {Fixed} b @returns {Fixed} a b */
export const multiply = (a, b) => (a * b) >> BITS

/** @param {Fixed} a @param {Fixed} b @returns {Fixed} a / b */
export const divide = (a, b) => (a << BITS) / b

/** @param {Fixed} a @returns {Fixed} |a| */
export const abs = (a) => (a < 0n ? -a : a)

/** @param {bigint | number} numerator @param {bigint | number} denominator @returns {Fixed} */
export const fraction = (numerator, denominator) => (BigInt(numerator) << BITS) / BigInt(denominator)

/** @param {number} integer @returns {Fixed} the square root, by Newton's iteration on integers */
export function squareRoot(integer) {
  const square = BigInt(integer) << (2n * BITS)
  let root = ONE * BigInt(integer)
  for (;;) {
    const next = (root + square / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** @param {number} value a finite double of magnitude 2^-240 or above, or 0 @returns {Fixed} exactly that double */
export function fromDouble(value) {
  if (!Number.isFinite(value)) throw new Error(`${value} is not a finite number`)
  let mantissa = value
  let exponent = 0n
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    exponent++
  }
  return (BigInt(mantissa) << BITS) >> exponent
}

/**
 * @param {string} literal a decimal literal as the tables write it, such as `-6.33e1`
 * @returns {{ value: Fixed, unit: Fixed, digits: number }} its value, one unit of its last digit, and how many
 * significant digits it is written with
 */
export function fromDecimal(literal) {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal)
  if (!match) throw new Error(`"${literal}" is not a plain decimal literal`)
  const [, sign, whole, decimals = '', exponent = '0'] = match
  const power = Number(exponent) - decimals.length
  const unit = power < 0 ? ONE / 10n ** BigInt(-power) : ONE * 10n ** BigInt(power)
  if (unit === 0n) throw new Error(`"${literal}" is below the resolution of the check`)
  const count = BigInt(whole + decimals)
  const scaled = power < 0 ? (count << BITS) / 10n ** BigInt(-power) : count * unit
  return { value: sign ? -scaled : scaled, unit, digits: count.toString().length }
}

/**
 * @param {Fixed} value
 * @param {number} digits significant digits to keep
 * @returns {string} the value in scientific notation, rounded to nearest
 */
export function toDecimal(value, digits) {
  if (value === 0n) return '0'
  let magnitude = abs(value)
  let exponent = 0
  for (; magnitude >= 10n * ONE; magnitude /= 10n) exponent++
  for (; magnitude < ONE; magnitude *= 10n) exponent--
  let text = ((magnitude * 10n ** BigInt(digits - 1) + ONE / 2n) >> BITS).toString()
  if (text.length > digits) {
    text = text.slice(0, digits)
    exponent++
  }
  return `${value < 0n ? '-' : ''}${text[0]}.${text.slice(1)}e${exponent}`
}

/** @param {Fixed} value @returns {number} the nearest double: V8 rounds 40 digits correctly */
export const toDouble = (value) => Number(toDecimal(value, 40))
