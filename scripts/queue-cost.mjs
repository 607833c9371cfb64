// What a chunk costs on a queue besides its computation, and what that means for its size: measures, and rewrites the tables of
// docs/distributed.md and the figures in docs/benchmarks/queue-<machine>.json.
//
// usage: npm run queue-cost [-- --rounds 3] [--folder DIR]
//
// Each figure is the median of the rounds. Chunks of one 2 x 2 matrix have the fixed cost: the queue's round trips, opening, reading,
// writing and syncing files. The other cases say how much of a chunk's time that is. Arrays lie in --folder (default: the system's
// temporary folder); at most 1 GiB is written at a time.
//
// needs: redis-server or valkey-server; a machine that does nothing else
// takes: some 3 min

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { expm } from 'matfun'
import { load, machine, shortName } from './bench/machine.mjs'
import { planningTable } from './queue/planning.mjs'
import { startRedis } from './queue/redis.mjs'
import { cancel, makeStack, submit, timeJob } from './queue/workers.mjs'
import { markdownTable } from './reports/markdown-table.mjs'
import { root } from './setup/commands.mjs'

/** @import { Case, Crew, Timing } from './queue/workers.mjs' */

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, folder: { type: 'string', default: tmpdir() } },
})
const rounds = Number(values.rounds)
const MiB = 2 ** 20
/** @type {Crew} */
const alone = { workers: 1, concurrency: 1, threads: 1 }
const overlapping = { ...alone, concurrency: 2 }
const two = { ...overlapping, workers: 2 }

const server = await startRedis()
const folder = mkdtempSync(join(values.folder, 'matfun-queue-'))

/**
 * @param {number} n
 * @param {number} bytes of a chunk's matrices
 * @param {number} total bytes
 * @returns {Case}
 */
function caseOf(n, bytes, total) {
  const chunkLength = Math.max(1, Math.floor(bytes / (8 * n * n)))
  return { n, chunkLength, count: chunkLength * Math.max(8, Math.floor(total / bytes)) }
}

/**
 * The median of the rounds for each crew, in alternation.
 * @param {Case} what
 * @param {Crew[]} crews
 * @returns {Promise<Timing[]>}
 */
async function measure(what, crews) {
  const place = join(folder, 'case')
  mkdirSync(place)
  try {
    await makeStack(place, what, 1 + Math.floor(Math.random() * 2 ** 31))
    /** @type {Timing[][]} */
    const seen = crews.map(() => [])
    for (let round = 0; round < rounds; round++)
      for (const [k, crew] of crews.entries()) seen[k].push(await timeJob(place, server, crew))
    return seen.map((timings) => timings.sort((a, b) => a.secondsPerChunk - b.secondsPerChunk)[rounds >> 1])
  } finally {
    rmSync(place, { recursive: true })
  }
}

/**
 * Seconds that the computation of a chunk takes on one thread, with everything in memory: the median of five.
 * @param {Case} what
 */
function compute({ n, chunkLength }) {
  const data = new Float64Array(chunkLength * n * n).map(() => (Math.random() * 2 - 1) * (2 / n))
  const seconds = Array.from({ length: 5 }, () => {
    const start = performance.now()
    expm({ data, shape: [chunkLength, n, n] }, { threads: 1 })
    return (performance.now() - start) / 1000
  })
  return seconds.sort((a, b) => a - b)[2]
}

/** What the server has done and holds. */
async function serverNow() {
  const redis = new Redis(server.port)
  const info = await redis.info('all')
  redis.disconnect()
  const field = (/** @type {string} */ name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
  const scripts = [...info.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)]
  return {
    scripts: scripts.reduce((sum, [, calls]) => sum + Number(calls), 0),
    commands: field('total_commands_processed'),
    seconds: field('used_cpu_user_main_thread') + field('used_cpu_sys_main_thread'),
    memory: field('used_memory'),
  }
}

/**
 * What the server pays for a chunk that waits: bytes, and for each chunk that is done.
 * @param {Case} what
 */
async function measureServer(what) {
  const place = join(folder, 'case')
  mkdirSync(place)
  await makeStack(place, what, 1)
  const [empty, { id, seconds }] = [await serverNow(), await submit(place, server)]
  const full = await serverNow()
  await cancel(server, id)
  const was = await serverNow()
  await timeJob(place, server, overlapping)
  const is = await serverNow()
  rmSync(place, { recursive: true })
  const chunks = Math.ceil(what.count / what.chunkLength)
  return {
    scripts: (is.scripts - was.scripts) / chunks,
    commands: (is.commands - was.commands) / chunks,
    seconds: (is.seconds - was.seconds) / chunks,
    bytesWaiting: (full.memory - empty.memory) / chunks,
    submitting: seconds / chunks,
  }
}

