/** Resampled tables: what other histories of as many firms could have shown. */

/**
 * A generator of random numbers, uniform on [0, 1) in steps of 2^-32; the same seed gives the same numbers everywhere.
 * xoshiro128** of Blackman and Vigna (ACM Transactions on Mathematical Software 47 (2021) 36).
 *
 * @param {number} seed integer from 0 to 2^32 - 1
 * @returns {() => number}
 */
export function seededRandom(seed) {
  // The four words are hashes of neighbouring numbers: distinct, so never all zero, and unlike those of the next seed.
  let [a, b, c, d] = [1, 2, 3, 4].map((k) => mix(seed + Math.imul(k, 0x9e3779b9)))
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotateLeft(d, 11)
    return result / 2 ** 32
  }
}

/**
 * @param {number} x
 * @param {number} bits
 */
function rotateLeft(x, bits) {
  return (x << bits) | (x >>> (32 - bits))
}

/**
 * The one-to-one hash of 32 bits that ends MurmurHash3.
 *
 * @param {number} x
 */
function mix(x) {
  let y = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  y = Math.imul(y ^ (y >>> 13), 0xc2b2ae35)
  return y ^ (y >>> 16)
}

/**
 * Draws tables by a parametric bootstrap: in each, `cohort` firms of every rating migrate by the given table
 * independently, and the shares of where they went are a row. The last row, default, stays as it is.
 *
 * @param {Float64Array} table shape [n, n], rows summing to 1
 * @param {number} n
 * @param {{ resamples: number, cohort: number, random: () => number }} options
 * @returns {Float64Array} shape [resamples, n, n]
 */
export function resampleTables(table, n, { resamples, cohort, random }) {
  const rows = Array.from({ length: n - 1 }, (_, i) => cumulate([...table.subarray(i * n, (i + 1) * n)]))
  const tables = new Float64Array(resamples * n * n)
  for (let r = 0; r < resamples; r++) {
    const first = r * n * n
    rows.forEach(({ targets, bounds }, i) => {
      for (let firm = 0; firm < cohort; firm++) {
        const u = random()
        let k = 0
        while (u >= bounds[k]) k++
        tables[first + i * n + targets[k]]++
      }
      for (let j = 0; j < n; j++) tables[first + i * n + j] /= cohort
    })
    tables[first + n * n - 1] = 1
  }
  return tables
}

/**
 * A row as the targets that have a chance, likeliest first so that most draws end at once, and their summed chances.
 *
 * @param {number[]} row
 */
function cumulate(row) {
  const targets = row.map((_, j) => j).filter((j) => row[j] > 0)
  targets.sort((j, k) => row[k] - row[j])
  let sum = 0
  const bounds = targets.map((j) => {
    sum += row[j]
    return sum
  })
  // The sum may round to just below 1; a draw above it belongs to the last target.
  bounds[bounds.length - 1] = 1
  return { targets, bounds }
}
