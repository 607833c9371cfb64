// The fixtures themselves: whole, of the size they claim, and true by what can be known without trusting them.
import { describe, expect, test } from 'vitest'
import { components, type DType, ndarray } from '../lib/ndarray.ts'
import { expmJVP, expmVJP } from '../lib/reference/index.ts'
import {
  type FixtureCase,
  fixtureData,
  fixtureEntries,
  fixtures,
  frobeniusError,
  unitRoundoff,
} from './support/fixtures.ts'

const u = unitRoundoff('float64')
const dtypes: readonly DType[] = ['float64', 'float32', 'complex128', 'complex64']
const all = fixtures()

/** The largest magnitude that the numbers of a dtype can have. */
function largest(dtype: DType): number {
  return dtype === 'float64' || dtype === 'complex128' ? Number.MAX_VALUE : (2 - 2 ** -23) * 2 ** 127
}

function frobenius(X: ArrayLike<number>): number {
  return Math.hypot(...Array.from(X))
}

/** The absolute values of a matrix's entries. */
function moduli(X: Float64Array | Float32Array, dtype: DType): Float64Array {
  const c = components(dtype)
  return Float64Array.from({ length: X.length / c }, (_, k) => Math.hypot(...X.subarray(k * c, k * c + c)))
}

/** The largest of the columns' sums of absolute values. */
function oneNorm(X: Float64Array | Float32Array, { n, dtype }: FixtureCase): number {
  const sums = new Float64Array(n)
  moduli(X, dtype).forEach((x, k) => {
    sums[k % n] += x
  })
  return Math.max(...sums)
}

/** tr(X^H Y) = [re, im]; the imaginary part is 0 for real ones. */
function inner(X: ArrayLike<number>, Y: ArrayLike<number>, dtype: DType): [number, number] {
  let re = 0
  let im = 0
  for (let k = 0; k < X.length; k++) re += X[k] * Y[k]
  if (components(dtype) === 2) for (let k = 0; k < X.length; k += 2) im += X[k] * Y[k + 1] - X[k + 1] * Y[k]
  return [re, im]
}

function identity(n: number, dtype: DType): Float64Array {
  const c = components(dtype)
  return Float64Array.from({ length: n * n * c }, (_, k) => (k % ((n + 1) * c) === 0 ? 1 : 0))
}

function adjoint(X: ArrayLike<number>, n: number, dtype: DType): Float64Array {
  const c = components(dtype)
  return Float64Array.from({ length: X.length }, (_, k) => {
    const [row, column, part] = [Math.floor(k / (n * c)), Math.floor(k / c) % n, k % c]
    return (part === 1 ? -1 : 1) * X[(column * n + row) * c + part]
  })
}

/** |<X, Y> - <P, Q>| in units of what rounding the matrices and summing their n^2 products may bring. */
function innerProductError(
  [X, Y]: [ArrayLike<number>, ArrayLike<number>],
  [P, Q]: [ArrayLike<number>, ArrayLike<number>],
  { n, dtype }: FixtureCase,
): number {
  const [left, right] = [inner(X, Y, dtype), inner(P, Q, dtype)]
  const scale = frobenius(X) * frobenius(Y) + frobenius(P) * frobenius(Q)
  return Math.hypot(left[0] - right[0], left[1] - right[1]) / ((n * n + 4) * u * scale)
}

/** The names of those that fail, so that a failure says which. */
function failing(cases: readonly FixtureCase[], holds: (each: FixtureCase) => boolean): string[] {
  return cases.filter((each) => !holds(each)).map(({ name }) => name)
}

