/** docs/performance.md and its pictures, from what docs/benchmarks holds. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { markdownTable } from '../reports/markdown-table.mjs'
import { drawRates } from './chart.mjs'
import { checkReport } from './report.mjs'
import { ratio, sections } from './table.mjs'
import { targetsMachine } from './targets.mjs'

/** @typedef {import('./report.mjs').LineReport} LineReport */
/** @typedef {import('./report.mjs').Report} Report */

export const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
export const benchmarks = join(docs, 'benchmarks')

/** Writes both. */
export async function writeDocument() {
  const files = existsSync(benchmarks) ? readdirSync(benchmarks).sort() : []
  const reports = files
    .filter((file) => /^batch-.*\.json$/.test(file))
    .map((file) => checkReport(JSON.parse(readFileSync(join(benchmarks, file), 'utf8')), file))
  for (const report of reports)
    writeFileSync(join(benchmarks, `batch-${report.name}.svg`), `${await drawBatch(report)}\n`)
  writeFileSync(join(docs, 'performance.md'), documentOf(reports))
}

/** @param {Report} report */
export function drawBatch({ lines, machine }) {
  const panels = /** @type {const} */ ([
    ['value', 'exp(A)'],
    ['vjp', 'exp(A) and L(Aᴴ, W)'],
  ])
  const points = panels.flatMap(([operation, panel]) => {
    const own = lines.filter(
      (line) => line.operation === operation && line.dtype === 'float64' && line.norm === 1,
    )
    const names = [...new Set(own.flatMap(({ results }) => results.map(({ name }) => name)))]
    return names.flatMap((method) =>
      own.flatMap(({ order, results }) =>
        results
          .filter(({ name, threads, role }) => name === method && threads === 1 && role !== 'core')
          .map(({ median }) => ({ panel, method, order, rate: median })),
      ),
    )
  })
  return drawRates(points, {
    title: 'Batches of small matrices on one thread',
    subtitle: [`Double precision, 1-norm 1, ${machine.processor}; medians`],
  })
}

// From perf record of build/bench/native/matfun_bench with --batch=1024, and by counting in evaluate.hpp.
const limits = `## What limits it

On one core of the Zen 5 below, float64, 1-norm 1, batches of 1024 matrices that stay in the second-level cache: shares of the core's time
by what its functions do (perf's samples, %; for order 2 and the VJP while a build kept the other core busy).

| order, operation | ns a matrix | products with their sums | sums by themselves | to and from lanes | norms, plans, checks | putting plans together, calls |
|---|--:|--:|--:|--:|--:|--:|
| 2, value | 14.5 | 20 | 9 | 11 | 14 | 46 |
| 4, value | 36 | 39 | 11 | 13 | 11 | 25 |
| 4, VJP | 87 | 42 | 10 | 12 | 8 | 28 |

- **Order 2 and 3** are limited by instructions outside the arithmetic: choosing plans, gathering matrices of one plan, and calls of
  kernels. One flattened evaluation for each order and type would do away with calls; it was not built because of what it takes to compile
  ([decision 9](decisions/0009-lanes.md)).
- **Order 4**: by 15+ a value takes four products of 64 multiply-adds and 19 terms of sums of 16, for as many matrices as a register
  has lanes. With eight lanes and two operations a cycle this is 35 cycles a matrix, 10.6 ns at 3.3 GHz; the rest is as in the table. In batches
  of 8 MB it takes 48 ns instead of 36: the difference is waiting for memory, on loads into lanes and stores out of them. Asking for
  memory ahead by instructions brought nothing.
- **From order 64 on** seven tenths of the time are products, whose kernels alone reach 94 to 97 % of what the core's multiply-adds
  allow (111 to 115 of 118 GFLOP/s); sums, which read and write the caches beyond the first, take 12 to 19 %, norms and plans 10 %.
- **Two threads**: two that only multiply and add in registers got 2.0 times what one gets. What keeps batches below that was not looked into;
  while the tables were measured, two threads had 100 to 190 % of a processor.`

