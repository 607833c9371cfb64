/** Medians and quartiles. */

/**
 * @typedef {object} Spread
 * @property {number} q1
 * @property {number} median
 * @property {number} q3
 */

/**
 * Quartiles by linear interpolation between the sorted samples.
 *
 * @param {number[]} samples at least one
 * @returns {Spread}
 */
export function spreadOf(samples) {
  if (samples.length === 0) throw new RangeError('no samples have no median')
  const sorted = [...samples].sort((a, b) => a - b)
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share))
  return { q1, median, q3 }
}

/**
 * @param {number[]} sorted
 * @param {number} share of the samples that are not larger
 */
function quantile(sorted, share) {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (at - below) * (sorted[above] - sorted[below])
}

/**
 * The quotients of two contenders' samples, round by round: what disturbs the machine for longer than a round disturbs
 * both, and cancels.
 *
 * @param {(number | undefined)[]} over by round; undefined where the contender sat out
 * @param {(number | undefined)[]} under
 * @returns {Spread | undefined} undefined where they never met
 */
export function ratioOf(over, under) {
  const quotients = over.flatMap((sample, round) => {
    const other = under[round]
    return sample === undefined || other === undefined ? [] : [sample / other]
  })
  return quotients.length === 0 ? undefined : spreadOf(quotients)
}
