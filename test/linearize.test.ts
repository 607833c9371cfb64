import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type ExpmLinearization,
  expmCond,
  expmJVP,
  expmLinearize,
  expmVJP,
  type MatfunError,
  type Method,
  type NDArray,
} from '../lib/index.ts'
import { gather, ndarray } from '../lib/ndarray.ts'
import * as reference from '../lib/reference/index.ts'
import { bitsOf } from './support/bits.ts'
import { dtypes, matrixAt, randomArray, relativeDistance, roundoff } from './support/dtypes.ts'
import { fixtures } from './support/fixtures.ts'
import { conditionNumber, inner, random, relativeError, u, withNorm } from './support/matrices.ts'

const nan = { onFailure: 'nan' } as const

/** Value and derivatives have the bits that expmJVP and expmVJP give, asked for twice. */
function expectSameBits(A: NDArray, E: NDArray, options = {}) {
  const jvp = bitsOf(expmJVP(A, E, { ...nan, ...options }))
  const vjp = bitsOf(expmVJP(A, E, { ...nan, ...options }))
  const L = expmLinearize(A, { ...nan, ...options })
  for (let round = 0; round < 2; round++) {
    expect(bitsOf({ value: L.value, tangent: L.jvp(E) })).toEqual(jvp)
    expect(bitsOf({ value: L.value, cotangent: L.vjp(E) })).toEqual(vjp)
  }
  L.dispose()
}

describe('derivatives from what was kept have the bits of expmJVP and expmVJP', () => {
  test.each(dtypes)('for every fixture in %s', (dtype) => {
    const cases = fixtures().filter((fixture) => fixture.dtype === dtype)
    expect(cases.length).toBeGreaterThan(100)
    for (const { n, A, E } of cases) expectSameBits(ndarray(dtype, [n, n], A), ndarray(dtype, [n, n], E))
  })

  test.each(dtypes)('by every method and choice in %s', (dtype) => {
    for (const n of [1, 4, 9, 16])
      for (const method of ['polynomial', 'pade'] as Method[])
        for (const choice of ['auto', true, false] as const) {
          const A = randomArray(dtype, [n, n], n, 4)
          expectSameBits(A, randomArray(dtype, [n, n], n + 1), { method, shift: choice, balance: choice })
        }
  })

  test.each([
    [[], []],
    [[], [5]],
    [[5], []],
    [[2, 3], [3]],
    [
      [3, 1],
      [1, 4],
    ],
    [[3], [2, 1]],
    [[0], [1]],
    [[2], [0, 1]],
  ])('where leading dimensions %j meet %j', (a, e) => {
    for (const n of [0, 3, 9])
      for (const threads of [1, 2])
        expectSameBits(randomArray('float64', [...a, n, n], 1, 2), randomArray('float64', [...e, n, n], 2), {
          threads,
        })
  })

  test('where some matrices and directions of a batch cannot be done', () => {
    for (const n of [4, 9]) {
      const A = randomArray('float64', [5, n, n], 3)
      A.data[n * n] = Number.NaN
      for (let i = 0; i < n; i++) A.data[3 * n * n + i * (n + 1)] = 800
      const E = randomArray('float64', [5, n, n], 4)
      E.data[2 * n * n] = Number.POSITIVE_INFINITY
      expectSameBits(A, E)
    }
  })
})

test('one large matrix has the same bits with any number of threads', () => {
  const n = 512
  const A = randomArray('float32', [n, n], 1, 0.1)
  const E = randomArray('float32', [n, n], 2)
  const alone = expmVJP(A, E, { threads: 1 })
  using L = expmLinearize(A, { threads: 3 })
  expect(bitsOf({ value: L.value, cotangent: L.vjp(E) })).toEqual(bitsOf(alone))
})

describe('against the reference', () => {
  test.each([1e-9, 0.03, 0.5, 4, 20])('derivatives are within 10 units at norm %d, and adjoint', (norm) => {
    for (const n of [5, 12]) {
      const A = withNorm(random(n, n), n, norm)
      const [E, W] = [random(n, 7), random(n, 8)]
      using L = expmLinearize(A)
      const unit = Math.max(conditionNumber(A, n), 1) * u
      const tangent = L.jvp(E).data
      const cotangent = L.vjp(W).data
      expect(relativeError(tangent, reference.expmJVP(A, E).tangent.data)).toBeLessThanOrEqual(10 * unit)
      expect(relativeError(cotangent, reference.expmVJP(A, W).cotangent.data)).toBeLessThanOrEqual(10 * unit)
      const bound = 40 * n * unit * Math.hypot(...W) * Math.hypot(...tangent)
      expect(Math.abs(inner(W, tangent) - inner(cotangent, E))).toBeLessThanOrEqual(bound)
    }
  })

  test.each(dtypes)('L(A, A) = A exp(A) = L(A, I) A in %s', (dtype) => {
    const n = 10
    const A = randomArray(dtype, [n, n], 5, 0.2)
    using L = expmLinearize(A)
    const I = ndarray(
      dtype,
      [n, n],
      A.data.map((_, k) => Number(k % ((A.data.length / n ** 2) * (n + 1)) === 0)) as never,
    )
    expect(relativeDistance(L.jvp(I).data, L.value.data)).toBeLessThan(100 * n * roundoff[dtype])
  })
})

