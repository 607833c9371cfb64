/** What a run found, as it is written to docs/benchmarks. */
import { sharesOf } from './bounds.mjs'
import { relationsOf } from './related.mjs'
import { ratioOf, spreadOf } from './statistics.mjs'
import { suiteNames, suites } from './suites.mjs'

/** @typedef {import('./lines.mjs').Line} Line */
/** @typedef {import('./measure.mjs').Measured} Measured */
/** @typedef {import('./measure.mjs').Part} Part */
/** @typedef {import('./statistics.mjs').Spread} Spread */

/**
 * A contender's speed in a line: matrices a second.
 * @typedef {Spread & { name: string, role: string, threads: number, matrices: number, rounds: number,
 *   processors: number, difference?: number }} Result `matrices` of a turn; `processors` that it had, the median, which are fewer than
 *   its threads where other processes took them; `difference` of its results from matfun's, relative
 */

/**
 * matfun's speed over that of its fastest peer with as many threads or fewer.
 * @typedef {Spread & { threads: number, peer: string, peerThreads: number }} Lead
 */

/**
 * @typedef {object} Circumstances
 * @property {{ date: string, load: number, seconds: number }} [measured] when a line was, what the load was then, and how long it
 *   took by its settings; files of batches from before have them for all lines together
 * @property {number} [products] that a matrix takes, of one matrix a call
 */

/** A contender that did not take part in a line. @typedef {{ contender: string, why: string }} Without */

/**
 * @typedef {Line & Circumstances & { without?: Without[], results: Result[], leads: Lead[], shares?: import('./bounds.mjs').Share[],
 *   relations?: (Spread & { name: string, threads: number })[] }} LineReport
 */

/**
 * @typedef {object} Report
 * @property {1} schema
 * @property {import('./suites.mjs').SuiteName} suite
 * @property {string} date ISO 8601
 * @property {string} name of the machine, for files
 * @property {import('./machine.mjs').Machine & { load: { before: number, after: number } }} machine
 * @property {any} matfun what it says of itself
 * @property {{ value: string, setBy: string } | null} coreType the OPENBLAS_CORETYPE that everyone was given
 * @property {Record<string, string[]>} about what the peers ran on
 * @property {string[]} absent peers that were not found
 * @property {{ contender: string, why: string, lines: number }[]} without lines that a contender does not offer
 * @property {{ seed: number, secondsPerLine: number, cpuTime: boolean, batchBytes: number, threads: number[] }} settings
 * @property {LineReport[]} lines
 */

/**
 * @param {Line} line
 * @param {Measured} measured
 * @param {Map<import('./contender.mjs').Contender, number>} differences
 * @param {Circumstances} [circumstances]
 * @returns {LineReport}
 */
export function lineReport(line, { parts, without: missing }, differences, circumstances = {}) {
  const without = missing.map(({ contender: { name, threads }, why }) => ({
    contender: `${name}, threads ${threads}`,
    why,
  }))
  const results = parts.map((part) => resultOf(part, differences.get(part.contender)))
  const all = parts.filter(({ contender }) => contender.role === 'matfun')
  const leads = all.flatMap((own) => {
    const lead = leadOf(own, parts)
    return lead ? [lead] : []
  })
  const report = { ...line, ...circumstances, without, results, leads }
  if (circumstances.products === undefined) return report
  const products = circumstances.products
  const brief = (/** @type {Spread & { name: string, threads: number }} */ row) => ({
    ...row,
    ...shortSpread(row),
  })
  return {
    ...report,
    products: short(products, 4),
    shares: all.flatMap((own) => sharesOf(parts, own, line, products)).map(brief),
    relations: all.flatMap((own) => relationsOf(parts, own, line.operation)).map(brief),
  }
}

/**
 * Who did not take part in how many lines, and why.
 *
 * @param {LineReport[]} lines
 * @returns {Report['without']}
 */
export function withoutOf(lines) {
  /** @type {Map<string, Report['without'][number]>} */
  const counted = new Map()
  for (const { contender, why } of lines.flatMap(({ without }) => without ?? [])) {
    const key = `${contender}: ${why}`
    counted.set(key, { contender, why, lines: (counted.get(key)?.lines ?? 0) + 1 })
  }
  return [...counted.values()]
}

/**
 * @param {Part} part
 * @param {number | undefined} difference
 * @returns {Result}
 */
function resultOf({ contender: { name, role, threads }, matrices, rates, processors }, difference) {
  const samples = samplesOf(rates)
  const told = difference === undefined ? {} : { difference: short(difference, 2) }
  const had = short(spreadOf(processors).median, 3)
  const counts = { matrices, rounds: samples.length, processors: had }
  return { name, role, threads, ...shortSpread(spreadOf(samples)), ...counts, ...told }
}

