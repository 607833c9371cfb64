/** The contenders written in C++, built on demand; and the core's own benchmark, where it was built. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask, findCommand, root, run } from '../setup/commands.mjs'
import { buildEnvironment } from '../setup/environment.mjs'
import { digest, stampIs, writeStamp } from '../setup/stamps.mjs'

const sources = fileURLToPath(new URL('contenders/', import.meta.url))
const folder = join(root, 'build', 'bench')

/**
 * @typedef {object} Program
 * @property {string} name of the source without its ending
 * @property {string} module as pkg-config knows the library
 * @property {string[]} linked what to link beside what pkg-config says for `openblas`
 * @property {boolean} blas
 */

/** @type {Record<string, Program>} */
export const programs = {
  Eigen: { name: 'eigen', module: 'eigen3', linked: [], blas: false },
  // Not its own slow BLAS but the one that matfun uses.
  GSL: { name: 'gsl', module: 'gsl', linked: ['-lgsl'], blas: true },
}

/**
 * Builds a contender with this machine's instructions, if it is not built.
 *
 * @param {Program} program
 * @param {(line: string) => void} say
 * @returns {string | undefined} its path; undefined where the library or a compiler is not installed
 */
export function buildContender({ name, module, linked, blas }, say) {
  const compiler = process.env.CXX ?? ['g++', 'c++'].find((command) => findCommand(command))
  const flags = pkgConfig('--cflags', module)
  const libraries = blas ? pkgConfig('--libs', 'openblas') : []
  if (!compiler || !flags || !libraries) return undefined
  const source = join(sources, `${name}.cpp`)
  const output = join(folder, name)
  const machine = process.arch === 'x64' ? '-march=native' : '-mcpu=native'
  const args = ['-std=c++20', '-O3', machine, '-DNDEBUG', '-pthread', ...flags, source, '-o', output]
  const all = [...args, ...linked, ...libraries]
  const version = pkgConfig('--modversion', module) ?? []
  const stamp = digest(sources, [`${name}.cpp`, 'serve.hpp'], [compiler, ...all, ...version, processor()])
  if (existsSync(output) && stampIs(`${output}.sha256`, stamp)) return output
  say(`compiling ${name}.cpp ...`)
  mkdirSync(folder, { recursive: true })
  run(`compile ${source}`, compiler, all, buildEnvironment())
  writeStamp(`${output}.sha256`, stamp)
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
