import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** @import { Counts } from './report.mjs' */

/**
 * @typedef {{ start: { line: number } }} Place
 * @typedef {{ statementMap: Record<string, Place>, s: Record<string, number>, branchMap: Record<string, { loc: Place, locations: Place[] }>, b: Record<string, number[]> }} FileCoverage
 */

/**
 * What V8 counted in this process's modules of lib, by source file, from the report that vitest writes (Istanbul's format).
 *
 * @param {string} root
 * @param {string} file coverage-final.json
 * @returns {Map<string, Counts>}
 */
export function libCounts(root, file) {
  /** @type {Map<string, Counts>} */
  const counts = new Map()
  for (const [path, coverage] of Object.entries(JSON.parse(readFileSync(file, 'utf8'))))
    counts.set(relative(root, path), countsOf(/** @type {FileCoverage} */ (coverage)))
  return counts
}

/**
 * A line has run as often as the statement of it that ran the least; a branch stands on the line where it is decided.
 * @param {FileCoverage} coverage
 * @returns {Counts}
 */
function countsOf({ statementMap, s, branchMap, b }) {
  const lines = new Map()
  for (const [id, { start }] of Object.entries(statementMap))
    lines.set(start.line, Math.min(lines.get(start.line) ?? Number.POSITIVE_INFINITY, s[id]))
  const branches = new Map()
  for (const [id, { loc }] of Object.entries(branchMap))
    branches.set(loc.start.line, [...(branches.get(loc.start.line) ?? []), ...b[id]])
  return { lines, branches }
}
