import { spawnSync } from 'node:child_process'
import { relative } from 'node:path'
import { filesBelow } from '../setup/stamps.mjs'

/** @import { Counts } from './report.mjs' */

/**
 * One place that control can go to from a line; `throw`: because something that is called throws.
 * @typedef {{ count: number, throw: boolean }} Branch
 * @typedef {{ line_number: number, count: number, function_name?: string, branches: Branch[] }} Line
 */

/**
 * What gcov counted, by source file of native/ (kernels aside). Instances of a template, and what several files include, are taken
 * together: a line has run where it has in one of them.
 *
 * @param {string} root
 * @param {string} folder of a build with MATFUN_COVERAGE, relative to root, whose programs have run
 * @returns {Map<string, Counts>}
 */
export function nativeCounts(root, folder) {
  const notes = filesBelow(root, folder, (file) => file.endsWith('.gcno'))
  const args = ['--json-format', '--stdout', '--branch-probabilities', ...notes]
  const { status, stdout, stderr, error } = spawnSync('gcov', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  if (status !== 0) throw new Error(`gcov: ${error?.message ?? stderr}`)
  /** @type {Map<string, Counts>} */
  const counts = new Map()
  for (const document of stdout.split('\n').filter(Boolean)) {
    const { files, current_working_directory: base } = JSON.parse(document)
    for (const { file, lines } of files) {
      const path = relative(root, file.startsWith('/') ? file : `${base}/${file}`)
      if (/^native\/(?!kernels\/)/.test(path)) add(counts, path, lines)
    }
  }
  return counts
}

/**
 * @param {Map<string, Counts>} counts
 * @param {string} path
 * @param {Line[]} lines
 */
function add(counts, path, lines) {
  const own = counts.get(path) ?? { lines: new Map(), branches: new Map() }
  counts.set(path, own)
  for (const { line_number, count, branches } of lines) {
    own.lines.set(line_number, (own.lines.get(line_number) ?? 0) + count)
    const sums = own.branches.get(line_number) ?? []
    decisions(branches).forEach((taken, k) => {
      sums[k] = (sums[k] ?? 0) + taken
    })
    if (sums.length > 0) own.branches.set(line_number, sums)
  }
}

/**
 * The branches without those of calls that may throw. gcov lists these two by two, the call that returns before the one that throws.
 * @param {Branch[]} branches
 */
function decisions(branches) {
  return branches.filter((branch, k) => !branch.throw && !branches[k + 1]?.throw).map(({ count }) => count)
}
