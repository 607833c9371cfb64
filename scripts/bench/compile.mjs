/** The contenders written in C++, built on demand; and the core's own benchmark, where it was built. */
import { existsSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask, findCommand, root, run } from '../setup/commands.mjs'
import { buildEnvironment } from '../setup/environment.mjs'
import { digest, stampIs, writeStamp } from '../setup/stamps.mjs'

const sources = fileURLToPath(new URL('contenders/', import.meta.url))
const folder = join(root, 'build', 'bench')

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {string[]} sources each compiled by itself
 * @property {string[]} headers that these include
 * @property {string} module as pkg-config knows the library
 * @property {string[]} flags beside what pkg-config says
 * @property {string[]} linked what to link beside what pkg-config says for `openblas`
 * @property {boolean} blas
 */

const plain = { headers: ['serve.hpp'], flags: ['-pthread'], linked: [] }
const scalars = ['float64', 'float32', 'complex128']

/** By title. @type {Record<string, Program>} */
export const programs = {
  Eigen: {
    name: 'eigen-contender',
    sources: ['main', ...scalars].map((name) => `eigen/${name}.cpp`),
    headers: ['serve.hpp', 'eigen/eigen.hpp'],
    module: 'eigen3',
    // Its own threads, of one large matrix.
    flags: ['-fopenmp'],
    linked: [],
    blas: false,
  },
  // Not its own slow BLAS but the one that matfun uses.
  GSL: { ...plain, name: 'gsl', sources: ['gsl.cpp'], module: 'gsl', linked: ['-lgsl'], blas: true },
  // Not the BLAS that its wrapper was built with, but that one too.
  Armadillo: { ...plain, name: 'armadillo', sources: ['armadillo.cpp'], module: 'armadillo', blas: true },
}

/** What the machine allows. @type {Program} */
export const boundsProgram = {
  ...plain,
  name: 'bounds',
  sources: ['bounds.cpp'],
  module: 'openblas',
  blas: true,
}

/**
 * Builds a program with this machine's instructions, as far as it is not built.
 *
 * @param {Program} program
 * @param {(line: string) => void} say
 * @returns {string | undefined} its path; undefined where the library or a compiler is not installed
 */
export function buildContender({ name, sources: files, headers, module, flags: own, linked, blas }, say) {
  const compiler =
    process.env.CXX?.split(' ') ?? ['g++', 'c++'].filter((command) => findCommand(command)).slice(0, 1)
  const included = pkgConfig('--cflags', module)
  const libraries = blas ? pkgConfig('--libs', 'openblas') : []
  if (compiler.length === 0 || !included || !libraries) return undefined
  const machine = process.arch === 'x64' ? '-march=native' : '-mcpu=native'
  const flags = ['-std=c++20', '-O3', machine, '-DNDEBUG', ...own, ...included]
  const facts = [...compiler, ...flags, ...(pkgConfig('--modversion', module) ?? []), processor()]
  mkdirSync(folder, { recursive: true })
  const build = (/** @type {string} */ output, /** @type {string} */ stamp, /** @type {string[]} */ args) => {
    if (existsSync(output) && stampIs(`${output}.sha256`, stamp)) return
    say(`compiling ${basename(output)} ...`)
    run(`compile ${basename(output)}`, compiler[0], [...compiler.slice(1), ...args], buildEnvironment())
    writeStamp(`${output}.sha256`, stamp)
  }
  const objects = files.map((file) => {
    const output = join(folder, `${name}-${basename(file, '.cpp')}.o`)
    build(output, digest(sources, [file, ...headers], facts), [
      ...flags,
      '-c',
      join(sources, file),
      '-o',
      output,
    ])
    return output
  })
  const output = join(folder, name)
  const after = [...linked, ...libraries]
  build(output, digest(sources, [...files, ...headers], [...facts, ...after]), [
    ...own,
    ...objects,
    '-o',
    output,
    ...after,
  ])
  return output
}

/**
 * @param {string} question
 * @param {string} module
 * @returns {string[] | undefined} undefined where it is not installed
 */
function pkgConfig(question, module) {
  return ask('pkg-config', [question, module], { env: buildEnvironment() })?.split(/\s+/).filter(Boolean)
}

/** What a program of this machine's instructions may not run without. */
function processor() {
  return ask('sh', ['-c', 'grep -m1 -E "^(flags|Features)" /proc/cpuinfo']) ?? process.arch
}

/** The core's benchmark as docs/performance.md says to build it; undefined where it was not. */
export function builtCore() {
  const path = join(folder, 'native', 'matfun_bench')
  return existsSync(path) ? path : undefined
}
