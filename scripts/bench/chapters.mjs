/** The chapters of docs/performance.md: one for each suite, with a section for each machine. */
import { markdownTable } from '../reports/markdown-table.mjs'
import { drawCurves } from './chart.mjs'
import { limits } from './explanation.mjs'
import { spreadOf } from './statistics.mjs'
import { ratio, sections } from './table.mjs'
import { timeSections } from './times.mjs'

/** @typedef {import('./report.mjs').LineReport} LineReport */
/** @typedef {import('./report.mjs').Report} Report */

/**
 * @typedef {object} Chapter
 * @property {import('./suites.mjs').SuiteName} suite
 * @property {string} title
 * @property {(report: Report) => string} figures of one machine
 * @property {(report: Report) => Promise<string>} draw
 * @property {string} [after] what is said beside the figures
 */

/** @type {Chapter[]} */
export const chapters = [
  {
    suite: 'single',
    title: 'One matrix',
    figures: (report) => machineSection(report, 'Time over the order, relative to matfun'),
    draw: ({ lines, machine }) =>
      drawCurves(
        relativeTimes(lines, ({ norm }) => `1-norm ${norm}`),
        {
          title: 'exp(A) of one matrix on one thread',
          subtitle: [`Double precision, ${machine.processor}; medians, lower is better`],
          axis: 'relativeTime',
        },
      ),
  },
  {
    suite: 'derivative',
    title: 'Value and derivative',
    figures: (report) => machineSection(report, 'Time over the order, relative to matfun'),
    draw: ({ lines, machine }) =>
      drawCurves(
        relativeTimes(lines, ({ operation }) => panelNames[operation]),
        {
          title: 'Value and derivative of one matrix on one thread',
          subtitle: [`Double precision, 1-norm 1, ${machine.processor}; medians, lower is better`],
          axis: 'relativeTime',
        },
      ),
  },
  {
    suite: 'batch',
    title: 'Batches',
    figures: (report) => machineSection(report, 'Matrices per second over the order'),
    draw: drawBatch,
    after: limits,
  },
]

const panelNames = { value: 'exp(A)', jvp: 'exp(A) and L(A, E)', vjp: 'exp(A) and L(Aᴴ, W)' }

/** @param {Report} report */
export function tablesOf({ suite, lines, settings }) {
  return suite === 'batch' ? sections(lines, settings.threads) : timeSections(lines, settings.threads)
}

/** @param {Report} report */
export function drawBatch({ lines, machine }) {
  const points = /** @type {const} */ (['value', 'vjp']).flatMap((operation) =>
    curves(
      lines.filter((line) => line.operation === operation && line.norm === 1),
      panelNames[operation],
      ({ median }) => median,
    ),
  )
  return drawCurves(points, {
    title: 'Batches of small matrices on one thread',
    subtitle: [`Double precision, 1-norm 1, ${machine.processor}; medians`],
    axis: 'speed',
  })
}

/**
 * @param {LineReport[]} lines
 * @param {(line: LineReport) => string} panelOf
 */
function relativeTimes(lines, panelOf) {
  const panels = [...new Set(lines.map(panelOf))]
  return panels.flatMap((panel) =>
    curves(
      lines.filter((line) => panelOf(line) === panel),
      panel,
      ({ median }, own) => own.median / median,
    ),
  )
}

/**
 * The points of a panel, float64 on one thread, of matfun and its peers.
 *
 * @param {LineReport[]} lines
 * @param {string} panel
 * @param {(result: import('./report.mjs').Result, own: import('./report.mjs').Result) => number} heightOf
 * @returns {import('./chart.mjs').Point[]}
 */
function curves(lines, panel, heightOf) {
  const shown = lines
    .filter(({ dtype }) => dtype === 'float64')
    .map(({ order, results }) => ({
      order,
      results: results.filter(({ role, threads }) => threads === 1 && (role === 'matfun' || role === 'peer')),
    }))
    .filter(({ results }) => results[0]?.role === 'matfun')
    .sort((a, b) => a.order - b.order)
  const names = [...new Set(shown.flatMap(({ results }) => results.map(({ name }) => name)))]
  return names.flatMap((method) =>
    shown.flatMap(({ order, results }) =>
      results
        .filter(({ name }) => name === method)
        .map((result) => ({ panel, method, order, value: heightOf(result, results[0]) })),
    ),
  )
}

/**
 * @param {Report} report
 * @param {string} picture in words
 */
