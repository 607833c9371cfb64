import { parseArgs } from 'node:util'

const help = `usage: node examples/credit-migration/main.mjs [options]

Fits a generator to a published table of one-year rating migrations and follows default over 30 years, with bands
for the uncertainty of the table.

  --resamples N   resampled tables, 20 to 100000 (default 10000)
  --cohort N      firm-years assumed behind each rating's row, 50 to 100000 (default 1000)
  --seed N        of the random numbers, 0 to 4294967295 (default 1997)
  --output DIR    where the files go (default output/credit-migration)
  --chart FILE    where the chart goes (default default-curves.svg in DIR)
  --help          shows this
`

/** Thrown for a command line that cannot be followed. */
export class UsageError extends Error {}

/**
 * @typedef {object} Options
 * @property {number} resamples
 * @property {number} cohort
 * @property {number} seed
 * @property {string} output
 * @property {string} [chart]
 */

/**
 * Reads the command line; for --help, the text to show.
 *
 * @param {string[]} args
 * @returns {Options | string}
 */
export function readOptions(args) {
  const values = parse(args)
  if (values.help) return help
  const { output, chart } = values
  if (output === '') throw new UsageError('--output must name a folder')
  if (chart === '') throw new UsageError('--chart must name a file')
  return {
    resamples: integer('resamples', values.resamples, 20, 100_000),
    cohort: integer('cohort', values.cohort, 50, 100_000),
    seed: integer('seed', values.seed, 0, 2 ** 32 - 1),
    output,
    ...(chart === undefined ? {} : { chart }),
  }
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      options: {
        resamples: { type: 'string', default: '10000' },
        cohort: { type: 'string', default: '1000' },
        seed: { type: 'string', default: '1997' },
        output: { type: 'string', default: 'output/credit-migration' },
        chart: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message)
  }
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
function integer(name, text, least, most) {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`--${name} must be an integer from ${least} to ${most}, got ${JSON.stringify(text)}`)
}
