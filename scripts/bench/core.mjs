/** The core without Node, by Google Benchmark: what a call costs beside it is the binding. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ContenderError } from './contender.mjs'

const execute = promisify(execFile)

/** @typedef {import('./contender.mjs').Contender} Contender */

/** @implements {Contender} */
export class CoreContender {
  role = /** @type {const} */ ('core')
  name = "matfun's core"
  threads = 1
  #path
  #env
  #benchmark = ''
  #batch = 0
  #seconds = 0

  /**
   * @param {string} path native/bench, built
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(path, env) {
    this.#path = path
    this.#env = env
  }

  /**
   * Draws its own matrices, of the same kind and as many.
   *
   * @param {import('./lines.mjs').Line} line
   */
  async prepare({ operation, dtype, order, norm, batch }) {
    this.#benchmark = `^${operation}/${dtype}/${order}/${norm}/real_time$`.replaceAll('.', '\\.')
    this.#batch = batch
    return { offers: true }
  }

  /**
   * @param {number} available
   * @param {number} seconds
   */
  async calibrate(available, seconds) {
    this.#seconds = seconds
    return available
  }

  /** @returns {Promise<import('./contender.mjs').Turn>} */
  async turn() {
    const args = [
      `--benchmark_filter=${this.#benchmark}`,
      `--benchmark_min_time=${this.#seconds}`,
      `--batch=${this.#batch}`,
      '--benchmark_format=json',
    ]
    const { stdout } = await execute(this.#path, args, { env: this.#env })
    const {
      items_per_second: rate,
      cpu_time: processor,
      real_time: real,
    } = JSON.parse(stdout).benchmarks?.[0] ?? {}
    if (!(rate > 0)) throw new ContenderError(`${this.name} told no rate for ${this.#benchmark}`)
    return { seconds: 1 / rate, processor: processor / real }
  }

  close() {}
}
