// Puts known faults into a copy of the sources, one at a time, and fails where the tests stay green: a fault that no
// test sees is a test that is missing.
//
// usage: node scripts/mutate.mjs [name ...]    (all mutations where none is named; --list only names them)
// exit codes: 0 every mutation was noticed, 1 one was not, or could not be tried, 2 wrong use
//
// The mutations are listed in scripts/mutations/. Each names the tests that should notice it, the fast native ones where
// they can: only those are compiled and run. First the unchanged copy has to pass all of them. The text that a
// mutation replaces has to be in its file exactly once, else the list is out of date. What does not compile counts as
// nothing noticed.
//
// needs: what `npm test` needs, and for the mutations of lib a built addon (npm run setup)
// takes: on two cores (Zen 4) four minutes for all: one for the unchanged copy, then 1 to 6 s each; 1 GB of memory. All that
//        is written goes to a temporary folder, which is removed at the end.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arrayMutations } from './mutations/arrays.mjs'
import { evaluationMutations } from './mutations/evaluation.mjs'
import { laneMutations } from './mutations/lanes.mjs'
import { linearizeMutations } from './mutations/linearize.mjs'
import { BuildError, finish, NativeTests } from './mutations/native-tests.mjs'
import { packageMutations } from './mutations/package.mjs'
import { planMutations } from './mutations/plan.mjs'
import { structureMutations } from './mutations/structures.mjs'
import { threadMutations } from './mutations/threads.mjs'
import { root } from './setup/commands.mjs'

/**
 * @typedef {object} Mutation
 * @property {string} name
 * @property {string} why it matters
 * @property {string} file relative to the root
 * @property {string} [from] the text to replace
 * @property {string} [to]
 * @property {[from: string, to: string][]} [edits] where there are several, instead of from and to
 * @property {string[]} tests that should notice: .cpp of the native tests, or .ts, not both
 */

/** @typedef {{ mutation: Mutation, verdict: 'killed' | 'survived' | 'invalid', by: string, seconds: number }} Result */

const all = [
  ...planMutations,
  ...structureMutations,
  ...evaluationMutations,
  ...laneMutations,
  ...linearizeMutations,
  ...packageMutations,
  ...arrayMutations,
  ...threadMutations,
]

/** @param {Mutation} mutation */
const isNative = (mutation) => mutation.tests.every((test) => test.endsWith('.cpp'))

/** @param {Mutation} mutation */
const editsOf = ({ from, to, edits }) => edits ?? [[from ?? '', to ?? '']]

/**
 * The file's text with the mutation made; throws where what it replaces is not there exactly once.
 * @param {Mutation} mutation
 * @param {string} text
 */
function mutate(mutation, text) {
  return editsOf(mutation).reduce((mutated, [from, to]) => {
    const found = from === '' ? 0 : mutated.split(from).length - 1
    if (found !== 1)
      throw new Error(
        `the list is out of date: ${mutation.file} has ${found} times what ${mutation.name} replaces: ${from}`,
      )
    return mutated.replace(from, () => to)
  }, text)
}

/**
 * A copy of what the tests read, with the checkout's packages and addon.
 * @param {string} folder
 */
