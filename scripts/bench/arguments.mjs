/** The command line of the benchmarks. */
import { parseArgs } from 'node:util'
import { quickGrid, wholeGrid } from './lines.mjs'

/** @typedef {import('./lines.mjs').Grid} Grid */

export const usage = `usage: npm run bench -- [batch | document] [options]
  batch       measures batches of matrices beside every peer that is found (the default)
  document    writes docs/performance.md anew from docs/benchmarks, and measures nothing
  --orders, --dtypes, --norms, --operations, --threads
              part of the table, as in --orders 2,4 --dtypes float64 --operations value,vjp
  --quick     a small part of it, half a second a line
  --peers     only these, as in --peers eigen,scipy (eigen, gsl, scipy, pytorch, jax, mathjs), or none
  --seconds   for each line, all contenders together (default 2)
  --cpu-time  counts the processor's time instead of the clock's where there is one thread: for trying on a machine
              that others use too
  --seed      the inputs of an earlier run
  --name      what the machine is called in the files' names
  --output    folder of the results (docs/benchmarks for the whole table beside all peers, else output/benchmarks)`

/** A wrong command line; the message says what was expected and what came. */
export class UsageError extends Error {}

/**
 * @typedef {object} Settings
 * @property {'batch' | 'document'} suite
 * @property {Grid} grid
 * @property {boolean} whole every line of the table beside every peer
 * @property {string[] | undefined} peers all where undefined
 * @property {number} seconds
 * @property {boolean} cpuTime
 * @property {number | undefined} seed
 * @property {string | undefined} name
 * @property {string | undefined} output
 * @property {boolean} help
 */

const text = { type: /** @type {const} */ ('string') }
const flag = { type: /** @type {const} */ ('boolean') }
const options = {
  ...{ orders: text, dtypes: text, norms: text, operations: text, threads: text, peers: text },
  ...{ seconds: text, seed: text, name: text, output: text },
  ...{ quick: flag, help: flag, 'cpu-time': flag },
}

const allPeers = ['eigen', 'gsl', 'scipy', 'pytorch', 'jax', 'mathjs']

/**
 * @param {string[]} args
 * @returns {Settings}
 */
export function readArguments(args) {
  const { values, positionals } = parse(args)
  const [suite = 'batch', ...more] = positionals
  if (suite !== 'batch' && suite !== 'document')
    throw new UsageError(`the suite must be batch or document, got ${suite}`)
  if (more.length > 0) throw new UsageError(`one suite at a time, got also ${more.join(' ')}`)
  const base = values.quick ? quickGrid : wholeGrid
  /** @type {Grid} */
  const grid = {
    orders: numbers('--orders', values.orders, isCount) ?? base.orders,
    norms: numbers('--norms', values.norms, (x) => x > 0) ?? base.norms,
    threads: numbers('--threads', values.threads, isCount) ?? base.threads,
    dtypes: choices('--dtypes', values.dtypes, wholeGrid.dtypes) ?? base.dtypes,
    operations: choices('--operations', values.operations, wholeGrid.operations) ?? base.operations,
  }
  const seconds = Number(values.seconds ?? (values.quick ? 0.5 : 2))
  if (!(seconds > 0)) expected('--seconds', 'a positive number', values.seconds)
  const seed = values.seed === undefined ? undefined : Number(values.seed)
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    expected('--seed', 'a whole number below 2^32', values.seed)
  if (values.name !== undefined && !/^[a-z0-9-]+$/.test(values.name))
    expected('--name', 'small letters, digits and dashes', values.name)
  const peers = values.peers === 'none' ? [] : choices('--peers', values.peers, allPeers)
  const whole = !peers && JSON.stringify(grid) === JSON.stringify(pick(wholeGrid))
  const { name, output, help = false, 'cpu-time': cpuTime = false } = values
  return { suite, grid, whole, peers, seconds, cpuTime, seed, name, output, help }
}

/**
 * In the order in which readArguments lists them.
 *
 * @param {Readonly<Grid>} grid
 */
function pick({ orders, norms, threads, dtypes, operations }) {
  return { orders, norms, threads, dtypes, operations }
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** @param {number} x */
function isCount(x) {
  return Number.isInteger(x) && x > 0
}

/**
 * @param {string} name
 * @param {string} what
 * @param {unknown} got
 * @returns {never}
 */
function expected(name, what, got) {
  throw new UsageError(`${name} must be ${what}, got ${got}`)
}

/**
 * @param {string} name
 * @param {string | undefined} list
 * @param {(x: number) => boolean} isValid
 * @returns {number[] | undefined}
 */
function numbers(name, list, isValid) {
  return list?.split(',').map((item) => {
    const x = Number(item)
    return item.trim() !== '' && isValid(x) ? x : expected(name, 'positive numbers between commas', list)
  })
}

/**
 * @template {string} T
 * @param {string} name
 * @param {string | undefined} list
 * @param {readonly T[]} known
 * @returns {T[] | undefined}
 */
function choices(name, list, known) {
  return list?.split(',').map((item) => {
    const found = known.find((choice) => choice === item.trim().toLowerCase())
    return found ?? expected(name, `of ${known.join(', ')}, between commas`, list)
  })
}
