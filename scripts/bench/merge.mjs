/** Results of several runs in one file of a machine. */
import { keyOf } from './lines.mjs'
import { withoutOf } from './report.mjs'

/** @typedef {import('./report.mjs').Report} Report */

/** Two reports that do not belong together; the message says why. */
export class MergeError extends Error {}

/**
 * A report with the lines of a newer one added, in place of its own of the same key. Each line keeps the date, the load and the
 * seconds of its own measurement; the rest is as in the newer one.
 *
 * @param {Report} older
 * @param {Report} newer
 * @returns {Report} with lines in the order of the older, then the newer
 */
export function merged(older, newer) {
  const differing = differenceOf(older, newer)
  if (differing) throw new MergeError(`the file of ${older.date.slice(0, 10)} is of another ${differing}`)
  const replaced = new Map(newer.lines.map((line) => [keyOf(line), line]))
  const lines = older.lines.map((line) => {
    const found = replaced.get(keyOf(line))
    replaced.delete(keyOf(line))
    return found ?? line
  })
  const threads = [...new Set([...older.settings.threads, ...newer.settings.threads])].sort((a, b) => a - b)
  const all = [...lines, ...replaced.values()]
  return {
    ...newer,
    about: { ...older.about, ...newer.about },
    without: withoutOf(all),
    settings: { ...newer.settings, threads },
    lines: all,
  }
}

/**
 * What tells that figures of two reports cannot stand in one table.
 *
 * @param {Report} older
 * @param {Report} newer
 * @returns {string | undefined} undefined where they can
 */
function differenceOf(older, newer) {
  const { load: _, ...before } = older.machine
  const { load: __, ...now } = newer.machine
  const parts = /** @type {[string, unknown, unknown][]} */ ([
    ['suite', older.suite, newer.suite],
    ['machine', before, now],
    ['matfun', older.matfun, newer.matfun],
    ['OPENBLAS_CORETYPE', older.coreType, newer.coreType],
    ['seed', older.settings.seed, newer.settings.seed],
    ['size of batches', older.settings.batchBytes, newer.settings.batchBytes],
    ['clock', older.settings.cpuTime, newer.settings.cpuTime],
  ])
  return parts.find(([, a, b]) => JSON.stringify(a) !== JSON.stringify(b))?.[0]
}
