/** One line of a table: every contender in turn, round after round, until its time is over. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ContenderError } from './contender.mjs'

/** @typedef {import('./contender.mjs').Contender} Contender */
/** @typedef {import('./contender.mjs').Files} Files */
/** @typedef {import('./lines.mjs').Line} Line */

/**
 * A contender's part in a line.
 * @typedef {object} Part
 * @property {Contender} contender
 * @property {number} matrices of a turn
 * @property {(number | undefined)[]} rates matrices a second, by round
 * @property {number[]} processors that it had in its rounds
 */

/**
 * @typedef {object} Measured
 * @property {Part[]} parts
 * @property {{ contender: Contender, why: string }[]} without contenders that do not offer the line
 */

const fewestRounds = 3
const mostRounds = 25

/**
 * Threads of OpenBLAS and OpenMP linger: they wait busily for more work at the end of a call; whoever comes next should have the
 * processor for himself. OpenBLAS gives up after 2^26 cycles.
 */
const settlingMilliseconds = 40

/**
 * @param {Contender[]} contenders
 * @param {Line} line
 * @param {Files} files
 * @param {number} seconds for all of them together, about
 * @param {boolean} [cpuTime] whether one thread's own time counts instead of the clock's
 * @returns {Promise<Measured>}
 */
export async function measureLine(contenders, line, files, seconds, cpuTime = false) {
  /** @type {Measured} */
  const measured = { parts: [], without: [] }
  const own = seconds / contenders.length
  for (const contender of contenders) {
    try {
      const { offers, limit, whole, why } = await contender.prepare(line, files)
      if (!offers) {
        measured.without.push({ contender, why: why ?? '' })
        continue
      }
      const turn = Math.min(0.05, Math.max(0.001, own / 7))
      const matrices = await contender.calibrate(limit ?? line.batch, turn, whole)
      measured.parts.push({ contender, matrices, rates: [], processors: [] })
    } catch (error) {
      if (!(error instanceof ContenderError)) throw error
      measured.without.push({ contender, why: error.message })
    }
    await settle(contender)
  }
  await alternate(measured, own, cpuTime)
  return measured
}

/**
 * @param {Measured} measured
 * @param {number} budget seconds for each contender
 * @param {boolean} cpuTime
 */
async function alternate(measured, budget, cpuTime) {
  const spent = new Map(measured.parts.map((part) => [part, 0]))
  for (let round = 0; round < mostRounds; round++) {
    const left = measured.parts.filter((part) =>
      mayGoOn(/** @type {number} */ (spent.get(part)), round, budget),
    )
    if (left.length === 0) return
    // Each round begins with another, so that none always follows the same neighbour's caches and clock.
    const turned = [...left.slice(round % left.length), ...left.slice(0, round % left.length)]
    for (const part of turned) {
      const start = performance.now()
      try {
        const { seconds, processor } = await part.contender.turn()
        const own = cpuTime && part.contender.threads === 1 && processor > 0 ? processor : 1
        part.rates[round] = 1 / (seconds * own)
        part.processors.push(processor)
      } catch (error) {
        if (!(error instanceof ContenderError)) throw error
        measured.parts = measured.parts.filter((other) => other !== part)
        measured.without.push({ contender: part.contender, why: error.message })
      }
      spent.set(part, /** @type {number} */ (spent.get(part)) + (performance.now() - start) / 1000)
      await settle(part.contender)
    }
  }
}

/**
 * Slow contenders get few rounds, but more than one unless that would take ten times their share.
 *
 * @param {number} spent
 * @param {number} round
 * @param {number} budget
 */
function mayGoOn(spent, round, budget) {
  return round === 0 || spent < (round < fewestRounds ? 10 * budget : budget)
}

/** @param {Contender} contender */
async function settle({ lingers }) {
  if (lingers) await pause(settlingMilliseconds)
}

/** The results of so many matrices are compared. */
const compared = 8

/**
 * How far each contender's results are from the first one's, relative to them: a fast answer to another question
 * should show.
 *
 * @param {Measured} measured
 * @param {Line} line
 * @param {string} folder to write them to
 * @returns {Promise<Map<Contender, number>>}
 */
export async function differences({ parts }, { dtype, batch }, folder) {
  /** @type {Map<Contender, number>} */
  const found = new Map()
  const path = join(folder, 'result')
  /** @type {Float64Array | Float32Array | undefined} */
  let truth
  for (const { contender } of parts) {
    if (!contender.result || !['matfun', 'peer'].includes(contender.role)) continue
    try {
      // SciPy's expm_frechet, for one, answers single precision in double.
      const told = (await contender.result(Math.min(compared, batch), path)) ?? dtype
      const { buffer } = new Uint8Array(readFileSync(path))
      const result = told === 'float32' ? new Float32Array(buffer) : new Float64Array(buffer)
      truth ??= result
      found.set(contender, relativeDifference(result, truth))
    } catch (error) {
      // It was timed all the same, and one contender's end should not be that of a long run.
      if (!(error instanceof ContenderError)) throw error
      found.set(contender, Infinity)
    }
  }
  return found
}

/**
 * In the Frobenius norm of all matrices together.
 *
 * @param {ArrayLike<number>} result
 * @param {ArrayLike<number>} truth
 */
export function relativeDifference(result, truth) {
  if (result.length !== truth.length) return Infinity
  let difference = 0
  let size = 0
  for (let k = 0; k < truth.length; k++) {
    difference += (result[k] - truth[k]) ** 2
    size += truth[k] ** 2
  }
  const relative = Math.sqrt(difference / size)
  return Number.isNaN(relative) ? Infinity : relative
}

/** Above this the contender computed something else. @type {Record<import('./inputs.mjs').DType, number>} */
export const largestDifference = { float64: 1e-8, float32: 1e-3, complex128: 1e-8 }
