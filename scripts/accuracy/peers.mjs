/** Other libraries on the same cases: those of Python each in a process of its own, and mathjs. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dtypes, fixtures, openResults, quantities } from './cases.mjs'

/** @typedef {import('./cases.mjs').Case} Case */
/** @typedef {import('./cases.mjs').DType} DType */
/** @typedef {import('./cases.mjs').Quantity} Quantity */
/** @typedef {import('./cases.mjs').Numbers} Numbers */

/**
 * A library on all cases.
 * @typedef {object} Method
 * @property {string} name with its version
 * @property {string[]} about what it ran on
 * @property {(example: Case, quantity: Quantity) => Numbers | undefined} result undefined where it does not offer that;
 *   NaN where it threw
 * @property {Record<Quantity, Record<string, number>>} threw messages, and how often each came
 * @property {(dtype: DType, quantity: Quantity) => string | undefined} widened the wider dtype in which it computed
 */

/** A library that is installed and does not run. */
class PeerError extends Error {}

const script = fileURLToPath(new URL('peer.py', import.meta.url))
const pythons = ['python3', '/usr/bin/python3']
const packages = /** @type {const} */ ({ SciPy: 'scipy', PyTorch: 'torch', JAX: 'jax' })

/** One thread, because their number may change the last bits; and no accelerator. */
const environment = {
  ...process.env,
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  CUDA_VISIBLE_DEVICES: '',
  JAX_PLATFORMS: 'cpu',
}

/**
 * Runs every Python library that is found, each version once.
 *
 * @param {Case[]} cases
 * @param {(line: string) => void} say
 * @returns {{ methods: Method[], absent: string[] }}
 */
export function runPythonPeers(cases, say) {
  /** @type {Map<string, Method>} */
  const methods = new Map()
  /** @type {string[]} */
  const absent = []
  for (const [title, name] of Object.entries(packages)) {
    const before = methods.size + absent.length
    for (const python of pythons) {
      try {
        const found = ask(python, [name])
        const label = found && `${title} ${found.version}`
        if (!label || methods.has(label)) continue
        say(`${label} ...`)
        methods.set(label, runPeer(python, name, label, found.about, cases))
      } catch (error) {
        if (!(error instanceof PeerError)) throw error
        say(`${title}: ${error.message}`)
        absent.push(`${title} (installed, but it does not run)`)
      }
    }
    if (methods.size + absent.length === before) absent.push(title)
  }
  return { methods: [...methods.values()], absent }
}

/**
 * @param {string} python
 * @param {string} name
 * @param {string} label
 * @param {string[]} about
 * @param {Case[]} cases
 * @returns {Method}
 */
function runPeer(python, name, label, about, cases) {
  const folder = mkdtempSync(join(tmpdir(), 'matfun-accuracy-'))
  try {
    const told = ask(python, [name, fixtures, folder])
    if (!told) throw new PeerError('it is not there any more')
    const results = new Map()
    for (const dtype of dtypes)
      for (const quantity of quantities) {
        const at = openResults(join(folder, `${dtype}-${quantity}.npy`), 1)
        for (const example of cases.filter((c) => c.dtype === dtype))
          results.set(`${quantity} of ${example.name}`, at(example, 0))
      }
    return {
      name: label,
      about,
      result: (example, quantity) => results.get(`${quantity} of ${example.name}`),
      threw: told.threw,
      widened: (dtype, quantity) =>
        told.computedIn[`${dtype}-${quantity}`].find((/** @type {string} */ computed) => computed !== dtype),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * What peer.py prints.
 *
 * @param {string} python
 * @param {string[]} args
 * @returns {any} undefined where Python or the package is not installed
 */
function ask(python, args) {
  const { error, status, signal, stdout, stderr } = spawnSync(python, [script, ...args], {
    env: environment,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (error && 'code' in error && error.code === 'ENOENT') return undefined
  if (error) throw error
  if (status === 3) return undefined
  if (status !== 0) throw new PeerError(`its process ended with ${signal ?? status}:\n${stderr}`)
  return JSON.parse(stdout)
}

/**
 * mathjs has the value alone, in double precision.
 *
 * @param {Case[]} cases
 * @param {(example: Case) => Numbers} inputOf A
 * @param {(line: string) => void} say
 * @returns {Promise<Method | undefined>} undefined where it is not installed
 */
export async function runMathjs(cases, inputOf, say) {
  const mathjs = await import('mathjs').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
  })
  if (!mathjs) return undefined
  say(`mathjs ${mathjs.version} ...`)
  /** @type {Method['threw']} */
  const threw = { value: {}, tangent: {}, cotangent: {} }
  const results = new Map()
  for (const example of cases) {
    if (example.dtype !== 'float64' && example.dtype !== 'complex128') continue
    const A = inputOf(example)
    /** @type {Numbers} */
    let X = A.map(() => Number.NaN)
    try {
      X = mathjsExpm(mathjs, A, example)
    } catch (error) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      threw.value[message] = (threw.value[message] ?? 0) + 1
    }
    results.set(example.name, X)
  }
  return {
    name: `mathjs ${mathjs.version}`,
    about: [],
    result: ({ name }, quantity) => (quantity === 'value' ? results.get(name) : undefined),
    threw,
    widened: () => undefined,
  }
}

/**
 * @param {typeof import('mathjs')} mathjs
 * @param {Numbers} A
 * @param {Case} example
 * @returns {Numbers}
 */
function mathjsExpm(mathjs, A, { n, dtype }) {
  const isComplex = dtype === 'complex128'
  const order = Array.from({ length: n }, (_, i) => i)
  const rows = order.map((i) =>
    order.map((j) => {
      const k = i * n + j
      return isComplex ? mathjs.complex(A[2 * k], A[2 * k + 1]) : A[k]
    }),
  )
  const numbers = mathjs.expm(mathjs.matrix(rows)).toArray().flat()
  const parts = numbers.flatMap((/** @type {any} */ x) => {
    const { re, im } = typeof x === 'number' ? { re: x, im: 0 } : x
    return isComplex ? [re, im] : [re]
  })
  return Float64Array.from(parts)
}