/**
 * @param {Part} own
 * @param {Part[]} parts
 * @returns {Lead | undefined} undefined where there is no peer
 */
function leadOf(own, parts) {
  const { threads } = own.contender
  const median = (/** @type {Part} */ { rates }) => spreadOf(samplesOf(rates)).median
  const [best] = parts
    .filter(({ contender }) => contender.role === 'peer' && contender.threads <= threads)
    .sort((a, b) => median(b) - median(a))
  const ratio = best && ratioOf(own.rates, best.rates)
  if (!ratio) return undefined
  return { threads, peer: best.contender.name, peerThreads: best.contender.threads, ...shortSpread(ratio) }
}

/** @param {Part['rates']} rates */
function samplesOf(rates) {
  return rates.filter((rate) => rate !== undefined)
}

/**
 * @param {Spread} spread
 * @returns {Spread}
 */
function shortSpread({ q1, median, q3 }) {
  return { q1: short(q1, 4), median: short(median, 4), q3: short(q3, 4) }
}

/**
 * @param {number} x
 * @param {number} digits
 */
function short(x, digits) {
  return Number(x.toPrecision(digits))
}

/**
 * JSON with a line of text for each result, so that a new run's differences can be read.
 *
 * @param {Report} report
 */
export function serialize({ lines, ...rest }) {
  const head = JSON.stringify(rest, null, 2).slice(0, -2)
  const body = lines.map(({ results, leads, shares, relations, ...line }) => {
    const start = JSON.stringify(line).slice(0, -1)
    const lists = Object.entries({ results, leads, shares, relations })
      .filter(([, rows]) => rows)
      .map(([name, rows]) => {
        const list = /** @type {object[]} */ (rows).map((row) => `\n        ${JSON.stringify(row)}`)
        return `,\n      "${name}": [${list.join(',')}]`
      })
    return `    ${start}${lists.join('')}}`
  })
  return `${head},\n  "lines": [\n${body.join(',\n')}\n  ]\n}\n`
}

/**
 * What a report must have for the document; a file of an older version, or an edited one, should not become a wrong table.
 *
 * @param {any} told parsed JSON
 * @param {string} source for messages
 * @returns {Report}
 */
export function checkReport(told, source) {
  const require = (/** @type {boolean} */ holds, /** @type {string} */ what) => {
    if (!holds) throw new TypeError(`${source}: ${what}; please measure anew`)
  }
  const isText = (/** @type {unknown} */ x) => typeof x === 'string'
  const isNumber = (/** @type {unknown} */ x) => typeof x === 'number' && x >= 0
  require(told?.schema === 1, `schema must be 1, got ${told?.schema}`)
  require(Object.hasOwn(
    suites,
    told.suite,
  ), `suite must be one of ${suiteNames.join(', ')}, got ${told.suite}`)
  for (const key of ['date', 'name']) require(isText(told[key]), `${key} must be a string, got ${told[key]}`)
  for (const key of ['machine', 'matfun', 'about', 'settings'])
    require(typeof told[key] === 'object' && told[key] !== null, `${key} must be an object, got ${told[key]}`)
  for (const key of ['absent', 'without', 'lines'])
    require(Array.isArray(told[key]), `${key} must be an array, got ${told[key]}`)
  told.lines.forEach((/** @type {any} */ line, /** @type {number} */ k) => {
    for (const key of ['order', 'norm', 'batch'])
      require(isNumber(line[key]), `lines[${k}].${key} must be a number, got ${line[key]}`)
    for (const key of ['operation', 'dtype'])
      require(isText(line[key]), `lines[${k}].${key} must be a string, got ${line[key]}`)
    // Batches were written before there were calls of one matrix.
    line.calls ??= suites[/** @type {import('./suites.mjs').SuiteName} */ (told.suite)].calls
    if (line.calls === 'one')
      require(isNumber(line.products), `lines[${k}].products must be a number, got ${line.products}`)
    for (const list of ['results', 'leads', ...(line.calls === 'one' ? ['shares', 'relations'] : [])]) {
      require(Array.isArray(line[list]), `lines[${k}].${list} must be an array, got ${line[list]}`)
      line[list].forEach((/** @type {any} */ row, /** @type {number} */ i) => {
        for (const key of ['q1', 'median', 'q3', 'threads'])
          require(isNumber(row[key]), `lines[${k}].${list}[${i}].${key} must be a number, got ${row[key]}`)
        const name = list === 'leads' ? 'peer' : 'name'
        require(isText(row[name]), `lines[${k}].${list}[${i}].${name} must be a string, got ${row[name]}`)
      })
    }
  })
  return told
}
