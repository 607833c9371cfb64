import { describe, expect, test } from 'vitest'
import {
  expm,
  expmAsync,
  expmCond,
  expmJVP,
  expmLinearize,
  expmPlan,
  expmVJP,
  MatfunError,
  type Plan,
} from '../lib/index.ts'
import { components, type DType, type NDArray } from '../lib/ndarray.ts'
import { dtypes, matrixAt, randomArray } from './support/dtypes.ts'
import { random } from './support/matrices.ts'

/** count matrices of order n whose norms reach over every rung of the ladder, in turn. */
function mixed(n: number, count: number, seed: number): Float64Array {
  const stack = random(n, seed, count)
  return stack.map((x, k) => x * 10 ** ((Math.floor(k / (n * n)) % 11) - 9))
}

const part = (data: Float64Array, n: number, k: number) => data.slice(k * n * n, (k + 1) * n * n)

describe('a batch gives each matrix the bits that it gets alone', () => {
  for (const n of [1, 2, 3, 4, 7, 8, 16, 33])
    for (const method of ['polynomial', 'pade'] as const)
      test(`n = ${n}, ${method}`, () => {
        const count = 22
        const A = { data: mixed(n, count, n), shape: [2, 11, n, n] }
        const E = { data: random(n, n + 50, count), shape: [2, 11, n, n] }
        const value = expm(A, { method })
        const jvp = expmJVP(A, E, { method })
        const vjp = expmVJP(A, E, { method })
        expect(value.shape).toEqual([2, 11, n, n])
        for (let k = 0; k < count; k++) {
          const a = part(A.data, n, k)
          const e = part(E.data, n, k)
          expect(part(value.data, n, k)).toEqual(expm(a, { method }).data)
          expect(part(jvp.tangent.data, n, k)).toEqual(expmJVP(a, e, { method }).tangent.data)
          expect(part(vjp.cotangent.data, n, k)).toEqual(expmVJP(a, e, { method }).cotangent.data)
          expect(part(vjp.value.data, n, k)).toEqual(expmVJP(a, e, { method }).value.data)
        }
      })
})

/**
 * Matrices of order 4 that take every path there is (small and large norms, shift, balancing, triangular, Schur form), and
 * between them some that cannot be done.
 */
function motley(dtype: DType): NDArray {
  const kinds: ((x: number, i: number, j: number) => number)[] = [
    (x) => x,
    (x) => 1e-5 * x,
    () => Number.NaN,
    (x) => 30 * x,
    (x, i, j) => (i === j ? -40 : x),
    (x, i, j) => (i === j ? 800 : x),
    (x, i, j) => (j > i ? 1e4 * x : i === j ? x : 0),
    (x, i, j) => (j === i + 1 ? 6 : 0 * x),
    (x, i, j) => (i === 2 && j === 1 ? Number.POSITIVE_INFINITY : x),
    // Far from normal and of no form: a Jordan block seen through a Householder reflection.
    (x, i, j) => reflected(i, j) + 0 * x,
    (x, i, j) => x * 2 ** (12 * (j - i)),
    () => 0,
    (x) => 1e30 * x,
    (x, i, j) => (i === j ? x : 1e-30 * x),
  ]
  const parts = components(dtype)
  const array = randomArray(dtype, [kinds.length, 4, 4], 8)
  array.data.forEach((x, at) => {
    const k = Math.floor(at / parts)
    const entry = kinds[k >> 4](x, (k >> 2) & 3, k & 3)
    // The imaginary part of a large shift would not change the kind; that of a failure would.
    array.data[at] = at % parts === 1 && Math.abs(entry) > 100 ? x : entry
  })
  return array
}

/** I + Q [0 b; 0 0] Q with b = 1e6 for Q = I - 2 v v^T / v^T v with v = (1, 1, 1, 1): the sum's entry (i, j) is q_i0 b q_1j. */
function reflected(i: number, j: number): number {
  const q = (a: number, b: number) => (a === b ? 1 : 0) - 0.5
  return 1e6 * q(i, 0) * q(1, j) + (i === j ? 1 : 0)
}

