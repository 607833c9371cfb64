/** Opens matfun, its core where that was built, and every other library that is found. */
import { fileURLToPath } from 'node:url'
import { doesNotRun, findPythonPeers, peerEnvironment } from '../peers/python.mjs'
import { SetupError } from '../setup/commands.mjs'
import { bounds } from './bounds.mjs'
import { boundsProgram, buildContender, builtCore, programs } from './compile.mjs'
import { ContenderError, ProcessContender } from './contender.mjs'
import { CoreContender } from './core.mjs'
import { relations } from './related.mjs'
import { suites } from './suites.mjs'

/** @typedef {import('./contender.mjs').Contender} Contender */

/**
 * @typedef {object} Field
 * @property {Contender[]} contenders matfun first
 * @property {string[]} absent libraries that were not found, or do not run
 * @property {Record<string, string[]>} about what the peers run on, by name
 * @property {any} matfun what matfun says of itself
 */

/**
 * @typedef {object} Entry
 * @property {string} title
 * @property {string} command
 * @property {string[]} args without the number of threads, which comes last
 * @property {(version: string) => string} name
 * @property {number[]} [threads] where it does not know all
 * @property {string} [operation] that it computes instead of a line's
 * @property {boolean} [lingers] whether its threads wait busily for more work
 */

/**
 * @typedef {object} Wanted
 * @property {import('./suites.mjs').SuiteName} suite
 * @property {import('./lines.mjs').Operation[]} operations
 * @property {number[]} threads
 * @property {string[] | undefined} peers titles; all where undefined
 * @property {string | undefined} coreType OPENBLAS_CORETYPE for everyone
 */

/**
 * @param {Wanted} wanted
 * @param {(line: string) => void} say
 * @returns {Promise<Field>}
 */
export async function openField({ suite, operations, threads, peers, coreType }, say) {
  const isWanted = (/** @type {string} */ title) =>
    !peers || peers.some((name) => name.toLowerCase() === title.toLowerCase())
  const environment = (/** @type {number} */ count) => ({
    ...peerEnvironment(count),
    ...(coreType && { OPENBLAS_CORETYPE: coreType }),
  })
  const callsOne = suites[suite].calls === 'one'
  const { entries, absent, about } = findEntries({ isWanted, callsOne }, environment(1), say)
  /** @type {Contender[]} */
  const contenders = []
  const own = await openAll([matfunEntry], 'matfun', threads, environment)
  if (own.length < threads.length) throw new ContenderError('matfun itself does not run')
  contenders.push(...own)
  if (suite === 'batch') {
    const core = builtCore()
    if (core && threads.includes(1)) contenders.push(new CoreContender(core, environment(1)))
  } else {
    const program = built(boundsProgram, say)
    contenders.push(...(await openAll(boundEntries(program), 'bound', threads, environment)))
  }
  if (suite === 'derivative')
    contenders.push(...(await openAll(relatedEntries(operations), 'related', threads, environment)))
  for (const entry of entries) {
    try {
      const opened = await openAll([entry], 'peer', entry.threads ?? threads, environment)
      if (opened.length === 0) absent.push(entry.title)
      contenders.push(...opened)
    } catch (error) {
      if (!(error instanceof ContenderError)) throw error
      say(`${entry.title}: ${error.message}`)
      absent.push(doesNotRun(entry.title))
    }
  }
  return { contenders, absent: [...new Set(absent)], about, matfun: own[0].hello.info }
}

/**
 * @param {Entry[]} entries
 * @param {import('./contender.mjs').Description['role']} role
 * @param {number[]} threads
 * @param {(count: number) => NodeJS.ProcessEnv} environment
 */
async function openAll(entries, role, threads, environment) {
  const opened = []
  for (const { command, args, name, lingers, operation } of entries)
    for (const count of threads) {
      const how = {
        name,
        role,
        threads: count,
        lingers: lingers === true && count > 1,
        command,
        args: [...args, String(count)],
        env: environment(count),
        ...(operation && { operation }),
      }
      const contender = await ProcessContender.open(how)
      if (contender) opened.push(contender)
    }
  return opened
}

/** @param {string} name */
function script(name) {
  return fileURLToPath(new URL(`contenders/${name}`, import.meta.url))
}

/** @type {Entry} */
const matfunEntry = {
  title: 'matfun',
  command: process.execPath,
  args: [script('matfun.mjs')],
  name: (version) => `matfun ${version}`,
}

/**
 * The other operations of matfun's that derivatives are compared with.
 *
 * @param {import('./lines.mjs').Operation[]} operations
 * @returns {Entry[]}
 */
function relatedEntries(operations) {
  return relations.flatMap(({ name, operation, of }) =>
    of.some((one) => operations.includes(one)) ? [{ ...matfunEntry, operation, name: () => name }] : [],
  )
}

/**
 * @param {string | null | undefined} command
 * @returns {Entry[]}
 */
function boundEntries(command) {
  if (!command) return []
  return bounds.map(({ name }) => ({
    title: name,
    command,
    args: [name],
    name: () => name,
    lingers: name === 'gemm',
  }))
}

/**
 * Whom to open of those that are wanted.
 *
 * @param {{ isWanted: (title: string) => boolean, callsOne: boolean }} wanted
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say
 */
function findEntries({ isWanted, callsOne }, env, say) {
  /** @type {Entry[]} */
  const entries = []
  /** @type {string[]} */
  const absent = []
  /** @type {Record<string, string[]>} */
  const about = {}
  for (const title of Object.keys(programs).filter(isWanted)) {
    const program = built(programs[title], say)
    if (program === undefined) absent.push(title)
    else if (program === null) absent.push(`${title} (it does not compile)`)
    else entries.push(...variants(title, program).map((entry) => ({ ...entry, lingers: callsOne })))
  }
  if (['SciPy', 'PyTorch', 'JAX'].some(isWanted)) {
    const python = findPythonPeers(say, env)
    absent.push(...python.absent.filter((title) => isWanted(title.split(' ')[0])))
    for (const { name, package: module, python: command, about: ranOn, cores } of python.found) {
      const title = name.split(' ')[0]
      if (!isWanted(title)) continue
      about[name] = [...ranOn, ...(cores.length > 0 ? [`OpenBLAS kernels for ${cores.join(', ')}`] : [])]
      const args = [script('library.py'), module]
      entries.push({ title, command, args, lingers: true, name: () => name })
    }
  }
  const mathjs = { command: process.execPath, args: [script('mathjs.mjs')], threads: [1] }
  if (isWanted('mathjs')) entries.push({ title: 'mathjs', ...mathjs, name: (version) => `mathjs ${version}` })
  return { entries, absent, about }
}

/**
 * @param {import('./compile.mjs').Program} program
 * @param {(line: string) => void} say
 * @returns {string | null | undefined} null where it does not compile
 */
function built(program, say) {
  try {
    return buildContender(program, say)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(error.message)
    return null
  }
}

/**
 * @param {string} title
 * @param {string} command
 * @returns {Entry[]}
 */
function variants(title, command) {
  if (title !== 'Eigen') return [{ title, command, args: [], name: (version) => `${title} ${version}` }]
  return ['fixed', 'dynamic'].map((size) => ({
    title,
    command,
    args: [size],
    name: (version) => `${title} ${version} ${size}`,
  }))
}
