/** The results of calls with one matrix as tables: times. */
import { markdownTable } from '../reports/markdown-table.mjs'
import { relations } from './related.mjs'
import {
  digits,
  leader,
  operationNames,
  ownResult,
  peerNames,
  peerResult,
  percent,
  ratio,
  sections,
  spread,
} from './table.mjs'
import { mostOf, targetOf } from './targets.mjs'

/** @typedef {import('./report.mjs').LineReport} LineReport */

/**
 * A table for each operation, dtype, norm and number of threads.
 *
 * @param {LineReport[]} lines
 * @param {number[]} threads
 */
export function timeSections(lines, threads) {
  return sections(lines, threads, title, timeTable)
}

/**
 * @param {LineReport} line
 * @param {number} threads
 */
function title({ operation, dtype, norm }, threads) {
  const own = `${threads} ${threads === 1 ? 'thread' : 'threads'}`
  return `${operationNames[operation]}, ${dtype}, 1-norm ${norm}, ${own}: µs`
}

/**
 * Columns between matfun's own and the peers', where any line has something to say in them.
 *
 * @type {{ name: string, cell: (line: LineReport, threads: number) => string }[]}
 */
const extras = [
  { name: 'of target', cell: ofTarget },
  { name: 'products', cell: ({ products }) => (products === undefined ? '' : digits(products)) },
  { name: 'of FMA peak', cell: (line, threads) => share(line, 'peak', threads) },
  { name: 'of gemm bound', cell: (line, threads) => share(line, 'gemm', threads) },
  ...[...new Set(relations.map(({ name }) => name))].map((name) => ({
    name,
    cell: (/** @type {LineReport} */ line, /** @type {number} */ threads) => related(line, name, threads),
  })),
  { name: 'of 1 thread', cell: ofOneThread },
]

/**
 * Orders down, contenders across; matfun first, then its lead over the best peer, its shares of target and bounds.
 *
 * @param {LineReport[]} lines of one operation, dtype and norm
 * @param {number} threads
 * @returns {string | undefined} undefined where matfun was not measured so
 */
export function timeTable(lines, threads) {
  const rowsOf = lines.filter((line) => ownResult(line, threads))
  if (rowsOf.length === 0) return undefined
  const peers = peerNames(rowsOf, threads)
  const wanted = extras.filter(({ cell }) => rowsOf.some((line) => cell(line, threads) !== ''))
  const header = [
    'order',
    'matfun',
    'spread',
    'best peer',
    'times it',
    ...wanted.map(({ name }) => name),
    ...peers,
  ]
  const rows = rowsOf.map((line) => {
    const own = /** @type {import('./report.mjs').Result} */ (ownResult(line, threads))
    const lead = line.leads.find((candidate) => candidate.threads === threads)
    return [
      `${line.order}`,
      microseconds(own.median),
      spread(own),
      lead ? leader(lead, threads) : '',
      lead ? ratio(lead.median) : '',
      ...wanted.map(({ cell }) => cell(line, threads)),
      ...peers.map((name) => {
        const result = peerResult(line, name, threads)
        return result ? microseconds(result.median) : ''
      }),
    ]
  })
  return markdownTable(
    [header, ...rows],
    header.map((_, k) => k).filter((k) => header[k] !== 'best peer'),
  )
}

/**
 * @param {number} rate matrices a second
 * @returns {string} microseconds of one, in three digits
 */
export function microseconds(rate) {
  const time = 1e6 / rate
  return time < 999.5 ? digits(time) : String(Number(time.toPrecision(3)))
}

/**
 * @param {LineReport} line
 * @param {number} threads
 */
function ofTarget(line, threads) {
  const target = targetOf(line, threads)
  const own = ownResult(line, threads)
  return target && own ? percent(own.median / target) : ''
}

/**
 * @param {LineReport} line
 * @param {number} threads
 */
function ofOneThread(line, threads) {
  const [own, alone] = [ownResult(line, threads), ownResult(line, 1)]
  return threads > 1 && own && alone ? ratio(own.median / alone.median) : ''
}

/**
 * @param {LineReport} line
 * @param {string} name
 * @param {number} threads
 */
function share({ shares }, name, threads) {
  const found = shares?.find((one) => one.name === name && one.threads === threads)
  return found ? percent(found.median) : ''
}

/**
 * With the most that it should be, where that was set.
 *
 * @param {LineReport} line
 * @param {string} name
 * @param {number} threads
 */
function related({ operation, order, relations: told }, name, threads) {
  const found = told?.find((one) => one.name === name && one.threads === threads)
  const relation = relations.find((one) => one.name === name && one.of.includes(operation))
  if (!found || !relation) return ''
  const most = mostOf(relation.operation, order)
  return most === undefined ? ratio(found.median) : `${ratio(found.median)} (≤ ${most})`
}
