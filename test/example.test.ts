import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { oneYearTable, published, ratings } from '../examples/credit-migration/data.mjs'
import { fitGenerators, projectToGenerator } from '../examples/credit-migration/fit.mjs'
import { readOptions, UsageError } from '../examples/credit-migration/options.mjs'
import { resampleTables, seededRandom } from '../examples/credit-migration/resample.mjs'
import { readNpy } from '../lib/npy/index.ts'
import * as reference from '../lib/reference/index.ts'
import { frobenius, u, uniform } from './support/matrices.ts'
import { temporaryFolder } from './support/npy-files.ts'

const n = 8
const size = n * n
const years = 30
const resamples = 50
/** fitGenerators' own: the norm of Q - project(Q - gradient) at which it stops. */
const tolerance = 1e-10

const main = fileURLToPath(new URL('../examples/credit-migration/main.mjs', import.meta.url))
const inFolder = temporaryFolder()
const P = oneYearTable()

function runExample(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: inFolder('.'),
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const shared = ['--resamples', String(resamples), '--seed', '7']
const output = inFolder('first')
let run: ReturnType<typeof runExample>
beforeAll(() => {
  run = runExample(...shared, '--output', output)
})

const stack = (name: string) => {
  const { data, shape } = readNpy(`${output}/${name}.npy`)
  return { data: data as Float64Array, shape }
}
const item = (data: Float64Array, k: number) => data.slice(k * size, (k + 1) * size)
const times = (A: Float64Array, c: number) => A.map((x) => c * x)
const exponential = (A: Float64Array) => reference.expm(A).data as Float64Array
const distance = (A: Float64Array, B: Float64Array) => frobenius(A.map((x, k) => x - B[k]))

/** A valid generator with about half of its off-diagonal entries 0 and the others below 1. */
function randomGenerator(next: () => number) {
  const Q = new Float64Array(size)
  for (let i = 0; i < n - 1; i++)
    for (let j = 0; j < n; j++) {
      if (i === j) continue
      Q[i * n + j] = next() < 0.5 ? 0 : next()
      Q[i * n + i] -= Q[i * n + j]
    }
  return Q
}

function expectGenerator(Q: Float64Array) {
  expect(Math.max(...Q.slice(size - n).map(Math.abs))).toBe(0)
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) {
      if (i !== j) expect(Q[i * n + j]).toBeGreaterThanOrEqual(0)
      sum += Q[i * n + j]
    }
    expect(Math.abs(sum)).toBeLessThanOrEqual(n * u * Math.abs(Q[i * n + i]))
  }
}

/**
 * The optimality conditions in the free entries q_ij, i ≠ j, where q_ii = -(sum of the others) makes their gradient
 * G_ij - G_ii: at least 0 at q_ij = 0, else 0. A projected gradient of norm t leaves them violated by at most 2t: each of
 * the two terms is within t of the row's multiplier.
 */
function expectOptimal(Q: Float64Array, table: Float64Array) {
  const W = exponential(Q).map((x, k) => x - table[k])
  const G = reference.expmVJP(Q, W).cotangent.data
  for (let i = 0; i < n - 1; i++)
    for (let j = 0; j < n; j++) {
      if (i === j) continue
      const gradient = G[i * n + j] - G[i * n + i]
      expect(gradient).toBeGreaterThanOrEqual(-2 * tolerance)
      if (Q[i * n + j] > tolerance) expect(gradient).toBeLessThanOrEqual(2 * tolerance)
    }
}

/** The cells of the printed table: for each rating, and each of 1, 5, 10 and 30 years, [point, low, high] in percent. */
function printedTable() {
  return ratings.slice(0, -1).map((rating) => {
    const line = run.stdout.split('\n').find((text) => new RegExp(`^ +${rating} .*\\[`).test(text))
    const cells = [...line!.matchAll(/(\S+) \[ *(\S+), +(\S+)\]/g)]
    expect(cells).toHaveLength(4)
    return cells.map((cell) => cell.slice(1))
  })
}

/** A printed percentage is the probability to half a unit of its last digit. */
function expectPrinted(text: string, probability: number) {
  if (text === '<0.01') expect(probability).toBeLessThan(0.00005)
  else expect(Math.abs(Number(text) - 100 * probability)).toBeLessThanOrEqual(0.005 + 1e-9)
}

