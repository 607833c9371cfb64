/** Opens matfun, its core where that was built, and every other library that is found. */
import { fileURLToPath } from 'node:url'
import { doesNotRun, findPythonPeers, peerEnvironment } from '../peers/python.mjs'
import { SetupError } from '../setup/commands.mjs'
import { buildContender, builtCore, programs } from './compile.mjs'
import { ContenderError, ProcessContender } from './contender.mjs'
import { CoreContender } from './core.mjs'

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
 */

/**
 * @typedef {object} Wanted
 * @property {number[]} threads
 * @property {string[] | undefined} peers titles; all where undefined
 * @property {string | undefined} coreType OPENBLAS_CORETYPE for everyone
 */

/**
 * @param {Wanted} wanted
 * @param {(line: string) => void} say
 * @returns {Promise<Field>}
 */
export async function openField({ threads, peers, coreType }, say) {
  const isWanted = (/** @type {string} */ title) =>
    !peers || peers.some((name) => name.toLowerCase() === title.toLowerCase())
  const environment = (/** @type {number} */ count) => ({
    ...peerEnvironment(count),
    ...(coreType && { OPENBLAS_CORETYPE: coreType }),
  })
  const { entries, absent, about } = findEntries(isWanted, environment(1), say)
  /** @type {Contender[]} */
  const contenders = []
  const own = await openAll([matfunEntry], 'matfun', threads, environment)
  if (own.length < threads.length) throw new ContenderError('matfun itself does not run')
  contenders.push(...own)
  const core = builtCore()
  if (core && threads.includes(1)) contenders.push(new CoreContender(core, environment(1)))
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
 * @param {'matfun' | 'peer'} role
 * @param {number[]} threads
 * @param {(count: number) => NodeJS.ProcessEnv} environment
 */
async function openAll(entries, role, threads, environment) {
  const opened = []
  for (const { command, args, name } of entries)
    for (const count of threads) {
      const how = {
        name,
        role,
        threads: count,
        command,
        args: [...args, String(count)],
        env: environment(count),
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
 * Whom to open of those that are wanted.
 *
 * @param {(title: string) => boolean} isWanted
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say
 */
function findEntries(isWanted, env, say) {
  /** @type {Entry[]} */
  const entries = []
  /** @type {string[]} */
  const absent = []
  /** @type {Record<string, string[]>} */
  const about = {}
  for (const title of Object.keys(programs).filter(isWanted)) {
    const program = built(title, say)
    if (program === undefined) absent.push(title)
    else if (program === null) absent.push(`${title} (it does not compile)`)
    else entries.push(...variants(title, program))
  }
  if (['SciPy', 'PyTorch', 'JAX'].some(isWanted)) {
    const python = findPythonPeers(say, env)
    absent.push(...python.absent.filter((title) => isWanted(title.split(' ')[0])))
    for (const { name, package: module, python: command, about: ranOn, cores } of python.found) {
      const title = name.split(' ')[0]
      if (!isWanted(title)) continue
      about[name] = [...ranOn, ...(cores.length > 0 ? [`OpenBLAS kernels for ${cores.join(', ')}`] : [])]
      entries.push({ title, command, args: [script('library.py'), module], name: () => name })
    }
  }
  const mathjs = { command: process.execPath, args: [script('mathjs.mjs')], threads: [1] }
  if (isWanted('mathjs')) entries.push({ title: 'mathjs', ...mathjs, name: (version) => `mathjs ${version}` })
  return { entries, absent, about }
}

/**
 * @param {string} title
 * @param {(line: string) => void} say
 * @returns {string | null | undefined} null where it does not compile
 */
function built(title, say) {
  try {
    return buildContender(programs[title], say)
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
