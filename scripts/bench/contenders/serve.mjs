/** What a contender in Node says and is told: see ../contender.mjs. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** @typedef {Float64Array | Float32Array} Numbers row-major matrices, interleaved re, im where they are complex */

/** @typedef {import('../lines.mjs').Operation | import('../related.mjs').RelatedOperation} Operation */

/**
 * @typedef {object} Inputs
 * @property {Operation} operation
 * @property {'float64' | 'float32' | 'complex128'} dtype
 * @property {number} n
 * @property {number} count
 * @property {boolean} oneByOne each matrix by a call of its own
 * @property {Numbers} A
 * @property {Numbers} direction empty for a value
 */

/**
 * A line made ready.
 * @typedef {object} Ready
 * @property {number} [limit] how many of the matrices it takes, where not all
 * @property {(count: number) => void} compute the first of the matrices
 * @property {(count: number) => Numbers} result of `compute`: values, or the derivatives where it computes them
 */

/**
 * @param {object} hello what it says of itself, with its version
 * @param {(inputs: Inputs) => Ready | string} prepare a string where it does not offer that line: why
 */
export async function serve(hello, prepare) {
  say(hello)
  /** @type {Ready | undefined} */
  let ready
  for await (const request of createInterface({ input: process.stdin })) {
    try {
      const [verb, ...fields] = request.split('\t')
      if (verb === 'prepare') {
        ready = undefined
        const inputs = readInputs(fields)
        const made = prepare(inputs)
        if (typeof made !== 'string') ready = made
        say(
          typeof made === 'string'
            ? { offers: false, why: made }
            : { offers: true, limit: made.limit ?? null, warmUp: inputs.oneByOne },
        )
      } else if (ready) {
        say(verb === 'time' ? time(ready, fields) : write(ready, fields))
      }
    } catch (error) {
      say({ error: String(error).split('\n')[0] })
    }
  }
}

/**
 * @param {string[]} fields
 * @returns {Inputs}
 */
function readInputs([operation, dtype, n, count, A, direction, calls]) {
  const { buffer } = new Uint8Array(readFileSync(A))
  const other = direction ? new Uint8Array(readFileSync(direction)).buffer : new ArrayBuffer(0)
  const Numbers = dtype === 'float32' ? Float32Array : Float64Array
  return {
    operation: /** @type {Inputs['operation']} */ (operation),
    dtype: /** @type {Inputs['dtype']} */ (dtype),
    n: Number(n),
    count: Number(count),
    oneByOne: calls === 'one',
    A: new Numbers(buffer),
    direction: new Numbers(other),
  }
}

/**
 * @param {Ready} ready
 * @param {string[]} fields
 */
function time({ compute }, fields) {
  const [count, passes] = fields.map(Number)
  const processorStart = process.cpuUsage()
  const start = performance.now()
  for (let k = 0; k < passes; k++) compute(count)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(processorStart)
  return { seconds, processor: (user + system) / 1e6 }
}

/**
 * @param {Ready} ready
 * @param {string[]} fields
 */
function write({ compute, result }, [count, path]) {
  compute(Number(count))
  writeFileSync(path, result(Number(count)))
  return {}
}

/** @param {object} answer */
function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
