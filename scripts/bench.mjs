// Measures matfun beside every peer that is found, prints tables, and writes JSON with the machine described.
// usage: node scripts/bench.mjs [single | derivative | batch | document] [options]   (npm run bench -- --help)

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { info } from 'matfun'
import { readArguments, UsageError, usage } from './bench/arguments.mjs'
import { coreTypeFor, isGeneric } from './bench/blas-core.mjs'
import { benchmarks, machineRows, tablesOf, writeDocument } from './bench/document.mjs'
import { drawSeed } from './bench/inputs.mjs'
import { keyOf } from './bench/lines.mjs'
import { load, machine, shortName } from './bench/machine.mjs'
import { MergeError, merged } from './bench/merge.mjs'
import { checkReport, serialize } from './bench/report.mjs'
import { measureSuite } from './bench/run.mjs'
import { markdownTable } from './reports/markdown-table.mjs'
import { root } from './setup/commands.mjs'

/** @typedef {import('./bench/arguments.mjs').Plan} Plan */
/** @typedef {import('./bench/arguments.mjs').Settings} Settings */
/** @typedef {import('./bench/report.mjs').Report} Report */

/** @param {string[]} args */
async function main(args) {
  const settings = readArguments(args)
  if (settings.help) return console.log(usage)
  if (settings.plans.length === 0) return writeDocument()
  if (load() > 0.5) say(`the load is ${load()} before anything runs: other processes disturb the figures`)
  const coreType = blasCore()
  const folders = new Set()
  for (const plan of settings.plans) {
    const folder = resolve(settings.output ?? (plan.whole ? benchmarks : join(root, 'output', 'benchmarks')))
    folders.add(folder)
    await measureInto(folder, plan, settings, coreType)
  }
  if (folders.has(resolve(benchmarks))) await writeDocument()
}

/**
 * @param {string} folder
 * @param {Plan} plan
 * @param {Settings} settings
 * @param {ReturnType<typeof coreTypeFor>} coreType
 */
async function measureInto(folder, plan, { onto, peers, cpuTime, name, seed }, coreType) {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${plan.suite}-${name ?? shortName(machine().processor)}.json`)
  const older = onto && existsSync(path) ? readReport(path) : undefined
  const known = new Set(older && onto === 'resume' ? older.lines.map(keyOf) : [])
  const report = await measureSuite(plan, {
    peers,
    cpuTime,
    coreType,
    seed: seed ?? older?.settings.seed ?? drawSeed(),
    name,
    isWanted: (line) => !known.has(keyOf(line)),
    say,
    keep: (now) => {
      const written = older ? merged(older, now) : now
      writeFileSync(`${path}.part`, serialize(written))
      renameSync(`${path}.part`, path)
    },
  })
  if (!report) return say(`${relative(process.cwd(), path)} lacks nothing`)
  print(report)
  say(`written: ${relative(process.cwd(), path)}`)
}

/** @param {string} path */
function readReport(path) {
  return checkReport(JSON.parse(readFileSync(path, 'utf8')), path)
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

/** @param {Report} report */
function print(report) {
  console.log(`\n${markdownTable([['', ''], ...machineRows(report)], [])}`)
  for (const { title, table } of tablesOf(report)) console.log(`\n${title}\n\n${table}`)
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
  if (!(error instanceof UsageError || error instanceof MergeError)) throw error
  console.error(error instanceof UsageError ? `${error.message}\n${usage}` : `${error.message}`)
  process.exitCode = 2
}
