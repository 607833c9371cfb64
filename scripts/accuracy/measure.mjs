/** How wrong a result is. */

/** @typedef {import('./cases.mjs').DType} DType */
/** @typedef {ArrayLike<number>} Numbers */

/**
 * The unit roundoff of a dtype.
 *
 * @param {DType} dtype
 */
export function unitRoundoff(dtype) {
  return dtype === 'float64' || dtype === 'complex128' ? 2 ** -53 : 2 ** -24
}

/**
 * |X - T| / |T| in the Frobenius norm, for numbers of any size: no square of them is formed. Infinity where X holds
 * something that is not finite; 0 where both are zero.
 *
 * @param {Numbers} X complex matrices as interleaved re, im
 * @param {Numbers} truth
 */
export function relativeError(X, truth) {
  if (X.length !== truth.length) throw new RangeError(`${X.length} numbers beside ${truth.length} true ones`)
  const size = frobenius(truth.length, (k) => truth[k])
  // Halved, two numbers near the largest have a difference.
  const half = size.largest > 2 ** 1000 ? 0.5 : 1
  const difference = frobenius(truth.length, (k) => half * X[k] - half * truth[k])
  if (difference.largest === 0) return 0
  const error = (difference.largest / size.largest / half) * (difference.root / size.root)
  return Number.isNaN(error) ? Infinity : error
}

/**
 * The error in units of max(condition, 1) u: what rounding A's entries alone may do to exp(A).
 *
 * @param {Numbers} X
 * @param {Numbers} truth
 * @param {{ dtype: DType, condition: number }} of
 */
export function errorInUnits(X, truth, { dtype, condition }) {
  return relativeError(X, truth) / unitRoundoff(dtype) / Math.max(condition, 1)
}

/**
 * The middle of a list; of an even number the mean of the middle two.
 *
 * @param {readonly number[]} numbers at least one
 */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * A Frobenius norm as largest * root, so that it cannot overflow.
 *
 * @param {number} length
 * @param {(k: number) => number} at
 */
function frobenius(length, at) {
  let largest = 0
  for (let k = 0; k < length; k++) {
    const size = Math.abs(at(k))
    if (!(size <= largest)) largest = size
    if (Number.isNaN(largest)) break
  }
  if (largest === 0 || !Number.isFinite(largest)) return { largest, root: 1 }
  let sum = 0
  for (let k = 0; k < length; k++) sum += (at(k) / largest) ** 2
  return { largest, root: Math.sqrt(sum) }
}
