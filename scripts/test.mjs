// Runs the stages of `npm test` in order and stops at the first that fails, with its exit code.
// usage: node scripts/test.mjs [stage ...]   (all stages where none is named)

import { spawnSync } from 'node:child_process'
import { accessSync, chmodSync, constants, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { cmakeCommands } from './setup/cmake.mjs'
import { root } from './setup/commands.mjs'
import { buildEnvironment } from './setup/environment.mjs'
import { filesBelow } from './setup/stamps.mjs'

/** A stage's commands throw this where they fail. */
class StageFailure extends Error {
  /** @param {number} exitCode */
  constructor(exitCode) {
    super(`exit code ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** @type {Record<string, { title: string, run: () => void }>} */
const stages = {
  formats: { title: 'formats of TypeScript, JavaScript, JSON and C++', run: checkFormats },
  types: { title: 'types', run: () => node('typescript/bin/tsc', '-p', 'tsconfig.json') },
  layers: { title: 'layers', run: () => script('check-layers') },
  tables: { title: 'tables of coefficients and thresholds', run: () => script('check-tables') },
  native: { title: 'native tests', run: () => testNative(plainBuild, 'OFF') },
  sanitize: {
    title: 'native tests under AddressSanitizer and UndefinedBehaviorSanitizer',
    run: () => testNative('build/native-sanitize', 'ON'),
  },
  races: {
    title: 'native tests of threads under ThreadSanitizer',
    run: () => testNative('build/native-races', 'thread'),
  },
  vitest: { title: 'tests of the package', run: () => node('vitest/vitest.mjs', 'run') },
  package: { title: 'the package as it is installed', run: () => script('check-package') },
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} [cwd]
 * @param {NodeJS.ProcessEnv} [env]
 */
function execute(command, args, cwd = root, env = buildEnvironment()) {
  const { status, signal, error } = spawnSync(command, args, { cwd, env, stdio: 'inherit' })
  if (error) console.error(`${command}: ${error.message}`)
  else if (signal) console.error(`${command}: ended by ${signal}`)
  if (status !== 0) throw new StageFailure(status ?? 1)
}

/**
 * Runs a tool of node_modules, without npx.
 * @param {string} tool
 * @param {string[]} args
 */
function node(tool, ...args) {
  execute(process.execPath, [join(root, 'node_modules', tool), ...args])
}

/** @param {string} name */
function script(name) {
  execute(process.execPath, [join(root, 'scripts', `${name}.mjs`)])
}

function checkFormats() {
  node('@biomejs/biome/bin/biome', 'check', '.')
  const sources = ['native', 'test/native'].flatMap((folder) =>
    filesBelow(root, folder, (file) => /\.[ch]pp$/.test(file)),
  )
  execute(clangFormat(), ['--dry-run', '--Werror', ...sources])
}

/** The package's binary, which only becomes executable by an install script that npm may not have run. */
function clangFormat() {
  const path = createRequire(import.meta.url)('clang-format-node').clangFormatPath
  try {
    accessSync(path, constants.X_OK)
  } catch {
    chmodSync(path, 0o755)
  }
  return path
}

const plainBuild = 'build/native'

/**
 * Builds by cmake-js.
 * @param {string} folder
 * @param {string} target of the build, or all
 * @param {Record<string, string>} settings of CMakeLists.txt
 */
function buildNative(folder, target, settings) {
  for (const [program, ...args] of cmakeCommands(folder, target, settings)) node(program, ...args)
}

/**
 * Builds the core with its tests and runs them. All builds share the kernels of the plain one.
 * @param {string} folder
 * @param {'OFF' | 'ON' | 'thread'} sanitize
 */
function testNative(folder, sanitize) {
  const plain = folder === plainBuild
  if (!plain) buildNative(plainBuild, 'matfun_kernels', { MATFUN_SANITIZE: 'OFF' })
  const kernels = plain ? '' : join(root, plainBuild, 'libmatfun_kernels.a')
  buildNative(folder, 'matfun_tests', { MATFUN_SANITIZE: sanitize, MATFUN_KERNELS: kernels })
  const env = {
    ...buildEnvironment(),
    ASAN_OPTIONS: 'strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  }
  const tests = ['ctest', '--output-on-failure', '--no-tests=error']
  // ThreadSanitizer of GCC before 14 does not start where addresses are more random than this.
  if (sanitize === 'thread' && randomAddressBits() > 28) tests.unshift('setarch', '-R')
  execute(tests[0], tests.slice(1), join(root, folder), env)
}

/** @returns {number} 0 where that cannot be asked */
function randomAddressBits() {
  try {
    return Number(readFileSync('/proc/sys/vm/mmap_rnd_bits', 'utf8'))
  } catch {
    return 0
  }
}

/**
 * @param {string[]} names
 * @returns {number} the exit code
 */
function runStages(names) {
  const unknown = names.filter((name) => !Object.hasOwn(stages, name))
  if (unknown.length > 0) {
    console.error(`no such stage: ${unknown.join(', ')} (stages: ${Object.keys(stages).join(', ')})`)
    return 2
  }
  let passed = 0
  for (const name of names) {
    const { title, run } = stages[name]
    console.log(`\n== ${name}: ${title}`)
    const start = performance.now()
    const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`
    try {
      run()
    } catch (error) {
      if (!(error instanceof StageFailure)) console.error(error)
      console.log(`== ${name}: failed after ${seconds()}\n${passed} passed, 1 failed`)
      return error instanceof StageFailure ? error.exitCode : 1
    }
    passed++
    console.log(`== ${name}: passed in ${seconds()}`)
  }
  console.log(`${passed} passed, 0 failed`)
  return 0
}

const chosen = process.argv.slice(2)
process.exitCode = runStages(chosen.length > 0 ? chosen : Object.keys(stages))
