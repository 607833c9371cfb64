/**
 * What the project set out to reach: matrices per second of a batch on one thread, float64 unless said otherwise, with a
 * 1-norm of 1. Fixed before matfun was written, from its prototypes and the best peers on **another** machine than any that
 * is measured since: one core of an AMD EPYC Zen 4 virtual machine at 3.67 GHz, with OpenBLAS 0.3.21. A share of them says
 * how far matfun is, and how this machine differs.
 */

/** @typedef {import('./lines.mjs').Line} Line */

export const targetsMachine = 'one core of a 2-core AMD EPYC Zen 4 virtual machine, 3.67 GHz'

/** By order. @type {Record<number, { value: number, vjp: number }>} */
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

/** By order, in single precision. @type {Record<number, { value: number, vjp: number }>} */
const reachInSingle = { 4: { value: 60e6, vjp: 25e6 } }

/**
 * @param {Pick<Line, 'operation' | 'dtype' | 'order' | 'norm'>} line
 * @returns {number | undefined} matrices per second on one thread; undefined where none was set
 */
export function targetOf({ operation, dtype, order, norm }) {
  if (norm !== 1 || operation === 'jvp') return undefined
  const table = { float64: reach, float32: reachInSingle, complex128: {} }[dtype]
  return /** @type {typeof reach} */ (table)[order]?.[operation]
}
