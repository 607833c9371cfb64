import { readdirSync } from 'node:fs'
import { ask, findCommand, run, SetupError, say } from './commands.mjs'
import { buildEnvironment, forgetEnvironment } from './environment.mjs'

/** @import { Purpose } from './steps.mjs' */

/**
 * @typedef {object} Need
 * @property {string} name in words
 * @property {() => boolean} present looks for the thing itself, not for the package that it may come in
 * @property {string} apt its package in Debian and Ubuntu
 * @property {string} [brew] its package in Homebrew; without one it is part of Apple's command line tools
 * @property {boolean} [testsOnly]
 */

/** @type {Need[]} */
const needs = [
  { name: 'a C++ compiler (c++ or g++)', present: () => compiler() !== undefined, apt: 'g++' },
  { name: 'make', present: () => findCommand('make') !== undefined, apt: 'make' },
  { name: 'python3', present: () => findCommand('python3') !== undefined, apt: 'python3' },
  { name: 'pkg-config', present: hasPkgConfig, apt: 'pkg-config', brew: 'pkg-config' },
  { name: "OpenBLAS's development files", present: hasOpenBLAS, apt: 'libopenblas-dev', brew: 'openblas' },
  {
    name: 'cmake',
    present: () => findCommand('cmake') !== undefined,
    apt: 'cmake',
    brew: 'cmake',
    testsOnly: true,
  },
  { name: 'the doctest header', present: hasDoctest, apt: 'doctest-dev', brew: 'doctest', testsOnly: true },
]

/**
 * The C++ compiler's command, undefined where there is none.
 * @returns {string | undefined}
 */
function compiler() {
  const chosen = process.env.CXX
  if (chosen) return chosen
  return ['g++', 'c++'].find((name) => findCommand(name))
}

function hasPkgConfig() {
  return findCommand('pkg-config') !== undefined
}

function hasOpenBLAS() {
  return (
    hasPkgConfig() && ask('pkg-config', ['--exists', 'openblas'], { env: buildEnvironment() }) !== undefined
  )
}

function hasDoctest() {
  const command = compiler()?.split(' ')
  if (command === undefined) return false
  const input = '#if !__has_include(<doctest/doctest.h>)\n#error\n#endif\n'
  const args = [...command.slice(1), '-fsyntax-only', '-x', 'c++', '-']
  return ask(command[0], args, { env: buildEnvironment(), input }) !== undefined
}

/** @param {Purpose} purpose */
function missingNeeds(purpose) {
  return needs.filter((need) => (purpose === 'test' || !need.testsOnly) && !need.present())
}

/**
 * @param {Purpose} purpose
 * @returns {string[]} in words
 */
export function missing(purpose) {
  return missingNeeds(purpose).map((need) => need.name)
}

/**
 * Installs what is missing by the system's package manager; throws a SetupError that says what to do by hand
 * where there is none, or no right to use it.
 * @param {Purpose} purpose
 */
export function provide(purpose) {
  const lacking = missingNeeds(purpose)
  if (findCommand('apt-get')) installByApt(lacking)
  else if (process.platform === 'darwin') installByHomebrew(lacking)
  else throw new SetupError(`missing: ${inWords(lacking)}; install them and run this again`)
  forgetEnvironment()
  const still = missingNeeds(purpose)
  if (still.length > 0) throw new SetupError(`still missing after installation: ${inWords(still)}`)
}

/** @param {Need[]} lacking */
function inWords(lacking) {
  return lacking.map((need) => need.name).join(', ')
}

/** @param {Need[]} lacking */
function installByApt(lacking) {
  const packages = lacking.map((need) => need.apt)
  const prefix = aptPrefix()
  if (prefix === undefined) {
    const install = `apt-get install --yes --no-install-recommends ${packages.join(' ')}`
    const command = findCommand('sudo')
      ? `sudo apt-get update && sudo ${install}`
      : `su -c 'apt-get update && ${install}'`
    throw new SetupError(`missing: ${inWords(lacking)}; please run\n\n  ${command}\n\nand then this again`)
  }
  say(`installing ${packages.join(' ')} by apt`)
  if (!hasPackageLists()) aptGet(prefix, ['update'])
  const install = ['install', '--yes', '--no-install-recommends', ...packages]
  try {
    aptGet(prefix, install)
  } catch {
    // Lists that are older than the archive name files that it no longer has.
    aptGet(prefix, ['update'])
    aptGet(prefix, install)
  }
}

/** What goes before `apt-get`: nothing for root, sudo where it asks for no password, undefined where neither may. */
function aptPrefix() {
  if (process.getuid?.() === 0) return []
  // sudo resets the environment, so the variable is set behind it
  return ask('sudo', ['-n', 'true']) === undefined ? undefined : ['sudo', '-n']
}

/**
 * @param {string[]} prefix
 * @param {string[]} args
 */
function aptGet(prefix, args) {
  const waitForLock = ['-o', 'DPkg::Lock::Timeout=120']
  const [command, ...rest] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    ...waitForLock,
    ...args,
  ]
  run(args[0] === 'update' ? "update apt's lists" : 'install packages by apt', command, rest)
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))
  } catch {
    return false
  }
}

/** @param {Need[]} lacking */
function installByHomebrew(lacking) {
  if (lacking.some((need) => need.brew === undefined))
    throw new SetupError(
      `missing: ${inWords(lacking)}; please run\n\n  xcode-select --install\n\nand then this again`,
    )
  const packages = lacking.map((need) => /** @type {string} */ (need.brew))
  if (!findCommand('brew'))
    throw new SetupError(
      `missing: ${inWords(lacking)}; please install Homebrew (https://brew.sh), run\n\n  brew install ${packages.join(' ')}\n\nand then this again`,
    )
  say(`installing ${packages.join(' ')} by Homebrew`)
  run('install packages by Homebrew', 'brew', ['install', ...packages])
}
