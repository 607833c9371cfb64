// Counts the instructions of fixed cases of the core under callgrind, and compares them with committed figures, so that a
// slow-down shows without a quiet machine.
//
// usage: node scripts/instructions.mjs [--update] [--case NAME]...   (npm run instructions)
//   --update   writes docs/benchmarks/instructions.json anew
//   --case     only this one; may be said several times
//
// needs: valgrind, cmake, a compiler and OpenBLAS's development files
// takes: half a minute, and minutes where the core is not built yet
// exit code: 1 where a case takes more instructions than before, or the cases are others; 2 for wrong use

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { boundary, build, count, missing, target } from './instructions/callgrind.mjs'
import { checkFigures, compare, comparisonTable, tolerance } from './instructions/comparison.mjs'
import { root, SetupError } from './setup/commands.mjs'

/** @typedef {import('./instructions/comparison.mjs').Figures} Figures */

const path = join(root, 'docs', 'benchmarks', 'instructions.json')

/** @param {string[]} args */
async function main(args) {
  const { values } = parseArgs({
    args,
    options: { update: { type: 'boolean' }, case: { type: 'string', multiple: true } },
  })
  const lacking = missing()
  if (lacking.length > 0) return fail(`cannot count instructions without ${lacking.join(' and ')}`, 1)
  say('building the cases (minutes, the first time)')
  const { program, compiler, blas, cases } = build()
  const unknown = values.case?.filter((name) => !cases.includes(name)) ?? []
  if (unknown.length > 0) return fail(`no such case: ${unknown.join('; ')} (cases: ${cases.join('; ')})`, 2)
  if (values.update && values.case) return fail('--update counts all cases: not with --case', 2)
  say('counting')
  const counts = await countAll(program, values.case ?? cases)
  const conditions = { [boundary.name]: boundary.condition }
  /** @type {Figures} */
  const now = { schema: 1, target, compiler, blas, cases: counts, conditions }
  if (values.update) {
    writeFileSync(path, `${JSON.stringify(now, null, 2)}\n`)
    return say('written: docs/benchmarks/instructions.json')
  }
  report(now, values.case)
}

/**
 * @param {string} program
 * @param {string[]} names
 * @returns {Promise<Record<string, number>>}
 */
async function countAll(program, names) {
  /** @type {Record<string, number>} */
  const counts = {}
  const waiting = [...names]
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      counts[name] = await count(program, name)
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))
  return Object.fromEntries(names.map((name) => [name, counts[name]]))
}

/**
 * @param {Figures} now
 * @param {string[] | undefined} names all where undefined
 */
function report(now, names) {
  if (!existsSync(path)) return fail('there are no figures yet: write them with --update', 1)
  const before = checkFigures(JSON.parse(readFileSync(path, 'utf8')), path)
  const cases = Object.entries(before.cases).filter(([name]) => !names || names.includes(name))
  const { rows, unlike, passed } = compare({ ...before, cases: Object.fromEntries(cases) }, now)
  console.log(`\nInstructions, kernels ${target}, ${now.compiler}, ${now.blas}\n\n${comparisonTable(rows)}\n`)
  for (const difference of unlike) say(`not as when the figures were counted: ${difference}`)
  if (unlike.length > 0) say('what depends on it is shown, and not judged')
  if (rows.some(({ verdict }) => verdict === 'fewer') && passed)
    say('where it is fewer on purpose, --update keeps it so')
  if (!passed)
    fail(
      `more instructions than before by over ${100 * tolerance} %, or other cases; if that is meant: --update`,
      1,
    )
}

/** @param {string} line */
function say(line) {
  console.error(`instructions: ${line}`)
}

/**
 * @param {string} message
 * @param {number} exitCode
 */
function fail(message, exitCode) {
  say(message)
  process.exitCode = exitCode
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof SetupError) fail(error.message, 1)
  else if (error instanceof TypeError && 'code' in error) fail(error.message, 2)
  else throw error
}