describe('what is kept', () => {
  test('depends neither on the memory of A nor on that of the value', () => {
    for (const n of [4, 9]) {
      const A = randomArray('float64', [3, n, n], 9)
      const E = randomArray('float64', [3, n, n], 10)
      const expected = bitsOf([expmJVP(A, E).tangent, expmVJP(A, E).cotangent])
      const L = expmLinearize(A)
      A.data.fill(Number.NaN)
      L.value.data.fill(7)
      expect(bitsOf([L.jvp(E), L.vjp(E)])).toEqual(expected)
      expect(L.value.data.every((x) => x === 7)).toBe(true)
    }
  })

  test('serves many linearizations in turns, whichever of them go meanwhile', () => {
    const n = 9
    const all = Array.from({ length: 6 }, (_, k) => {
      const A = randomArray('float64', [n, n], k, 1 + k)
      return { A, L: expmLinearize(A) }
    })
    for (let round = 0; round < 6; round++) {
      for (const { A, L } of all.slice(round)) {
        const E = randomArray('float64', [n, n], round)
        expect(L.jvp(E)).toEqual(expmJVP(A, E).tangent)
        expect(L.vjp(E)).toEqual(expmVJP(A, E).cotangent)
      }
      all[round].L.dispose()
    }
  })

  test.each(dtypes)('gives the condition number that expmCond estimates, in %s', (dtype) => {
    for (const n of [1, 3, 6, 9, 15]) {
      const A = randomArray(dtype, [4, n, n], n, 2)
      using L = expmLinearize(A)
      const conditions = L.conditionNumber() as Float64Array
      const expected = expmCond(A) as Float64Array
      expect(conditions).toHaveLength(4)
      for (let k = 0; k < 4; k++) {
        const most = 1000 * Math.max(expected[k], 1) * roundoff[dtype] * expected[k]
        expect(Math.abs(conditions[k] - expected[k])).toBeLessThanOrEqual(most)
        using one = expmLinearize(matrixAt(A, k))
        expect(one.conditionNumber()).toBe(conditions[k])
      }
    }
  })

  test('gives the condition number of a row-major matrix by its columns, and 0 for zeros and order 0', () => {
    const n = 12
    const A = new Float64Array(n * n).fill(1e-3, 0, n) // first row: column sums 1e-3, row sums n times that
    expect(expmLinearize(A).conditionNumber()).toBeCloseTo(1e-3, 4)
    expect(expmLinearize(new Float64Array(n * n)).conditionNumber()).toBe(0)
    expect(expmLinearize([]).conditionNumber()).toBe(0)
    expect(expmLinearize({ data: new Float64Array(0), shape: [0, 9, 9] }).conditionNumber()).toEqual(
      new Float64Array(0),
    )
  })
})

