/** The machine on which was measured, as far as it tells. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

/**
 * @typedef {object} Machine
 * @property {string} processor
 * @property {number} cores that this process may use
 * @property {string[]} caches of the first core, such as 'L2 2048K'
 * @property {number} memoryGiB
 * @property {string} system
 * @property {string} node
 */

/** @returns {Machine} */
export function machine() {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    caches: caches(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform}-${process.arch} ${release()}`,
    node: process.versions.node,
  }
}

/** How many processes wanted to run over the last minute: what is above the bench's own one is noise. */
export function load() {
  return Math.round(loadavg()[0] * 100) / 100
}

const cacheFolder = '/sys/devices/system/cpu/cpu0/cache'

function caches() {
  if (!existsSync(cacheFolder)) return []
  const entries = readdirSync(cacheFolder).filter((entry) => entry.startsWith('index'))
  const read = (/** @type {string} */ entry, /** @type {string} */ name) =>
    readFileSync(join(cacheFolder, entry, name), 'utf8').trim()
  return entries.sort().map((entry) => {
    const kind = { Data: 'd', Instruction: 'i' }[read(entry, 'type')] ?? ''
    return `L${read(entry, 'level')}${kind} ${read(entry, 'size')}`
  })
}

/**
 * A cache's size as `caches` tells it.
 *
 * @param {string[]} told
 * @param {string} level such as L2
 * @returns {number} bytes; 0 where it is not told
 */
export function cacheBytes(told, level) {
  const size = told.map((cache) => new RegExp(`^${level}d? (\\d+)([KMG]?)$`).exec(cache)).find(Boolean)
  if (!size) return 0
  return Number(size[1]) * { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[/** @type {'K'} */ (size[2])]
}

/**
 * A name for files, of the processor's own.
 *
 * @param {string} processor such as 'Intel(R) Xeon(R) Platinum 8488C CPU @ 2.40GHz'
 */
export function shortName(processor) {
  const plain = processor
    .replace(/\((R|TM|C)\)/gi, ' ')
    .replace(/@.*$/, ' ')
    .replace(/\b(CPU|Processor|with|\d+-Core)\b/gi, ' ')
  return (
    plain
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'unknown'
  )
}
