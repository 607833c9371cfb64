/** Other libraries on the same cases: those of Python each in a process of its own, and mathjs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromMathjs, loadMathjs, toMathjs } from '../peers/mathjs.mjs'
import { askPython, doesNotRun, findPythonPeers, PeerError } from '../peers/python.mjs'
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

const script = fileURLToPath(new URL('peer.py', import.meta.url))

/**
 * Runs every Python library that is found, each version once.
 *
 * @param {Case[]} cases
 * @param {(line: string) => void} say
 * @returns {{ methods: Method[], absent: string[] }}
 */
export function runPythonPeers(cases, say) {
  const { found, absent } = findPythonPeers(say)
  /** @type {Method[]} */
  const methods = []
  for (const peer of found) {
    try {
      say(`${peer.name} ...`)
      methods.push(runPeer(peer, cases))
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      say(`${peer.name}: ${error.message}`)
      absent.push(doesNotRun(peer.name.split(' ')[0]))
    }
  }
  return { methods, absent }
}

/**
 * @param {import('../peers/python.mjs').PythonPeer} peer
 * @param {Case[]} cases
 * @returns {Method}
 */
function runPeer(peer, cases) {
  const folder = mkdtempSync(join(tmpdir(), 'matfun-accuracy-'))
  try {
    const told = askPython(peer.python, [script, peer.package, fixtures, folder])
    if (!told) throw new PeerError('it is not there any more')
    const results = new Map()
    for (const dtype of dtypes)
      for (const quantity of quantities) {
        const at = openResults(join(folder, `${dtype}-${quantity}.npy`), 1)
        for (const example of cases.filter((c) => c.dtype === dtype))
          results.set(`${quantity} of ${example.name}`, at(example, 0))
      }
    return {
      name: peer.name,
      about: peer.about,
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
 * mathjs has the value alone, in double precision.
 *
 * @param {Case[]} cases
 * @param {(example: Case) => Numbers} inputOf A
 * @param {(line: string) => void} say
 * @returns {Promise<Method | undefined>} undefined where it is not installed
 */
export async function runMathjs(cases, inputOf, say) {
  const mathjs = await loadMathjs()
  if (!mathjs) return undefined
  say(`mathjs ${mathjs.version} ...`)
  /** @type {Method['threw']} */
  const threw = { value: {}, tangent: {}, cotangent: {} }
  const results = new Map()
  for (const example of cases) {
    if (example.dtype !== 'float64' && example.dtype !== 'complex128') continue
    const isComplex = example.dtype === 'complex128'
    const A = inputOf(example)
    /** @type {Numbers} */
    let X = A.map(() => Number.NaN)
    try {
      X = fromMathjs(mathjs.expm(toMathjs(mathjs, A, example.n, isComplex)), isComplex)
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