describe('inputs and outputs', () => {
  const n = 9
  const A = randomArray('float64', [2, n, n], 11)
  const E = randomArray('float64', [2, n, n], 12)

  test('views of any strides, nested arrays and places of the caller are taken', () => {
    const transposed = { ...A, strides: [n * n, 1, n] }
    const nested = Array.from({ length: n }, (_, i) => Array.from(E.data.subarray(i * n, i * n + n)))
    const out = ndarray('float64', [2, n, n], new Float64Array(2 * n * n))
    const view = { ...out, strides: [n * n, 1, n] }
    const L = expmLinearize(transposed, { out })
    expect(L.value.data).toBe(out.data)
    expect(out).toEqual(expmJVP(transposed, E).value)
    expect(L.jvp(nested)).toEqual(expmJVP(transposed, nested).tangent)
    expect(gather(L.vjp(E, { out: view }))).toEqual(expmVJP(transposed, E).cotangent.data)
    expect(L.jvp({ ...E, data: E.data.slice(), offset: 0 }, { out: out.data }).data).toBe(out.data)
  })

  test('plain nested directions are complex beside a complex matrix', () => {
    const L = expmLinearize([[{ re: 1, im: 2 }]])
    expect(L.jvp([[2]])).toEqual(expmJVP([[{ re: 1, im: 2 }]], [[2]]).tangent)
  })

  test('types tell dtype and kind of condition number', () => {
    expectTypeOf(expmLinearize([[1]])).toEqualTypeOf<ExpmLinearization<'float64', number>>()
    expectTypeOf(expmLinearize(A)).toEqualTypeOf<ExpmLinearization<'float64'>>()
    expectTypeOf(expmLinearize(A).jvp(E)).toEqualTypeOf<NDArray<'float64'>>()
  })

  const L = expmLinearize(A)
  const call = (method: 'jvp' | 'vjp', direction: unknown, options?: unknown) => () =>
    L[method](direction as never, options as never)
  test.each([
    ['no matrix', call('jvp', 5), TypeError, 'ERR_INVALID_ARG_TYPE', /^E must be a Float64Array/],
    ['a wrong order', call('vjp', random(8, 1)), RangeError, 'ERR_SHAPE', /^W must have matrices of order 9/],
    [
      'leading dimensions that do not broadcast',
      call('jvp', randomArray('float64', [3, n, n], 1)),
      RangeError,
      'ERR_SHAPE',
      /^E's leading dimensions \[3\] do not broadcast with A's \[2\]/,
    ],
    [
      'another dtype',
      call('jvp', randomArray('float32', [n, n], 1)),
      TypeError,
      'ERR_DTYPE',
      /like A, got float32/,
    ],
    [
      'an unknown option',
      call('jvp', E, { threads: 1 }),
      TypeError,
      'ERR_INVALID_OPTION',
      /options.threads is not known/,
    ],
    [
      'a place of another shape',
      call('vjp', E, { out: new Float64Array(n * n) }),
      RangeError,
      'ERR_SHAPE',
      /^out must hold/,
    ],
    [
      'a place in the direction',
      call('jvp', E, { out: E.data }),
      RangeError,
      'ERR_ALIASED_OUT',
      /out must not overlap E/,
    ],
    [
      'options that are none',
      () => expmLinearize(A, 3 as never),
      TypeError,
      'ERR_INVALID_ARG_TYPE',
      /^options must be/,
    ],
    [
      'a place in A',
      () => expmLinearize(A, { out: A.data }),
      RangeError,
      'ERR_ALIASED_OUT',
      /out must not overlap A/,
    ],
  ] as const)('%s is refused', (_, wrong, type, code, message) => {
    let error: (Error & { code?: string }) | undefined
    try {
      wrong()
    } catch (caught) {
      error = caught as Error
    }
    expect(error).toBeInstanceOf(type)
    expect(error?.code).toBe(code)
    expect(error?.message).toMatch(message)
  })

  test('what cannot be done is thrown, and listed by its place in the broadcast batch', () => {
    const bad = randomArray('float64', [3, n, n], 13)
    bad.data[n * n] = Number.NaN
    const failures = (body: () => unknown) => {
      try {
        body()
      } catch (error) {
        return (error as MatfunError).failures
      }
      return undefined
    }
    expect(failures(() => expmLinearize(bad))).toEqual([{ index: 1, code: 'ERR_NOT_FINITE' }])
    const direction = ndarray('float64', [3, 1, n, n], bad.data)
    expect(failures(() => L.jvp(direction))).toEqual([
      { index: 2, code: 'ERR_NOT_FINITE' },
      { index: 3, code: 'ERR_NOT_FINITE' },
    ])
    expect(failures(() => L.vjp(E))).toBeUndefined()
    const kept = expmLinearize(bad, nan)
    expect(Number.isNaN((kept.conditionNumber() as Float64Array)[1])).toBe(true)
    expect(Number.isFinite((kept.conditionNumber() as Float64Array)[2])).toBe(true)
  })
})

describe('the end', () => {
  const A = randomArray('float64', [9, 9], 14)

  test('after dispose() the value is left, all else throws, and dispose() does nothing', () => {
    for (const B of [A, [[1]], []]) {
      const L = expmLinearize(B)
      const { data } = L.value
      L.dispose()
      L.dispose()
      expect(L.value.data).toBe(data)
      for (const use of [() => L.jvp(B), () => L.vjp(B), () => L.conditionNumber()])
        expect(use).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_DISPOSED' }))
    }
  })

  test('a block with using disposes', () => {
    let seen: ExpmLinearization
    {
      using L = expmLinearize(A)
      seen = L
      L.jvp(A)
    }
    expect(() => seen.jvp(A)).toThrow('disposed')
  })

  test('a direction that disposes while it is read is told so', () => {
    const L = expmLinearize(A)
    const E = {
      ...A,
      get data() {
        L.dispose()
        return A.data
      },
    }
    expect(() => L.jvp(E)).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }))
  })
})
