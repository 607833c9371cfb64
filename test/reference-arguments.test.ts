import { describe, expect, test } from 'vitest'
import { MatfunError } from '../lib/errors.ts'
import type { MatrixInput } from '../lib/input.ts'
import { expm, expmJVP, expmVJP } from '../lib/reference/index.ts'
import { exponentialOf, rational, times, toDouble } from './support/rational.ts'
import { complex, real } from './support/small-matrices.ts'

function thrown(call: () => unknown): Error & { code: string } {
  try {
    call()
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('nothing was thrown')
}

describe('what the reference accepts', () => {
  const jordan = [0, 1, 0, 0] // exp is [1 1; 0 1]

  test('takes every form of one matrix, and leaves it as it was', () => {
    const data = Float64Array.of(1, 2, 3, 4)
    const truth = expm(data)
    expect(truth).toMatchObject({
      dtype: 'float64',
      shape: [2, 2],
      strides: [2, 1],
      offset: 0,
      order: 'row-major',
    })
    const forms: MatrixInput[] = [
      [
        [1, 2],
        [3, 4],
      ],
      { data: [1, 2, 3, 4], shape: [2, 2] },
      { data: Float64Array.of(9, 1, 3, 2, 4), shape: [2, 2], strides: [1, 2], offset: 1 },
      { data: Float64Array.of(1, 3, 2, 4), shape: [2, 2], order: 'column-major' },
    ]
    for (const form of forms) expect(expm(form)).toEqual(truth)
    expect(expmJVP(data, data).value).toEqual(truth)
    expect(Array.from(data)).toEqual([1, 2, 3, 4])
  })

  test('works for order 0, and for empty batches of any order', () => {
    expect(expm([])).toMatchObject({ shape: [0, 0], data: new Float64Array(0) })
    expect(expm({ data: [], shape: [0, 3, 3] }).shape).toEqual([0, 3, 3])
    const empty = { data: new Float64Array(0), shape: [3, 0, 2, 2] }
    expect(expm(empty)).toMatchObject({ shape: [3, 0, 2, 2], data: new Float64Array(0) })
    const { value, tangent } = expmJVP(jordanBatch(1), empty)
    expect(value.data).toEqual(Float64Array.of(1, 1, 0, 1))
    expect(tangent.shape).toEqual([3, 0, 2, 2])
    expect(expmVJP({ data: [], shape: [5, 0, 0] }, []).cotangent.shape).toEqual([5, 0, 0])
  })

  function jordanBatch(...scales: number[]) {
    return real(
      scales.flatMap((scale) => jordan.map((x) => x * scale)),
      [scales.length],
    )
  }

  test('computes each matrix of a batch as it does alone', () => {
    const batch = [1, 2, 3, 4, -50, 0.1, 7, 1e-9, 300, 0, 0, 1]
    const { shape, data } = expm(real(batch, [3]))
    expect(shape).toEqual([3, 2, 2])
    for (const at of [0, 4, 8])
      expect(data.subarray(at, at + 4)).toEqual(expm(Float64Array.from(batch.slice(at, at + 4))).data)
  })

  test('broadcasts the leading dimensions by the rule of NumPy, value in the shape of A', () => {
    const a = real(
      [1, 2, 3, 4, 5, 6, 7, 8].map((x) => x / 8),
      [2, 1],
    )
    const e = real(
      Array.from({ length: 12 }, (_, k) => k - 5),
      [3],
    )
    for (const [call, name] of [
      [expmJVP, 'tangent'],
      [expmVJP, 'cotangent'],
    ] as const) {
      const together = call(a, e) as unknown as Record<string, { shape: number[]; data: Float64Array }>
      expect(together.value).toEqual(expm(a))
      expect(together[name].shape).toEqual([2, 3, 2, 2])
      for (let i = 0; i < 2; i++)
        for (let j = 0; j < 3; j++) {
          const alone = call(a.data.subarray(4 * i, 4 * i + 4), e.data.subarray(4 * j, 4 * j + 4))
          const at = 4 * (3 * i + j)
          expect(together[name].data.subarray(at, at + 4)).toEqual(
            (alone as unknown as typeof together)[name].data,
          )
        }
    }
    expect(expmJVP(real(jordan), e).tangent.shape).toEqual([3, 2, 2])
    expect(expmJVP(e, real(jordan))).toMatchObject({
      value: { shape: [3, 2, 2] },
      tangent: { shape: [3, 2, 2] },
    })
  })
})

describe('what the reference refuses', () => {
  const one = [[1]]
  const single = Float32Array.of(1)

  test.each<[string, () => unknown, string, RegExp]>([
    ['no matrix', () => expm(3 as unknown as MatrixInput), 'ERR_INVALID_ARG_TYPE', /^A must/],
    ['a matrix that is not square', () => expm([[1, 2]]), 'ERR_SHAPE', /^A must have shape/],
    ['float32', () => expm(single), 'ERR_DTYPE', /^A must have dtype float64 or complex128, got float32/],
    ['a float32 direction', () => expmJVP(one, single), 'ERR_DTYPE', /^E must have dtype/],
    ['a float32 cotangent', () => expmVJP(one, single), 'ERR_DTYPE', /^W must have dtype/],
    [
      'two dtypes',
      () => expmJVP(one, complex([1, 0])),
      'ERR_DTYPE',
      /^E must have dtype float64 like A, got complex128/,
    ],
    [
      'two orders',
      () =>
        expmVJP(one, [
          [1, 2],
          [3, 4],
        ]),
      'ERR_SHAPE',
      /A of shape \[1,1\] and W of shape \[2,2\]/,
    ],
    [
      'batches that do not broadcast',
      () => expmJVP(real([1, 2], [2]), real([1, 2, 3], [3])),
      'ERR_SHAPE',
      /\[2,1,1\].*\[3,1,1\]/,
    ],
  ])('%s', (_, call, code, message) => {
    const error = thrown(call)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(error).toBeInstanceOf(code === 'ERR_SHAPE' ? RangeError : TypeError)
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'an entry %d, by its place',
    (bad) => {
      const error = thrown(() => expm(real([1, 2, bad, 3, bad], [5])))
      expect(error).toBeInstanceOf(MatfunError)
      expect(error).toMatchObject({
        code: 'ERR_NOT_FINITE',
        failures: [
          { index: 2, code: 'ERR_NOT_FINITE' },
          { index: 4, code: 'ERR_NOT_FINITE' },
        ],
      })
      expect(thrown(() => expm(complex([1, bad]))).code).toBe('ERR_NOT_FINITE')
      expect(thrown(() => expmVJP(one, [[bad]])).code).toBe('ERR_NOT_FINITE')
    },
  )

  test('a failed A once for each of its directions, and once where it has none', () => {
    const a = real([1, 710], [2, 1])
    expect(thrown(() => expmJVP(a, real([1, Number.NaN], [2])))).toMatchObject({
      code: 'ERR_NOT_FINITE',
      failures: [
        { index: 1, code: 'ERR_NOT_FINITE' },
        { index: 2, code: 'ERR_OVERFLOW' },
        { index: 3, code: 'ERR_OVERFLOW' },
      ],
    })
    const none = { data: new Float64Array(0), shape: [0, 1, 1] }
    expect(thrown(() => expmJVP([[710]], none))).toMatchObject({
      failures: [{ index: 0, code: 'ERR_OVERFLOW' }],
    })
  })

  test('an overflow by the result alone', () => {
    expect(expm([[709.78]]).data[0]).toBeGreaterThan(1e308)
    expect(thrown(() => expm([[709.79]])).code).toBe('ERR_OVERFLOW')
    expect(thrown(() => expm([[1e300]])).code).toBe('ERR_OVERFLOW')
    // The derivative overflows while the value does not, and the other way round in size.
    expect(thrown(() => expmJVP([[700]], [[1e6]])).code).toBe('ERR_OVERFLOW')
    expect(expmJVP([[700]], [[1e-6]]).tangent.data[0]).toBe(
      toDouble(times(exponentialOf(rational(700), 100), rational(1e-6))),
    )
    expect(expmJVP([[-740]], [[1e300]]).tangent.data[0]).toBe(
      toDouble(times(exponentialOf(rational(-740), 1400), rational(1e300))),
    )

    expect(
      thrown(() =>
        expm([
          [-1, 1.7e308],
          [0, 3],
        ]),
      ).code,
    ).toBe('ERR_OVERFLOW')
  })
})

test('plain numbers may stand beside complex ones, wherever the first of these is', () => {
  const z = { re: 1, im: 2 }
  const zero = { re: 0, im: 0 }
  const expected = expm([
    [zero, z],
    [zero, zero],
  ])
  expect(expected.dtype).toBe('complex128')
  expect(
    expm([
      [0, z],
      [0, 0],
    ]),
  ).toEqual(expected)
})
