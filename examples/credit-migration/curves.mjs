/** Default curves: from transition matrices to cumulative default probabilities with bands. */
import { createNpy, openNpy } from 'matfun/npy'

/** Quantiles that bound the band, which so holds 90 % of the resamples. */
const lowQuantile = 0.05
const highQuantile = 0.95

/**
 * The cumulative default probability of a rating after some years: that of the fitted generator, and the band of the
 * resamples.
 *
 * @typedef {{ rating: string, year: number, probability: number, low: number, high: number }} Point
 */

/**
 * The stack t Q for t = 1 to `years` of one generator.
 *
 * @param {Float64Array} generator shape [n, n]
 * @param {number} years
 * @returns {Float64Array} shape [years, n, n]
 */
export function timesYears(generator, years) {
  const stack = new Float64Array(years * generator.length)
  for (let t = 1; t <= years; t++)
    stack.set(
      generator.map((entry) => t * entry),
      (t - 1) * generator.length,
    )
  return stack
}

/**
 * Writes t Q for every generator Q and t = 1 to `years` as one stack of shape [count, years, n, n].
 *
 * @param {string} path
 * @param {Float64Array} generators shape [count, n, n]
 * @param {number} n
 * @param {number} years
 */
export function writeTimesYears(path, generators, n, years) {
  const size = n * n
  const count = generators.length / size
  const writer = createNpy(path, 'float64', [count, years, n, n])
  for (let k = 0; k < count; k++)
    writer.write(timesYears(generators.subarray(k * size, (k + 1) * size), years))
  writer.finish()
}

/**
 * @param {readonly string[]} ratings the last of them default
 * @param {Float64Array} fitted exp(tQ) of the fitted generator for t = 1, 2, ..., shape [years, n, n]
 * @param {string} path of a file with the same of every resample, shape [resamples, years, n, n]
 * @returns {Point[]} by rating, then by year
 */
export function defaultCurves(ratings, fitted, path) {
  const n = ratings.length
  const years = fitted.length / (n * n)
  const samples = readDefaults(path, n, years)
  return ratings.slice(0, -1).flatMap((rating, i) =>
    Array.from({ length: years }, (_, t) => {
      const sorted = samples[i * years + t].sort()
      return {
        rating,
        year: t + 1,
        probability: fitted[(t * n + i + 1) * n - 1],
        low: quantile(sorted, lowQuantile),
        high: quantile(sorted, highQuantile),
      }
    }),
  )
}

/**
 * Reads the last column, default, of every matrix.
 *
 * @param {string} path
 * @param {number} n
 * @param {number} years
 * @returns {Float64Array[]} for each rating and year the probabilities of all resamples
 */
function readDefaults(path, n, years) {
  const reader = openNpy(path)
  try {
    const resamples = reader.count / years
    const samples = Array.from({ length: (n - 1) * years }, () => new Float64Array(resamples))
    for (let r = 0; r < resamples; r++) {
      const matrices = reader.read(r * years, (r + 1) * years)
      for (let i = 0; i < n - 1; i++)
        for (let t = 0; t < years; t++) samples[i * years + t][r] = matrices[(t * n + i + 1) * n - 1]
    }
    return samples
  } finally {
    reader.close()
  }
}

/**
 * A quantile, with linear interpolation between the two values that it falls between.
 *
 * @param {Float64Array} sorted
 * @param {number} share from 0 to 1
 */
function quantile(sorted, share) {
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const above = Math.ceil(place)
  return sorted[below] + (place - below) * (sorted[above] - sorted[below])
}
