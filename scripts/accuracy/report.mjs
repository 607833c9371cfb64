/** The report as Markdown. */
import { markdownTable } from '../reports/markdown-table.mjs'
import { dtypes, quantities } from './cases.mjs'
import { bound, summarize } from './scores.mjs'

/** @typedef {import('./cases.mjs').DType} DType */
/** @typedef {import('./cases.mjs').Quantity} Quantity */
/** @typedef {import('./peers.mjs').Method} Method */
/** @typedef {import('./scores.mjs').Score} Score */

/** A result of matfun with the plan that led to it. @typedef {Score & { plan: string }} Planned */

/**
 * @param {Score[]} scores
 * @param {Method[]} methods
 * @returns {string} a table for each dtype and quantity
 */
export function tables(scores, methods) {
  const sections = dtypes.map((dtype) => {
    const parts = quantities.map((quantity) => {
      const own = scores.filter((s) => s.example.dtype === dtype && s.quantity === quantity)
      return `**${quantityTitles[quantity]}, ${dtype}**\n\n${table(own, methods, dtype, quantity)}`
    })
    return `### ${dtype}\n\n${parts.join('\n\n')}`
  })
  return sections.join('\n\n')
}

/** @type {Record<Quantity, string>} */
const quantityTitles = { value: 'exp(A)', tangent: 'Tangent L(A, E)', cotangent: 'Cotangent L(Aᴴ, W)' }

/**
 * @param {Score[]} scores
 * @param {Method[]} methods
 * @param {DType} dtype
 * @param {Quantity} quantity
 */
function table(scores, methods, dtype, quantity) {
  const header = ['', 'median', '90 %', 'worst', 'above 1', 'above 10', 'above 100', 'failed', 'cases']
  const rows = methods.flatMap((method) => {
    const errors = scores.filter((score) => score.method === method).map(({ error }) => error)
    if (errors.length === 0) return []
    const { median, ninety, worst, above1, above10, above100, failed, cases } = summarize(errors)
    const wider = method.widened(dtype, quantity)
    const name = wider ? `${method.name} (in ${wider})` : method.name
    return [
      [
        name,
        ...[median, ninety, worst].map(figure),
        ...[above1, above10, above100, failed, cases].map(String),
      ],
    ]
  })
  return markdownTable([header, ...rows])
}

/**
 * How much of a set each method holds, over all dtypes.
 *
 * @param {Score[]} scores
 * @param {Method[]} methods
 */
export function overview(scores, methods) {
  const header = ['', ...quantities.map((quantity) => quantityTitles[quantity])]
  const rows = methods.map((method) => [
    method.name,
    ...quantities.map((quantity) => {
      const own = scores.filter((score) => score.method === method && score.quantity === quantity)
      if (own.length === 0) return ''
      return `${own.filter(({ error }) => error > bound).length} of ${own.length}`
    }),
  ])
  return markdownTable([header, ...rows])
}

/** @param {Planned[]} planned */
export function caseTable(planned) {
  const header = ['case', 'dtype', 'n', 'quantity', 'condition', 'error', 'plan']
  const rows = planned.map(({ example, quantity, error, plan }) => [
    shortName(example),
    example.dtype,
    String(example.n),
    quantity,
    figure(example.condition),
    figure(error),
    plan,
  ])
  return markdownTable([header, ...rows], [2, 4, 5])
}

/**
 * Without the dtype that every name ends with.
 *
 * @param {import('./cases.mjs').Case} example
 */
export function shortName({ name, dtype }) {
  return name.replace(new RegExp(`, ${dtype}$`), '')
}

/**
 * Two significant digits, in words where there are none.
 *
 * @param {number} x
 */
export function figure(x) {
  if (x === Infinity) return 'failed'
  if (x === 0) return '0'
  if (x >= 0.01 && x < 1000) return x >= 100 ? x.toFixed(0) : String(Number(x.toPrecision(2)))
  return x.toExponential(1).replace('+', '').replace('.0e', 'e')
}
