/** The committed cases: matrices, directions, and what is true of them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readNpy } from 'matfun/npy'

/** @typedef {'float64' | 'float32' | 'complex128' | 'complex64'} DType */
/** @typedef {'value' | 'tangent' | 'cotangent'} Quantity */
/** @typedef {Float64Array | Float32Array} Numbers row-major, interleaved re, im for complex dtypes */

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} family
 * @property {DType} dtype
 * @property {number} n
 * @property {number} offset n² summed over the cases of this dtype before it
 * @property {number} condition relative condition number of exp at A, Frobenius norm
 */

/** @type {readonly DType[]} */
export const dtypes = ['float64', 'float32', 'complex128', 'complex64']
/** @type {readonly Quantity[]} */
export const quantities = ['value', 'tangent', 'cotangent']

export const fixtures = fileURLToPath(new URL('../../test/fixtures', import.meta.url))

/** @returns {Case[]} */
export function readCases() {
  return JSON.parse(readFileSync(`${fixtures}/cases.json`, 'utf8'))
}

/**
 * Takes a quantity of each case out of a file that holds them one after the other.
 *
 * @param {string} path an .npy file of one dimension
 * @param {number} matrices that each case has in it
 * @returns {(example: Case, k: number) => Numbers} the k-th matrix of a case
 */
export function openResults(path, matrices) {
  const { data, dtype } = readNpy(path)
  const components = dtype.startsWith('complex') ? 2 : 1
  return ({ n, offset }, k) => {
    const from = components * (offset * matrices + k * n * n)
    return data.subarray(from, from + components * n * n)
  }
}

/** @param {DType} dtype */
export function openInputs(dtype) {
  return openResults(`${fixtures}/inputs-${dtype}.npy`, 3)
}

/** @param {DType} dtype */
export function openTruth(dtype) {
  return openResults(`${fixtures}/truth-${dtype}.npy`, 3)
}
