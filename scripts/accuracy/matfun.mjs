/** matfun on all cases. */
import { expm, expmJVP, expmPlan, expmVJP, info, MatfunError } from 'matfun'

/** @typedef {import('./cases.mjs').Case} Case */
/** @typedef {import('./cases.mjs').Quantity} Quantity */
/** @typedef {import('./cases.mjs').Numbers} Numbers */
/** @typedef {import('./peers.mjs').Method} Method */

/**
 * @param {Case[]} cases
 * @param {(example: Case) => Numbers[]} inputsOf A, E and W
 * @returns {Method}
 */
export function runMatfun(cases, inputsOf) {
  /** @type {Method['threw']} */
  const threw = { value: {}, tangent: {}, cotangent: {} }
  const results = new Map()
  for (const example of cases) {
    const [A, E, W] = inputsOf(example).map((data) => arrayOf(example, data))
    /** @type {Record<Quantity, () => { data: Numbers }>} */
    const calls = {
      value: () => expm(A),
      tangent: () => expmJVP(A, E).tangent,
      cotangent: () => expmVJP(A, W).cotangent,
    }
    for (const [quantity, call] of /** @type {[Quantity, () => { data: Numbers }][]} */ (
      Object.entries(calls)
    )) {
      try {
        results.set(`${quantity} of ${example.name}`, call().data)
      } catch (error) {
        if (!(error instanceof MatfunError)) throw error
        threw[quantity][error.message] = (threw[quantity][error.message] ?? 0) + 1
        results.set(
          `${quantity} of ${example.name}`,
          A.data.map(() => Number.NaN),
        )
      }
    }
  }
  const { version } = info()
  return {
    name: `matfun ${version}`,
    about: [],
    result: ({ name }, quantity) => results.get(`${quantity} of ${name}`),
    threw,
    widened: () => undefined,
  }
}

/**
 * What matfun does for a case, in a few words.
 *
 * @param {Case} example
 * @param {Quantity} quantity
 * @param {Numbers} A
 */
export function planInWords(example, quantity, A) {
  const purpose = quantity === 'value' ? 'value' : 'derivative'
  const plan = expmPlan(arrayOf(example, A), { purpose })
  if (Array.isArray(plan)) throw new Error('one matrix has one plan')
  const { method, degree, squarings, form, balanced, shift } = plan
  const parts = [method === 'scalar' ? 'scalar' : `${method} ${degree}, ${squarings} squarings`, form]
  if (balanced) parts.push('balanced')
  const mu = typeof shift === 'number' ? { re: shift, im: 0 } : shift
  if (mu.re !== 0 || mu.im !== 0) parts.push(`shift ${complexInWords(mu)}`)
  return parts.join(', ')
}

/** @param {{ re: number, im: number }} z */
function complexInWords({ re, im }) {
  const short = (/** @type {number} */ x) => Number(x.toPrecision(3))
  if (im === 0) return `${short(re)}`
  return re === 0 ? `${short(im)}i` : `${short(re)} ${im < 0 ? '-' : '+'} ${short(Math.abs(im))}i`
}

/**
 * @param {Case} example
 * @param {Numbers} data
 */
function arrayOf({ n, dtype }, data) {
  return { data, shape: [n, n], dtype }
}
