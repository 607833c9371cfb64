/** What a job of a billion matrices takes of hosts, queue and storage, by the figures of one machine. */
import { markdownTable } from '../reports/markdown-table.mjs'

const matrices = 1e9
const hosts = 100
/** Bytes a second that the storage can read and write together. */
const storage = 10e9
const chunkBytes = 32 * 2 ** 20
const GB = 1e9

/**
 * @typedef {object} Rates
 * @property {number} n
 * @property {number} perSecond matrices of one host
 * @property {number} workers of one host, each with two chunks at hand
 * @property {{ scripts: number, seconds: number, bytesWaiting: number, submitting: number }} server what a chunk costs Redis
 */

/**
 * A table with a column for each order.
 * @param {Rates[]} rates
 */
export function planningTable(rates) {
  const columns = rates.map(columnOf)
  const names = columns[0].map(([name]) => name)
  return markdownTable([
    ['a billion matrices, values, double precision', ...rates.map(({ n }) => `order ${n}`)],
    ...names.map((name, k) => [name, ...columns.map((column) => column[k][1])]),
  ])
}

/**
 * @param {Rates} rates
 * @returns {[name: string, figure: string][]}
 */
function columnOf({ n, perSecond, workers, server }) {
  const length = Math.floor(chunkBytes / (8 * n * n))
  const chunks = Math.ceil(matrices / length)
  const bytes = matrices * 16 * n * n
  const computing = matrices / (hosts * perSecond)
  const moving = bytes / storage
  const seconds = Math.max(computing, moving)
  const rate = chunks / seconds
  return [
    ['chunks of 32 MiB', count(chunks)],
    ['read and written', `${count(bytes / GB)} GB`],
    ['Redis: memory while all of them wait', `${count((chunks * server.bytesWaiting) / 1e6)} MB`],
    ['submitting', time(chunks * server.submitting)],
    [`${hosts} hosts, were the storage no limit`, time(computing)],
    ['which would want of the storage', `${count(bytes / GB / computing)} GB/s`],
    [`a storage of ${storage / GB} GB/s, were the hosts no limit`, time(moving)],
    ['which keeps busy', `${count(Math.ceil(storage / (16 * n * n * perSecond)))} hosts`],
    ['so it takes', time(seconds)],
    ['Redis: scripts a second', count(rate * server.scripts)],
    ['Redis: share of its one thread', `${(100 * rate * server.seconds).toPrecision(2)} %`],
    ['a lost host: work done again, of one host', time((2 * workers * length) / perSecond)],
  ]
}

/** @param {number} value */
function count(value) {
  return value < 10 ? value.toPrecision(2) : Math.round(value).toLocaleString('en-US')
}

/** @param {number} seconds */
function time(seconds) {
  if (seconds < 100) return `${seconds.toPrecision(2)} s`
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toPrecision(2)} h`
}
