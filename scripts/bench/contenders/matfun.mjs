// matfun as a contender, with `out`: a call for a batch, or for each matrix. usage: node matfun.mjs THREADS
import { basename } from 'node:path'
import { cotangents } from '../related.mjs'
import { serve } from './serve.mjs'

/** @typedef {import('./serve.mjs').Inputs} Inputs */
/** @typedef {import('./serve.mjs').Numbers} Numbers */
/** @typedef {import('./serve.mjs').Ready} Ready */

process.env.MATFUN_NUM_THREADS = process.argv[2]
const matfun = await import('matfun')
const { expm, expmJVP, expmVJP, info } = matfun

/** What keeps the intermediates, in versions that have it. @type {((A: any) => any) | undefined} */
const expmLinearize = /** @type {any} */ (matfun).expmLinearize

/**
 * @param {Inputs} inputs
 * @returns {Ready | string}
 */
function prepare(inputs) {
  const { operation, count } = inputs
  const isKept = operation === 'kept-jvp' || operation === 'kept-vjp'
  if (isKept && !expmLinearize) return 'this version has no expmLinearize'
  const length = inputs.A.length / count
  const [value, derivative] = [inputs.A, inputs.direction].map((data) => data.slice())
  const isValue = operation === 'value' || operation === 'own-value'
  const call = inputs.oneByOne ? oneByOne(inputs, value, derivative) : stacks(inputs, value, derivative)
  return {
    compute: call,
    result: (taken) => (isValue ? value : derivative).subarray(0, taken * length),
  }
}

/**
 * @param {Inputs} inputs
 * @param {Numbers} value
 * @param {Numbers} derivative
 * @returns {(taken: number) => void}
 */
function stacks({ operation, dtype, n, count, A, direction }, value, derivative) {
  const length = A.length / count
  /**
   * @param {Numbers} data
   * @param {number} taken
   */
  const stack = (data, taken) => ({ data: data.subarray(0, taken * length), shape: [taken, n, n], dtype })
  return (taken) => {
    const [a, x, e] = [A, value, direction].map((data) => stack(data, taken))
    call(operation, a, e, optionsFor(operation, x, stack(derivative, taken)))
  }
}

/**
 * Everything is made beforehand, as whoever computes much with small matrices would keep it.
 *
 * @param {Inputs} inputs
 * @param {Numbers} value
 * @param {Numbers} derivative
 * @returns {(taken: number) => void}
 */
function oneByOne({ operation, dtype, n, count, A, direction }, value, derivative) {
  const length = A.length / count
  const matrices = (/** @type {Numbers} */ data) =>
    Array.from({ length: data.length / length }, (_, k) => {
      const numbers = data.subarray(k * length, (k + 1) * length)
      return dtype === 'complex128' ? { data: numbers, shape: [n, n], dtype } : numbers
    })
  const [As, directions, values, derivatives] = [A, direction, value, derivative].map(matrices)
  if (operation === 'eight') return eight(As, { data: direction, n, dtype }, values)
  if (operation === 'kept-jvp' || operation === 'kept-vjp')
    return kept(operation, As, directions, derivatives)
  const options = values.map((X, k) => optionsFor(operation, X, derivatives[k]))
  return (taken) => {
    for (let k = 0; k < taken; k++) call(operation, As[k], directions[k], options[k])
  }
}

/**
 * @param {Inputs['operation']} operation
 * @param {any} value
 * @param {any} derivative
 * @returns {any}
 */
function optionsFor(operation, value, derivative) {
  if (operation === 'jvp') return { out: { value, tangent: derivative } }
  return { out: operation === 'vjp' ? { value, cotangent: derivative } : value }
}

/**
 * @param {Inputs['operation']} operation
 * @param {any} A
 * @param {any} direction
 * @param {any} options
 */
function call(operation, A, direction, options) {
  if (operation === 'jvp') expmJVP(A, direction, options)
  else if (operation === 'vjp') expmVJP(A, direction, options)
  else expm(A, options)
}

/**
 * Several cotangents of one matrix in one call. That they are equal changes no time.
 *
 * @param {any[]} As
 * @param {{ data: Numbers, n: number, dtype: string }} directions
 * @param {any[]} values
 * @returns {(taken: number) => void}
 */
function eight(As, { data, n, dtype }, values) {
  const length = data.length / As.length
  const shape = [cotangents, n, n]
  const Numbers = data instanceof Float32Array ? Float32Array : Float64Array
  const stacked = As.map((_, k) => {
    const repeated = new Numbers(cotangents * length)
    for (let i = 0; i < cotangents; i++) repeated.set(data.subarray(k * length, (k + 1) * length), i * length)
    return { data: repeated, shape, dtype }
  })
  const options = stacked.map(({ data, ...rest }, k) =>
    optionsFor('vjp', values[k], { data: data.slice(), ...rest }),
  )
  return (taken) => {
    for (let k = 0; k < taken; k++) expmVJP(As[k], stacked[k], options[k])
  }
}

/** Of the line before: their memory is freed before more is taken. @type {any[]} */
let linearized = []

/**
 * A derivative alone, of matrices whose intermediates were kept before.
 *
 * @param {'kept-jvp' | 'kept-vjp'} operation
 * @param {any[]} As
 * @param {any[]} directions
 * @param {any[]} derivatives
 * @returns {(taken: number) => void}
 */
function kept(operation, As, directions, derivatives) {
  for (const old of linearized) old.dispose()
  const all = As.map((A) => expmLinearize?.(A))
  linearized = all
  const options = derivatives.map((out) => ({ out }))
  if (operation === 'kept-jvp')
    return (taken) => {
      for (let k = 0; k < taken; k++) all[k].jvp(directions[k], options[k])
    }
  return (taken) => {
    for (let k = 0; k < taken; k++) all[k].vjp(directions[k], options[k])
  }
}

const { version, addon, cpu, blas } = info()
const { config: _, library, ...ofBlas } = blas
const told = {
  kernels: addon.kernels,
  compiler: addon.compiler,
  features: cpu.features,
  blas: { ...ofBlas, library: basename(library) },
}
await serve({ version, info: told }, prepare)