function copySources(folder) {
  for (const name of [
    'native',
    'lib',
    'test',
    'scripts',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  mkdirSync(join(folder, 'build'))
  symlinkSync(join(root, 'build', 'Release'), join(folder, 'build', 'Release'))
}

/**
 * @param {string} folder
 * @param {string[]} tests
 * @returns {Promise<import('./mutations/native-tests.mjs').Outcome>}
 */
async function runVitest(folder, tests) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const args = [vitest, 'run', '--reporter=dot', '--bail=1', ...tests]
  const { status, output } = await finish(process.execPath, args, folder, { ...process.env, NO_COLOR: '1' })
  if (status === 0) return { green: true, by: '' }
  return { green: false, by: output.match(/FAIL +(.+)/)?.[1] ?? 'vitest' }
}

/**
 * Runs all tests that the mutations name, on the unchanged copy.
 * @param {string} folder
 * @param {NativeTests} native
 * @param {Mutation[]} mutations
 * @returns {Promise<string>} what is red, '' where nothing is
 */
async function findRed(folder, native, mutations) {
  const tests = [...new Set(mutations.flatMap((mutation) => mutation.tests))]
  const sources = tests.filter((test) => test.endsWith('.cpp'))
  await native.prepare(sources)
  const outcome = sources.length > 0 ? await native.run(sources) : { green: true, by: '' }
  if (!outcome.green) return outcome.by
  const ofPackage = tests.filter((test) => test.endsWith('.ts'))
  return ofPackage.length > 0 ? (await runVitest(folder, ofPackage)).by : ''
}

/**
 * @param {string} folder
 * @param {NativeTests} native
 * @param {Mutation} mutation
 * @returns {Promise<Result>}
 */
async function tryMutation(folder, native, mutation) {
  const start = performance.now()
  const path = join(folder, mutation.file)
  const original = readFileSync(path, 'utf8')
  /** @type {Pick<Result, 'verdict' | 'by'>} */
  let judged
  writeFileSync(path, mutate(mutation, original))
  try {
    const { green, by } = isNative(mutation)
      ? await native.run(mutation.tests, mutation.file)
      : await runVitest(folder, mutation.tests)
    judged = { verdict: green ? 'survived' : 'killed', by }
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    judged = { verdict: 'invalid', by: error.message }
  } finally {
    writeFileSync(path, original)
  }
  return { mutation, ...judged, seconds: (performance.now() - start) / 1000 }
}

/** @param {Result} result */
function line({ mutation, verdict, by, seconds }) {
  const columns = [
    verdict.padEnd(8),
    `${seconds.toFixed(1).padStart(5)} s`,
    mutation.name.padEnd(40),
    mutation.file,
  ]
  return `${columns.join('  ')}${by && `\n${' '.repeat(19)}by ${by}`}`
}

/**
 * @param {Mutation[]} mutations
 * @returns {Promise<number>} the exit code
 */
async function run(mutations) {
  const folder = mkdtempSync(join(tmpdir(), 'matfun-mutations-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
  copySources(folder)
  for (const mutation of mutations) mutate(mutation, readFileSync(join(folder, mutation.file), 'utf8'))

  const start = performance.now()
  const native = new NativeTests(folder)
  const red = await findRed(folder, native, mutations)
  if (red) {
    console.error(`the unchanged sources fail: ${red}`)
    return 1
  }
  console.log(`the unchanged sources pass (${((performance.now() - start) / 1000).toFixed(0)} s)`)

  /** @type {Result[]} */
  const results = []
  for (const mutation of mutations) {
    results.push(await tryMutation(folder, native, mutation))
    console.log(line(results[results.length - 1]))
  }
  return summarize(results, (performance.now() - start) / 1000)
}

/**
 * @param {Result[]} results
 * @param {number} seconds
 * @returns {number} the exit code
 */
function summarize(results, seconds) {
  /** @param {Result['verdict']} verdict */
  const count = (verdict) => results.filter((result) => result.verdict === verdict).length
  for (const { mutation, verdict } of results)
    if (verdict !== 'killed') console.log(`${verdict}: ${mutation.name} (${mutation.why})`)
  const sums = `${count('killed')} killed, ${count('survived')} survived, ${count('invalid')} invalid`
  console.log(`${results.length} mutations: ${sums}; ${(seconds / 60).toFixed(1)} minutes`)
  return count('killed') === results.length ? 0 : 1
}

/** @param {string[]} args */
async function command(args) {
  if (args.includes('--list')) {
    for (const { name, why } of all) console.log(`${name}: ${why}`)
    return 0
  }
  const unknown = args.filter((name) => !all.some((mutation) => mutation.name === name))
  if (unknown.length > 0) {
    console.error(`no such mutation: ${unknown.join(', ')} (--list names them)`)
    return 2
  }
  return run(args.length > 0 ? all.filter(({ name }) => args.includes(name)) : all)
}

try {
  process.exitCode = await command(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
