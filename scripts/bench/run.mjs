/** One suite, from opening the contenders to the report of all lines. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expmPlan } from 'matfun'
import { productsOf } from './bounds.mjs'
import { normalNumbers, randomStack, seedFor } from './inputs.mjs'
import { inputsKeyOf, isMeasuredWith, leastBatchBytes, lineInWords, linesOf } from './lines.mjs'
import { cacheBytes, load, machine, shortName } from './machine.mjs'
import { differences, largestDifference, measureLine } from './measure.mjs'
import { openField } from './peers.mjs'
import { isRelated } from './related.mjs'
import { lineReport, withoutOf } from './report.mjs'
import { suites } from './suites.mjs'

/** @typedef {import('./contender.mjs').Contender} Contender */
/** @typedef {import('./inputs.mjs').Numbers} Numbers */
/** @typedef {import('./lines.mjs').Line} Line */
/** @typedef {import('./report.mjs').LineReport} LineReport */
/** @typedef {import('./report.mjs').Report} Report */

/**
 * @typedef {object} How
 * @property {string[] | undefined} peers
 * @property {boolean} cpuTime
 * @property {{ value: string, setBy: string } | undefined} coreType
 * @property {number} seed
 * @property {string | undefined} name
 * @property {(line: Line) => boolean} isWanted of the plan's lines
 * @property {(line: string) => void} say
 * @property {(report: Report) => void} keep what there is after each line
 */

/**
 * @param {import('./arguments.mjs').Plan} plan
 * @param {How} how
 * @returns {Promise<Report | undefined>} undefined where no line is wanted
 */
export async function measureSuite({ suite, grid, seconds }, how) {
  const { peers, cpuTime, coreType, seed, say } = how
  const described = machine()
  const before = load()
  const threads = grid.threads.filter((count) => count <= described.cores)
  if (threads.length < grid.threads.length)
    say(`this machine runs ${described.cores} threads at once: no more are measured`)
  const bytes = Math.max(leastBatchBytes, 2 * cacheBytes(described.caches, 'L2'))
  const lines = linesOf(grid, suites[suite].calls, bytes).filter(how.isWanted)
  if (lines.length === 0) return undefined
  const wanted = { suite, operations: grid.operations, threads, peers, coreType: coreType?.value }
  const field = await openField(wanted, say)
  for (const name of field.absent) say(`${name}: not there`)
  /** @type {Report} */
  const report = {
    schema: 1,
    suite,
    date: new Date().toISOString(),
    name: how.name ?? shortName(described.processor),
    machine: { ...described, load: { before, after: before } },
    matfun: field.matfun,
    coreType: coreType ?? null,
    about: field.about,
    absent: field.absent,
    without: [],
    settings: { seed, secondsPerLine: seconds, cpuTime, batchBytes: bytes, threads },
    lines: [],
  }
  try {
    await measureLines(lines, field.contenders, report, how)
    return report
  } finally {
    for (const contender of field.contenders) contender.close()
  }
}

/**
 * @param {Line[]} lines
 * @param {Contender[]} contenders
 * @param {Report} report to which each line is added
 * @param {How} how
 */
async function measureLines(lines, contenders, report, { say, keep }) {
  const { seed, secondsPerLine: seconds, cpuTime } = report.settings
  const folder = mkdtempSync(join(tmpdir(), 'matfun-bench-'))
  try {
    const measure = lineByLine(contenders, { seed, seconds, cpuTime, folder, say })
    const start = performance.now()
    for (const [k, line] of lines.entries()) {
      const of = `${k + 1} of ${lines.length}${left(start, k, lines.length)}`
      say(`${report.suite}, ${of}: ${lineInWords(line)}`)
      report.lines.push(await measure(line))
      report.without = withoutOf(report.lines)
      report.machine.load.after = load()
      keep(report)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * How long the rest will take, if it is like what is done.
 *
 * @param {number} start
 * @param {number} done
 * @param {number} all
 */
function left(start, done, all) {
  if (done === 0) return ''
  const seconds = ((performance.now() - start) / 1000 / done) * (all - done)
  return `, about ${seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`} left`
}

/**
 * @param {Contender[]} contenders
 * @param {{ seed: number, seconds: number, cpuTime: boolean, folder: string, say: (line: string) => void }} how
 * @returns {(line: Line) => Promise<LineReport>}
 */
function lineByLine(contenders, { seed, seconds, cpuTime, folder, say }) {
  const files = { A: join(folder, 'A'), direction: join(folder, 'direction') }
  let inputs = ''
  /** @type {Numbers} */
  let matrices
  return async (line) => {
    const key = inputsKeyOf(line)
    if (inputs !== key) {
      inputs = key
      matrices = writeInputs(line, seedFor(seed, key), files)
    }
    const taking = contenders.filter(
      ({ role, threads, operation }) =>
        isMeasuredWith(line, threads) && (role !== 'related' || isRelated(line.operation, operation)),
    )
    const measured = await measureLine(taking, line, files, seconds, cpuTime)
    const apart = await differences(measured, line, folder)
    for (const [contender, difference] of apart)
      if (difference > largestDifference[line.dtype])
        say(
          Number.isFinite(difference)
            ? `${contender.name}: its results are ${difference.toPrecision(2)} from matfun's, relatively`
            : `${contender.name}: its results are not numbers, or of another count than matfun's`,
        )
    const products = line.calls === 'one' ? productsOf(line, meanProducts(line, matrices)) : undefined
    return lineReport(line, measured, apart, {
      measured: { date: new Date().toISOString(), load: load(), seconds },
      ...(products !== undefined && { products }),
    })
  }
}

/**
 * @param {Line} line
 * @param {number} seed
 * @param {import('./contender.mjs').Files} files
 */
function writeInputs({ dtype, order, norm, batch: count }, seed, files) {
  const normal = normalNumbers(seed)
  const matrices = randomStack(normal, { dtype, order, count }, norm)
  writeFileSync(files.A, matrices)
  writeFileSync(files.direction, randomStack(normal, { dtype, order, count }))
  return matrices
}

/**
 * That matfun plans for a matrix, squarings among them, on average.
 *
 * @param {Line} line
 * @param {Numbers} data
 */
function meanProducts({ operation, dtype, order, batch }, data) {
  const purpose = operation === 'value' ? 'value' : 'derivative'
  const plans = [expmPlan({ data, shape: [batch, order, order], dtype }, { purpose })].flat()
  return plans.reduce((sum, { products, squarings }) => sum + products + squarings, 0) / plans.length
}
