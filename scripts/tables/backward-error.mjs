/**
 * Norm bounds from the normwise backward error. For a rational r close to exp let h(x) = log(e^-x r(x)) = sum c_k x^k,
 * so that r(A) = exp(A + h(A)). The relative backward error of the value is at most sum |c_k| t^(k-1) for |A| <= t
 * (Higham 2005, doi 10.1137/04061101X; Al-Mohy and Higham 2009, doi 10.1137/09074721X), that of the derivative
 * sum k |c_k| t^(k-1) (Al-Mohy and Higham 2009, doi 10.1137/080716426).
 *
 * @typedef {import('./fixed.mjs').Fixed} Fixed
 * @typedef {import('./polynomial.mjs').Polynomial} Polynomial
 * @typedef {'theta' | 'ell'} Purpose
 */

import { abs, divide, fromDouble, multiply, toDouble } from './fixed.mjs'
import { derivative, product, sum } from './polynomial.mjs'

/**
 * The terms kept: enough where the terms at the bound fall geometrically, which `largestNorm` sees by the last 32 of
 * them adding less than 1e-12 u.
 */
const TERMS = 160

/**
 * @param {Polynomial} p
 * @param {Polynomial} q
 * @param {number} [terms]
 * @returns {Polynomial} c_0 .. c_terms of log(e^-x p(x)/q(x)), without the constant, by dividing series in
 * h' = (p'q - pq' - pq) / (pq)
 */
export function backwardErrorSeries(p, q, terms = TERMS) {
  const denominator = product(p, q)
  const minus = (/** @type {Polynomial} */ a) => a.map((coefficient) => -coefficient)
  const numerator = sum(
    product(derivative(p), q),
    q.length > 1 ? minus(product(p, derivative(q))) : [0n],
    minus(denominator),
  )
  /** @type {Fixed[]} */
  const slope = []
  for (let k = 0; k < terms; k++) {
    let rest = numerator[k] ?? 0n
    for (let j = 1; j <= k && j < denominator.length; j++) rest -= multiply(denominator[j], slope[k - j])
    slope.push(divide(rest, denominator[0]))
  }
  return [0n, ...slope.map((coefficient, k) => coefficient / BigInt(k + 1))]
}

/**
 * @param {Polynomial} series
 * @param {Purpose} purpose
 * @param {Fixed} t
 * @returns {Fixed} sum |c_k| t^(k-1), or sum k |c_k| t^(k-1) for the derivative
 */
export function backwardErrorBound(series, purpose, t) {
  let total = 0n
  for (let k = series.length - 1; k > 0; k--) {
    const weight = purpose === 'ell' ? BigInt(k) : 1n
    total = multiply(total, t) + weight * abs(series[k])
  }
  return total
}

/**
 * @param {Polynomial} series
 * @param {Purpose} purpose
 * @param {number} u the unit roundoff
 * @returns {number} the largest double t whose bound is at most u
 */
export function largestNorm(series, purpose, u) {
  const limit = fromDouble(u)
  const within = (/** @type {number} */ t) => backwardErrorBound(series, purpose, fromDouble(t)) <= limit
  let low = 2 ** -60
  let high = 16
  for (let middle = Math.sqrt(low * high); middle > low && middle < high; ) {
    if (within(middle)) low = middle
    else high = middle
    middle = high > 2 * low ? Math.sqrt(low * high) : (low + high) / 2
  }
  const all = backwardErrorBound(series, purpose, fromDouble(low))
  const lastTerms = all - backwardErrorBound(series.slice(0, -32), purpose, fromDouble(low))
  if (lastTerms * 10n ** 12n > limit) throw new Error(`the series of ${TERMS} terms is too short at ${low}`)
  return low
}

/**
 * @param {readonly [Polynomial, Polynomial]} approximant p and q from rounded coefficients
 * @param {number} order the degree up to which the ideal approximant has no backward error
 * @param {number} theta
 * @param {number} u
 * @returns {number} the backward error at theta that rounding the coefficients brings, in units of u
 */
export function roundingResidual(approximant, order, theta, u) {
  const series = backwardErrorSeries(...approximant, order)
  return toDouble(divide(backwardErrorBound(series, 'theta', fromDouble(theta)), fromDouble(u)))
}
