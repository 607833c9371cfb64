/**
 * Contenders: processes that are given the same matrices and told, in turns, to compute them.
 *
 * A contender is told on its standard input, in lines of fields between tabs, and answers each line by one of JSON. First it
 * says who it is: `{ "version": ... }`, or ends with exit code 3 where it is not installed. Then:
 *
 * - `prepare operation dtype n count A direction calls` (paths of raw row-major matrices in the machine's byte order; `stack`
 *   where they are all given in one call, `one` where each has its own): `{ "offers": true, "limit": ..., "whole": ... }`,
 *   limit being how many of the matrices it takes where not all, and whole that it takes no fewer, or `{ "offers": false, "why": ... }`;
 *   also `"warmUp": true` where it is slow at first;
 * - `time count passes`: computes the first so many matrices so many times: `{ "seconds": ..., "processor": ... }`, the second being the
 *   processor time of all its threads;
 * - `result count path`: writes those values, or derivatives where it computes them, to the path: `{ "dtype": ... }`, the dtype being
 *   told where it is another than the line's.
 *
 * What it cannot do is `{ "error": ... }`.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** @typedef {import('./lines.mjs').Line} Line */

/**
 * @typedef {object} Description
 * @property {string} name with its version, as tables have it
 * @property {'matfun' | 'core' | 'peer' | 'bound' | 'related'} role `bound`: what the machine allows; `related`: another operation
 *   of matfun's, which the line's is compared with
 * @property {number} threads
 * @property {string | undefined} [operation] what it computes instead of a line's operation
 * @property {boolean} [lingers] whether its threads wait busily for more work at the end of a call
 */

/**
 * @typedef {object} Files
 * @property {string} A
 * @property {string} direction
 */

/**
 * @typedef {object} Turn
 * @property {number} seconds a matrix
 * @property {number} processor how many processors it had on average: less than its threads where others took them
 */

/**
 * What the measurement asks of a contender.
 * @typedef {Description & {
 *   prepare: (line: Line, files: Files) => Promise<{ offers: boolean, limit?: number | null, whole?: boolean, why?: string }>,
 *   calibrate: (available: number, seconds: number, whole?: boolean) => Promise<number>,
 *   turn: () => Promise<Turn>,
 *   result?: (count: number, path: string) => Promise<string | undefined>,
 *   close: () => void,
 * }} Contender `calibrate` tells the matrices of a turn, which takes about so many seconds; `result` the dtype
 *   of what it wrote, where it is another than the line's
 */

/** A contender that is there and does not do what it is told. */
export class ContenderError extends Error {}

/** No answer to one request takes as long, unless it hangs. */
const patienceMilliseconds = 120_000

/** Seconds; what takes as long is not computed more often than it must be. */
const longCall = 1

/**
 * Before anything is timed of a contender that is slow at first: short calls in JavaScript are compiled while they run, more than
 * once, which went on for some 20 000 of them.
 */
const warmUpSeconds = 0.3

/** @implements {Contender} */
export class ProcessContender {
  /**
   * @param {Omit<Description, 'name'> & { name: (version: string) => string, command: string, args: string[],
   *   env: NodeJS.ProcessEnv, operation?: string }} how `operation`: what it computes instead of a line's
   * @returns {Promise<ProcessContender | undefined>} undefined where it is not installed
   */
  static async open({ name, command, args, env, ...description }) {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    const contender = new ProcessContender(child, description)
    const hello = await contender.#answer().catch((error) => {
      if (contender.#missing || child.exitCode === 3) return undefined
      throw error
    })
    if (!hello) return undefined
    contender.name = name(hello.version)
    contender.hello = hello
    return contender
  }

  #child
  #lines
  #closed
  #missing = false
  #said = ''
  #warmsUp = false
  #turn = { count: 1, passes: 1 }

  /**
   * @param {import('node:child_process').ChildProcessWithoutNullStreams} child
   * @param {Omit<Description, 'name'> & { operation?: string }} description
   */
  constructor(child, { role, threads, lingers = false, operation }) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    this.role = role
    this.threads = threads
    this.lingers = lingers
    this.operation = operation
    this.name = ''
    /** @type {any} */
    this.hello = undefined
    this.#closed = new Promise((resolve) => {
      child.on('close', resolve)
      child.on('error', (error) => {
        this.#missing = 'code' in error && error.code === 'ENOENT'
        resolve(undefined)
      })
    })
    // An end in the middle of a request is noticed where its answer is waited for.
    child.stdin.on('error', () => {})
    child.stderr.on('data', (/** @type {Buffer} */ said) => {
      this.#said = `${this.#said}${said}`.slice(-2000)
    })
  }

  /** @param {(string | number)[]} fields */
  async #ask(...fields) {
    this.#child.stdin.write(`${fields.join('\t')}\n`)
    return this.#answer()
  }

  /** @returns {Promise<any>} */
  async #answer() {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMilliseconds)
    const { value } = await this.#lines.next()
    clearTimeout(timer)
    if (value === undefined) {
      await this.#closed
      throw new ContenderError(`${this.name || 'a contender'} ended or hung\n${this.#said}`.trim())
    }
    const answer = JSON.parse(value)
    if (answer.error) throw new ContenderError(`${this.name}: ${answer.error}`)
    return answer
  }

  /**
   * @param {Line} line
   * @param {Files} files
   */
  async prepare({ operation, dtype, order, batch, calls }, { A, direction }) {
    const other = operation === 'value' ? '' : direction
    const asked = this.operation ?? operation
    const answer = await this.#ask('prepare', asked, dtype, order, batch, A, other, calls)
    this.#warmsUp = answer.warmUp === true
    return answer
  }

  /**
   * The whole batch, several times where it is done at once; less of it for who would take much longer.
   *
   * @param {number} available matrices
   * @param {number} seconds
   * @param {boolean} [whole] not less of it
   */
  async calibrate(available, seconds, whole = false) {
    let count = whole ? available : 1
    if (this.#warmsUp) await this.#warmUp(available)
    let spent = (await this.#time(count, 1)).seconds
    // The first call may have to load what it needs.
    if (spent < longCall) spent = (await this.#time(count, 1)).seconds
    while (count < available && spent < seconds) {
      const all = (spent * available) / count
      const wanted = Math.ceil((count * seconds) / Math.max(spent, 1e-7))
      count =
        all < 5 * seconds ? available : Math.min(available, Math.max(2 * count, Math.min(wanted, 32 * count)))
      spent = (await this.#time(count, 1)).seconds
    }
    this.#turn = { count, passes: Math.max(1, Math.round(seconds / spent)) }
    return count
  }

  /** @param {number} count */
  async #warmUp(count) {
    let spent = 0
    for (let passes = 1; spent < warmUpSeconds; passes *= 2)
      spent += (await this.#time(count, passes)).seconds
  }

  /** @returns {Promise<Turn>} */
  async turn() {
    const { count, passes } = this.#turn
    const { seconds, processor } = await this.#time(count, passes)
    return { seconds: seconds / (count * passes), processor: processor / seconds }
  }

  /**
   * @param {number} count
   * @param {number} passes
   * @returns {Promise<{ seconds: number, processor: number }>}
   */
  async #time(count, passes) {
    return this.#ask('time', count, passes)
  }

  /**
   * @param {number} count
   * @param {string} path
   * @returns {Promise<string | undefined>}
   */
  async result(count, path) {
    return (await this.#ask('result', count, path)).dtype
  }

  close() {
    this.#child.stdin.end()
    this.#child.kill()
  }
}
