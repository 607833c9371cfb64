/** Errors of all methods on all cases, and what is said of them in numbers. */
import { quantities } from './cases.mjs'
import { errorInUnits, median } from './measure.mjs'

/** @typedef {import('./cases.mjs').Case} Case */
/** @typedef {import('./cases.mjs').DType} DType */
/** @typedef {import('./cases.mjs').Quantity} Quantity */
/** @typedef {import('./cases.mjs').Numbers} Numbers */
/** @typedef {import('./peers.mjs').Method} Method */

/**
 * One method's error on one case; Infinity where it failed.
 * @typedef {{ method: Method, example: Case, quantity: Quantity, error: number }} Score
 */

/**
 * @param {Method[]} methods
 * @param {Case[]} cases
 * @param {(example: Case) => Record<Quantity, Numbers>} truthOf
 * @returns {Score[]} none for what a method does not offer
 */
export function scoresOf(methods, cases, truthOf) {
  /** @type {Score[]} */
  const scores = []
  for (const example of cases) {
    const truth = truthOf(example)
    for (const quantity of quantities)
      for (const method of methods) {
        const X = method.result(example, quantity)
        if (X) scores.push({ method, example, quantity, error: errorInUnits(X, truth[quantity], example) })
      }
  }
  return scores
}

/**
 * Failed cases are in every number as infinite errors.
 *
 * @param {number[]} errors
 */
export function summarize(errors) {
  const sorted = [...errors].sort((a, b) => a - b)
  const above = (/** @type {number} */ bound) => sorted.filter((error) => error > bound).length
  return {
    median: median(errors),
    ninety: quantile(sorted, 0.9),
    worst: sorted[sorted.length - 1],
    above1: above(1),
    above10: above(10),
    above100: above(100),
    failed: sorted.filter((error) => error === Infinity).length,
    cases: sorted.length,
  }
}

/**
 * The smallest error that so many of the cases do not exceed.
 *
 * @param {number[]} sorted
 * @param {number} share
 */
function quantile(sorted, share) {
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)]
}

/** What matfun promises, in units. */
export const bound = 10

/** Below a quarter of a unit methods are alike: there luck decides, down to errors of 0. */
const floor = 0.25

/**
 * Dolan's and Moré's performance profile: the share of cases in which a method's error is within a factor tau of the
 * least error that any method has there.
 *
 * @param {Score[]} scores of one quantity
 * @param {number[]} factors
 * @returns {{ method: Method, factor: number, share: number }[]} a method that lacks some of the cases is left out
 */
export function performanceProfile(scores, factors) {
  /** @type {Map<Case, number>} */
  const best = new Map()
  /** @type {Map<Method, Score[]>} */
  const byMethod = new Map()
  for (const score of scores) {
    best.set(score.example, Math.max(floor, Math.min(best.get(score.example) ?? Infinity, score.error)))
    byMethod.set(score.method, [...(byMethod.get(score.method) ?? []), score])
  }
  return [...byMethod]
    .filter(([, own]) => own.length === best.size)
    .flatMap(([method, own]) => {
      const ratios = own.map(({ example, error }) => Math.max(error, floor) / (best.get(example) ?? floor))
      return factors.map((factor) => ({
        method,
        factor,
        share: ratios.filter((ratio) => ratio <= factor).length / ratios.length,
      }))
    })
}
