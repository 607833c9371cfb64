/** The cases of native/bench/instructions.cpp: built, and counted by callgrind. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ask, findCommand, root, run, SetupError } from '../setup/commands.mjs'
import { buildEnvironment } from '../setup/environment.mjs'

const execute = promisify(execFile)
const folder = join(root, 'build', 'bench', 'native')

/** valgrind knows nothing beyond AVX2, so these are the widest kernels that it can run. */
export const target = 'x86-64-v3'

/** The same everywhere, whatever processor it is: what is counted must not depend on it. */
const environment = { OPENBLAS_CORETYPE: 'Haswell', OPENBLAS_NUM_THREADS: '1' }

/**
 * What is missing to count here, in words.
 *
 * @returns {string[]}
 */
export function missing() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return [`Linux on x86-64, of which the figures are (this is ${process.platform}-${process.arch})`]
  return ['valgrind', 'cmake'].flatMap((command) =>
    findCommand(command) ? [] : [`${command} (Debian: apt-get install ${command})`],
  )
}

/**
 * Builds the program of the cases, as the addon is built.
 *
 * @returns {{ program: string, compiler: string, blas: string, cases: string[] }}
 */
export function build() {
  const env = buildEnvironment()
  run('configure the cases', 'cmake', ['-S', root, '-B', folder, '-DMATFUN_BENCH=ON'], env)
  const args = ['--build', folder, '--target', 'matfun_instructions', '--parallel', '2']
  run('build the cases', 'cmake', args, env)
  const program = join(folder, 'matfun_instructions')
  const told = ask(program, [], { env: { ...env, ...environment } })
  if (!told) throw new SetupError(`${program} does not run`)
  const { compiler, blas, cases } = JSON.parse(told)
  // Its version; what follows are options and the processor's kernels.
  const version = blas.split(' ').slice(0, 2).join(' ')
  // The slowest first, since two are counted at a time.
  return { program, compiler, blas: version, cases: [boundary.name, ...cases] }
}

/**
 * The boundary: what the addon and Node-API do in a call, without JavaScript's part, whose instructions are made at run time by threads
 * that go beside it. Repeats to 0.01 % (Node 20).
 */
export const boundary = {
  name: 'expm float64 4 with out, 200 calls through Node-API',
  calls: 200,
  /** Other versions have another Node-API. */
  condition: `Node ${process.versions.node}`,
}

const boundaryScript = fileURLToPath(new URL('boundary.mjs', import.meta.url))

/**
 * The instructions of one case, of what is counted alone.
 *
 * @param {string} program
 * @param {string} name of the case
 * @returns {Promise<number>}
 */
export function count(program, name) {
  return name === boundary.name
    ? counted('*TemplatedCallback*run_one*', [process.execPath, boundaryScript, String(boundary.calls)])
    : counted('matfun_counted', [program, target, name])
}

/**
 * @param {string} region the function within which is counted
 * @param {string[]} command
 * @returns {Promise<number>}
 */
async function counted(region, command) {
  const scratch = mkdtempSync(join(tmpdir(), 'matfun-instructions-'))
  const output = join(scratch, 'callgrind.out')
  try {
    const args = ['--tool=callgrind', `--toggle-collect=${region}`, `--callgrind-out-file=${output}`]
    await execute('valgrind', [...args, ...command], {
      env: { PATH: process.env.PATH, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH, ...environment },
      maxBuffer: 2 ** 26,
    })
    return totalOf(readFileSync(output, 'utf8'))
  } catch (error) {
    throw new SetupError(`could not count: ${error instanceof Error ? error.message : error}`)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/**
 * @param {string} text callgrind's file
 * @returns {number}
 */
export function totalOf(text) {
  const total = Number(/^totals: (\d+)$/m.exec(text)?.[1])
  if (!(total > 0)) throw new Error('callgrind counted nothing: was the function renamed in which it should?')
  return total
}
