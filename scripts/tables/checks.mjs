/**
 * Every table of coefficients.hpp against its derivation.
 *
 * @typedef {import('./derived.mjs').Precision} Precision
 *
 * @typedef {object} Finding
 * @property {string} table
 * @property {string} found what was shown, for people
 * @property {string[]} errors each names its culprit; empty where the table is right
 */

import { checkPade, checkSumScheme, checkT8 } from './coefficient-checks.mjs'
import { derivedThreshold, double, single } from './derived.mjs'
import { plainText, readThresholds } from './header.mjs'
import { fifteenPlus, twentyOnePlus } from './sum-schemes.mjs'

const padeDegrees = [3, 5, 7, 9, 13]

/**
 * @param {string} text
 * @param {string} table
 * @param {'polynomial' | 'pade'} kind
 * @param {readonly number[]} degrees
 * @param {Precision} precision
 * @returns {Finding}
 */
function checkThresholds(text, table, kind, degrees, { u }) {
  const rows = readThresholds(text, table, degrees)
  let slack = 0
  const errors = rows.flatMap((row, i) =>
    /** @type {const} */ (['theta', 'ell']).flatMap((purpose) => {
      const stored = row[purpose]
      const derived = derivedThreshold(kind, degrees[i], purpose, u)
      slack = Math.max(slack, 1 - stored / derived)
      const problem = stored > derived ? 'large' : stored < derived * (1 - 1e-7) ? 'small' : ''
      return problem
        ? [`${table} degree ${degrees[i]} ${purpose} = ${stored} is too ${problem}: ${derived}`]
        : []
    }),
  )
  const found = `theta and ell for degrees ${degrees.join(', ')}, below the derived by at most a relative ${slack.toExponential(1)}`
  return { table, found, errors }
}

/**
 * @param {string} source the text of coefficients.hpp
 * @returns {Finding[]} one for each table, also for one that is missing
 */
export function checkTables(source) {
  const text = plainText(source)
  /** @type {Record<string, (table: string) => Finding>} */
  const checks = {
    T8: () => checkT8(text),
    kFifteenPlus: () => checkSumScheme(text, fifteenPlus),
    kTwentyOnePlus: () => checkSumScheme(text, twentyOnePlus),
    ...Object.fromEntries(padeDegrees.map((m) => [`kPade<R, ${m}>`, (table) => checkPade(text, table, m)])),
    'kPolynomialThresholds<double>': (table) =>
      checkThresholds(text, table, 'polynomial', [1, 2, 4, 8, 15, 21], double),
    'kPolynomialThresholds<float>': (table) =>
      checkThresholds(text, table, 'polynomial', [1, 2, 4, 8, 15], single),
    'kPadeThresholds<double>': (table) => checkThresholds(text, table, 'pade', padeDegrees, double),
    'kPadeThresholds<float>': (table) => checkThresholds(text, table, 'pade', padeDegrees, single),
  }
  return Object.entries(checks).map(([table, check]) => {
    try {
      return check(table)
    } catch (error) {
      return { table, found: '', errors: [`${table}: ${/** @type {Error} */ (error).message}`] }
    }
  })
}