describe('the files of the fixtures', () => {
  test('hold at least 300 cases, and at least 60 of every dtype', () => {
    expect(all.length).toBeGreaterThanOrEqual(300)
    for (const dtype of dtypes)
      expect(all.filter((each) => each.dtype === dtype).length).toBeGreaterThanOrEqual(60)
  })

  test('name every case once', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
    expect(failing(all, ({ name, dtype }) => name.endsWith(`, ${dtype}`))).toEqual([])
  })

  test.each(dtypes)('of %s lie one after the other and fill both arrays', (dtype) => {
    let elements = 0
    for (const { n, offset } of fixtureEntries().filter((entry) => entry.dtype === dtype)) {
      expect(offset).toBe(elements)
      elements += n * n
    }
    const inputs = fixtureData('inputs', dtype)
    const truth = fixtureData('truth', dtype)
    expect([inputs.dtype, inputs.shape]).toEqual([dtype, [3 * elements]])
    expect([truth.dtype, truth.shape]).toEqual([
      components(dtype) === 2 ? 'complex128' : 'float64',
      [3 * elements],
    ])
  })

  test('hold finite numbers only, and results that the dtype can hold', () => {
    const matrices = ({ A, E, W, value, tangent, cotangent }: FixtureCase) => [
      A,
      E,
      W,
      value,
      tangent,
      cotangent,
    ]
    const fits = (each: FixtureCase) =>
      matrices(each).every((X) => X.every((x) => Math.abs(x) <= largest(each.dtype)) && X.length > 0)
    expect(failing(all, fits)).toEqual([])
    // zero matrices are meant to be there, zero results are not
    expect(
      failing(all, (each) =>
        matrices(each)
          .slice(1)
          .every((X) => X.some((x) => x !== 0)),
      ),
    ).toEqual([])
  })

  test('reach from the smallest matrices to the largest, and from harmless to hopeless conditions', () => {
    const norms = all.map(({ A }) => frobenius(A))
    expect(Math.max(...norms)).toBeGreaterThanOrEqual(1e300)
    expect(Math.min(...norms.filter((norm) => norm > 0))).toBeLessThanOrEqual(1e-310)
    expect(new Set(all.map(({ n }) => n))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 20, 32]))
    for (const [low, high] of [
      [0, 1],
      [1, 100],
      [100, 1e6],
      [1e6, 1e300],
    ])
      expect(
        all.filter(({ condition }) => condition >= low && condition < high).length,
      ).toBeGreaterThanOrEqual(30)
  })
})

describe('the truth', () => {
  test('has derivatives that are adjoint to each other: <W, L(A, E)> = <L(A^H, W), E>', () => {
    const holds = (each: FixtureCase) =>
      innerProductError([each.W, each.tangent], [each.cotangent, each.E], each) <= 1
    expect(failing(all, holds)).toEqual([])
  })

  test('has tangents with tr L(A, E) = tr(exp(A) E)', () => {
    const holds = (each: FixtureCase) => {
      const { n, dtype, value, tangent, E } = each
      return innerProductError([identity(n, dtype), tangent], [adjoint(value, n, dtype), E], each) <= 1
    }
    expect(failing(all, holds)).toEqual([])
  })

  test('has cotangents with tr L(A^H, W) = tr(exp(A)^H W)', () => {
    const holds = (each: FixtureCase) => {
      const { n, dtype, value, cotangent, W } = each
      return innerProductError([identity(n, dtype), cotangent], [value, W], each) <= 1
    }
    expect(failing(all, holds)).toEqual([])
  })

  test('is what the portable reference computes, where that is quick and sure', () => {
    const simple = all.filter(({ n, condition }) => n <= 6 && condition <= 1e4)
    expect(simple.length).toBeGreaterThanOrEqual(150)
    // both are rounded once, and to within half an ulp of each entry
    expect(failing(simple, (each) => referenceError(each) <= 2 * u)).toEqual([])
  })
})

/** A matrix of any dtype in the reference's. */
function wide(X: ArrayLike<number>, n: number, dtype: DType) {
  return ndarray(components(dtype) === 2 ? 'complex128' : 'float64', [n, n], Float64Array.from(X))
}

/** The largest of the three errors of the stored truth against matfun/reference. */
function referenceError({ n, dtype, A, E, W, value, tangent, cotangent }: FixtureCase): number {
  const forward = expmJVP(wide(A, n, dtype), wide(E, n, dtype))
  const backward = expmVJP(wide(A, n, dtype), wide(W, n, dtype))
  return Math.max(
    frobeniusError(value, forward.value.data),
    frobeniusError(tangent, forward.tangent.data),
    frobeniusError(cotangent, backward.cotangent.data),
  )
}

/** L(A, .) along all unit directions by matfun/reference: the columns of its Kronecker form. */
function kronecker({ n, dtype, A }: FixtureCase): Float64Array[] {
  const c = components(dtype)
  return Array.from({ length: n * n }, (_, k) => {
    const unit = Float64Array.from({ length: n * n * c }, (_, at) => (at === k * c ? 1 : 0))
    return expmJVP(wide(A, n, dtype), wide(unit, n, dtype)).tangent.data
  })
}

