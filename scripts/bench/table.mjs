/** The results of batches as tables, and what all tables have in common. */
import { markdownTable } from '../reports/markdown-table.mjs'
import { targetOf } from './targets.mjs'

/** @typedef {import('./report.mjs').LineReport} LineReport */
/** @typedef {import('./report.mjs').Result} Result */

export const operationNames = { value: 'exp(A)', jvp: 'exp(A) and L(A, E)', vjp: 'exp(A) and L(Aᴴ, W)' }

/** @param {{ operation: import('./lines.mjs').Operation, dtype: string, norm: number }} line */
export function sectionTitle({ operation, dtype, norm }, threads = 1) {
  const own = `${threads} ${threads === 1 ? 'thread' : 'threads'}`
  return `${operationNames[operation]}, ${dtype}, 1-norm ${norm}, ${own}: matrices per second`
}

/**
 * A table for each operation, dtype, norm and number of threads.
 *
 * @param {LineReport[]} lines
 * @param {number[]} threads
 * @param {(line: LineReport, threads: number) => string} titleOf
 * @param {(lines: LineReport[], threads: number) => string | undefined} tableOf of one operation, dtype and norm, in the order
 *   of the orders
 * @returns {{ title: string, table: string }[]}
 */
export function sections(lines, threads, titleOf = sectionTitle, tableOf = lineTable) {
  /** @type {Map<string, LineReport[]>} */
  const groups = new Map()
  for (const line of [...lines].sort((a, b) => a.order - b.order)) {
    const key = [line.dtype, line.norm, line.operation].join()
    groups.set(key, [...(groups.get(key) ?? []), line])
  }
  return [...groups.values()].flatMap((group) =>
    threads.flatMap((count) => {
      const table = tableOf(group, count)
      return table ? [{ title: titleOf(group[0], count), table }] : []
    }),
  )
}

/**
 * The peers of a table, in the order in which they are met first.
 *
 * @param {LineReport[]} lines
 * @param {number} threads
 */
export function peerNames(lines, threads) {
  const isPeer = (/** @type {Result} */ result) => result.role === 'peer' && result.threads === threads
  return [...new Set(lines.flatMap(({ results }) => results.filter(isPeer).map(({ name }) => name)))]
}

/**
 * @param {LineReport} line
 * @param {string} name
 * @param {number} threads
 */
export function peerResult({ results }, name, threads) {
  return results.find(
    (result) => result.role === 'peer' && result.name === name && result.threads === threads,
  )
}

/**
 * Orders down, contenders across; matfun first, then its share of the target, its lead over the best peer, and the core.
 *
 * @param {LineReport[]} lines of one operation, dtype and norm
 * @param {number} threads
 * @returns {string | undefined} undefined where matfun was not measured so
 */
export function lineTable(lines, threads) {
  if (!lines.some((line) => ownResult(line, threads))) return undefined
  const peers = peerNames(lines, threads)
  const extra = threads === 1 ? ['of target', "matfun's core", 'binding'] : ['of 1 thread']
  const wanted = extra.filter((name) => lines.some((line) => cell(line, name, threads) !== ''))
  const header = ['order', 'batch', 'matfun', 'spread', 'cpu', 'best peer', 'times it', ...wanted, ...peers]
  const rows = lines.map((line) => {
    const own = ownResult(line, threads)
    const lead = line.leads.find((candidate) => candidate.threads === threads)
    return [
      `${line.order}`,
      `${line.batch}`,
      own ? rate(own.median) : '',
      own ? spread(own) : '',
      own ? percent(own.processors) : '',
      lead ? leader(lead, threads) : '',
      lead ? ratio(lead.median) : '',
      ...wanted.map((name) => cell(line, name, threads)),
      ...peers.map((name) => {
        const result = peerResult(line, name, threads)
        return result ? rate(result.median) : ''
      }),
    ]
  })
  return markdownTable(
    [header, ...rows],
    header.map((_, k) => k).filter((k) => header[k] !== 'best peer'),
  )
}

/**
 * @param {LineReport} line
 * @param {number} threads
 */
export function ownResult({ results }, threads) {
  return results.find((result) => result.role === 'matfun' && result.threads === threads)
}

/**
 * @param {LineReport} line
 * @param {string} name of the column
 * @param {number} threads
 */
function cell(line, name, threads) {
  const own = ownResult(line, threads)
  const core = line.results.find(({ role }) => role === 'core')
  if (!own) return ''
  if (name === 'of target') {
    const target = targetOf(line)
    return target ? percent(own.median / target) : ''
  }
  if (name === 'of 1 thread') {
    const alone = ownResult(line, 1)
    return alone ? ratio(own.median / alone.median) : ''
  }
  if (!core) return ''
  // The share of a call's time that the core does not take.
  return name === 'binding' ? percent(1 - own.median / core.median) : rate(core.median)
}

/**
 * @param {import('./report.mjs').Lead} lead
 * @param {number} threads
 */
export function leader({ peer, peerThreads }, threads) {
  return peerThreads === threads ? peer : `${peer} (${peerThreads})`
}

/**
 * Three significant digits and a unit: 35.2 M.
 *
 * @param {number} x matrices per second
 */
export function rate(x) {
  const [unit, name] = x >= 999.5e3 ? [1e6, ' M'] : x >= 999.5 ? [1e3, ' k'] : [1, '']
  return `${digits(x / unit)}${name}`
}

/** @param {number} x */
export function ratio(x) {
  return digits(x)
}

/** @param {number} x */
export function digits(x) {
  return x >= 99.95 ? x.toFixed(0) : x >= 9.995 ? x.toFixed(1) : x >= 0.1 ? x.toFixed(2) : x.toPrecision(2)
}

/**
 * Half the distance of the quartiles, of the median.
 *
 * @param {import('./statistics.mjs').Spread} samples
 */
export function spread({ q1, median, q3 }) {
  return `±${percent((q3 - q1) / (2 * median))}`
}

/** @param {number} share */
export function percent(share) {
  return `${Math.round(100 * share)} %`
}
