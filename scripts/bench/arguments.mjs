/** The command line of the benchmarks. */
import { parseArgs } from 'node:util'
import { quickSeconds, suiteNames, suites } from './suites.mjs'

/** @typedef {import('./lines.mjs').Grid} Grid */
/** @typedef {import('./suites.mjs').SuiteName} SuiteName */

const allPeers = ['eigen', 'gsl', 'armadillo', 'scipy', 'pytorch', 'jax', 'mathjs']

export const usage = `usage: npm run bench -- [single | derivative | batch | document] [options]
${suiteNames.map((name) => `  ${name.padEnd(12)}${suites[name].what}, beside every peer that is found`).join('\n')}
  document    writes docs/performance.md anew from docs/benchmarks, and measures nothing
  All three are measured where none is named.
  --orders, --dtypes, --norms, --operations, --threads
              part of the table, as in --orders 2,4 --dtypes float64 --operations value,vjp
  --quick     a small part of it, half a second a line
  --peers     only these, as in --peers eigen,scipy (${allPeers.join(', ')}), or none
  --seconds   for each line, all contenders together (default ${suiteNames.map((name) => `${suites[name].seconds} in ${name}`).join(', ')})
  --merge     adds the lines to the file of an earlier run of this machine and this matfun, in place of its own
  --resume    the same, but measures only what that file lacks
  --cpu-time  counts the processor's time instead of the clock's where there is one thread: for trying on a machine
              that others use too
  --seed      the inputs of an earlier run (those of the file with --merge and --resume)
  --name      what the machine is called in the files' names
  --output    folder of the results (docs/benchmarks for a whole table beside all peers, else output/benchmarks)`

/** A wrong command line; the message says what was expected and what came. */
export class UsageError extends Error {}

/**
 * What to measure of one suite.
 * @typedef {object} Plan
 * @property {SuiteName} suite
 * @property {Grid} grid
 * @property {boolean} whole every line of the table beside every peer
 * @property {number} seconds
 */

/**
 * @typedef {object} Settings
 * @property {Plan[]} plans none for the document alone
 * @property {string[] | undefined} peers all where undefined
 * @property {'merge' | 'resume' | undefined} onto what an earlier run found; a new file where undefined
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
  ...{ quick: flag, merge: flag, resume: flag, help: flag, 'cpu-time': flag },
}

/**
 * @param {string[]} args
 * @returns {Settings}
 */
export function readArguments(args) {
  const { values, positionals } = parse(args)
  const [suite, ...more] = positionals
  const known = [...suiteNames, 'document']
  if (suite !== undefined && !known.includes(suite))
    throw new UsageError(`the suite must be one of ${known.join(', ')}, got ${suite}`)
  if (more.length > 0) throw new UsageError(`one suite at a time, got also ${more.join(' ')}`)
  if (values.merge && values.resume) throw new UsageError('--merge and --resume exclude each other, got both')
  const seed = values.seed === undefined ? undefined : Number(values.seed)
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    expected('--seed', 'a whole number below 2^32', values.seed)
  if (values.name !== undefined && !/^[a-z0-9-]+$/.test(values.name))
    expected('--name', 'small letters, digits and dashes', values.name)
  const peers = values.peers === 'none' ? [] : choices('--peers', values.peers, allPeers)
  const measured = suiteNames.filter((name) => suite === undefined || suite === name)
  const plans = measured
    .map((name) => planOf(name, values, peers !== undefined))
    .filter(({ grid }) => grid.operations.length > 0)
  if (suite !== undefined && suite !== 'document' && plans.length === 0)
    expected(
      '--operations',
      `of ${suites[measured[0]].whole.operations.join(', ')} in ${suite}`,
      values.operations,
    )
  const onto = values.merge ? 'merge' : values.resume ? 'resume' : undefined
  const { name, output, help = false, 'cpu-time': cpuTime = false } = values
  return { plans, peers, onto, cpuTime, seed, name, output, help }
}

/**
 * @param {SuiteName} suite
 * @param {ReturnType<typeof parse>['values']} values
 * @param {boolean} somePeers
 * @returns {Plan}
 */
function planOf(suite, values, somePeers) {
  const { whole: all, quick, seconds: usual } = suites[suite]
  const base = values.quick ? quick : all
  /** @type {Grid} */
  const grid = {
    orders: numbers('--orders', values.orders, isCount) ?? base.orders,
    norms: numbers('--norms', values.norms, (x) => x > 0) ?? base.norms,
    threads: numbers('--threads', values.threads, isCount) ?? base.threads,
    dtypes: choices('--dtypes', values.dtypes, suites.batch.whole.dtypes) ?? base.dtypes,
    operations: operations(suite, values.operations) ?? base.operations,
  }
  const seconds = Number(values.seconds ?? (values.quick ? quickSeconds : usual))
  if (!(seconds > 0)) expected('--seconds', 'a positive number', values.seconds)
  return { suite, grid, whole: !somePeers && JSON.stringify(grid) === JSON.stringify(all), seconds }
}

/**
 * Those of a list that a suite has: one may be asked of all three at once.
 *
 * @param {SuiteName} suite
 * @param {string | undefined} list
 */
function operations(suite, list) {
  const named = choices('--operations', list, suites.batch.whole.operations)
  return named?.filter((operation) => suites[suite].whole.operations.includes(operation))
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
