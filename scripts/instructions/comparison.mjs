/** Counted instructions beside committed ones. */
import { markdownTable } from '../reports/markdown-table.mjs'

/**
 * What was counted, and with what: another compiler makes other instructions of the same source.
 * @typedef {object} Figures
 * @property {1} schema
 * @property {string} target of the kernels
 * @property {string} compiler
 * @property {string} blas
 * @property {Record<string, number>} cases instructions by case
 * @property {Record<string, string>} conditions what else single cases depend on, by case
 */

/** @typedef {'as before' | 'MORE' | 'fewer' | 'NEW' | 'GONE' | 'not judged'} Verdict */

/** @typedef {{ name: string, before: number | undefined, now: number | undefined, verdict: Verdict }} Row */

/**
 * @typedef {object} Comparison
 * @property {Row[]} rows cases as they were, then new ones
 * @property {string[]} unlike what was counted with something else, in words: what is of it is not judged
 * @property {boolean} passed false where a case takes more than before, or the cases are others
 */

/**
 * Counts of unchanged code repeat to the last instruction on one machine; what is left to differ is the C library's choice
 * of memcpy and memset by processor, and allocations'. A change that is worth anything is more.
 */
export const tolerance = 0.01

const mustAgree = /** @type {const} */ (['target', 'compiler', 'blas'])

/**
 * @param {Figures} before
 * @param {Figures} now
 * @returns {Comparison}
 */
export function compare(before, now) {
  const unlike = mustAgree
    .filter((key) => before[key] !== now[key])
    .map((key) => `${key}: ${now[key]} now, ${before[key]} before`)
  const names = [...new Set([...Object.keys(before.cases), ...Object.keys(now.cases)])]
  const rows = names.map((name) => {
    const [old, counted] = [before.cases[name], now.cases[name]]
    const isAlike = unlike.length === 0 && before.conditions[name] === now.conditions[name]
    return { name, before: old, now: counted, verdict: verdictOf(old, counted, isAlike) }
  })
  const passed = rows.every(({ verdict }) => !['MORE', 'NEW', 'GONE'].includes(verdict))
  const others = rows
    .filter(
      ({ verdict, name }) => verdict === 'not judged' && before.conditions[name] !== now.conditions[name],
    )
    .map(({ name }) => `${name}: ${now.conditions[name]} now, ${before.conditions[name]} before`)
  return { rows, unlike: [...unlike, ...others], passed }
}

/**
 * @param {number | undefined} before
 * @param {number | undefined} now
 * @param {boolean} isAlike whether both were counted with the same
 * @returns {Verdict}
 */
function verdictOf(before, now, isAlike) {
  if (before === undefined) return 'NEW'
  if (now === undefined) return 'GONE'
  if (!isAlike) return 'not judged'
  if (Math.abs(now - before) <= tolerance * before) return 'as before'
  return now > before ? 'MORE' : 'fewer'
}

/** @param {Row[]} rows */
export function comparisonTable(rows) {
  const number = (/** @type {number | undefined} */ x) => (x === undefined ? '' : x.toLocaleString('en-US'))
  const body = rows.map(({ name, before, now, verdict }) => [
    name,
    number(before),
    number(now),
    before === undefined || now === undefined ? '' : change(now / before - 1),
    verdict,
  ])
  return markdownTable([['case', 'before', 'now', 'change', ''], ...body], [1, 2, 3])
}

/** @param {number} share */
function change(share) {
  return `${share < 0 ? '' : '+'}${(100 * share).toFixed(2)} %`
}

/**
 * @param {any} told parsed JSON
 * @param {string} source for messages
 * @returns {Figures}
 */
export function checkFigures(told, source) {
  const require = (/** @type {boolean} */ holds, /** @type {string} */ what) => {
    if (!holds) throw new TypeError(`${source}: ${what}; please write it anew with --update`)
  }
  require(told?.schema === 1, `schema must be 1, got ${told?.schema}`)
  for (const key of mustAgree)
    require(typeof told[key] === 'string', `${key} must be a string, got ${told[key]}`)
  require(typeof told.cases === 'object' && told.cases !== null, `cases must be an object, got ${told.cases}`)
  require(typeof told.conditions === 'object' &&
    told.conditions !== null, `conditions must be an object, got ${told.conditions}`)
  for (const [name, count] of Object.entries(told.cases))
    require(Number.isInteger(count) &&
      count > 0, `cases['${name}'] must be a whole number above 0, got ${count}`)
  return told
}
