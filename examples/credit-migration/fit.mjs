/**
 * Fits generators to one-year tables: for each table P the valid generator Q for which ||exp(Q) - P||_F is least.
 *
 * f(Q) = 1/2 ||exp(Q) - P||² has the gradient that expmVJP computes from W = exp(Q) - P: with structure 'generator' it is the
 * gradient by the migration rates, as the diagonal follows from these. Steps go against it and then to the nearest valid generator: the spectral projected gradient method (Birgin, Martínez, Raydan, SIAM Journal on
 * Optimization 10 (2000) 1196-1211) with the averaged descent test of Zhang and Hager (the same journal, 14 (2004)
 * 1043-1056). Since exp(Q) is near I + Q here, f is near a squared distance, and a step of 1 near Newton's.
 * All fits advance together, so that an iteration is two native calls, however many fits there are.
 */
import { expm, expmVJP } from 'matfun'

const structure = 'generator'

/** Part of the squared step that f must fall by, and how slowly the average that it is compared with forgets. */
const sufficientDecrease = 1e-4
const memory = 0.85

/**
 * @typedef {object} FitOptions
 * @property {number} [tolerance] a fit has converged when its projected gradient, the Frobenius norm of
 *   Q - project(Q - gradient), is at most this; by default 1e-10
 * @property {number} [maxIterations] by default 500
 * @property {(converged: number, iterations: number) => void} [onProgress] called after each iteration
 */

/**
 * @typedef {object} Fits
 * @property {Float64Array} generators shape [count, n, n]
 * @property {Float64Array} distances ||exp(Q) - P||_F of each
 * @property {number} iterations the most that any fit took
 * @property {number} evaluations of value and gradient, over all fits
 * @property {number} unconverged fits that maxIterations did not suffice for
 */

/**
 * One fit in progress: where it is, and the next point to try.
 *
 * @typedef {object} Fit
 * @property {Float64Array} table
 * @property {Float64Array} generator
 * @property {Float64Array} gradient
 * @property {number} distance
 * @property {number} step
 * @property {Float64Array} trial
 * @property {number} moved ||trial - generator||_F
 * @property {number} average of the accepted values of f, which an accepted one must lie below
 * @property {number} weight of that average; 0 before the first evaluation
 */

/**
 * @param {Float64Array} tables shape [count, n, n], rows summing to 1
 * @param {number} n
 * @param {FitOptions} [options]
 * @returns {Fits}
 */
export function fitGenerators(tables, n, { tolerance = 1e-10, maxIterations = 500, onProgress } = {}) {
  const size = n * n
  const count = tables.length / size
  const fits = Array.from({ length: count }, (_, k) => newFit(tables.subarray(k * size, (k + 1) * size), n))
  const evaluate = evaluator(count, n)

  let active = fits
  let iterations = 0
  let evaluations = 0
  while (active.length > 0 && iterations < maxIterations) {
    evaluate(active)
    evaluations += active.length
    iterations++
    // project(Q - step gradient) moves by at least min(1, step) times the projected gradient.
    active = active.filter((fit) => propose(fit, n) > tolerance * Math.min(1, fit.step))
    onProgress?.(count - active.length, iterations)
  }

  const generators = new Float64Array(count * size)
  fits.forEach((fit, k) => {
    generators.set(fit.generator, k * size)
  })
  const distances = Float64Array.from(fits, (fit) => fit.distance)
  return { generators, distances, iterations, evaluations, unconverged: active.length }
}

/**
 * Finds the valid generator nearest to a matrix in the Frobenius norm: off-diagonal entries at least 0, rows summing to
 * 0, the last row (default) zero. In each row the entries are lowered by one amount so that they sum to 0, where those
 * that would turn negative off the diagonal are 0 instead and take no part in the sum.
 *
 * @param {Float64Array} matrix shape [n, n]
 * @param {number} n
 * @param {Float64Array} nearest where the result goes, shape [n, n]
 */
