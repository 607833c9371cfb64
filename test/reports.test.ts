// Inputs of public bug reports, with their right values: test/fixtures/reports.json says where they are from.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { expm, expmVJP, MatfunError } from '../lib/index.ts'
import * as reference from '../lib/reference/index.ts'
import { unitRoundoff } from './support/fixtures.ts'
import { asGenerator, infinityNorm } from './support/generators.ts'
import { frobenius, inner, random, relativeError } from './support/matrices.ts'
import {
  exponentialOf,
  minus,
  over,
  plus,
  type Rational,
  rational,
  times,
  toDouble,
} from './support/rational.ts'

interface Report {
  readonly name: string
  readonly dtype: 'float64' | 'float32'
  readonly A: readonly (readonly number[])[]
  readonly W: readonly (readonly number[])[]
  readonly value: readonly (readonly number[])[]
  readonly cotangent: readonly (readonly number[])[]
  readonly order: number
  readonly t: number
}

const file = new URL('./fixtures/reports.json', import.meta.url)
const reports: (Report & { readonly kind: string })[] = JSON.parse(readFileSync(file, 'utf8')).cases
const ofKind = (kind: string) =>
  reports.filter((report) => report.kind === kind).map((report) => [report.name, report] as const)

/** The errors allowed, in units of max(cond, 1) u. */
const limit = 10

function input(rows: readonly (readonly number[])[], dtype: Report['dtype']) {
  const numbers = rows.flat()
  const data = dtype === 'float32' ? Float32Array.from(numbers) : Float64Array.from(numbers)
  return { data, shape: [rows.length, rows.length] }
}

/** The relative condition number of exp at A in the Frobenius norm, by power iteration: a lower bound. */
function conditionNumber(data: Float64Array, n: number): number {
  const A = { data, shape: [n, n] }
  let E: ArrayLike<number> = random(n, 1)
  let [norm, size] = [0, 1]
  for (let step = 0; step < 10; step++) {
    const length = frobenius(E)
    const unit = { data: Float64Array.from(E, (x) => x / length), shape: [n, n] }
    const { value, tangent } = reference.expmJVP(A, unit)
    norm = frobenius(tangent.data)
    size = frobenius(value.data)
    E = reference.expmVJP(A, tangent).cotangent.data
  }
  return (norm * frobenius(data)) / size
}

/** d so that row i and column i of D^-1 A D, D = diag(d), are of equal size off the diagonal; or of size one if the other is zero. */
function bestScaling(A: ArrayLike<number>, n: number): Float64Array {
  const d = new Float64Array(n).fill(1)
  for (let sweep = 0; sweep < 100; sweep++)
    for (let i = 0; i < n; i++) {
      let [row, column] = [0, 0]
      for (let j = 0; j < n; j++) {
        if (j === i) continue
        row += Math.abs(A[i * n + j] * d[j]) / d[i]
        column += Math.abs(A[j * n + i] * d[i]) / d[j]
      }
      if (row > 0) d[i] *= column > 0 ? Math.sqrt(row / column) : row
      else if (column > 0) d[i] /= column
    }
  return d
}

/** The largest error of an entry of X beside the largest entry of its row and column. */
function errorBesideLines(X: Float64Array, truth: Float64Array, n: number): number {
  const rows = new Float64Array(n)
  const columns = new Float64Array(n)
  for (const [k, x] of truth.entries()) {
    const [i, j] = [Math.floor(k / n), k % n]
    rows[i] = Math.max(rows[i], Math.abs(x))
    columns[j] = Math.max(columns[j], Math.abs(x))
  }
  return Math.max(
    ...truth.map((x, k) => Math.abs(X[k] - x) / Math.max(rows[Math.floor(k / n)], columns[k % n])),
  )
}

