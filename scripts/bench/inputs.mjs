/** Random matrices that nobody can know before: from a seed that is drawn at each run, and recorded. */
import { createHash, randomInt } from 'node:crypto'

/** @typedef {'float64' | 'float32' | 'complex128'} DType */
/** @typedef {Float64Array | Float32Array} Numbers row-major matrices, interleaved re, im where they are complex */

/** Below 2^32. */
export function drawSeed() {
  return randomInt(2 ** 32)
}

/**
 * The seed of one kind of matrices, from that of a run, so that a line has the same inputs whatever other lines are measured.
 *
 * @param {number} seed below 2^32
 * @param {string} kind
 * @returns {number} below 2^32
 */
export function seedFor(seed, kind) {
  return createHash('sha256').update(`${seed} ${kind}`).digest().readUInt32LE()
}

/**
 * Numbers from N(0, 1) by the polar method (Marsaglia and Bray 1964).
 *
 * @param {number} seed below 2^32
 * @returns {() => number}
 */
export function normalNumbers(seed) {
  const uniform = uniformNumbers(seed)
  /** @type {number | undefined} */
  let kept
  return () => {
    if (kept !== undefined) {
      const number = kept
      kept = undefined
      return number
    }
    for (;;) {
      const x = 2 * uniform() - 1
      const y = 2 * uniform() - 1
      const square = x * x + y * y
      if (square >= 1 || square === 0) continue
      const scale = Math.sqrt((-2 * Math.log(square)) / square)
      kept = y * scale
      return x * scale
    }
  }
}

/**
 * Numbers in [0, 1) by xorshift128 (Marsaglia, Xorshift RNGs, 2003), in steps of 2^-32.
 *
 * @param {number} seed
 */
function uniformNumbers(seed) {
  // Any seed but four zeros will do; these are Marsaglia's own, and the seed in the first.
  let [x, y, z, w] = [seed ^ 123456789, 362436069, 521288629, 88675123]
  return () => {
    const t = x ^ (x << 11)
    x = y
    y = z
    z = w
    w = w ^ (w >>> 19) ^ (t ^ (t >>> 8))
    return (w >>> 0) / 2 ** 32
  }
}

/**
 * A stack of matrices from N(0, 1), for complex dtypes both parts.
 *
 * @param {() => number} normal
 * @param {{ dtype: DType, order: number, count: number }} size
 * @param {number} [norm] the 1-norm that each is scaled to; none where not given
 * @returns {Numbers}
 */
export function randomStack(normal, { dtype, order, count }, norm) {
  const parts = dtype === 'complex128' ? 2 : 1
  const length = parts * order * order
  const data = dtype === 'float32' ? new Float32Array(count * length) : new Float64Array(count * length)
  const matrix = new Float64Array(length)
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < length; i++) matrix[i] = normal()
    const scale = norm === undefined ? 1 : norm / oneNorm(matrix, order)
    for (let i = 0; i < length; i++) data[k * length + i] = matrix[i] * scale
  }
  return data
}

/**
 * The largest sum of absolute values in a column.
 *
 * @param {Numbers} matrix row-major, interleaved re, im where it is twice as long as order² says
 * @param {number} order
 */
export function oneNorm(matrix, order) {
  const isComplex = matrix.length === 2 * order * order
  let largest = 0
  for (let j = 0; j < order; j++) {
    let sum = 0
    for (let i = 0; i < order; i++) {
      const k = i * order + j
      sum += isComplex ? Math.hypot(matrix[2 * k], matrix[2 * k + 1]) : Math.abs(matrix[k])
    }
    largest = Math.max(largest, sum)
  }
  return largest
}
