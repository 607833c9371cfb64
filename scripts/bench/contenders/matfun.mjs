// matfun as a contender: one call for a batch, with `out`. usage: node matfun.mjs THREADS
import { basename } from 'node:path'
import { expm, expmJVP, expmVJP, info } from 'matfun'
import { serve } from './serve.mjs'

/** @typedef {import('./serve.mjs').Inputs} Inputs */
/** @typedef {import('./serve.mjs').Ready} Ready */

const threads = Number(process.argv[2])
/** @type {any} */
const options = takesThreads() ? { threads } : {}
const missing = threads > 1 && !takesThreads() ? 'this version has no option `threads`' : undefined

/** Whether this version of matfun has the option. */
function takesThreads() {
  try {
    expm([[0]], /** @type {any} */ ({ threads: 1 }))
    return true
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_OPTION') return false
    throw error
  }
}

/**
 * @param {Inputs} inputs
 * @returns {Ready | string}
 */
function prepare({ operation, dtype, n, count, A, direction }) {
  if (missing) return missing
  const length = A.length / count
  const [value, derivative] = [A, direction].map((data) => data.slice())
  /**
   * @param {import('./serve.mjs').Numbers} data
   * @param {number} taken
   */
  const stack = (data, taken) => ({ data: data.subarray(0, taken * length), shape: [taken, n, n], dtype })
  /** @type {Record<Inputs['operation'], (taken: number) => void>} */
  const calls = {
    value: (taken) => {
      expm(stack(A, taken), { ...options, out: stack(value, taken) })
    },
    jvp: (taken) => {
      const out = { value: stack(value, taken), tangent: stack(derivative, taken) }
      expmJVP(stack(A, taken), stack(direction, taken), { ...options, out })
    },
    vjp: (taken) => {
      const out = { value: stack(value, taken), cotangent: stack(derivative, taken) }
      expmVJP(stack(A, taken), stack(direction, taken), { ...options, out })
    },
  }
  return {
    compute: calls[operation],
    result: (taken) => (operation === 'value' ? value : derivative).subarray(0, taken * length),
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
