/** What a run found, as it is written to docs/benchmarks. */
import { ratioOf, spreadOf } from './statistics.mjs'

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

/** @typedef {Line & { results: Result[], leads: Lead[] }} LineReport */

/**
 * @typedef {object} Report
 * @property {1} schema
 * @property {'batch'} suite
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
 * @returns {LineReport}
 */
export function lineReport(line, { parts }, differences) {
  const results = parts.map((part) => resultOf(part, differences.get(part.contender)))
  const leads = parts
    .filter(({ contender }) => contender.role === 'matfun')
    .flatMap((own) => {
      const lead = leadOf(own, parts)
      return lead ? [lead] : []
    })
  return { ...line, results, leads }
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
  const body = lines.map(({ results, leads, ...line }) => {
    const list = (/** @type {object[]} */ rows) =>
      rows.map((row) => `\n        ${JSON.stringify(row)}`).join(',')
    const start = JSON.stringify(line).slice(0, -1)
    return `    ${start},\n      "results": [${list(results)}],\n      "leads": [${list(leads)}]}`
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
  require(told.suite === 'batch', `suite must be batch, got ${told.suite}`)
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
    for (const list of ['results', 'leads']) {
      require(Array.isArray(line[list]), `lines[${k}].${list} must be an array, got ${line[list]}`)
      line[list].forEach((/** @type {any} */ row, /** @type {number} */ i) => {
        for (const key of ['q1', 'median', 'q3', 'threads'])
          require(isNumber(row[key]), `lines[${k}].${list}[${i}].${key} must be a number, got ${row[key]}`)
        const name = list === 'results' ? 'name' : 'peer'
        require(isText(row[name]), `lines[${k}].${list}[${i}].${name} must be a string, got ${row[name]}`)
      })
    }
  })
  return told
}
