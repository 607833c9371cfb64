// Measures matfun beside every peer that is found, prints tables, and writes JSON with the machine described.
// usage: node scripts/bench.mjs [batch | document] [options]   (npm run bench -- --help)

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { info } from 'matfun'
import { readArguments, UsageError, usage } from './bench/arguments.mjs'
import { coreTypeFor, isGeneric } from './bench/blas-core.mjs'
import { benchmarks, machineRows, writeDocument } from './bench/document.mjs'
import { drawSeed, normalNumbers, randomStack } from './bench/inputs.mjs'
import { leastBatchBytes, lineInWords, linesOf } from './bench/lines.mjs'
import { cacheBytes, load, machine, shortName } from './bench/machine.mjs'
import { differences, largestDifference, measureLine } from './bench/measure.mjs'
import { openField } from './bench/peers.mjs'
import { lineReport, serialize } from './bench/report.mjs'
import { sections } from './bench/table.mjs'
import { markdownTable } from './reports/markdown-table.mjs'
import { root } from './setup/commands.mjs'

/** @typedef {import('./bench/arguments.mjs').Settings} Settings */
/** @typedef {import('./bench/lines.mjs').Line} Line */
/** @typedef {import('./bench/peers.mjs').Field} Field */
/** @typedef {import('./bench/report.mjs').Report} Report */

/** @param {string[]} args */
async function main(args) {
  const settings = readArguments(args)
  if (settings.help) return console.log(usage)
  if (settings.suite === 'document') return writeDocument()
  const report = await measureBatch(settings)
  print(report)
  const folder = settings.output ?? (settings.whole ? benchmarks : join(root, 'output', 'benchmarks'))
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `batch-${report.name}.json`)
  writeFileSync(path, serialize(report))
  say(`written: ${relative(process.cwd(), path)}`)
  if (folder === benchmarks) await writeDocument()
}

/**
 * @param {Settings} settings
 * @returns {Promise<Report>}
 */
async function measureBatch(settings) {
  const described = machine()
  const before = load()
  if (before > 0.5) say(`the load is ${before} before anything runs: other processes disturb the figures`)
  const coreType = blasCore()
  const { grid, peers, seconds, cpuTime } = settings
  const threads = grid.threads.filter((count) => count <= described.cores)
  if (threads.length < grid.threads.length)
    say(`this machine runs ${described.cores} threads at once: no more are measured`)
  const field = await openField({ threads, peers, coreType: coreType?.value }, say)
  for (const name of field.absent) say(`${name}: not there`)
  const seed = settings.seed ?? drawSeed()
  const bytes = Math.max(leastBatchBytes, 2 * cacheBytes(described.caches, 'L2'))
  const folder = mkdtempSync(join(tmpdir(), 'matfun-bench-'))
  try {
    const lines = linesOf(grid, bytes)
    const { reports, without } = await measureAll(field, lines, { seed, seconds, cpuTime, folder })
    return {
      schema: 1,
      suite: 'batch',
      date: new Date().toISOString(),
      name: settings.name ?? shortName(described.processor),
      machine: { ...described, load: { before, after: load() } },
      matfun: field.matfun,
      coreType: coreType ?? null,
      about: field.about,
      absent: field.absent,
      without,
      settings: { seed, secondsPerLine: seconds, cpuTime, batchBytes: bytes, threads },
      lines: reports,
    }
  } finally {
    for (const contender of field.contenders) contender.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Says where OpenBLAS does not know the processor, and what is done about it. */
function blasCore() {
  const { blas, cpu } = info()
  const coreType = coreTypeFor(blas.core, cpu.features, process.env)
  if (isGeneric(blas.core)) {
    const remedy = coreType
      ? `everyone is measured with OPENBLAS_CORETYPE=${coreType.value}`
      : 'nothing better is known for it'
    say(`WARNING: OpenBLAS took its generic kernels (${blas.core}) on this processor; ${remedy}`)
  }
  return coreType
}

/**
 * @param {Field} field
 * @param {Line[]} lines
 * @param {{ seed: number, seconds: number, cpuTime: boolean, folder: string }} how
 */
async function measureAll({ contenders }, lines, { seed, seconds, cpuTime, folder }) {
  const files = { A: join(folder, 'A'), direction: join(folder, 'direction') }
  const normal = normalNumbers(seed)
  const reports = []
  /** @type {Map<string, { contender: string, why: string, lines: number }>} */
  const without = new Map()
  let inputs = ''
  for (const [k, line] of lines.entries()) {
    say(`${k + 1} of ${lines.length}: ${lineInWords(line)}`)
    const { dtype, order, norm, batch: count } = line
    if (inputs !== `${dtype} ${order} ${norm}`) {
      inputs = `${dtype} ${order} ${norm}`
      writeFileSync(files.A, randomStack(normal, { dtype, order, count }, norm))
      writeFileSync(files.direction, randomStack(normal, { dtype, order, count }))
    }
    const measured = await measureLine(contenders, line, files, seconds, cpuTime)
    const apart = await differences(measured, line, folder)
    for (const [contender, difference] of apart)
      if (difference > largestDifference[dtype])
        say(
          Number.isFinite(difference)
            ? `${contender.name}: its results are ${difference.toPrecision(2)} from matfun's, relatively`
            : `${contender.name}: its results are not numbers, or of another count than matfun's`,
        )
    for (const { contender, why } of measured.without) {
      const key = `${contender.name}, threads ${contender.threads}: ${why}`
      const told = { contender: `${contender.name}, threads ${contender.threads}`, why, lines: 0 }
      without.set(key, { ...told, lines: (without.get(key)?.lines ?? 0) + 1 })
    }
    reports.push(lineReport(line, measured, apart))
  }
  return { reports, without: [...without.values()] }
}

/** @param {Report} report */
function print(report) {
  console.log(`\n${markdownTable([['', ''], ...machineRows(report)], [])}`)
  for (const { title, table } of sections(report.lines, report.settings.threads))
    console.log(`\n${title}\n\n${table}`)
  if (report.without.length > 0) console.log('\nNot measured:')
  for (const { contender, why, lines } of report.without)
    console.log(`- ${contender}: ${why} (${lines} ${lines === 1 ? 'line' : 'lines'})`)
}

/** @param {string} line */
function say(line) {
  console.error(`bench: ${line}`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n${usage}`)
  process.exitCode = 2
}