describe.each(dtypes)('a batch of %s of every kind, some that cannot be done among them,', (dtype) => {
  const A = motley(dtype)
  const E = randomArray(dtype, A.shape, 9)
  E.data[3 * (A.data.length / A.shape[0])] = Number.NaN
  const count = A.shape[0]
  const options = { onFailure: 'nan' } as const
  const alone = <T>(call: (a: NDArray, e: NDArray) => T) =>
    Array.from({ length: count }, (_, k) => call(matrixAt(A, k), matrixAt(E, k)))

  test('takes every path', () => {
    // Of what is not finite there is no plan, nor of what is so large that nothing is certain.
    const isPlanned = (x: number) => Math.abs(x) < 1e25
    const plans = alone((a) => (a.data.every(isPlanned) ? (expmPlan(a) as Plan) : undefined))
    const told = plans.filter((plan) => plan !== undefined)
    const forms = new Set(told.map(({ form }) => form))
    expect([...forms].sort()).toEqual(['full', 'schur', 'triangular'])
    const shifted = told.filter(({ shift }) => (typeof shift === 'number' ? shift !== 0 : shift.re !== 0))
    expect(shifted.length).toBeGreaterThan(0)
    expect(shifted.length).toBeLessThan(told.length)
    expect(new Set(told.map(({ squarings }) => squarings)).size).toBeGreaterThan(3)
  })

  test('gives each matrix the bits that it gets alone', () => {
    const value = expm(A, options)
    const jvp = expmJVP(A, E, options)
    const vjp = expmVJP(A, E, options)
    const split = (x: NDArray) => Array.from({ length: count }, (_, k) => matrixAt(x, k))
    expect(split(value)).toEqual(alone((a) => expm(a, options)))
    expect(split(jvp.value)).toEqual(alone((a, e) => expmJVP(a, e, options).value))
    expect(split(jvp.tangent)).toEqual(alone((a, e) => expmJVP(a, e, options).tangent))
    expect(split(vjp.value)).toEqual(alone((a, e) => expmVJP(a, e, options).value))
    expect(split(vjp.cotangent)).toEqual(alone((a, e) => expmVJP(a, e, options).cotangent))
    expect(Array.from(expmCond(A, options) as Float64Array)).toEqual(alone((a) => expmCond(a, options)))
    for (const result of [value, jvp.tangent, vjp.cotangent])
      for (let k = 0; k < count; k++) {
        const { data } = matrixAt(result, k)
        expect(data.every(Number.isNaN) || data.every(Number.isFinite)).toBe(true)
      }
    expect(matrixAt(jvp.value, 3).data.every(Number.isFinite)).toBe(true)
    expect(matrixAt(jvp.tangent, 3).data.every(Number.isNaN)).toBe(true)
  })

  test('throws an error that lists the same failures whether or not it fills an out', () => {
    const failures = (call: () => unknown) => {
      try {
        call()
      } catch (error) {
        if (error instanceof MatfunError) return error.failures
      }
      return []
    }
    const out = randomArray(dtype, A.shape, 1)
    const listed = failures(() => expm(A, { out }))
    expect(listed).toContainEqual({ index: 2, code: 'ERR_NOT_FINITE' })
    expect(listed).toContainEqual({ index: 5, code: 'ERR_OVERFLOW' })
    expect(listed).toContainEqual({ index: 8, code: 'ERR_NOT_FINITE' })
    expect(failures(() => expm(A))).toEqual(listed)
    expect(out).toEqual(expm(A, options))
    const bad = new Set(listed.map(({ index }) => index))
    for (let k = 0; k < count; k++) expect(matrixAt(out, k).data.some(Number.isNaN)).toBe(bad.has(k))
    const derivatives = failures(() => expmVJP(A, E))
    expect(derivatives).toContainEqual({ index: 3, code: 'ERR_NOT_FINITE' })
  })
})

describe('leading dimensions of A and its directions broadcast by the rule of NumPy', () => {
  const cases: [a: number[], e: number[], whole: number[]][] = [
    [[], [3], [3]],
    [[3], [], [3]],
    [
      [4, 1],
      [1, 3],
      [4, 3],
    ],
    [
      [1, 3],
      [4, 1],
      [4, 3],
    ],
    [[3], [2, 3], [2, 3]],
    [[2, 3], [3], [2, 3]],
    [
      [2, 1, 3],
      [5, 1],
      [2, 5, 3],
    ],
    [[1], [1], [1]],
    [[], [1, 1], [1, 1]],
    [[0], [], [0]],
    [[], [0], [0]],
    [[1], [0], [0]],
  ]
  const size = (shape: number[]) => shape.reduce((p, d) => p * d, 1)
  /** The element of `shape` that meets place `at` of `whole`. */
  const meets = (at: number, whole: number[], shape: number[]) => {
    let k = 0
    let rest = at
    let stride = 1
    for (let d = 1; d <= whole.length; d++) {
      const index = rest % whole[whole.length - d]
      rest = Math.floor(rest / whole[whole.length - d])
      const own = shape[shape.length - d] ?? 1
      k += (own === 1 ? 0 : index) * stride
      stride *= own
    }
    return k
  }
  test.each(cases)('%j with %j gives %j', (a, e, whole) => {
    const n = 3
    const A = { data: mixed(n, size(a), 1), shape: [...a, n, n] }
    const E = { data: random(n, 2, size(e)), shape: [...e, n, n] }
    const { value, tangent } = expmJVP(A, E)
    const { cotangent } = expmVJP(A, E)
    expect(value.shape).toEqual(A.shape)
    expect(tangent.shape).toEqual([...whole, n, n])
    expect(tangent.data.length).toBe(size(whole) * n * n)
    for (let k = 0; k < size(a); k++)
      expect(part(value.data, n, k)).toEqual(expmJVP(part(A.data, n, k), random(n, 9)).value.data)
    for (let at = 0; at < size(whole); at++) {
      const one = part(A.data, n, meets(at, whole, a))
      const direction = part(E.data, n, meets(at, whole, e))
      expect(part(tangent.data, n, at)).toEqual(expmJVP(one, direction).tangent.data)
      expect(part(cotangent.data, n, at)).toEqual(expmVJP(one, direction).cotangent.data)
    }
  })

  test('an out for a broadcast result is written in the order of its shape', () => {
    const A = { data: mixed(2, 3, 1), shape: [1, 3, 2, 2] }
    const E = { data: random(2, 2, 4), shape: [4, 1, 2, 2] }
    const tangent = new Float64Array(4 * 3 * 4)
    const written = expmJVP(A, E, { out: { tangent } })
    expect(written.tangent.data).toBe(tangent)
    expect(tangent).toEqual(expmJVP(A, E).tangent.data)
  })
})