export function projectToGenerator(matrix, n, nearest) {
  nearest.fill(0)
  for (let i = 0; i < n - 1; i++) {
    const row = i * n
    let amount = Number.NEGATIVE_INFINITY
    for (;;) {
      let sum = matrix[row + i]
      let terms = 1
      for (let j = 0; j < n; j++) {
        if (j === i || !(matrix[row + j] > amount)) continue
        sum += matrix[row + j]
        terms++
      }
      // Leaving out the smallest entries raises the mean, until none is left out any more.
      if (!(sum / terms > amount)) break
      amount = sum / terms
    }
    for (let j = 0; j < n; j++) {
      if (j === i) continue
      nearest[row + j] = Math.max(0, matrix[row + j] - amount)
      nearest[row + i] -= nearest[row + j]
    }
  }
}

/**
 * A fit that starts from P - I, which is exp(Q) - I to first order.
 *
 * @param {Float64Array} table
 * @param {number} n
 * @returns {Fit}
 */
function newFit(table, n) {
  const generator = new Float64Array(n * n)
  const minusIdentity = table.map((entry, e) => (e % (n + 1) === 0 ? entry - 1 : entry))
  projectToGenerator(minusIdentity, n, generator)
  return {
    table,
    generator,
    gradient: new Float64Array(n * n),
    distance: Number.POSITIVE_INFINITY,
    step: 1,
    trial: generator.slice(),
    moved: 0,
    average: 0,
    weight: 0,
  }
}

/**
 * Returns a function that computes f and its gradient at the trial points of up to `count` fits, as two stacks, and
 * lets each fit go on from there.
 *
 * @param {number} count
 * @param {number} n
 * @returns {(active: Fit[]) => void}
 */
function evaluator(count, n) {
  const size = n * n
  const stacks = Array.from({ length: 4 }, () => new Float64Array(count * size))
  return (active) => {
    const shape = [active.length, n, n]
    const [trials, values, residuals, gradients] = stacks.map((s) => s.subarray(0, active.length * size))
    active.forEach(({ trial }, k) => {
      trials.set(trial, k * size)
    })
    expm({ data: trials, shape }, { out: values, structure })
    const distances = active.map(({ table }, k) => {
      let sum = 0
      for (let e = 0; e < size; e++) {
        const residual = values[k * size + e] - table[e]
        residuals[k * size + e] = residual
        sum += residual * residual
      }
      return Math.sqrt(sum)
    })
    expmVJP(
      { data: trials, shape },
      { data: residuals, shape },
      { out: { value: values, cotangent: gradients }, structure },
    )
    active.forEach((fit, k) => {
      advance(fit, n, distances[k], gradients.subarray(k * size, (k + 1) * size))
    })
  }
}

/**
 * Takes the trial point, and from the change of the gradient the next step's length (Barzilai and Borwein's); or, where f
 * did not fall enough, stays and halves the step.
 *
 * @param {Fit} fit
 * @param {number} n
 * @param {number} distance at the trial point
 * @param {Float64Array} gradient at the trial point
 */
function advance(fit, n, distance, gradient) {
  const f = distance ** 2 / 2
  const rounding = n * Number.EPSILON * distance
  const bound = fit.average - (sufficientDecrease * fit.moved ** 2) / fit.step + rounding
  if (fit.weight > 0 && !(f <= bound)) {
    fit.step /= 2
    return
  }
  let curvature = 0
  for (let e = 0; e < gradient.length; e++)
    curvature += (fit.trial[e] - fit.generator[e]) * (gradient[e] - fit.gradient[e])
  fit.step = curvature > 0 ? Math.min(Math.max(fit.moved ** 2 / curvature, 1e-3), 1e3) : 1
  fit.generator.set(fit.trial)
  fit.gradient.set(gradient)
  fit.distance = distance
  const weight = memory * fit.weight + 1
  fit.average = (memory * fit.weight * fit.average + f) / weight
  fit.weight = weight
}

/**
 * Sets the next trial point, project(Q - step gradient).
 *
 * @param {Fit} fit
 * @param {number} n
 * @returns {number} how far it lies from Q
 */
function propose(fit, n) {
  const { generator, gradient, step, trial } = fit
  const target = generator.map((entry, e) => entry - step * gradient[e])
  projectToGenerator(target, n, trial)
  let squares = 0
  for (let e = 0; e < trial.length; e++) squares += (trial[e] - generator[e]) ** 2
  fit.moved = Math.sqrt(squares)
  return fit.moved
}
