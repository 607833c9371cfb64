/**
 * Polynomials as arrays of fixed-point coefficients, lowest degree first, and the ones that stand behind the tables:
 * each evaluation scheme expanded, the Taylor polynomials and the Padé numerators.
 *
 * @typedef {import('./fixed.mjs').Fixed} Fixed
 * @typedef {readonly Fixed[]} Polynomial
 */

import { divide, fraction, multiply, ONE, squareRoot } from './fixed.mjs'

/** @param {Fixed} coefficient @param {number} degree @returns {Polynomial} */
const monomial = (coefficient, degree) => [...new Array(degree).fill(0n), coefficient]

/** @param {...Polynomial} terms @returns {Polynomial} */
export const sum = (...terms) =>
  Array.from({ length: Math.max(...terms.map((term) => term.length)) }, (_, k) =>
    terms.reduce((total, term) => total + (term[k] ?? 0n), 0n),
  )

/** @param {Fixed} factor @param {Polynomial} p @returns {Polynomial} */
export const scale = (factor, p) => p.map((coefficient) => multiply(factor, coefficient))

/** @param {Polynomial} p @param {Polynomial} q @returns {Polynomial} */
export function product(p, q) {
  const result = new Array(p.length + q.length - 1).fill(0n)
  for (let i = 0; i < p.length; i++) {
    for (let j = 0; j < q.length; j++) result[i + j] += multiply(p[i], q[j])
  }
  return result
}

/** @param {Polynomial} p @returns {Polynomial} its derivative */
export const derivative = (p) => p.slice(1).map((coefficient, k) => coefficient * BigInt(k + 1))

/** @param {Polynomial} p @returns {Polynomial} p(-x) */
export const reflect = (p) => p.map((coefficient, k) => (k % 2 ? -coefficient : coefficient))

/** @param {number} n @returns {bigint} n! */
export const factorial = (n) => (n < 2 ? 1n : BigInt(n) * factorial(n - 1))

/** @param {number} degree @returns {Polynomial} 1/k! for k up to the degree */
export const taylor = (degree) => Array.from({ length: degree + 1 }, (_, k) => fraction(1, factorial(k)))

/**
 * @param {number} m
 * @returns {bigint[]} the numerator of the [m/m] Padé approximant to exp, scaled to integers with b_m = 1
 */
export function padeIntegers(m) {
  return Array.from({ length: m + 1 }, (_, k) => factorial(2 * m - k) / (factorial(m - k) * factorial(k)))
}

/**
 * T8's coefficients from their closed forms [Bader, Blanes, Casas 2019]; x3 is the paper's free parameter.
 *
 * @returns {Record<string, Fixed>}
 */
export function closedFormsOfT8() {
  const s = squareRoot(177)
  const x3 = fraction(2, 3)
  return {
    x1: multiply(x3, ONE + s) / 88n,
    x2: multiply(x3, ONE + s) / 352n,
    x3,
    x4: divide(29n * s - 271n * ONE, 315n * x3),
    x5: divide(11n * (s - ONE), 1260n * x3),
    x6: divide(11n * (s - 9n * ONE), 5040n * x3),
    x7: divide(89n * ONE - s, 5040n * multiply(x3, x3)),
    y2: (857n * ONE - 58n * s) / 630n,
  }
}

/** @param {Record<string, Fixed>} c @returns {Polynomial} T8, expanded */
export function expandT8(c) {
  const a4 = sum(monomial(c.x1, 3), monomial(c.x2, 4))
  const left = sum(monomial(c.x3, 2), a4)
  const right = sum([c.x4, c.x5, c.x6], scale(c.x7, a4))
  return sum([ONE, ONE, c.y2], product(left, right))
}

/** @param {readonly Fixed[]} c c[1..14], as the paper counts @returns {Polynomial} 15+, expanded: degree 16 */
export function expandFifteenPlus(c) {
  const y0 = sum(monomial(c[1], 4), monomial(c[2], 3))
  const y1 = sum(
    product(sum(y0, [0n, c[4], c[3]]), sum(y0, monomial(c[5], 2))),
    scale(c[6], y0),
    monomial(c[7], 2),
  )
  const last = product(sum(y1, [0n, c[9], c[8]]), sum(y1, scale(c[10], y0), monomial(c[11], 1)))
  return sum(last, scale(c[12], y1), scale(c[13], y0), [ONE, ONE, c[14]])
}

/** @param {readonly Fixed[]} c c[1..20], as the paper counts @returns {Polynomial} 21+, expanded: degree 24 */
export function expandTwentyOnePlus(c) {
  const y0 = sum(monomial(c[1], 6), monomial(c[2], 5), monomial(c[3], 4))
  const y1 = sum(product(sum(y0, [0n, c[6], c[5], c[4]]), sum(y0, [0n, 0n, c[8], c[7]])), scale(c[9], y0), [
    0n,
    0n,
    c[11],
    c[10],
  ])
  const last = product(sum(y1, [0n, c[14], c[13], c[12]]), sum(y1, scale(c[15], y0), monomial(c[16], 1)))
  return sum(last, scale(c[17], y1), scale(c[18], y0), [ONE, ONE, c[20], c[19]])
}
