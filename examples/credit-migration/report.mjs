/** The text on the terminal. */

/** @param {number} value */
export function count(value) {
  return Math.round(value).toLocaleString('en-US')
}

/**
 * A table of cumulative default probabilities in percent, bands in brackets.
 *
 * @param {import('./curves.mjs').Point[]} points
 * @param {number[]} horizons in years
 */
export function curveTable(points, horizons) {
  const ratings = [...new Set(points.map(({ rating }) => rating))]
  const header = ['', ...horizons.map((year) => (year === 1 ? '1 year' : `${year} years`))]
  const rows = ratings.map((rating) => [
    rating,
    ...horizons.map((year) => {
      const point = points.find((p) => p.rating === rating && p.year === year)
      if (!point) throw new Error(`no point for ${rating} after ${year} years`)
      const band = `[${percent(point.low).padStart(5)}, ${percent(point.high).padStart(5)}]`
      return `${percent(point.probability).padStart(5)} ${band}`
    }),
  ])
  return alignColumns([header, ...rows])
}

/** @param {number} probability */
function percent(probability) {
  return probability < 0.00005 ? '<0.01' : (100 * probability).toFixed(2)
}

/**
 * Rows of cells as lines, the first column to the left, the others to the right.
 *
 * @param {string[][]} rows
 */
export function alignColumns(rows) {
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => row[k].length)))
  const lines = rows.map((row) =>
    row.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k]))).join('   '),
  )
  return lines.map((line) => `  ${line}`.trimEnd()).join('\n')
}

/**
 * Shows a line on a terminal that each next one replaces; nothing where the stream is no terminal.
 *
 * @param {NodeJS.WriteStream} stream
 * @returns {{ show: (line: string) => void, clear: () => void }}
 */
export function statusLine(stream) {
  if (!stream.isTTY) return { show() {}, clear() {} }
  return {
    show(line) {
      stream.write(`\r\u001b[K${line}`)
    },
    clear() {
      stream.write('\r\u001b[K')
    },
  }
}
