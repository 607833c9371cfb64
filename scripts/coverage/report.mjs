import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * How often each line of a file ran, and each way that control can go from a line.
 * @typedef {{ lines: Map<number, number>, branches: Map<number, number[]> }} Counts
 *
 * What is left out of the count: of `file` the lines that contain `text`, or all of it, or only their branches.
 * @typedef {{ file: string, text?: string, branches?: true, reason: string }} LeftOut
 *
 * @typedef {{ ran: number, all: number }} Share
 * @typedef {{ file: string, lines: Share, branches: Share, never: number[], partly: number[] }} FileReport
 */

/** Shares that are wanted of native and of lib each. */
export const goals = { lines: 0.95, branches: 0.9 }

/**
 * @param {string} root
 * @param {Map<string, Counts>} counts
 * @param {LeftOut[]} leftOut
 * @returns {{ files: FileReport[], stale: LeftOut[] }} stale: those of leftOut that leave out nothing, or something that ran
 */
export function reportOf(root, counts, leftOut) {
  const stale = new Set(leftOut)
  const files = [...counts].map(([file, { lines, branches }]) => {
    const text = readFileSync(join(root, file), 'utf8').split('\n')
    /** @type {FileReport} */
    const report = { file, lines: { ran: 0, all: 0 }, branches: { ran: 0, all: 0 }, never: [], partly: [] }
    for (const number of new Set([...lines.keys(), ...branches.keys()])) {
      const count = lines.get(number)
      const ways = branches.get(number) ?? []
      const missed = count === 0 || ways.includes(0)
      const why = leftOut.find(
        (entry) => entry.file === file && (entry.text === undefined || text[number - 1].includes(entry.text)),
      )
      if (why && missed) stale.delete(why)
      if (why && !why.branches) continue
      if (count !== undefined) tally(report.lines, [count])
      if (count === 0) report.never.push(number)
      if (why) continue
      tally(report.branches, ways)
      if (count !== 0 && ways.includes(0)) report.partly.push(number)
    }
    report.never.sort((a, b) => a - b)
    report.partly.sort((a, b) => a - b)
    return report
  })
  return { files: files.sort((a, b) => (a.file < b.file ? -1 : 1)), stale: [...stale] }
}

/**
 * @param {Share} share
 * @param {number[]} counts
 */
function tally(share, counts) {
  share.all += counts.length
  share.ran += counts.filter((count) => count > 0).length
}

/**
 * @param {FileReport[]} files
 * @param {'lines' | 'branches'} kind
 * @returns {Share}
 */
export function total(files, kind) {
  return files.reduce((sum, { [kind]: own }) => ({ ran: sum.ran + own.ran, all: sum.all + own.all }), {
    ran: 0,
    all: 0,
  })
}

/**
 * What falls short of the goals, in words.
 * @param {string} name
 * @param {FileReport[]} files
 */
export function shortfalls(name, files) {
  return /** @type {const} */ (['lines', 'branches'])
    .filter((kind) => shareOf(total(files, kind)) < goals[kind])
    .map(
      (kind) =>
        `${name}: ${percent(total(files, kind))} of ${kind} ran, and ${goals[kind] * 100} % are wanted`,
    )
}

/** @param {Share} share */
function shareOf({ ran, all }) {
  return all === 0 ? 1 : ran / all
}

/** @param {Share} share */
function percent(share) {
  return `${(Math.floor(shareOf(share) * 1000) / 10).toFixed(1)} %`
}

/**
 * A line for each file with something that did not run, and one for all.
 * @param {string} name
 * @param {FileReport[]} files
 */
export function table(name, files) {
  /** @param {string} text @param {Share} lines @param {Share} branches */
  const row = (text, lines, branches) =>
    `${text.padEnd(38)} ${percent(lines).padStart(8)} ${percent(branches).padStart(8)}`
  const rows = files
    .filter(({ never, partly }) => never.length + partly.length > 0)
    .map(({ file, lines, branches, never, partly }) => {
      const told = [never.length > 0 && `never ${never}`, partly.length > 0 && `one way only ${partly}`]
      return `${row(file, lines, branches)}  ${told.filter(Boolean).join('; ')}`
    })
  return [
    row(`${name}: all ${files.length} files`, total(files, 'lines'), total(files, 'branches')),
    ...rows,
  ].join('\n')
}
