/**
 * The coefficients of the sum schemes 15+ and 21+ rederived: they have as many coefficients as the Taylor polynomial
 * has terms to match (x^2 to x^15 or x^21), so the conditions fix them once a branch is chosen. Three digits of each
 * choose the branch that [Sastre, Ibáñez, Defez 2019] published; Newton's method gives the rest.
 *
 * @typedef {import('./fixed.mjs').Fixed} Fixed
 * @typedef {import('./polynomial.mjs').Polynomial} Polynomial
 */

import { abs, BITS, divide, fromDouble, multiply, ONE } from './fixed.mjs'
import { expandFifteenPlus, expandTwentyOnePlus, taylor } from './polynomial.mjs'

/**
 * @typedef {object} SumScheme
 * @property {string} table the table's name in coefficients.hpp
 * @property {number} degree the last Taylor term that the scheme matches
 * @property {(c: readonly Fixed[]) => Polynomial} expand
 * @property {readonly number[]} branch the first digits of c[1..]
 * @property {Readonly<Record<number, bigint>>} lastDigitOff where the paper's last digit is not the rounded solution's:
 * the difference of magnitudes in units of that digit
 */

/** @type {SumScheme} */
export const fifteenPlus = {
  table: 'kFifteenPlus',
  degree: 15,
  expand: expandFifteenPlus,
  branch: [
    4.02e-4, 2.95e-3, -8.71e-3, 0.402, 3.23e-2, 5.77, 2.34e-2, 0.238, 2.22, -5.79, -4.13e-2, 10.4, -63.3,
    0.348,
  ],
  lastDigitOff: { 1: 1n, 13: -1n },
}

/** @type {SumScheme} */
export const twentyOnePlus = {
  table: 'kTwentyOnePlus',
  degree: 21,
  expand: expandTwentyOnePlus,
  branch: [
    1.16e-6, 4.5e-6, 5.37e-5, 2.01e-3, 6.97e-2, 0.942, 2.85e-3, -7.54e-3, 1.83, 3.15e-2, 0.139, -2.27e-3,
    -5.39e-2, 0.311, 9.34, 0.687, 3.23, -5.73, -1.41e-2, -0.164,
  ],
  lastDigitOff: { 3: 1n },
}

/**
 * @param {Fixed[][]} rows the matrix with the right-hand side as its last column; overwritten
 * @returns {Fixed[]} the solution, by elimination with row pivoting
 */
function solveLinear(rows) {
  const n = rows.length
  for (let k = 0; k < n; k++) {
    let pivot = k
    for (let i = k + 1; i < n; i++) if (abs(rows[i][k]) > abs(rows[pivot][k])) pivot = i
    ;[rows[k], rows[pivot]] = [rows[pivot], rows[k]]
    for (let i = k + 1; i < n; i++) {
      const factor = divide(rows[i][k], rows[k][k])
      for (let j = k; j <= n; j++) rows[i][j] -= multiply(factor, rows[k][j])
    }
  }
  /** @type {Fixed[]} */
  const x = new Array(n).fill(0n)
  for (let i = n - 1; i >= 0; i--) {
    const known = x.reduce((total, xj, j) => (j > i ? total + multiply(rows[i][j], xj) : total), 0n)
    x[i] = divide(rows[i][n] - known, rows[i][i])
  }
  return x
}

/**
 * @param {SumScheme} scheme
 * @returns {Fixed[]} its coefficients to about 100 digits, c[0] = 0; throws where Newton's method does not settle
 */
export function solveSumScheme({ table, degree, expand, branch }) {
  const target = taylor(degree)
  const step = 1n << (BITS / 2n)
  const settled = 1n << ((2n * BITS) / 3n)
  let c = [0n, ...branch.map(fromDouble)]
  for (let round = 0; round < 20; round++) {
    const here = expand(c)
    const columns = branch.map((_, j) => expand(c.with(j + 1, c[j + 1] + step)))
    const rows = branch.map((_, k) => [
      ...columns.map((column) => (column[k + 2] - here[k + 2]) * (ONE / step)),
      target[k + 2] - here[k + 2],
    ])
    const correction = [0n, ...solveLinear(rows)]
    c = c.map((value, j) => value + correction[j])
    if (correction.every((value) => abs(value) < settled)) return c
  }
  throw new Error(`${table}: Newton's method on the matching conditions did not settle`)
}
