/** What each suite measures: its lines, and for how long. */

/** @typedef {import('./lines.mjs').Grid} Grid */

/**
 * @typedef {object} Suite
 * @property {string} what for the command line's help
 * @property {'stack' | 'one'} calls a stack of matrices a call, or one
 * @property {Readonly<Grid>} whole
 * @property {Readonly<Grid>} quick enough to see that everything runs
 * @property {number} seconds a line, all contenders together
 */

/** @typedef {'single' | 'derivative' | 'batch'} SuiteName */

const oneMatrix = { dtypes: /** @type {const} */ (['float64']), threads: [1, 2] }
const oneMatrixOrders = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

/** @type {Record<SuiteName, Suite>} */
export const suites = {
  single: {
    what: 'one matrix a call',
    calls: 'one',
    whole: grid({ ...oneMatrix, orders: oneMatrixOrders, norms: [1, 50], operations: ['value'] }),
    quick: grid({
      ...oneMatrix,
      orders: [2, 16, 128],
      norms: [1],
      operations: ['value'],
      threads: [1],
    }),
    seconds: 3,
  },
  derivative: {
    what: 'the derivatives of one matrix a call, together with its value',
    calls: 'one',
    whole: grid({ ...oneMatrix, orders: oneMatrixOrders, norms: [1], operations: ['jvp', 'vjp'] }),
    quick: grid({ ...oneMatrix, orders: [4, 64], norms: [1], operations: ['vjp'], threads: [1] }),
    seconds: 3,
  },
  batch: {
    what: 'stacks of matrices, all of them in one call',
    calls: 'stack',
    whole: grid({
      orders: [2, 3, 4, 6, 8, 12, 16, 20, 32, 64, 128],
      dtypes: ['float64', 'float32', 'complex128'],
      norms: [0.1, 1, 50],
      operations: ['value', 'jvp', 'vjp'],
      threads: [1, 2],
    }),
    quick: grid({
      orders: [2, 4, 8, 16, 64],
      dtypes: ['float64'],
      norms: [1],
      operations: ['value', 'vjp'],
      threads: [1],
    }),
    seconds: 1,
  },
}

export const suiteNames = /** @type {SuiteName[]} */ (Object.keys(suites))

/** `--quick`'s seconds a line. */
export const quickSeconds = 0.5

/**
 * @param {Readonly<{ [Key in keyof Grid]: readonly Grid[Key][number][] }>} axes
 * @returns {Grid}
 */
function grid({ orders, norms, threads, dtypes, operations }) {
  return {
    orders: [...orders],
    norms: [...norms],
    threads: [...threads],
    dtypes: [...dtypes],
    operations: [...operations],
  }
}