/** The largest singular value, by power iteration from the column that is largest. */
function spectralNorm(columns: readonly Float64Array[], dtype: DType): number {
  let y = columns.reduce((largest, column) => (frobenius(column) > frobenius(largest) ? column : largest))
  let norm = 0
  for (let step = 0; step < 300; step++) {
    const size = frobenius(y)
    const unit = y.map((x) => x / size)
    const x = columns.map((column) => inner(column, unit, dtype))
    norm = Math.hypot(...x.flat())
    y = unit.map((_, at) => columns.reduce((sum, column, k) => sum + productPart(column, x[k], at, dtype), 0))
  }
  return norm
}

/** Component `at` of the column times a number. */
function productPart(column: Float64Array, [re, im]: [number, number], at: number, dtype: DType): number {
  if (components(dtype) === 1) return column[at] * re
  return at % 2 === 0 ? column[at] * re - column[at + 1] * im : column[at] * re + column[at - 1] * im
}

describe('the condition numbers', () => {
  test('are at least what the stored directions already show', () => {
    // three or four digits are stored; above n = 20 the number is a lower bound itself
    const slack = (n: number) => (n > 20 ? 1.01 : 1.001)
    const holds = ({ n, A, E, W, value, tangent, cotangent, condition }: FixtureCase) => {
      const shown = Math.max(frobenius(tangent) / frobenius(E), frobenius(cotangent) / frobenius(W))
      return condition * slack(n) >= (shown / frobenius(value)) * frobenius(A)
    }
    expect(failing(all, holds)).toEqual([])
  })

  test('are at least those along the identity, |A|_F / sqrt(n) and |A|_1 / n', () => {
    const holds = (each: FixtureCase) =>
      each.condition * 1.01 >= frobenius(each.A) / Math.sqrt(each.n) &&
      (each.oneNormCondition ?? Infinity) * 1.001 >= oneNorm(each.A, each) / each.n
    expect(failing(all, holds)).toEqual([])
  })

  test('are |A|_F / sqrt(n) for skew-Hermitian matrices, |a| for numbers, and at most |A|_F for normal ones', () => {
    const skew = all.filter(
      ({ family, name }) => family === 'skew-Hermitian' || family === 'rotation' || name.startsWith('-i t H'),
    )
    const orderOne = all.filter(({ n }) => n === 1)
    const normal = all.filter(({ family }) => /Hermitian|definite|normal/.test(family))
    for (const cases of [skew, orderOne, normal]) expect(cases.length).toBeGreaterThanOrEqual(15)
    const close = (x: number, y: number) => Math.abs(x - y) <= 1e-3 * y
    expect(failing(skew, ({ A, n, condition }) => close(condition, frobenius(A) / Math.sqrt(n)))).toEqual([])
    expect(failing(orderOne, ({ A, condition }) => close(condition, frobenius(A)))).toEqual([])
    expect(failing(normal, ({ A, condition }) => condition <= 1.001 * frobenius(A))).toEqual([])
  })

  test('are those of the Kronecker form that the reference gives', () => {
    const simple = all.filter(({ n, condition }) => n <= 4 && condition <= 1e4)
    expect(simple.length).toBeGreaterThanOrEqual(60)
    const holds = (each: FixtureCase) => {
      const { dtype, A, value, condition, oneNormCondition } = each
      // over |exp A|, lest products of two entries overflow
      const size = frobenius(value)
      const columns = kronecker(each).map((column) => column.map((x) => x / size))
      const greatest = Math.max(...columns.map((column) => moduli(column, dtype).reduce((sum, x) => sum + x)))
      const one = greatest * (size / oneNorm(value, each)) * oneNorm(A, each)
      const two = spectralNorm(columns, dtype) * frobenius(A)
      return Math.abs(oneNormCondition! - one) <= 1e-3 * one && Math.abs(condition - two) <= 1e-3 * two
    }
    expect(failing(simple, holds)).toEqual([])
  })

  test('are those in the 1-norm for every order up to 20, and for no other', () => {
    expect(failing(all, ({ n, oneNormCondition }) => (oneNormCondition === null) === n > 20)).toEqual([])
  })
})
