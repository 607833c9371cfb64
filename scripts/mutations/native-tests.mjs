// Compiles and runs the native tests of one copy of the sources, anew only what a changed file goes into.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { buildEnvironment } from '../setup/environment.mjs'

/**
 * Half as long to compile as the tests proper; what is asserted in the sources stays on. The flags of CMakeLists.txt
 * that only warn are left out. What is compiled for each target, loops alone, is so with -O1 after all.
 */
const flags = ['-std=c++20', '-O0', '-Inative', '-Itest/native']
const main = 'test/native/main.cpp'
const facade = 'native/linalg/blas.cpp'
const computing = 'test/native/expm/compute.cpp'
const limit_ms = 120_000

/**
 * @typedef {object} Outcome
 * @property {boolean} green
 * @property {string} by what turned red: a test case, a crash or the time limit; '' where green
 */

/** A source of the copy could not be compiled, or the objects not linked: that tells nothing about the tests. */
export class BuildError extends Error {}

export class NativeTests {
  /** @param {string} folder the copy */
  constructor(folder) {
    this.folder = folder
    this.objects = join(folder, 'objects')
    mkdirSync(join(this.objects, 'changed'), { recursive: true })
    this.environment = buildEnvironment()
    this.compiler = process.env.CXX ?? 'c++'
    const sources = readFileSync(join(folder, 'native/sources.txt'), 'utf8').trim().split('\n')
    this.loops = sources.filter((source) => /^native\/(kernels|expm)\//.test(source))
    this.batch = sources.filter((source) => source.startsWith('native/batch/'))
    this.openblas = {
      cflags: this.#pkgConfig('--cflags'),
      libs: this.#pkgConfig('--libs'),
    }
  }

  /** @param {string} what */
  #pkgConfig(what) {
    const { status, stdout, stderr } = spawnSync('pkg-config', [what, 'openblas'], {
      env: this.environment,
      encoding: 'utf8',
    })
    if (status !== 0) throw new BuildError(`pkg-config finds no openblas: ${stderr}`)
    return stdout.trim().split(/\s+/).filter(Boolean)
  }

  /**
   * Compiles these tests, and whatever they are linked with, as they are.
   * @param {string[]} tests
   */
  async prepare(tests) {
    await this.#compile([...tests, main, facade, ...this.loops, ...this.batch, computing], '')
  }

  /**
   * Runs tests that were prepared, with `changed` as it is now and all else as it was then.
   * @param {string[]} tests
   * @param {string} [changed]
   * @returns {Promise<Outcome>}
   */
  async run(tests, changed) {
    const sources = [...tests, main, facade, ...this.loops]
    if (
      tests.some(
        (test) =>
          this.#reads(test, 'native/batch/thread_pool.hpp') || this.#reads(test, 'native/batch/job.hpp'),
      )
    )
      sources.push(...this.batch)
    if (tests.some((test) => this.#reads(test, 'test/native/expm/compute.hpp'))) sources.push(computing)
    const affected = changed ? sources.filter((source) => this.#reads(source, changed)) : []
    await this.#compile(affected, 'changed')
    const program = join(this.objects, 'tests')
    const objects = sources.map((source) => this.#object(source, affected.includes(source) ? 'changed' : ''))
    await this.#build([...objects, '-o', program, '-pthread', ...this.openblas.libs])
    return runProgram(program, this.folder, this.environment)
  }

  /**
   * True where a source includes a file, by what the compiler wrote down when it last compiled it.
   * @param {string} source
   * @param {string} file
   */
  #reads(source, file) {
    const list = this.#object(source, '').replace(/\.o$/, '.d')
    return (
      source === file ||
      (existsSync(list) &&
        readFileSync(list, 'utf8')
          .split(/[\s\\]+/)
          .includes(file))
    )
  }

  /**
   * @param {string} source
   * @param {string} version 'changed', or '' for that of `prepare`
   */
  #object(source, version) {
    return join(this.objects, version, source.replaceAll('/', '-').replace(/\.cpp$/, '.o'))
  }

  /**
   * @param {string[]} sources
   * @param {string} version
   */
  async #compile(sources, version) {
    const waiting = [...sources]
    const worker = async () => {
      for (let source = waiting.pop(); source !== undefined; source = waiting.pop())
        await this.#build([
          ...flags,
          ...(this.loops.includes(source) ? ['-O1'] : []),
          ...this.openblas.cflags,
          '-MMD',
          '-c',
          source,
          '-o',
          this.#object(source, version),
        ])
    }
    const workers = Array.from({ length: Math.min(2, availableParallelism()) }, worker)
    const failed = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** @param {string[]} args */
  async #build(args) {
    const { status, output } = await finish(this.compiler, args, this.folder, this.environment)
    if (status !== 0) throw new BuildError(output.split('\n').find((line) => /error/.test(line)) ?? output)
  }
}

/**
 * @param {string} program
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Outcome>}
 */
async function runProgram(program, cwd, env) {
  const args = ['--minimal', '--abort-after=1', '--no-colors']
  const { status, signal, late, output } = await finish(program, args, cwd, env)
  if (late) return { green: false, by: 'the time limit' }
  if (status === 0) return { green: true, by: '' }
  const name = output.match(/^TEST CASE: *(.+)$/m)?.[1]
  const assertion = output.match(/Assertion .* failed/)?.[0]
  return { green: false, by: name ?? assertion ?? `a crash (${signal ?? status})` }
}

/**
 * Runs a command to its end and gathers what it prints.
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ status: number | null, signal: string | null, late: boolean, output: string }>}
 */
export function finish(command, args, cwd, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, limit_ms)
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    child.on('error', reject)
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      resolve({ status, signal, late, output })
    })
  })
}
