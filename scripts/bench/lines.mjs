/** The lines of the batch table: what is measured, and how many matrices at once. */

/** @typedef {import('./inputs.mjs').DType} DType */
/** @typedef {'value' | 'jvp' | 'vjp'} Operation the derivatives together with the value */

/**
 * @typedef {object} Line
 * @property {Operation} operation
 * @property {DType} dtype
 * @property {number} order
 * @property {number} norm the 1-norm of each matrix
 * @property {number} batch the matrices of one call
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

/** @type {Readonly<Grid>} */
export const wholeGrid = {
  orders: [2, 3, 4, 6, 8, 12, 16, 20, 32, 64, 128],
  dtypes: ['float64', 'float32', 'complex128'],
  norms: [0.1, 1, 50],
  operations: ['value', 'jvp', 'vjp'],
  threads: [1, 2],
}

/** What `--quick` measures: enough to see that everything runs. @type {Readonly<Grid>} */
export const quickGrid = {
  orders: [2, 4, 8, 16, 64],
  dtypes: ['float64'],
  norms: [1],
  operations: ['value', 'vjp'],
  threads: [1],
}

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
 * @param {Axes} axes
 * @param {number} bytes
 * @returns {Line[]} with what needs the same inputs side by side
 */
export function linesOf({ orders, dtypes, norms, operations }, bytes) {
  return dtypes.flatMap((dtype) =>
    norms.flatMap((norm) =>
      orders.flatMap((order) =>
        operations.map((operation) => ({
          operation,
          dtype,
          order,
          norm,
          batch: batchOf(dtype, order, bytes),
        })),
      ),
    ),
  )
}

/** @param {Line} line */
export function lineInWords({ operation, dtype, order, norm }) {
  return `${operation}, ${dtype}, order ${order}, 1-norm ${norm}`
}
