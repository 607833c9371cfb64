/**
 * How likely is a firm to default within t years, and how far can that be told from one published table?
 *
 * 1. Fit a generator Q to a table of one-year rating migrations.     expm, expmVJP: one matrix
 * 2. Fit one to each of 10 000 resampled tables.                     expm, expmVJP: stacks of 8 x 8 matrices
 * 3. exp(tQ) for t = 1 to 30 years of each: 300 000 exponentials.    the command line: matfun expm
 * 4. Default probabilities with bands: a table and a chart.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expm, info } from 'matfun'
import { writeNpy } from 'matfun/npy'
import { drawCurves } from './chart.mjs'
import { defaultCurves, timesYears, writeTimesYears } from './curves.mjs'
import { oneYear, oneYearTable, published, ratings } from './data.mjs'
import { fitGenerators } from './fit.mjs'
import { readOptions, UsageError } from './options.mjs'
import { alignColumns, count, curveTable, statusLine } from './report.mjs'
import { resampleTables, seededRandom } from './resample.mjs'

const n = ratings.length
const years = 30
const horizons = [1, 5, 10, 30]

/** @param {import('./options.mjs').Options} options */
async function main({ resamples, cohort, seed, output, chart = join(output, 'default-curves.svg') }) {
  const started = performance.now()
  const { version, blas } = info()
  console.log(
    `matfun ${version} on ${blas.vendor} ${blas.version} (${blas.core}), Node.js ${process.version}\n`,
  )
  makeFolder(output)
  makeFolder(dirname(chart))
  const file = (/** @type {string} */ name) => join(output, name)

  console.log('1. A generator for the one-year table')
  const table = oneYearTable()
  const fitted = fitTable(table)
  writeNpy(file('generator.npy'), { data: fitted, shape: [n, n] })

  console.log(
    `\n2. Its uncertainty: ${count(resamples)} resampled tables, ${count(cohort)} firm-years per rating (assumed)`,
  )
  const tables = resampleTables(table, n, { resamples, cohort, random: seededRandom(seed) })
  writeNpy(file('tables.npy'), { data: tables, shape: [resamples, n, n] })
  const generators = fitResamples(tables)

  console.log(
    `\n3. exp(tQ) for t = 1 to ${years} years: ${count(resamples * years)} exponentials in one batch job`,
  )
  writeTimesYears(file('generators.npy'), generators, n, years)
  runMatfun('expm', file('generators.npy'), '--structure', 'generator', '-o', file('transitions.npy'))

  console.log('\n4. Cumulative default probability in percent [90 % of the resamples]\n')
  const shape = [years, n, n]
  const transitions = expm({ data: timesYears(fitted, years), shape }, { structure: 'generator' }).data
  const curves = defaultCurves(ratings, transitions, file('transitions.npy'))
  console.log(curveTable(curves, horizons))
  const subtitle = [
    'Lines: a generator fitted to the table of one-year rating migrations.',
    `Bands: 90% of ${count(resamples)} resampled tables, with ${count(cohort)} firm-years assumed for each rating.`,
  ]
  const source = `Data: ${oneYear.source}. Made with matfun.`
  writeFileSync(chart, await drawCurves(curves, { subtitle, source }))

  console.log(`\nStacks in ${output}: generator.npy, tables.npy, generators.npy, transitions.npy`)
  console.log(`Chart: ${chart}`)
  console.log(`${((performance.now() - started) / 1000).toFixed(1)} s in all`)
}

/** @param {string} path */
function makeFolder(path) {
  try {
    mkdirSync(path, { recursive: true })
  } catch (error) {
    throw new UsageError(`cannot make the folder ${path}: ${/** @type {Error} */ (error).message}`)
  }
}

/**
 * Fits the published table and shows how well, beside the generator that was published in the same year.
 *
 * @param {Float64Array} table
 */
function fitTable(table) {
  const { generators, distances, iterations, unconverged } = fitGenerators(table, n)
  if (unconverged > 0) throw new Error(`the fit has not converged in ${iterations} iterations`)
  // Not as a generator: its published digits leave a row that sums to -0.0001.
  const theirs = expm(published.generator).data
  const rows = [
    ['', '||exp(Q) - P||', 'largest difference', 'where'],
    ['fitted here', distances[0].toExponential(2), ...worstEntry(expm(generators).data, table)],
    ['published 1997', distance(theirs, table).toExponential(2), ...worstEntry(theirs, table)],
  ]
  console.log(`   P: ${oneYear.source}`)
  console.log(`   converged in ${iterations} iterations\n`)
  console.log(alignColumns(rows))
  console.log(`\n   Published: ${published.source}.`)
  console.log(
    '   It was made from other data, not to meet this table: its distance shows how far two estimates of',
  )
  console.log('   one time lie apart, not that it is the worse one.')
  return generators
}

/**
 * @param {Float64Array} X
 * @param {Float64Array} P
 */
function distance(X, P) {
  return Math.sqrt(X.reduce((sum, x, e) => sum + (x - P[e]) ** 2, 0))
}

/**
 * The largest entry of X - P in percentage points, and where it stands.
 *
 * @param {Float64Array} X
 * @param {Float64Array} P
 */
function worstEntry(X, P) {
  const differences = X.map((x, e) => Math.abs(x - P[e]))
  const worst = differences.indexOf(Math.max(...differences))
  const place = `${ratings[Math.floor(worst / n)]} to ${ratings[worst % n]}`
  return [`${(100 * differences[worst]).toFixed(3)} points`, place]
}

/**
 * Fits all resampled tables together.
 *
 * @param {Float64Array} tables
 */
function fitResamples(tables) {
  const total = count(tables.length / (n * n))
  const status = statusLine(process.stderr)
  const before = performance.now()
  const { generators, iterations, evaluations, unconverged } = fitGenerators(tables, n, {
    onProgress: (done, iteration) =>
      status.show(`   iteration ${iteration}: ${count(done)} of ${total} fits done`),
  })
  const seconds = (performance.now() - before) / 1000
  status.clear()
  console.log(`   ${total} fits in ${seconds.toFixed(2)} s, at most ${iterations} iterations each`)
  console.log(`   ${count(evaluations)} values with gradients, ${count(evaluations / seconds)} per second`)
  if (unconverged > 0)
    console.log(`   ${count(unconverged)} fits had not converged by then and stand as they are`)
  return generators
}

/**
 * Runs the command line that the package installs as `matfun`; its progress bar goes to this process's stderr.
 *
 * @param {string[]} args
 */
function runMatfun(...args) {
  const manifest = import.meta.resolve('matfun/package.json')
  const { bin } = JSON.parse(readFileSync(fileURLToPath(manifest), 'utf8'))
  console.log(`   $ matfun ${args.join(' ')}`)
  const program = fileURLToPath(new URL(bin.matfun, manifest))
  const { status, error } = spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`matfun ${args[0]} failed`, { cause: error ?? `exit code ${status}` })
}

try {
  const options = readOptions(process.argv.slice(2))
  if (typeof options === 'string') process.stdout.write(options)
  else await main(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\nsee --help`)
  process.exitCode = 2
}