describe('matrices that cannot be done', () => {
  const good = [
    [0.1, 0.2],
    [0.3, 0.4],
  ]
  const stack = [
    good,
    [
      [Number.NaN, 0],
      [0, 0],
    ],
    good,
    [
      [800, 0],
      [0, 800],
    ],
    good,
  ] // prettier-like rows
  const thrown = (run: () => unknown): MatfunError => {
    try {
      run()
    } catch (error) {
      return error as MatfunError
    }
    throw new Error('nothing was thrown')
  }

  test('are listed in one error, with their places and reasons', () => {
    const error = thrown(() => expm(stack))
    expect(error).toBeInstanceOf(MatfunError)
    expect(error.code).toBe('ERR_NOT_FINITE')
    expect(error.failures).toEqual([
      { index: 1, code: 'ERR_NOT_FINITE' },
      { index: 3, code: 'ERR_OVERFLOW' },
    ])
    expect(error.message).toBe('matrix 1 has an entry that is not finite (and 1 more; see failures)')
  })

  test("become NaN with onFailure 'nan', and change no other's bits", () => {
    const { data } = expm(stack, { onFailure: 'nan' })
    for (const k of [1, 3]) expect(part(data, 2, k).every(Number.isNaN)).toBe(true)
    for (const k of [0, 2, 4]) expect(part(data, 2, k)).toEqual(expm(good).data)
  })

  test('leave the others done in the out of a call that throws', () => {
    const out = new Float64Array(20)
    thrown(() => expm(stack, { out }))
    expect(part(out, 2, 4)).toEqual(expm(good).data)
    expect(part(out, 2, 1).every(Number.isNaN)).toBe(true)
  })

  test('a direction that cannot be done is listed by its place in the broadcast batch, and costs nothing else', () => {
    const bad = [
      [1, 2],
      [Number.POSITIVE_INFINITY, 0],
    ]
    const A = [[good], [good]] // [2, 1, n, n] against [3, n, n]: the bad one is met by both
    for (const call of [expmJVP, expmVJP]) {
      expect(thrown(() => call(A, [good, bad, good])).failures).toEqual([
        { index: 1, code: 'ERR_NOT_FINITE' },
        { index: 4, code: 'ERR_NOT_FINITE' },
      ])
      const done = call(A, [good, bad, good], { onFailure: 'nan' })
      const clean = call(A, [good, good, good])
      const [result, expected] = [done, clean].map((r) => ('tangent' in r ? r.tangent : r.cotangent).data)
      expect(done.value.data).toEqual(clean.value.data)
      for (let k = 0; k < 6; k++) {
        if (k % 3 === 1) expect(part(result, 2, k).every(Number.isNaN)).toBe(true)
        else expect(part(result, 2, k)).toEqual(part(expected, 2, k))
      }
    }
  })

  test('are listed by place in the broadcast batch also where results are laid out in another order', () => {
    const A = { data: Float64Array.from([0, 0, 0, 0, Number.NaN, 0, 0, 0]), shape: [1, 2, 2, 2] }
    const E = { data: new Float64Array(12), shape: [3, 1, 2, 2] }
    expect(thrown(() => expmJVP(A, E)).failures.map(({ index }) => index)).toEqual([1, 3, 5])
  })
})

test('orders 0 and empty batches give empty results of the right shape', () => {
  expect(expm([]).shape).toEqual([0, 0])
  expect(expm({ data: new Float64Array(0), shape: [4, 0, 0] })).toMatchObject({ shape: [4, 0, 0] })
  expect(expm({ data: new Float64Array(0), shape: [0, 5, 5] })).toMatchObject({ shape: [0, 5, 5] })
  expect(expmVJP([], []).cotangent.shape).toEqual([0, 0])
  expect(expm({ data: new Float64Array(0), shape: [2 ** 40, 0, 0] }).shape).toEqual([2 ** 40, 0, 0])
})

test('an empty batch of the largest order is nothing to do, and takes no workspace of 240 GB', async () => {
  const shape = [0, 46340, 46340]
  const A = { data: new Float64Array(0), shape }
  expect(expmPlan(A)).toEqual([])
  expect([expm(A).shape, expmJVP(A, A).tangent.shape, expmVJP(A, A).cotangent.shape]).toEqual([
    shape,
    shape,
    shape,
  ])
  expect([expmCond(A), expmLinearize(A).conditionNumber()]).toEqual([
    new Float64Array(0),
    new Float64Array(0),
  ])
  expect((await expmAsync(A)).shape).toEqual(shape)
})
