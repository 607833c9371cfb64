/** Python's libraries, under the commands by which Python is commonly found. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * A library that is installed.
 * @typedef {object} PythonPeer
 * @property {string} name with its version
 * @property {string} package by which Python imports it
 * @property {string} python the command that has it
 * @property {string[]} about what it runs on
 * @property {string[]} cores the processors whose kernels its OpenBLAS libraries chose
 */

/** A library that is installed and does not run. */
export class PeerError extends Error {}

const script = fileURLToPath(new URL('describe.py', import.meta.url))
const pythons = ['python3', '/usr/bin/python3']
const packages = /** @type {const} */ ({ SciPy: 'scipy', PyTorch: 'torch', JAX: 'jax' })

/**
 * The environment in which a library computes with so many threads, and without an accelerator.
 * @param {number} threads
 * @returns {NodeJS.ProcessEnv}
 */
export function peerEnvironment(threads) {
  const count = String(threads)
  return {
    ...process.env,
    OMP_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    // JAX's own pool, and in it what one product is divided among
    NPROC: count,
    ...(threads === 1 && { XLA_FLAGS: '--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1' }),
    CUDA_VISIBLE_DEVICES: '',
    JAX_PLATFORMS: 'cpu',
    PYTHONDONTWRITEBYTECODE: '1',
  }
}

/**
 * Every Python library that is found, each version once.
 *
 * @param {(line: string) => void} say
 * @param {NodeJS.ProcessEnv} [env] in which they are asked; one thread where not given
 * @returns {{ found: PythonPeer[], absent: string[] }}
 */
export function findPythonPeers(say, env) {
  /** @type {Map<string, PythonPeer>} */
  const found = new Map()
  /** @type {string[]} */
  const absent = []
  for (const [title, name] of Object.entries(packages)) {
    const before = found.size + absent.length
    for (const python of pythons) {
      try {
        const told = askPython(python, [script, name], env)
        const label = told && `${title} ${told.version}`
        if (label && !found.has(label)) found.set(label, { ...told, name: label, package: name, python })
      } catch (error) {
        if (!(error instanceof PeerError)) throw error
        say(`${title}: ${error.message}`)
        absent.push(doesNotRun(title))
      }
    }
    if (found.size + absent.length === before) absent.push(title)
  }
  return { found: [...found.values()], absent }
}

/** @param {string} title */
export function doesNotRun(title) {
  return `${title} (installed, but it does not run)`
}

/**
 * What a Python script prints, which is JSON.
 *
 * @param {string} python
 * @param {string[]} args the script's path first
 * @param {NodeJS.ProcessEnv} [env] with one thread where not given
 * @returns {any} undefined where Python or the package is not installed, which the script says by exit code 3
 */
export function askPython(python, args, env = peerEnvironment(1)) {
  const { error, status, signal, stdout, stderr } = spawnSync(python, args, {
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (error && 'code' in error && error.code === 'ENOENT') return undefined
  if (error) throw error
  if (status === 3) return undefined
  if (status !== 0) throw new PeerError(`its process ended with ${signal ?? status}:\n${stderr}`)
  return JSON.parse(stdout)
}
