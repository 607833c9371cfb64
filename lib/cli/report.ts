import type { Failure } from '../errors.ts'
import type { ChunksSummary } from './chunks.ts'
import type { ConvertSummary } from './convert.ts'
import type { SelfCheck } from './doctor.ts'
import { showShape } from './files.ts'
import type { JobSummary } from './job.ts'
import type { PlanSummary } from './plan.ts'

/** What a job prints without --json. Every failure is named. */
export function reportJob(summary: JobSummary): string {
  const { operation, order, shape, count, resumed, seconds, matricesPerSecond, outputs, failures } = summary
  const earlier = resumed > 0 ? `, ${showCount(resumed)} of them by an earlier run, the others` : ''
  const lines = [
    `${operation}: ${countMatrices(count, order)}${earlier} in ${showSeconds(seconds)}, ${showCount(matricesPerSecond)} per second`,
    `wrote ${outputs.join(' and ')}, result of shape ${showShape(shape)}`,
  ]
  if (failures.length > 0)
    lines.push(`${showCount(failures.length)} failed, with NaN in their places:`, ...listFailures(failures))
  return `${lines.join('\n')}\n`
}

/** What `run` prints without --json. Every failure is named. */
export function reportChunks(summary: ChunksSummary): string {
  const { operation, order, shape, count, chunks, present, seconds, outputs, failures } = summary
  const were = present > 0 ? `, of which ${showCount(present)} were there already` : ''
  const lines = [
    `${operation}: ${countMatrices(count, order)} in ${countChunks(chunks)}${were}, ${showSeconds(seconds)}, ` +
      `${showCount(summary.matricesPerSecond)} per second`,
    `wrote ${outputs.join(' and ')}, result of shape ${showShape(shape)}, as job ${summary.job}`,
  ]
  if (failures.length > 0)
    lines.push(`${showCount(failures.length)} failed, with NaN in their places:`, ...listFailures(failures))
  return `${lines.join('\n')}\n`
}

/** What `convert` prints without --json. */
export function reportConversion({ outputs, dtype, shape, chunks, seconds }: ConvertSummary): string {
  const how = `${dtype} of shape ${showShape(shape)}, ${showCount(chunks)} chunks`
  return `wrote ${outputs[0]}, ${how}, in ${showSeconds(seconds)}\n`
}

/** What `plan` prints without --json: one line for each way. */
export function reportPlan({ count, shape, purpose, plans, failures }: PlanSummary): string {
  const what = purpose === 'value' ? 'expm' : "expm's derivatives"
  const lines = [`plan of ${what} for ${countMatrices(count, shape.at(-1)!)}`]
  const header = ['matrices', 'method', 'degree', 'products', 'squarings', 'form', 'balanced', 'shifted']
  header.push('norm up to')
  const rows = plans.map((group) => [
    showCount(group.count),
    group.method,
    String(group.degree),
    String(group.products),
    String(group.squarings),
    group.form,
    group.balanced ? 'yes' : 'no',
    group.shifted ? 'yes' : 'no',
    group.norm.toPrecision(4),
  ])
  if (rows.length > 0) lines.push(...table([header, ...rows]))
  if (failures.length > 0)
    lines.push(`${showCount(failures.length)} have no plan:`, ...listFailures(failures))
  return `${lines.join('\n')}\n`
}

/** What `info` prints without --json: a line for each fact, its name with dots for what it belongs to. */
export function reportInfo(facts: object): string {
  return table(flatten(facts), 'left')
    .map((line) => `${line}\n`)
    .join('')
}

/** How the installation is, below its facts: the self-check, result by result where it failed, and advice. */
export function reportHealth({ passed, results }: SelfCheck, advice: readonly string[]): string {
  const lines = ['']
  if (passed) {
    const worst = Math.max(...results.map(({ value, gradient }) => Math.max(value, gradient)))
    lines.push(
      `self-check: ${results.length} stacks right, values and gradients, to ${worst.toFixed(1)} cond u`,
    )
  } else {
    lines.push('self-check: FAILED; errors of values and gradients in units of cond u:')
    const rows = results.map((result) => [
      result.name,
      result.value.toPrecision(2),
      result.gradient.toPrecision(2),
      result.passed ? 'right' : 'WRONG',
    ])
    lines.push(...table(rows, 'left'))
  }
  lines.push(...advice.map((text) => `advice: ${text}`))
  return `${lines.join('\n')}\n`
}

/** A count with its thousands apart, rounded. */
export function showCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A duration, short. */
export function showSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

function countMatrices(count: number, order: number): string {
  return `${showCount(count)} ${count === 1 ? 'matrix' : 'matrices'} of order ${order}`
}

/** A number of chunks, in words. */
export function countChunks(chunks: number): string {
  return `${showCount(chunks)} ${chunks === 1 ? 'chunk' : 'chunks'}`
}

/** One line for each code, with neighbouring places as ranges: `  ERR_OVERFLOW: 3, 17-19`. */
function listFailures(failures: readonly Failure[]): string[] {
  const ranges = new Map<string, [first: number, last: number][]>()
  for (const { index, code } of failures) {
    const known = ranges.get(code) ?? []
    const latest = known.at(-1)
    if (latest !== undefined && latest[1] === index - 1) latest[1] = index
    else known.push([index, index])
    ranges.set(code, known)
  }
  return [...ranges].map(([code, list]) => {
    const places = list.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    return `  ${code}: ${places.join(', ')}`
  })
}

function table(rows: readonly (readonly string[])[], align: 'left' | 'right' = 'right'): string[] {
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => row[k].length)))
  const pad = (cell: string, k: number): string =>
    align === 'right' ? cell.padStart(widths[k]) : cell.padEnd(widths[k])
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd())
}

function flatten(facts: object, prefix = ''): [string, string][] {
  return Object.entries(facts).flatMap(([name, fact]): [string, string][] =>
    typeof fact === 'object' && fact !== null
      ? flatten(fact, `${prefix}${name}.`)
      : [[`${prefix}${name}`, String(fact)]],
  )
}
