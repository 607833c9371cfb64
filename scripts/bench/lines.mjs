/** The lines of a suite's tables: what is measured, and with how many matrices. */

/** @typedef {import('./inputs.mjs').DType} DType */
/** @typedef {'value' | 'jvp' | 'vjp'} Operation the derivatives together with the value */

/**
 * @typedef {object} Line
 * @property {Operation} operation
 * @property {DType} dtype
 * @property {number} order
 * @property {number} norm the 1-norm of each matrix
 * @property {'stack' | 'one'} calls a stack of matrices a call, or one
 * @property {number} batch the matrices of one call; or where a call takes one, those that it is made for in turn
 */

/** @typedef {Pick<Grid, 'orders' | 'dtypes' | 'norms' | 'operations'>} Axes */

/**
 * @typedef {object} Grid
 * @property {number[]} orders
 * @property {DType[]} dtypes
 * @property {number[]} norms
 * @property {Operation[]} operations
 * @property {number[]} threads
 */

/** In each array of a batch at least; more where a processor's second cache is larger. */
export const leastBatchBytes = 2 ** 23

/** @type {Record<DType, number>} */
const elementBytes = { float64: 8, float32: 4, complex128: 16 }

/**
 * How many matrices one call takes: so many that they do not lie in a core's own caches from the last call, as they
 * would not in a job of millions, and that a call takes milliseconds.
 *
 * @param {DType} dtype
 * @param {number} order
 * @param {number} bytes of the matrices
 */
export function batchOf(dtype, order, bytes) {
  return Math.max(16, Math.ceil(bytes / (elementBytes[dtype] * order * order)))
}

/**
 * How many matrices are computed one by one, in turn: so many that a processor does not learn one of them by heart, and so
 * few that they stay in its second cache, as a matrix that was just made does.
 *
 * @param {DType} dtype
 * @param {number} order
 */
export function countOf(dtype, order) {
  return Math.max(1, Math.min(64, Math.floor(2 ** 18 / (elementBytes[dtype] * order * order))))
}

/**
 * @param {Axes} axes
 * @param {Line['calls']} calls
 * @param {number} bytes of the matrices of a stack
 * @returns {Line[]} with what needs the same inputs side by side
 */
export function linesOf({ orders, dtypes, norms, operations }, calls, bytes) {
  return dtypes.flatMap((dtype) =>
    norms.flatMap((norm) =>
      orders.flatMap((order) =>
        operations.map((operation) => ({
          operation,
          dtype,
          order,
          norm,
          calls,
          batch: calls === 'one' ? countOf(dtype, order) : batchOf(dtype, order, bytes),
        })),
      ),
    ),
  )
}

/** The order from which one matrix is computed by several threads, too. */
const leastShared = 512

/**
 * Whether a line is measured with so many threads.
 *
 * @param {Pick<Line, 'calls' | 'order'>} line
 * @param {number} threads
 */
export function isMeasuredWith({ calls, order }, threads) {
  return threads === 1 || calls === 'stack' || order >= leastShared
}

/**
 * What a line is of: two of the same key are the same line.
 *
 * @param {Pick<Line, 'operation' | 'dtype' | 'order' | 'norm'>} line
 */
export function keyOf({ operation, dtype, order, norm }) {
  return `${operation} ${inputsKeyOf({ dtype, order, norm })}`
}

/**
 * What its matrices are of.
 *
 * @param {Pick<Line, 'dtype' | 'order' | 'norm'>} line
 */
export function inputsKeyOf({ dtype, order, norm }) {
  return `${dtype} ${order} ${norm}`
}

/** @param {Line} line */
export function lineInWords({ operation, dtype, order, norm }) {
  return `${operation}, ${dtype}, order ${order}, 1-norm ${norm}`
}