const [before, tiny] = [load(), { n: 2, chunkLength: 1, count: 2000 }]
console.error('chunks of one 2 x 2 matrix')
const [fixed, fixedOverlapping] = await measure(tiny, [alone, overlapping])
const cost = await measureServer({ n: 2, chunkLength: 1, count: 10_000 })

const sizes = []
for (const n of [4, 64])
  for (const bytes of [MiB / 4, MiB, 4 * MiB, 16 * MiB, 32 * MiB, 64 * MiB]) {
    const what = caseOf(n, bytes, Math.min(512 * MiB, 128 * bytes))
    console.error(`order ${n}, chunks of ${bytes / MiB} MiB`)
    const [one, both] = await measure(what, [alone, overlapping])
    sizes.push({ ...what, bytes, compute: compute(what), alone: one, overlapping: both })
  }
const pairs = []
for (const n of [4, 64]) {
  const what = caseOf(n, 16 * MiB, 512 * MiB)
  console.error(`order ${n}, one worker and two`)
  const [one, both] = await measure(what, [overlapping, two])
  pairs.push({ ...what, one, two: both })
}
await server.end()
rmSync(folder, { recursive: true })

const about = machine()
const report = {
  schema: 1,
  date: new Date().toISOString(),
  machine: { ...about, load: { before, after: load() } },
  rounds,
  server: cost,
  fixed,
  fixedOverlapping,
  sizes,
  pairs,
}
const name = `queue-${process.env.MATFUN_BENCH_NAME ?? shortName(about.processor)}`
writeFileSync(join(root, 'docs/benchmarks', `${name}.json`), `${JSON.stringify(report, null, 2)}\n`)

const ms = (/** @type {number} */ seconds) => (1000 * seconds).toPrecision(3)
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`
const perSecond = (
  /** @type {{ chunkLength: number }} */ { chunkLength },
  /** @type {Timing} */ { secondsPerChunk },
) => Math.round(chunkLength / secondsPerChunk).toLocaleString('en-US')
const text = [
  `Measured on ${about.processor}, ${about.cores} cores, Node ${about.node}, with redis-server beside the workers and arrays on a local disk; medians of ${rounds}`,
  `rounds (\`npm run queue-cost\`; [figures](benchmarks/${name}.json)).`,
  '',
  `**What a chunk costs whatever is in it**: ${ms(fixed.secondsPerChunk)} ms of a worker's time, or ${ms(fixedOverlapping.secondsPerChunk)} ms where two chunks overlap (the default).`,
  `To Redis it is ${cost.scripts.toFixed(1)} scripts (${cost.commands.toFixed(0)} commands, those inside the scripts included), ${ms(cost.seconds)} ms of its one thread,`,
  `and while it waits ${Math.round(cost.bytesWaiting)} bytes; submitting takes ${ms(cost.submitting)} ms a chunk.`,
  '',
  markdownTable([
    [
      'order',
      'chunk, MiB',
      'matrices',
      'computing, ms',
      'whole, ms',
      'overlapping, ms',
      'fixed',
      'matrices a second',
      'memory, MiB',
    ],
    ...sizes.map((size) => [
      `${size.n}`,
      `${size.bytes / MiB}`,
      size.chunkLength.toLocaleString('en-US'),
      ms(size.compute),
      ms(size.alone.secondsPerChunk),
      ms(size.overlapping.secondsPerChunk),
      percent(fixedOverlapping.secondsPerChunk / size.overlapping.secondsPerChunk),
      perSecond(size, size.overlapping),
      `${Math.round(size.overlapping.memory / MiB)}`,
    ]),
  ]),
  '',
  'One worker and two, each with one thread:',
  '',
  markdownTable([
    ['order', 'chunk, MiB', 'one, matrices a second', 'two', 'gain'],
    ...pairs.map((pair) => [
      `${pair.n}`,
      '16',
      perSecond(pair, pair.one),
      perSecond(pair, pair.two),
      (pair.one.secondsPerChunk / pair.two.secondsPerChunk).toFixed(2),
    ]),
  ]),
  '',
  '## Planning larger ones',
  '',
  'By these figures, for hosts like this machine with two workers each, and a storage that reads and writes 10 GB/s altogether:',
  '',
  planningTable(
    pairs.map((pair) => ({
      n: pair.n,
      perSecond: pair.chunkLength / pair.two.secondsPerChunk,
      workers: 2,
      server: cost,
    })),
  ),
].join('\n')
const page = join(root, 'docs/distributed.md')
const marks = ['<!-- measured -->\n', '\n<!-- end -->']
const [head, rest] = readFileSync(page, 'utf8').split(marks[0])
writeFileSync(page, `${head}${marks[0]}${text}${marks[1]}${rest.split(marks[1])[1]}`)
console.log(text)