describe('matrices that want another scaling', () => {
  // D is a choice of units, and no digit may depend on it: measured after D^-1 . D, a cotangent after D . D^-1.
  test.each(ofKind('scaled'))('%s is held in the units of its best scaling', (_, report) => {
    const { A, W, dtype } = report
    const n = A.length
    const d = bestScaling(A.flat(), n)
    const inUnits = (X: ArrayLike<number>, power: 1 | -1) =>
      Float64Array.from(X, (x, k) => x * (d[k % n] / d[Math.floor(k / n)]) ** power)
    const unit = Math.max(conditionNumber(inUnits(A.flat(), 1), n), 1) * unitRoundoff(dtype)
    const { value, cotangent } = expmVJP(input(A, dtype), input(W, dtype))
    const ofValue = (X: ArrayLike<number>) =>
      errorBesideLines(inUnits(X, 1), inUnits(report.value.flat(), 1), n) / unit
    expect(ofValue(expm(input(A, dtype)).data)).toBeLessThanOrEqual(limit)
    expect(ofValue(value.data)).toBeLessThanOrEqual(limit)
    const error = errorBesideLines(inUnits(cotangent.data, -1), inUnits(report.cotangent.flat(), -1), n)
    expect(error / unit).toBeLessThanOrEqual(limit)
  })

  test.each(ofKind('plain'))('%s is held as it stands', (_, { A, W, dtype, ...truth }) => {
    const unit = Math.max(conditionNumber(Float64Array.from(A.flat()), A.length), 1) * unitRoundoff(dtype)
    const { value, cotangent } = expmVJP(input(A, dtype), input(W, dtype))
    for (const X of [expm(input(A, dtype)), value])
      expect(relativeError(X.data, truth.value.flat()) / unit).toBeLessThanOrEqual(limit)
    expect(relativeError(cotangent.data, truth.cotangent.flat()) / unit).toBeLessThanOrEqual(limit)
  })
})

describe('generators', () => {
  // Each of about log2 |Q| squarings may move an entry by a few u; generators.test.ts measures each entry's condition.
  test.each(ofKind('generator'))('%s has every entry right', (_, { A, dtype, ...truth }) => {
    const n = A.length
    const tolerance = 8 * unitRoundoff(dtype) * (2 + Math.log2(1 + infinityNorm(A.flat(), n)))
    const value = truth.value.flat()
    const Q = input(A, dtype)
    for (const { data } of [expm(Q, asGenerator()), expmVJP(Q, Q, asGenerator()).value]) {
      for (const [k, x] of value.entries()) expect(Math.abs(data[k] - x)).toBeLessThanOrEqual(tolerance * x)
      for (let i = 0; i < n; i++) {
        const sum = Array.from(data.subarray(i * n, i * n + n)).reduce((total, x) => total + x)
        expect(Math.abs(sum - 1)).toBeLessThanOrEqual((4 + n) * unitRoundoff(dtype))
      }
    }
  })

  // With W = Q the cotangent is C_ij = G_ij - G_ii of G = L(Q^T, Q), and <C, Q> = <Q, L(Q, Q)> = <Q, Q exp(Q)>.
  test.each(ofKind('generator').filter(([, { A }]) => infinityNorm(A.flat(), A.length) < 1e5))(
    '%s has a cotangent with <C, Q> = <Q, Q exp(Q)>',
    (_, { A, dtype, value }) => {
      const n = A.length
      const Q = input(A, dtype)
      const { cotangent } = expmVJP(Q, Q, asGenerator())
      const tangent = Float64Array.from(Q.data, (_, k) => {
        let sum = 0
        for (let j = 0; j < n; j++) sum += Q.data[Math.floor(k / n) * n + j] * value[j][k % n]
        return sum
      })
      const tolerance = 8 * unitRoundoff(dtype) * frobenius(Q.data) ** 2 * n
      expect(cotangent.data.every((c, k) => k % (n + 1) > 0 || c === 0)).toBe(true)
      expect(Math.abs(inner(cotangent.data, Q.data) - inner(Q.data, tangent))).toBeLessThanOrEqual(tolerance)
    },
  )
})

