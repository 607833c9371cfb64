// Calls everything that can be called from JavaScript, rightly and wrongly, and stops at the first fault.
//
// usage: node test/fuzz/start.mjs [--seed S] [--from K] [--calls N] [--state FILE] [--keep]
//
// Without --seed a new one is drawn, and printed. Call K with seed S is always the same, so that a fault is repeated by its own call alone: --seed S --from K --calls 1.
// --keep goes on after a fault. FILE holds the number of the call that runs, for when the process is killed by it.
// exit codes: 0 no fault, 1 a fault (on stderr), 2 wrong use

import { randomInt } from 'node:crypto'
import { openSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { publicCall } from './public-run.ts'
import { Random } from './random.ts'
import { rawCall } from './raw-run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    from: { type: 'string', default: '0' },
    calls: { type: 'string', default: '100000' },
    state: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const from = Number(values.from)
const state = values.state === undefined ? undefined : openSync(values.state, 'w')

let call = from
function fail(error: unknown): void {
  console.error(`call ${call} of seed ${seed} (--seed ${seed} --from ${call} --calls 1):`)
  console.error((error as Error)?.message ?? error)
  process.exitCode = 1
}
process.on('uncaughtException', (error) => {
  fail(error)
  process.exit(1)
})

console.log(`seed ${seed}`)
const start = performance.now()
for (; call < from + Number(values.calls); call++) {
  if (state !== undefined) writeSync(state, String(call).padEnd(12), 0)
  try {
    const random = new Random(seed, call)
    await (random.chance(0.7) ? publicCall(random) : rawCall(random))
  } catch (fault) {
    fail(fault)
    if (!values.keep) break
  }
}
console.log(`${call - from} calls in ${((performance.now() - start) / 1000).toFixed(1)} s`)
