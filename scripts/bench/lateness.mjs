// How late a timer of 10 ms is while a batch is computed in the background.
//
// usage: node scripts/bench/lateness.mjs [--count 1000000] [--order 4] [--rounds 20] [--package dist/index.js]
//
// Each round makes one call with inputs in ordinary memory, and watches a timer of 10 ms from before the call until its
// promise is settled. Printed: how long the call itself held the event loop, how late the timer was at most, and how long
// the batch took; of all rounds the least, the median and the worst.
//
// needs: a built package (npm run setup), and some 600 MB of memory
// takes: some 10 s

import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const period = 10

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    order: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '20' },
    package: { type: 'string', default: new URL('../../dist/index.js', import.meta.url).pathname },
  },
})
const [count, n, rounds] = [values.count, values.order, values.rounds].map(Number)
const { expmAsync, expmVJPAsync } = await import(pathToFileURL(values.package).href)

/** A stack of matrices of norms around 1, all alike from round to round. */
function stack() {
  const data = new Float64Array(count * n * n)
  for (let k = 0; k < data.length; k++) data[k] = ((k * 40503) % 65536) / 65536 / n
  return { data, shape: [count, n, n] }
}

/** @param {() => Promise<unknown>} call */
async function watch(call) {
  let late = 0
  let last = performance.now()
  const tick = () => {
    const now = performance.now()
    late = Math.max(late, now - last - period)
    last = now
  }
  const timer = setInterval(tick, period)
  const start = performance.now()
  const promise = call()
  const held = performance.now() - start
  await promise
  tick()
  clearInterval(timer)
  return { held, late, took: performance.now() - start }
}

/** @param {number[]} figures */
function summary(figures) {
  const sorted = [...figures].sort((a, b) => a - b)
  const [least, median, worst] = [0, 0.5, 1].map((share) => sorted[Math.floor(share * (sorted.length - 1))])
  return `${least.toFixed(1)} / ${median.toFixed(1)} / ${worst.toFixed(1)} ms`
}

const A = stack()
const calls = { expmAsync: () => expmAsync(A), expmVJPAsync: () => expmVJPAsync(A, A) }
console.log(`${count} matrices of order ${n}, ${rounds} rounds: least / median / worst`)
for (const [name, call] of Object.entries(calls)) {
  /** @type {{ held: number, late: number, took: number }[]} */
  const seen = []
  for (let round = 0; round < rounds; round++) seen.push(await watch(call))
  /** @param {'held' | 'late' | 'took'} key */
  const of = (key) => summary(seen.map((figures) => figures[key]))
  console.log(`${name}: held for ${of('held')}, timer late by ${of('late')}, done after ${of('took')}`)
}