describe('the example as it is run', () => {
  test('it succeeds, and shows no progress where stderr is not a terminal', () => {
    expect(run).toMatchObject({ status: 0, stderr: '' })
    expect(run.stdout).toContain(`${resamples} fits in`)
    expect(run.stdout).toMatch(/values with gradients, [\d,]+ per second/)
    expect(run.stdout).toMatch(/1,500 matrices of order 8 in .*, [\d,]+ per second/)
  })

  test('the stacks have the shapes that are promised', () => {
    expect(stack('generator').shape).toEqual([n, n])
    expect(stack('tables').shape).toEqual([resamples, n, n])
    expect(stack('generators').shape).toEqual([resamples, years, n, n])
    expect(stack('transitions').shape).toEqual([resamples, years, n, n])
    expect(readdirSync(output).sort()).toEqual([
      'default-curves.svg',
      'generator.npy',
      'generators.npy',
      'tables.npy',
      'transitions.npy',
    ])
  })

  test('the fitted Q is a valid generator and meets the conditions of optimality', () => {
    const { data: Q } = stack('generator')
    expectGenerator(Q)
    expectOptimal(Q, P)
  })

  test('so is and does every one of the resamples', () => {
    const { data } = stack('generators')
    const tables = stack('tables').data
    for (let r = 0; r < resamples; r++) {
      const Q = item(data, r * years)
      expectGenerator(Q)
      expectOptimal(Q, item(tables, r))
    }
  })

  test('the fit is nearer to the table than the published generator, by the distances that are printed', () => {
    const fitted = distance(exponential(stack('generator').data), P)
    const theirs = distance(exponential(Float64Array.from(published.generator.flat())), P)
    expect(fitted).toBeLessThan(theirs)
    expect(run.stdout).toMatch(new RegExp(`fitted here +${fitted.toExponential(2)} `))
    expect(run.stdout).toMatch(new RegExp(`published 1997 +${theirs.toExponential(2)} `))
  })

  test('the printed points and bands are those of an independent computation', () => {
    const Q = stack('generator').data
    const generators = stack('generators').data
    const printed = printedTable()
    ;[1, 5, 10, 30].forEach((year, column) => {
      const fitted = exponential(times(Q, year))
      const samples = Array.from({ length: resamples }, (_, r) =>
        exponential(times(item(generators, r * years), year)),
      )
      for (let i = 0; i < n - 1; i++) {
        const sorted = samples.map((X) => X[i * n + n - 1]).sort((a, b) => a - b)
        // The places of the quantiles among 50: 0.05 * 49 = 2.45 and 0.95 * 49 = 46.55, counted from 0.
        const low = 0.55 * sorted[2] + 0.45 * sorted[3]
        const high = 0.45 * sorted[46] + 0.55 * sorted[47]
        const point = fitted[i * n + n - 1]
        expect(low).toBeLessThan(point)
        expect(point).toBeLessThan(high)
        ;[point, low, high].forEach((probability, k) => {
          expectPrinted(printed[i][column][k], probability)
        })
      }
    })
  })

  test('the stack of generators holds tQ, and that of transitions its exponentials', () => {
    const generators = stack('generators').data
    const transitions = stack('transitions').data
    for (const r of [0, resamples - 1])
      for (const t of [1, 2, 17, years]) {
        const place = r * years + t - 1
        const tQ = item(generators, place)
        expect(tQ).toEqual(times(item(generators, r * years), t))
        // |tQ| in the infinity norm is at most 2 max |q_ii|, and exp has a condition number of at most that.
        const norm = 2 * Math.max(...tQ.map(Math.abs))
        expect(distance(item(transitions, place), exponential(tQ))).toBeLessThanOrEqual(
          10 * n * Math.max(norm, 1) * u,
        )
      }
  })

  test('transition matrices are stochastic, and default only grows with the years', () => {
    const { data } = stack('transitions')
    const rounding = 100 * n * u
    for (let k = 0; k < resamples * years; k++)
      for (let i = 0; i < n; i++) {
        const row = data.subarray(k * size + i * n, k * size + (i + 1) * n)
        expect(Math.min(...row)).toBeGreaterThanOrEqual(0)
        // Rows sum to 1 within 4 u, and adding them up here rounds n times.
        expect(Math.abs(row.reduce((sum, x) => sum + x, 0) - 1)).toBeLessThanOrEqual((4 + n) * u)
        if (k % years > 0)
          expect(row[n - 1]).toBeGreaterThanOrEqual(data[(k - 1) * size + i * n + n - 1] - rounding)
      }
  })

  test('the chart has for each rating a band, a label and a curve through the probabilities', () => {
    const svg = readFileSync(`${output}/default-curves.svg`, 'utf8')
    const Q = stack('generator').data
    const axis = /aria-label="X-axis[^>]*><g transform="translate\(0\.5,(\d+)\.5\)"/.exec(svg)
    const height = Number(axis![1])
    const curve = Array.from({ length: years }, (_, t) => exponential(times(Q, t + 1)))
    expect(svg.length).toBeLessThan(200_000)
    expect(svg.match(/<g class="mark-area/g)).toHaveLength(n - 1)
    ratings.slice(0, -1).forEach((rating, i) => {
      expect(svg).toMatch(new RegExp(`<text [^>]*>${rating}</text>`))
      const path = new RegExp(`rating: ${rating}" [^>]*aria-roledescription="line mark" d="([^"]*)"`).exec(
        svg,
      )
      const heights = path![1].split(/[ML]/).slice(1)
      expect(heights).toHaveLength(years)
      heights.forEach((point, t) => {
        const y = Number(point.split(',')[1])
        // Square-root scale from 0 to 1; vega writes thousandths, and probabilities are drawn to six decimals.
        expect(Math.abs((1 - y / height) ** 2 - curve[t][i * n + n - 1])).toBeLessThanOrEqual(1e-5)
      })
    })
  })

  test('the same seed gives the same files and table, another seed others', () => {
    const table = (text: string) => text.split('\n').filter((line) => line.includes('['))
    const again = runExample(...shared, '--output', inFolder('again'), '--chart', inFolder('charts/c.svg'))
    expect(again.status).toBe(0)
    expect(table(again.stdout)).toEqual(table(run.stdout))
    for (const name of ['tables', 'generators', 'transitions'])
      expect(readFileSync(inFolder(`again/${name}.npy`)).equals(readFileSync(`${output}/${name}.npy`))).toBe(
        true,
      )
    expect(existsSync(inFolder('again/default-curves.svg'))).toBe(false)
    expect(readFileSync(inFolder('charts/c.svg'), 'utf8')).toBe(
      readFileSync(`${output}/default-curves.svg`, 'utf8'),
    )
    const other = runExample('--resamples', '50', '--seed', '8', '--output', inFolder('other'))
    expect(table(other.stdout)).not.toEqual(table(run.stdout))
  })

  test.each([
    [['--resamples', '19'], '--resamples must be an integer from 20 to 100000, got "19"'],
    [['--resamples', '1e4'], '--resamples must be an integer from 20 to 100000, got "1e4"'],
    [['--cohort', '0'], '--cohort must be an integer from 50 to 100000, got "0"'],
    [['--seed=-1'], '--seed must be an integer from 0 to 4294967295, got "-1"'],
    [['--output', ''], '--output must name a folder'],
    [['--chart', ''], '--chart must name a file'],
    [['--years', '5'], "Unknown option '--years'"],
    [['extra'], "Unexpected argument 'extra'"],
  ])('%j is refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(UsageError)
    expect(() => readOptions(args)).toThrow(message)
  })

  test.each([
    [['--cohort', 'many'], '--cohort must be an integer from 50 to 100000, got "many"'],
    [['--output', main], `cannot make the folder ${main}`],
  ])('after %j it shows what was expected, on stderr, and exits with 2', (args, message) => {
    const { status, stderr } = runExample(...args)
    expect(stderr).toContain(message)
    expect(stderr).toContain('see --help')
    expect(stderr).not.toContain('    at ')
    expect(status).toBe(2)
  })

  test('--help names every option', () => {
    const { status, stdout } = runExample('--help')
    expect(status).toBe(0)
    for (const option of ['resamples', 'cohort', 'seed', 'output', 'chart', 'help'])
      expect(stdout).toContain(`--${option}`)
  })
})

describe('its fit', () => {
  /** Valid generators with zeros among them, of norms as ratings have them. */
  const generators = Array.from({ length: 5 }, (_, k) => times(randomGenerator(uniform(k)), 0.15))

  test('recovers a generator from exactly its exponential', () => {
    const tables = Float64Array.from(generators.flatMap((Q) => [...exponential(Q)]))
    const fits = fitGenerators(tables, n)
    expect(fits.unconverged).toBe(0)
    generators.forEach((Q, k) => {
      expectGenerator(Q)
      // f's Hessian is L*L here, its least eigenvalue about e^(2 min Re λ) > 0.1: so the distance from Q is
      // less than ten times the gradient.
      expect(distance(item(fits.generators, k), Q)).toBeLessThanOrEqual(10 * tolerance)
      expect(fits.distances[k]).toBeLessThanOrEqual(10 * tolerance)
    })
  })

  test('finds nothing better among valid generators close by', () => {
    const { generators: Q, distances } = fitGenerators(P, n)
    const next = uniform(3)
    for (let k = 0; k < 40; k++) {
      const step = 10 ** -(1 + (k % 5))
      const near = new Float64Array(size)
      projectToGenerator(
        Q.map((q) => q + step * (2 * next() - 1)),
        n,
        near,
      )
      expect(distance(near, Q)).toBeGreaterThan(0)
      expect(distance(exponential(near), P)).toBeGreaterThan(distances[0])
    }
  })

  test('gives many tables together what each gets alone, bit for bit', () => {
    const tables = resampleTables(P, n, { resamples: 20, cohort: 200, random: seededRandom(5) })
    const together = fitGenerators(tables, n)
    for (let k = 0; k < 20; k++)
      expect(fitGenerators(item(tables, k), n).generators).toEqual(item(together.generators, k))
  })

  test('says how many fits have not converged when it is stopped early', () => {
    const tables = Float64Array.of(...P, ...P)
    expect(fitGenerators(tables, n, { maxIterations: 3 })).toMatchObject({
      iterations: 3,
      evaluations: 6,
      unconverged: 2,
    })
  })

  test('projects to the nearest generator: no other valid one is closer', () => {
    const next = uniform(9)
    for (let k = 0; k < 20; k++) {
      const X = Float64Array.from({ length: size }, () => 2 * next() - 1)
      const nearest = new Float64Array(size)
      projectToGenerator(X, n, nearest)
      expectGenerator(nearest)
      // For a closed convex set: <X - nearest, Z - nearest> <= 0 for every Z in it, here for 20 of them.
      for (let m = 0; m < 20; m++) {
        const Z = randomGenerator(next)
        const inner = X.reduce((sum, x, e) => sum + (x - nearest[e]) * (Z[e] - nearest[e]), 0)
        expect(inner).toBeLessThanOrEqual(size * u * frobenius(X) * frobenius(Z))
      }
    }
  })
})

describe('its resampled tables', () => {
  test('have the shares of a cohort in their rows, and the published table as their mean', () => {
    const cohort = 400
    const count = 1000
    const tables = resampleTables(P, n, { resamples: count, cohort, random: seededRandom(11) })
    for (let e = 0; e < size; e++) {
      let sum = 0
      for (let r = 0; r < count; r++) {
        const firms = tables[r * size + e] * cohort
        expect(Math.abs(firms - Math.round(firms))).toBeLessThanOrEqual(cohort * u)
        sum += tables[r * size + e]
      }
      // Five standard deviations of the mean of so many binomial shares.
      const deviation = Math.sqrt((P[e] * (1 - P[e])) / (cohort * count))
      expect(Math.abs(sum / count - P[e])).toBeLessThanOrEqual(5 * deviation)
    }
    for (let row = 0; row < count * n; row++)
      expect(
        Math.abs(tables.subarray(row * n, (row + 1) * n).reduce((sum, x) => sum + x, 0) - 1),
      ).toBeLessThanOrEqual(n * u)
  })

  test('come from numbers uniform on [0, 1)', () => {
    const next = seededRandom(0)
    const draws = Array.from({ length: 20_000 }, next)
    const bins = new Array<number>(20).fill(0)
    for (const draw of draws) bins[Math.floor(draw * 20)]++
    // Chi-squared with 19 degrees of freedom passes 52 with a chance below 1 in 10 000.
    const chiSquared = bins.reduce((sum, bin) => sum + (bin - 1000) ** 2 / 1000, 0)
    expect(chiSquared).toBeLessThan(52)
    expect(seededRandom(1)()).not.toBe(seededRandom(2)())
  })
})
