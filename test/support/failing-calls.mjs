// A process of test/out-of-memory.test.ts, with failing-memory.cpp loaded: has each allocation of the addon in each call fail in
// turn, and prints what came of it as JSON.
// usage: node failing-calls.mjs <folder of the compiled package> [<the one to fail in one first call>], with MATFUN_FAILING

import { openSync, readSync, writeSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

const folder = process.argv[2]
const { expm, expmAsync, expmCond, expmJVP, expmLinearize, expmPlan, expmVJP, expmVJPAsync, info } =
  await import(`${folder}/index.js`)
const { native } = await import(`${folder}/native.js`)

const file = openSync(/** @type {string} */ (process.env.MATFUN_FAILING), 'r+')
const control = new BigInt64Array(3)

/**
 * Has allocations fail from now on, or none.
 * @param {number} first
 * @param {boolean} [allAfter]
 */
function fail(first, allAfter = false) {
  control.set([BigInt(first), allAfter ? 1n : 0n, 0n])
  writeSync(file, control, 0, 24, 0)
}

/** None fails any more; how many there were. */
function succeed() {
  readSync(file, control, 0, 24, 0)
  const count = Number(control[2])
  fail(0)
  return count
}

/**
 * @param {number} n
 * @param {number} count
 */
function stack(n, count) {
  const data = Float64Array.from({ length: n * n * count }, (_, k) => Math.sin(k) / n)
  return { data, shape: [count, n, n] }
}

const tiny = stack(8, 600)
const spoilt = stack(8, 600)
spoilt.data[64 * 7] = Number.NaN
const small = stack(30, 24)
const few = stack(9, 4)
const one = { data: stack(12, 1).data, shape: [12, 12] }
const nan = /** @type {const} */ ({ onFailure: 'nan' })

/** @type {Record<string, () => unknown>} */
const calls = {
  'expm of one matrix': () => expm(one),
  'expm of a batch': () => expm(tiny, { threads: 2 }),
  'expm of a batch with failures': () => expm(spoilt, { threads: 2 }),
  'expm of a batch with NaN': () => expm(spoilt, { ...nan, threads: 1 }),
  'expmJVP of a batch': () => expmJVP(small, small, { threads: 2 }),
  'expmVJP of one matrix by Padé': () => expmVJP(one, one, { method: 'pade' }),
  expmCond: () => expmCond(few),
  expmPlan: () => expmPlan(tiny),
  'expmLinearize of tiny matrices': () => derivatives(tiny),
  'expmLinearize of larger ones': () => derivatives(small),
  'their condition numbers': () => conditions(few),
  'expm of that batch': () => expm(small),
  'expmAsync of a batch': () => expmAsync(small, { threads: 2 }),
  'expmAsync with failures': () => expmAsync(spoilt, { threads: 2 }),
  'expmVJPAsync with progress': () => expmVJPAsync(tiny, tiny, { threads: 2, onProgress: () => {} }),
  'several at once': () => Promise.all([small, tiny, small].map((A) => expmAsync(A, { threads: 2 }))),
  info,
  'a wrong raw call': () => native.run(0, 2, 2, 0, 1, new Float64Array(4), new Float64Array(8)),
  'an alias in a raw call': () =>
    native.run(0, 2, 1, 0, 1, tiny.data.subarray(0, 4), tiny.data.subarray(1, 5)),
}

/** @param {ReturnType<typeof stack>} A */
function derivatives(A) {
  const linearization = expmLinearize(A, { threads: 2 })
  try {
    return [linearization.value, linearization.jvp(A), linearization.vjp(A)]
  } finally {
    linearization.dispose()
  }
}

/** @param {ReturnType<typeof stack>} A */
function conditions(A) {
  const linearization = expmLinearize(A)
  try {
    return linearization.conditionNumber()
  } finally {
    linearization.dispose()
  }
}

/**
 * What a call comes to, in a form that can be compared.
 * @param {() => unknown} call
 */
async function outcome(call) {
  try {
    return { value: await call() }
  } catch (error) {
    const { code, message } = /** @type {Error & { code?: string }} */ (error)
    return { code, message }
  }
}

/**
 * @param {() => unknown} call
 * @param {boolean} allAfter
 */
async function failEach(call, allAfter) {
  const right = await outcome(call)
  const problems = []
  let refused = 0
  for (let k = 1; ; k++) {
    fail(k, allAfter)
    const failed = await outcome(call)
    const count = succeed()
    if (failed.code === 'ERR_OUT_OF_MEMORY') refused++
    else if (!isDeepStrictEqual(failed, right)) problems.push({ k, failed })
    const next = await outcome(call)
    if (!isDeepStrictEqual(next, right)) problems.push({ k, next })
    if (count < k || problems.length > 3) return { allocations: k - 1, refused, problems }
  }
}

// The first call of all, which starts the pool's threads: of one allocation that fails, as only a new process has it.
const first = Number(process.argv[3])
if (first > 0) {
  fail(first)
  const failed = await outcome(calls['expmAsync of a batch'])
  const allocations = succeed()
  const right = isDeepStrictEqual(
    await outcome(calls['expmAsync of a batch']),
    await outcome(calls['expm of that batch']),
  )
  console.log(JSON.stringify({ allocations, code: failed.code, message: failed.message, right }))
  process.exit()
}

/** @type {Record<string, Awaited<ReturnType<typeof failEach>>>} */
const told = {}
for (const [name, call] of Object.entries(calls))
  for (const allAfter of [false, true])
    told[`${name}, ${allAfter ? 'all that follow' : 'one'}`] = await failEach(call, allAfter)
console.log(JSON.stringify(told))
