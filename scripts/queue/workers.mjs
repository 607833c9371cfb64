/** Jobs on a queue, timed, with workers in processes of their own. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openQueue } from 'matfun/queue'
import { createZarr } from 'matfun/zarr'

/** @import { ChildProcess } from 'node:child_process' */
/** @import { Server } from './redis.mjs' */

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/**
 * @typedef {object} Case
 * @property {number} n
 * @property {number} count
 * @property {number} chunkLength
 */

/**
 * @typedef {object} Crew
 * @property {number} workers
 * @property {number} concurrency of each
 * @property {number} threads of each
 */

/**
 * @typedef {object} Timing
 * @property {number} chunks
 * @property {number} secondsPerChunk from the first chunk's beginning to the last one's end
 * @property {number} memory bytes that the largest worker held at most
 */

const options = /** @type {const} */ ({ method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' })

/**
 * Writes a stack of random matrices of 1-norm about 1.
 * @param {string} folder
 * @param {Case} what
 * @param {number} seed
 */
export async function makeStack(folder, { n, count, chunkLength }, seed) {
  const array = await createZarr(join(folder, 'A'), { dtype: 'float64', shape: [count, n, n], chunkLength })
  let state = seed
  for (let k = 0; k < array.chunks; k++) {
    const data = new Float64Array(array.itemsOf(k) * n * n)
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      data[i] = (state / 2 ** 31 - 1) * (2 / n)
    }
    await array.writeChunk(k, data)
  }
}

/**
 * Submits expm of a stack: the job's id, and how long that took.
 * @param {string} folder
 * @param {Server} server
 */
export async function submit(folder, server) {
  const queue = await openQueue({ url: server.url })
  const start = performance.now()
  const { id } = await queue.submit({ operation: 'expm', A: 'A', out: 'Y', options }, { root: folder })
  const seconds = (performance.now() - start) / 1000
  await queue.close()
  return { id, seconds }
}

/**
 * @param {Server} server
 * @param {string} id of a job
 */
export async function cancel(server, id) {
  const queue = await openQueue({ url: server.url })
  await queue.cancel(id)
  await queue.close()
}

/**
 * Does expm of a stack by a crew, once.
 * @param {string} folder
 * @param {Server} server
 * @param {Crew} crew
 * @returns {Promise<Timing>}
 */
export async function timeJob(folder, server, { workers, concurrency, threads }) {
  rmSync(join(folder, 'Y'), { recursive: true, force: true })
  const queue = await openQueue({ url: server.url })
  const args = ['worker', '--queue', server.url, '--concurrency', `${concurrency}`, '--threads', `${threads}`]
  /** @type {ChildProcess[]} */
  const running = []
  try {
    for (let k = 0; k < workers; k++) {
      const worker = spawn(process.execPath, [main, ...args], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      running.push(worker)
      await new Promise((resolve) => worker.stderr.once('data', resolve)) // it is at work
    }
    const { id } = await queue.submit({ operation: 'expm', A: 'A', out: 'Y', options }, { root: folder })
    let last
    for await (last of queue.follow(id, { interval: 100 }));
    if (!last?.complete || last.started === undefined || last.latest === undefined)
      throw new Error('the job did not end')
    const memory = Math.max(...running.map(({ pid }) => mostMemory(pid)))
    await queue.cancel(id)
    return { chunks: last.chunks, secondsPerChunk: (last.latest - last.started) / 1000 / last.chunks, memory }
  } finally {
    for (const worker of running) worker.kill('SIGKILL')
    await queue.close()
  }
}

/**
 * Bytes that a process held at most (Linux).
 * @param {number | undefined} pid
 */
function mostMemory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}