/** exp(q (J - I) + p I) of order n, J all ones: its entries off and on the diagonal, each rounded once. */
function exponentialOfEqual(n: number, q: number, p: number): [number, number] {
  const bits = 160 + Math.ceil(2 * n * q)
  const least = exponentialOf(minus(rational(p), rational(q)), bits)
  const greatest = exponentialOf(plus(times(rational(n - 1), rational(q)), rational(p)), bits)
  const off: Rational = over(minus(greatest, least), rational(n))
  return [toDouble(off), toDouble(plus(off, least))]
}

/** The matrix with these entries off and on the diagonal. */
function equal(n: number, off: number, on: number) {
  const data = Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? on : off))
  return { data, shape: [n, n] }
}

describe('matrices of equal entries', () => {
  const cases = [
    ...ofKind('Mk').map(([name, { order, t }]) => [name, order, t / (order - 1), -t] as const),
    ...ofKind('K_n').map(([name, { order }]) => [name, order, 1, 0] as const),
  ]

  // They are symmetric with eigenvalues (n - 1) q + p and p - q, so cond = max(e^l1, e^l2) |A|_F / |exp A|_F. And L(A^T, I) is exp(A)^T.
  test.each(cases)('%s is held', (_, n, off, on) => {
    const A = equal(n, off, on)
    const [trueOff, trueOn] = exponentialOfEqual(n, off, on)
    const truth = equal(n, trueOff, trueOn).data
    const norm = Math.exp((n - 1) * off + on)
    const unit = Math.max((norm * frobenius(A.data)) / frobenius(truth), 1) * unitRoundoff('float64')
    const { value, cotangent } = expmVJP(A, equal(n, 0, 1))
    for (const X of [expm(A), value, cotangent])
      expect(relativeError(X.data, truth) / unit).toBeLessThanOrEqual(limit)
  })

  test.each(cases.filter(([, n, off]) => n <= 64 && off < 1))(
    '%s is right as a generator too',
    (_, n, off, on) => {
      // the diagonal is taken as minus the exact sum of the rest: another number than `on`, by half an ulp
      const moved = -Math.expm1(-n * off) / n
      const X = expm(equal(n, off, on), asGenerator()).data
      const tolerance = 8 * unitRoundoff('float64') * (2 + Math.log2(1 + 2 * Math.abs(on)))
      for (const [k, x] of X.entries()) {
        const right = k % (n + 1) === 0 ? (1 + (n - 1) * Math.exp(-n * off)) / n : moved
        expect(Math.abs(x - right)).toBeLessThanOrEqual(tolerance * right)
      }
    },
  )
})

describe('matrices whose exponential has no certain digit', () => {
  const uncertain = [{ index: 0, code: 'ERR_UNCERTAIN' }]

  function failures(call: () => unknown) {
    try {
      call()
    } catch (error) {
      if (error instanceof MatfunError) return error.failures
      throw error
    }
    return []
  }

  test.each(ofKind('uncertain'))('%s is refused as an item', (_, { A, dtype }) => {
    const R = input(A, dtype)
    expect(failures(() => expm(R))).toEqual(uncertain)
    expect(failures(() => expmVJP(R, equal(2, 0, 1)))).toEqual(uncertain)
  })

  test.each(ofKind('uncertain'))('%s is NaN if failures are to be', (_, { A, dtype }) => {
    const R = input(A, dtype)
    const { value, cotangent } = expmVJP(R, equal(2, 0, 1), { onFailure: 'nan' })
    for (const X of [expm(R, { onFailure: 'nan' }), value, cotangent])
      expect(Array.from(X.data, Number.isNaN)).toEqual([true, true, true, true])
  })

  test('the others of the batch are as they are alone', () => {
    const [[, { A }]] = ofKind('uncertain')
    const data = new Float64Array(12)
    data.set([0, 1, -1, 0])
    data.set(A.flat(), 4)
    data.set([1, 2, 3, 4], 8)
    const X = expm({ data, shape: [3, 2, 2] }, { onFailure: 'nan' }).data
    expect(X.subarray(4, 8).every(Number.isNaN)).toBe(true)
    for (const at of [0, 8])
      expect(X.slice(at, at + 4)).toEqual(expm({ data: data.slice(at, at + 4), shape: [2, 2] }).data)
  })
})
