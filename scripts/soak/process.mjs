// One subject in a process of its own: node --expose-gc scripts/soak/process.mjs CALLS < text of a call; prints what came of it as JSON.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const blocks = 40
/** Sizes are judged from here on: before it V8 compiles, and allocators get what they need. */
const warm = 10
const atOnce = 50

const spec = { dtype: 'float64', shape: [2, 2, 2], chunkLength: 2 }
const automatic = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' }

/**
 * What calls are given. The optional packages only where they are called: they take memory of their own for a while.
 * @param {string} folder
 * @param {string} call
 */
async function surroundings(folder, call) {
  const at = (/** @type {string} */ path) => new URL(`../../dist/${path}`, import.meta.url).href
  const matrices = (/** @type {number} */ seed) => ({
    data: Float64Array.from({ length: 200 }, (_, k) => Math.sin(seed + k) / 9),
    shape: [2, 10, 10],
  })
  const calls = (/** @type {string} */ name) => new RegExp(`\\b${name}\\.`).test(call)
  const zarr = await import(at('zarr/index.js'))
  const tfjs = calls('tfjs') ? await import(at('tfjs/index.js')) : undefined
  const tf = tfjs && (await import('@tensorflow/tfjs-core'))
  if (tf) {
    await import('@tensorflow/tfjs-backend-cpu')
    tf.enableProdMode() // or it greets
  }
  if (call.includes("'S.zarr'")) {
    const S = await zarr.createZarr(join(folder, 'S.zarr'), spec)
    await S.writeChunk(0, new Float64Array(8).fill(0.1))
  }
  const queue = /\b(queue|jobs)\./.test(call) ? await import(at('queue/index.js')) : undefined
  const address = { url: process.env.MATFUN_SOAK_QUEUE ?? '' }
  const jobs = calls('jobs') ? await queue.openQueue(address) : undefined
  const worker = calls('jobs')
    ? await queue.startWorker(address, { root: folder, concurrency: 4 })
    : undefined
  return {
    m: await import(at('index.js')),
    zarr,
    tfjs,
    tf,
    tensor: tf?.tensor2d([0, 1, -1, 0], [2, 2], 'float32'),
    job: await import(at('job/index.js')),
    queue,
    address,
    jobs,
    worker,
    folder,
    spec,
    chunk: new Float64Array(8).fill(0.1),
    descriptionOf: (/** @type {string} */ out) => ({
      operation: 'expm',
      A: 'S.zarr',
      out,
      options: automatic,
    }),
    nameOf: (/** @type {number} */ k) => `${k % atOnce}.zarr`,
    at: (/** @type {string} */ name) => join(folder, name),
    remove: (/** @type {string} */ name) => rm(join(folder, name), { recursive: true }),
    reference: await import(at('reference/index.js')),
    npy: await import(at('npy/index.js')),
    A: Float64Array.of(0, 1, -1, 0),
    E: Float64Array.of(0.3, 1, 1, 0),
    out: new Float64Array(4),
    B: matrices(1),
    F: matrices(2),
    bad: { data: Float64Array.of(1, Number.NaN), shape: [2, 1, 1] },
    array: { dtype: 'float64', ...matrices(3), strides: [100, 10, 1], offset: 0, order: 'row-major' },
    file: join(folder, 'array.npy'),
    signal: new AbortController().signal,
    onProgress: () => {},
    kept: [],
  }
}

/**
 * A function that makes so many calls; of asynchronous ones some at once.
 * @param {string} call
 * @param {Record<string, unknown>} given
 * @returns {(count: number) => void | Promise<void>}
 */
function callsOf(call, given) {
  const text = call.includes('await')
    ? `const one = async (k) => { ${call} }
       return async (count) => {
         for (let k = 0; k < count; k += ${atOnce}) {
           const all = []
           for (let j = 0; j < ${atOnce}; j++) all.push(one(k + j))
           await Promise.all(all)
         }
       }`
    : `return (count) => { for (let k = 0; k < count; k++) { ${call} } }`
  return new Function(...Object.keys(given), text)(...Object.values(given))
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Resident bytes once garbage is gone, without what V8 has ready for objects to come: it has more or less of that as it likes. */
async function residentBytes() {
  for (let k = 0; k < 2; k++) {
    await turn() // finalizers run here
    globalThis.gc?.()
  }
  // A thread of V8's own frees the buffers of what was garbage: sizes right after it wander by 1.5 MB, and by 0.4 MB then.
  await sleep(30)
  const { rss, heapTotal, heapUsed } = process.memoryUsage()
  return rss - heapTotal + heapUsed
}

/**
 * The median of the slopes between any two sizes (Theil and Sen), which a few steps do not move.
 * @param {number[]} sizes
 */
function slope(sizes) {
  const slopes = sizes.flatMap((a, j) => sizes.slice(j + 1).map((b, k) => (b - a) / (k + 1)))
  slopes.sort((a, b) => a - b)
  return slopes[slopes.length >> 1]
}

const calls = Number(process.argv[2])
// In memory where the system has such a place, because each file is brought to its disk.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'matfun-soak-'))
try {
  const call = readFileSync(0, 'utf8')
  const given = await surroundings(folder, call)
  const run = callsOf(call, given)
  const each = Math.ceil(calls / blocks / atOnce) * atOnce
  const start = performance.now()
  const sizes = []
  for (let block = 0; block < blocks; block++) {
    await run(each)
    sizes.push(await residentBytes())
  }
  const seconds = (performance.now() - start) / 1000
  console.log(JSON.stringify({ seconds, sizes, grown: slope(sizes.slice(warm)) * blocks }))
  await given.worker?.close()
  await given.jobs?.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
