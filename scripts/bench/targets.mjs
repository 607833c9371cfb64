/**
 * What the project set out to reach, float64 and with a 1-norm of 1 on one thread unless said otherwise. Fixed before matfun was written, from its prototypes and the best peers on **another** machine than any that
 * is measured since: one core of an AMD EPYC Zen 4 virtual machine at 3.67 GHz, with OpenBLAS 0.3.21. A share of them says
 * how far matfun is, and how this machine differs.
 */

/** @typedef {import('./lines.mjs').Line} Line */

export const targetsMachine = 'one core of a 2-core AMD EPYC Zen 4 virtual machine, 3.67 GHz'

/** Matrices per second of a batch, by order. @type {Record<number, { value: number, vjp: number }>} */
const reach = {
  2: { value: 150e6, vjp: 80e6 },
  3: { value: 65e6, vjp: 27e6 },
  4: { value: 35e6, vjp: 13e6 },
  8: { value: 4.5e6, vjp: 2.1e6 },
  16: { value: 0.85e6, vjp: 0.28e6 },
  20: { value: 0.4e6, vjp: 0.14e6 },
  32: { value: 0.115e6, vjp: 42e3 },
  64: { value: 17e3, vjp: 6e3 },
  128: { value: 2.4e3, vjp: 830 },
}

/** The same in single precision. @type {Record<number, { value: number, vjp: number }>} */
const reachInSingle = { 4: { value: 60e6, vjp: 25e6 } }

/** Microseconds of one matrix, its whole call, by order. @type {Record<number, number>} */
const valueMicroseconds = {
  2: 0.2,
  4: 0.2,
  8: 0.35,
  16: 1.2,
  32: 8,
  64: 58,
  128: 430,
  256: 3000,
  512: 27000,
  1024: 205000,
}

/** The same of a value with one derivative. @type {Record<number, number>} */
const derivativeMicroseconds = { 4: 0.35, 16: 3.5, 64: 165, 256: 9000, 1024: 620000 }

/** What was set apart from these: of order 1024, by operation, 1-norm and threads. @type {Record<string, number>} */
const apartMicroseconds = { 'value 50 1': 345000, 'value 1 2': 111000, 'vjp 1 2': 334000 }

/**
 * @param {Pick<Line, 'operation' | 'dtype' | 'order' | 'norm' | 'calls'>} line
 * @param {number} [threads]
 * @returns {number | undefined} matrices per second; undefined where none was set
 */
export function targetOf(line, threads = 1) {
  if (line.calls === 'one') {
    const microseconds = microsecondsOf(line, threads)
    return microseconds && 1e6 / microseconds
  }
  const { operation, dtype, order, norm } = line
  if (norm !== 1 || operation === 'jvp' || threads !== 1) return undefined
  const table = { float64: reach, float32: reachInSingle, complex128: {} }[dtype]
  return /** @type {typeof reach} */ (table)[order]?.[operation]
}

/**
 * @param {Pick<Line, 'operation' | 'dtype' | 'order' | 'norm'>} line
 * @param {number} threads
 */
function microsecondsOf({ operation, dtype, order, norm }, threads) {
  if (dtype !== 'float64') return undefined
  if (norm !== 1 || threads !== 1)
    return order === 1024 ? apartMicroseconds[`${operation} ${norm} ${threads}`] : undefined
  return (operation === 'value' ? valueMicroseconds : derivativeMicroseconds)[order]
}

/**
 * The most that a derivative should take, in multiples as `relations` tells them.
 *
 * @param {import('./related.mjs').RelatedOperation} operation
 * @param {number} order
 * @returns {number | undefined} undefined where nothing was set
 */
export function mostOf(operation, order) {
  if (operation === 'own-value') return order <= 8 ? 2.2 : order <= 96 ? 2.9 : 3.05
  if (operation === 'eight') return order <= 64 ? 0.8 : undefined
  return order >= 64 ? 2 : undefined
}
