/**
 * A table whose columns are aligned, so that it reads on a terminal too.
 *
 * @param {string[][]} rows the header first
 * @param {number[]} [right] columns set to the right; all but the first where not said
 */
export function markdownTable(rows, right = rows[0].map((_, k) => k).slice(1)) {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = escaped[0].map((_, k) => Math.max(3, ...escaped.map((row) => row[k].length)))
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  const [header, ...body] = escaped.map((row) =>
    line(row.map((cell, k) => (right.includes(k) ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))),
  )
  const rule = `|${widths.map((width, k) => (right.includes(k) ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  return [header, rule, ...body].join('\n')
}
