/**
 * What the tables are compared with, each computed once.
 *
 * @typedef {import('./polynomial.mjs').Polynomial} Polynomial
 * @typedef {import('./backward-error.mjs').Purpose} Purpose
 */

import { backwardErrorSeries, largestNorm } from './backward-error.mjs'
import { BITS, divide, ONE } from './fixed.mjs'
import { padeIntegers, reflect, scale, taylor } from './polynomial.mjs'
import { fifteenPlus, solveSumScheme, twentyOnePlus } from './sum-schemes.mjs'

/** @typedef {{ name: 'double' | 'float', u: number, round: (x: number) => number }} Precision */

/** @type {Precision} */
export const double = { name: 'double', u: 2 ** -53, round: (x) => x }
/** @type {Precision} */
export const single = { name: 'float', u: 2 ** -24, round: Math.fround }

/**
 * @template {unknown[]} Args
 * @template Result
 * @param {(...args: Args) => Result} derive
 * @returns {(...args: Args) => Result} the same, computed once for each list of arguments
 */
function once(derive) {
  /** @type {Map<string, Result>} */
  const known = new Map()
  return (...args) => {
    const key = args.join()
    if (!known.has(key)) known.set(key, derive(...args))
    return /** @type {Result} */ (known.get(key))
  }
}

export const solutionOf = once((/** @type {15 | 21} */ degree) =>
  solveSumScheme(degree === 15 ? fifteenPlus : twentyOnePlus),
)

/** @param {Polynomial} numerator @returns {readonly [Polynomial, Polynomial]} p(x) and p(-x), scaled to p(0) = 1 */
export function padePair(numerator) {
  const p = scale(divide(ONE, numerator[0]), numerator)
  return [p, reflect(p)]
}

const polynomialSeries = once((/** @type {number} */ degree) => {
  if (degree < 15) return backwardErrorSeries(taylor(degree), [ONE])
  const { expand } = degree === 15 ? fifteenPlus : twentyOnePlus
  const beyond = expand(solutionOf(degree === 15 ? 15 : 21)).slice(degree + 1)
  return backwardErrorSeries([...taylor(degree), ...beyond], [ONE])
})

const padeSeries = once((/** @type {number} */ m) =>
  backwardErrorSeries(...padePair(padeIntegers(m).map((integer) => integer << BITS))),
)

export const derivedThreshold = once(
  (
    /** @type {'polynomial' | 'pade'} */ kind,
    /** @type {number} */ degree,
    /** @type {Purpose} */ purpose,
    /** @type {number} */ u,
  ) => largestNorm(kind === 'pade' ? padeSeries(degree) : polynomialSeries(degree), purpose, u),
)
