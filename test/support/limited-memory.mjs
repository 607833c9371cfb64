// A process of test/out-of-memory.test.ts: takes its address space from itself until calls have no room, gives it back, and prints what came
// of the calls as JSON. That V8 itself finds no room, which ends a process, is kept from happening by what is left.
// usage: node limited-memory.mjs <folder of the compiled package>

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { expm, expmAsync, expmJVPAsync, expmLinearize } = await import(`${process.argv[2]}/index.js`)
const reference = await import(`${process.argv[2]}/reference/index.js`)

/** @param {string} bytes */
function limit(bytes) {
  execFileSync('prlimit', ['--pid', String(process.pid), `--as=${bytes}:`])
}

/**
 * Lets the process have so many MB more than it has now.
 * @param {number} megabytes
 */
function leave(megabytes) {
  const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0])
  limit(String(pages * 4096 + megabytes * 2 ** 20))
}

/** @param {number} n */
function matrix(n) {
  const data = Float64Array.from({ length: n * n }, (_, k) => Math.cos(k) / n)
  return { data, shape: [n, n] }
}

const small = matrix(20)
const middle = matrix(100)
const large = matrix(1200)
const huge = { data: new Float64Array(1), shape: [3500, 3500], strides: [0, 0] }
const right = expm(small).data.join()
const derivative = (await expmJVPAsync(small, small)).tangent.data.join()

/**
 * The code of what a call throws, whether the next ones are right, and whether it is done when there is memory again.
 * @param {() => any} call
 * @param {number} megabytes that it is left
 * @param {boolean} [again] where it does not take long
 */
async function outcome(call, megabytes, again = true) {
  const told = { code: '', next: false, again: '' }
  leave(megabytes)
  try {
    await call()
  } catch (error) {
    told.code = /** @type {{ code?: string }} */ (error).code ?? String(error)
  }
  const { tangent } = await expmJVPAsync(small, small)
  told.next = expm(small).data.join() === right && tangent.data.join() === derivative
  limit('unlimited')
  if (again) told.again = typeof (await call())
  return told
}

console.log(
  JSON.stringify({
    // First, before OpenBLAS has a buffer: 128 MB of addresses.
    buffer: await outcome(() => expm(middle, { method: 'pade' }), 80),
    result: await outcome(
      () => expm({ data: new Float64Array(4), shape: [10 ** 8, 2, 2], strides: [0, 2, 1] }),
      300,
      false,
    ),
    workspace: await outcome(() => expm(large), 60),
    asynchronous: await outcome(() => expmAsync(large), 60),
    // Room for the matrix and the result, 98 MB each, but not for what they are computed in.
    reference: await outcome(() => reference.expm(huge), 240, false),
    tape: await outcome(() => expmLinearize(large).dispose(), 60),
  }),
)