function machineSection(report, picture) {
  const { suite, lines, absent, name } = report
  // All lines of batches would be a book.
  const main =
    suite === 'batch' ? lines.filter(({ dtype, norm }) => dtype === 'float64' && norm === 1) : lines
  const tables = tablesOf({ ...report, lines: main }).map(({ title, table }) => `**${title}**\n\n${table}`)
  const leads = `**matfun's speed over that of the best peer, one thread**\n\n${leadTable(lines)}`
  const parts = [
    `### ${report.machine.processor}`,
    `![${picture}](benchmarks/${suite}-${name}.svg)`,
    markdownTable([['', ''], ...machineRows(report)], []),
    ...(absent.length > 0 ? [`Not found there: ${absent.join(', ')}.`] : []),
    ...tables,
    ...(suite === 'batch' ? [leads] : []),
    behind(lines),
    ...notMeasured(report),
    // Batches of before had inputs of another kind for their seed.
    ...(lines.every(({ measured }) => measured)
      ? [
          `Again: \`npm run bench -- ${suite} --seed ${report.settings.seed}\`, and one line with \`--orders\`, \`--dtypes\`, \`--norms\` and \`--operations\` besides.`,
        ]
      : []),
  ]
  return parts.join('\n\n')
}

/**
 * @param {Report} report
 * @returns {string[]}
 */
function notMeasured({ suite, without }) {
  if (suite === 'batch' || without.length === 0) return []
  const reasons = without.map(
    ({ contender, why, lines }) => `- ${contender}: ${why} (${lines} ${lines === 1 ? 'line' : 'lines'})`,
  )
  return [`Not measured:\n\n${reasons.join('\n')}`]
}

/**
 * @param {Report} report
 * @returns {[string, string][]}
 */
export function machineRows({ machine, matfun, coreType, about, date, settings, lines }) {
  const { blas, kernels } = matfun
  const told = { bench: ', set by the benchmark', user: '' }[coreType?.setBy ?? 'user'] ?? ''
  const set = coreType ? ` (OPENBLAS_CORETYPE=${coreType.value}${told})` : ''
  return [
    ['processor', `${machine.processor}, ${machine.cores} cores, ${machine.caches.join(', ')}`],
    ...peakRow(lines),
    ['system', `${machine.system}, ${machine.memoryGiB} GiB, Node ${machine.node}`],
    ['matfun', `kernels ${kernels}; OpenBLAS ${blas.version}, kernels for ${blas.core}${set}`],
    ...Object.entries(about).map(
      ([name, ranOn]) => /** @type {[string, string]} */ ([name, ranOn.join(', ')]),
    ),
    [
      'measured',
      `${date.slice(0, 10)}, seed ${settings.seed}, ${settings.secondsPerLine} s a line${settings.cpuTime ? ', by processor time' : ''}`,
    ],
    [
      'load',
      `${machine.load.before} before, ${machine.load.after} after (processes; the benchmark's own is 1 or 2)`,
    ],
  ]
}

/**
 * What one core's multiply-adds reached, where that was measured.
 *
 * @param {LineReport[]} lines
 * @returns {[string, string][]}
 */
function peakRow(lines) {
  const peaks = lines
    .filter(({ dtype }) => dtype === 'float64')
    .flatMap(({ results }) => results)
    .filter(({ role, name, threads }) => role === 'bound' && name === 'peak' && threads === 1)
    .map(({ median }) => median / 1000)
  if (peaks.length === 0) return []
  return [
    ['multiply-adds', `${spreadOf(peaks).median.toPrecision(3)} GFLOP/s of one thread in registers, float64`],
  ]
}

/** @param {LineReport[]} lines */
function leadTable(lines) {
  const orders = [...new Set(lines.map(({ order }) => order))].sort((a, b) => a - b)
  const columns = [...new Set(lines.map(column))]
  const rows = orders.map((order) => [
    String(order),
    ...columns.map((key) => {
      const line = lines.find((candidate) => candidate.order === order && column(candidate) === key)
      const lead = line?.leads.find(({ threads }) => threads === 1)
      return lead ? ratio(lead.median) : ''
    }),
  ])
  return markdownTable([['order', ...columns], ...rows])
}

/** @param {LineReport} line */
function column({ operation, dtype, norm }) {
  return `${operation} ${dtype} ${norm}`
}

/** @param {LineReport[]} lines */
function behind(lines) {
  const found = lines.flatMap((line) =>
    line.leads
      .filter(({ median }) => median < 1)
      .map(
        ({ threads, peer, median }) =>
          `- ${line.operation}, ${line.dtype}, order ${line.order}, 1-norm ${line.norm}, threads ${threads}: ${ratio(median)} times ${peer}`,
      ),
  )
  return found.length > 0
    ? `Where matfun does not lead:\n\n${found.join('\n')}`
    : 'There is no line in which matfun does not lead.'
}