/** @param {Report[]} reports */
export function documentOf(reports) {
  const figures = reports.map(machineSection)
  return `# How fast matfun is

## Batches

${figures.length > 0 ? figures.join('\n\n') : 'No figures yet.'}

${limits}

## How it is measured

\`\`\`
npm run bench -- batch
npm run bench -- batch --orders 4 --dtypes float64 --norms 1 --operations value   # one line
\`\`\`

This measures, writes \`docs/benchmarks/batch-<machine>.json\`, and from all such files this page and its pictures. Peers that are
not installed are left out by name (Debian: \`apt-get install libeigen3-dev libgsl-dev python3-scipy python3-torch\`);
Eigen's and GSL's small programs are compiled for the machine when first needed, which takes some minutes.
\`npm run bench -- --help\` tells the rest.

- **The same matrices for everyone**: entries from N(0, 1), each matrix scaled to the 1-norm; directions from N(0, 1). The
  seed is drawn at each run and recorded. Results of the first matrices are compared with matfun's, and differences are reported.
- **In alternation**: every library is a process of its own; a line goes round them, each computing for some milliseconds, beginning with
  another one each time. *times it* is the median over the rounds of matfun's speed over that of the fastest peer in the same round: what
  disturbs the machine disturbs both. *spread* is half the distance between the quartiles of matfun's own speed, *cpu* how much processor
  time it had in its time: below 100 % a thread, other processes took the rest, most of it from
  those with long turns. For trying on such a machine there is \`--cpu-time\`.
- **A batch a call**, with \`out\`: at least 8 MB of matrices, so that none lies in a core's own caches from the call before. A
  library that would take much longer gets the first of the matrices (JAX always the same number, because it compiles for it); one that has no batches gets them one after the other.
- **Threads**: two of them are matfun's option \`threads\`, PyTorch's and JAX's own setting, BLAS's for SciPy (from order 64 on), and for Eigen
  and GSL a share of the matrices each. A best peer that is faster with one thread is named with (1).
- **Derivatives** come together with the value. SciPy's are \`expm_frechet\`, one matrix after the other; PyTorch's and JAX's are
  their forward and reverse differentiation. Eigen and GSL have none: theirs is the upper right block of the exponential of
  [A E; 0 A].
- **Eigen** is measured with orders known to the compiler (*fixed*) and not (*dynamic*), **GSL** with OpenBLAS instead of its own BLAS, both
  compiled with \`-O3\` for the machine's own instructions.
- *of target* is the share of what the project set out to reach, which was measured on another machine (${targetsMachine}).
- **matfun's core** is the same batch without Node, by Google Benchmark, with matrices of the same kind; *binding* is what the
  call through Node-API adds. It is measured where it was built: \`cmake -S . -B build/bench/native -DMATFUN_BENCH=ON && cmake --build
  build/bench/native\` (Debian: \`apt-get install libbenchmark-dev\`).
- OpenBLAS that does not know a processor takes kernels that use nothing of it. Then everyone is given
  an \`OPENBLAS_CORETYPE\` that fits, and the machine's table says so.
`
}

/** @param {Report} report */
function machineSection(report) {
  const { lines, settings, absent, name } = report
  const main = lines.filter(({ dtype, norm }) => dtype === 'float64' && norm === 1)
  const tables = sections(main, settings.threads).map(({ title, table }) => `**${title}**\n\n${table}`)
  return `### ${report.machine.processor}

![Matrices per second over the order](benchmarks/batch-${name}.svg)

${markdownTable([['', ''], ...machineRows(report)], [])}

${absent.length > 0 ? `Not found there: ${absent.join(', ')}.\n\n` : ''}${tables.join('\n\n')}

**matfun's speed over that of the best peer, one thread**

${leadTable(lines)}

${behind(lines)}`
}

/**
 * @param {Report} report
 * @returns {[string, string][]}
 */
export function machineRows({ machine, matfun, coreType, about, date, settings }) {
  const { blas, kernels } = matfun
  const told = { bench: ', set by the benchmark', user: '' }[coreType?.setBy ?? 'user'] ?? ''
  const set = coreType ? ` (OPENBLAS_CORETYPE=${coreType.value}${told})` : ''
  return [
    ['processor', `${machine.processor}, ${machine.cores} cores, ${machine.caches.join(', ')}`],
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

/** @param {LineReport[]} lines */
function leadTable(lines) {
  const orders = [...new Set(lines.map(({ order }) => order))]
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
