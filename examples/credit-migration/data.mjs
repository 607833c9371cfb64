/** Ratings from best to worst; the last, D, is default, which no firm leaves. */
export const ratings = ['AAA', 'AA', 'A', 'BBB', 'BB', 'B', 'CCC', 'D']

/** A table of numbers and where it was published. */
export const oneYear = {
  source: 'CreditMetrics Technical Document (J.P. Morgan, 1997), table 1.1, from S&P data',
  /**
   * In percent: row = rating now, column = rating in a year. The source's rounding leaves row B at 99.99 and row CCC
   * at 100.01.
   */
  percent: [
    [90.81, 8.33, 0.68, 0.06, 0.12, 0.0, 0.0, 0.0],
    [0.7, 90.65, 7.79, 0.64, 0.06, 0.14, 0.02, 0.0],
    [0.09, 2.27, 91.05, 5.52, 0.74, 0.26, 0.01, 0.06],
    [0.02, 0.33, 5.95, 86.93, 5.3, 1.17, 0.12, 0.18],
    [0.03, 0.14, 0.67, 7.73, 80.53, 8.84, 1.0, 1.06],
    [0.0, 0.11, 0.24, 0.43, 6.48, 83.46, 4.07, 5.2],
    [0.22, 0.0, 0.22, 1.3, 2.38, 11.24, 64.86, 19.79],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 100.0],
  ],
}

/** A published yearly generator, estimated by its authors from other data than the table above. */
export const published = {
  source: 'Jarrow, Lando, Turnbull, Review of Financial Studies 10 (1997) 481-523, table 3',
  generator: [
    [-0.1153, 0.1019, 0.0083, 0.002, 0.0031, 0.0, 0.0, 0.0],
    [0.0091, -0.1043, 0.0787, 0.0105, 0.003, 0.003, 0.0, 0.0],
    [0.001, 0.0309, -0.1172, 0.0688, 0.0107, 0.0048, 0.0, 0.001],
    [0.0007, 0.0047, 0.0713, -0.1711, 0.0701, 0.0174, 0.002, 0.0049],
    [0.0005, 0.0025, 0.0089, 0.0813, -0.253, 0.1181, 0.0144, 0.0273],
    [0.0, 0.0021, 0.0034, 0.0073, 0.0568, -0.1929, 0.0479, 0.0753],
    [0.0, 0.0, 0.0142, 0.0142, 0.025, 0.0928, -0.4318, 0.2856],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
  ],
}

/**
 * The one-year table as probabilities, its rows normalised to sum to 1.
 *
 * @returns {Float64Array} row-major, 8 x 8
 */
export function oneYearTable() {
  const normalised = oneYear.percent.flatMap((row) => {
    const total = row.reduce((sum, entry) => sum + entry, 0)
    return row.map((entry) => entry / total)
  })
  return Float64Array.from(normalised)
}
