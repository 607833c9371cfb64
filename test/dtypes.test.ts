import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type DType,
  expm,
  expmCond,
  expmJVP,
  expmPlan,
  expmVJP,
  type MatrixInput,
  type NDArray,
} from '../lib/index.ts'
import { ndarray, storageOf } from '../lib/ndarray.ts'
import * as reference from '../lib/reference/index.ts'
import { dtypes, inDouble, matrixAt, randomArray, relativeDistance, roundoff } from './support/dtypes.ts'

const isComplex = (dtype: DType) => dtype.startsWith('complex')

describe.each(dtypes)('%s', (dtype) => {
  const u = roundoff[dtype]
  const kind = storageOf(dtype)

  test.each([1, 2, 3, 5, 8])('value and derivatives of order %i are those of the reference', (n) => {
    for (const size of [1e-3, 0.1, 1, 20 / n]) {
      const A = randomArray(dtype, [n, n], n, size)
      const E = randomArray(dtype, [n, n], n + 50)
      // Ten units of condition, and the rounding of each entry of a product of order n.
      const most = 10 * (Math.max(expmCond(inDouble(A)) as number, 1) + n) * u
      const jvp = reference.expmJVP(inDouble(A), inDouble(E))
      const vjp = reference.expmVJP(inDouble(A), inDouble(E))
      for (const method of ['polynomial', 'pade'] as const) {
        const { value, tangent } = expmJVP(A, E, { method })
        expect(value).toMatchObject({ dtype, shape: [n, n], strides: [n, 1], offset: 0 })
        expect(tangent.data).toBeInstanceOf(kind)
        expect(relativeDistance(expm(A, { method }).data, jvp.value.data)).toBeLessThanOrEqual(most)
        expect(relativeDistance(value.data, jvp.value.data)).toBeLessThanOrEqual(most)
        expect(relativeDistance(tangent.data, jvp.tangent.data)).toBeLessThanOrEqual(most)
        const { cotangent } = expmVJP(A, E, { method })
        expect(relativeDistance(cotangent.data, vjp.cotangent.data)).toBeLessThanOrEqual(most)
      }
    }
  })

  test('is computed in its own precision: by a plan of its own, and no better than it', () => {
    const A = randomArray(dtype, [6, 6], 3, 0.3)
    const exact = reference.expm(inDouble(A)).data
    expect(relativeDistance(expm(A).data, exact)).toBeGreaterThan(u / 100)
    const degrees = expmPlan(ndarray(dtype, [6, 6], A.data)) as { degree: number }
    const inItsPrecision = u > 1e-10 ? [8, 15] : [15, 21]
    expect(inItsPrecision).toContain(degrees.degree)
  })

  test('shift and balance are done always, never, or where they help, as expmPlan tells', () => {
    const part = isComplex(dtype) ? [30, 0] : [30]
    const zero = isComplex(dtype) ? [0, 0] : [0]
    const entries = (...rows: number[][]) =>
      ndarray(dtype, [2, 2], kind.from(rows.flat()) as NDArray<typeof dtype>['data'])
    const A = entries(part, zero.with(0, 1), zero.with(0, 1), part)
    const none = isComplex(dtype) ? { re: 0, im: 0 } : 0
    const thirty = isComplex(dtype) ? { re: 30, im: 0 } : 30
    expect(expmPlan(A)).toMatchObject({ shift: thirty, norm: 1 })
    expect(expmPlan(A, { shift: false })).toMatchObject({ shift: none, norm: 31 })
    // A norm of 4 of which the shift takes a quarter: not worth it, unless asked for.
    const B = entries(zero.with(0, 1), zero.with(0, 3), zero.with(0, 3), zero.with(0, 1))
    expect(expmPlan(B)).toMatchObject({ shift: none, balanced: false })
    const forced = { shift: true, balance: true } as const
    expect(expmPlan(B, forced)).toMatchObject({ shift: isComplex(dtype) ? { re: 1, im: 0 } : 1, norm: 3 })
    for (const matrix of [A, B])
      for (const options of [forced, { shift: false, balance: false }]) {
        const cond = expmCond(inDouble(matrix)) as number
        const exact = reference.expmVJP(inDouble(matrix), inDouble(B))
        const { value, cotangent } = expmVJP(matrix, B, options)
        expect(relativeDistance(value.data, exact.value.data)).toBeLessThanOrEqual(10 * cond * u)
        expect(relativeDistance(cotangent.data, exact.cotangent.data)).toBeLessThanOrEqual(10 * cond * u)
      }
    // [1 2^20; 2^-20 1]: balanced by diag(2^20, 1) or so, which asking for it shows.
    const C = entries(zero.with(0, 1), zero.with(0, 2 ** 20), zero.with(0, 2 ** -20), zero.with(0, 1))
    expect(expmPlan(C, { balance: true })).toMatchObject({ balanced: true })
    expect(expmPlan(C, { balance: false })).toMatchObject({ balanced: false })
  })

  test('expmCond is a lower bound of the condition number from all n² derivatives, within a factor of 3', () => {
    for (const [n, size] of [
      [2, 1],
      [3, 0.1],
      [4, 3],
      [5, 10],
    ]) {
      const A = randomArray(dtype, [n, n], n + 9, size)
      const exact = exactCondition(inDouble(A))
      const estimate = expmCond(A) as number
      expect(estimate).toBeLessThanOrEqual(exact * (1 + 100 * n * n * exact * u))
      expect(estimate).toBeGreaterThanOrEqual(exact / 3)
    }
  })

  test('expmCond gives each matrix of a stack its number, 0 for zeros, and NaN where that is asked for', () => {
    const stack = randomArray(dtype, [2, 3, 4, 4], 5)
    stack.data.fill(0, 0, stack.data.length / 6)
    const numbers = expmCond(stack) as Float64Array
    expect(numbers).toBeInstanceOf(Float64Array)
    expect(numbers).toHaveLength(6)
    for (let k = 0; k < 6; k++) expect(numbers[k]).toBe(expmCond(matrixAt(stack, k)))
    expect(numbers[0]).toBe(0)
    stack.data[stack.data.length / 2] = Number.NaN
    expect(() => expmCond(stack)).toThrow(
      expect.objectContaining({
        code: 'ERR_NOT_FINITE',
        failures: [{ index: 3, code: 'ERR_NOT_FINITE' }],
      }),
    )
    const others = expmCond(stack, { onFailure: 'nan' }) as Float64Array
    expect(others).toEqual(numbers.with(3, Number.NaN))
    expect(expmCond(ndarray(dtype, [3, 0, 0], new (storageOf(dtype))(0) as never))).toEqual(
      new Float64Array(3),
    )
  })

  test('out may be a typed array of its kind and length, or an array object of its dtype', () => {
    const A = randomArray(dtype, [2, 3, 3], 1)
    const E = randomArray(dtype, [2, 3, 3], 2)
    const value = A.data.slice() as typeof A.data
    const tangent = randomArray(dtype, [2, 3, 3], 3)
    const done = expmJVP(A, E, { out: { value, tangent } })
    expect(done.value.data).toBe(value)
    expect(done.tangent.data).toBe(tangent.data)
    expect(done).toEqual(expmJVP(A, E))
    for (const other of dtypes.filter((name) => name !== dtype)) {
      const wrong = randomArray(other, [2, 3, 3], 4)
      expect(() => expm(A, { out: wrong as never })).toThrow(
        expect.objectContaining({ code: 'ERR_DTYPE', message: expect.stringContaining(other) }),
      )
    }
    expect(() => expm(A, { out: value.subarray(1) as never })).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    )
    expect(() => expm(A, { out: A.data })).toThrow(expect.objectContaining({ code: 'ERR_ALIASED_OUT' }))
  })

  test('A and a direction of any other dtype are refused, naming both', () => {
    for (const other of dtypes.filter((name) => name !== dtype))
      for (const derivative of [expmJVP, expmVJP])
        expect(() => derivative(randomArray(dtype, [2, 2], 1), randomArray(other, [2, 2], 1))).toThrow(
          expect.objectContaining({
            code: 'ERR_DTYPE',
            message: expect.stringMatching(`[EW] must have dtype ${dtype} like A, got ${other}$`),
          }),
        )
  })
})

/** From the whole Kronecker form, a column for each entry of A. */
function exactCondition(A: NDArray<'float64'> | NDArray<'complex128'>): number {
  const n = A.shape[0]
  const parts = A.dtype === 'complex128' ? 2 : 1
  const basis = new Float64Array(parts * n ** 4)
  for (let k = 0; k < n * n; k++) basis[parts * (k * n * n + k)] = 1
  const E = ndarray(A.dtype as 'complex128', [n * n, n, n], basis)
  const { value, tangent } = reference.expmJVP(A, E)
  const magnitudes = (x: ArrayLike<number>) =>
    Array.from({ length: x.length / parts }, (_, k) => Math.hypot(x[parts * k], x[parts * k + parts - 1]))
  const size = (x: ArrayLike<number>) => (parts === 2 ? magnitudes(x) : Array.from(x, Math.abs))
  const L = size(tangent.data)
  const oneNorm = (x: number[]) => {
    const columns = new Array<number>(n).fill(0)
    x.forEach((entry, at) => {
      columns[at % n] += entry
    })
    return Math.max(...columns)
  }
  const K = Math.max(...basisNorms(L, n))
  return (K * oneNorm(size(A.data))) / oneNorm(size(value.data))
}

function basisNorms(L: number[], n: number): number[] {
  return Array.from({ length: n * n }, (_, k) =>
    L.slice(k * n * n, (k + 1) * n * n).reduce((sum, entry) => sum + entry, 0),
  )
}

describe('nested arrays', () => {
  const i = { re: 0, im: 1 }
  const rotation = [
    [0, -1],
    [1, 0],
  ]

  test('of { re, im }, of numbers among them, and deeper stacks are complex128', () => {
    const A = [
      [1, i],
      [{ re: 2, im: -1 }, 0],
    ]
    const plain = ndarray('complex128', [2, 2], Float64Array.of(1, 0, 0, 1, 2, -1, 0, 0))
    expect(expm(A)).toEqual(expm(plain))
    expect(expm([[A], [A]]).shape).toEqual([2, 1, 2, 2])
    expect(matrixAt(expm([[A], [A]]), 1)).toEqual(expm(plain))
  })

  test('of plain numbers are complex128 beside a complex operand, in either place', () => {
    const complexRotation = ndarray('complex128', [2, 2], Float64Array.of(0, 0, -1, 0, 1, 0, 0, 0))
    const E = [
      [i, 0],
      [0, 1],
    ]
    const expected = expmJVP(complexRotation, E)
    expect(expected.tangent.dtype).toBe('complex128')
    expect(expmJVP(rotation, E)).toEqual(expected)
    expect(expmVJP(E, rotation)).toEqual(expmVJP(E, complexRotation))
    expect(expmVJP([rotation, rotation], E).cotangent.shape).toEqual([2, 2, 2])
    const out = { value: new Float64Array(8) }
    expect(expmJVP(rotation, E, { out }).value.data).toBe(out.value)
  })

  test('beside single precision are refused, since their digits would be lost', () => {
    for (const dtype of ['float32', 'complex64'] as const)
      expect(() => expmJVP(rotation, randomArray(dtype, [2, 2], 1))).toThrow(
        /^E must have dtype float64 like A/,
      )
  })
})

describe('results are typed after their inputs:', () => {
  const z = { re: 1, im: 2 }

  test('by the kind of array, the dtype that an object names, or what is nested', () => {
    expectTypeOf(expm([[1]]).data).toEqualTypeOf<Float64Array>()
    expectTypeOf(expm([[1]])).toEqualTypeOf<NDArray<'float64'>>()
    expectTypeOf(expm([])).toExtend<NDArray>()
    expectTypeOf(expm([[[1]]] as readonly (readonly number[][])[]).dtype).toEqualTypeOf<'float64'>()
    expectTypeOf(expm).toBeCallableWith([[z]])
    const typed = () => ({
      complexNested: expm([[z]]),
      mixed: expm([
        [1, z],
        [z, 1],
      ]).dtype,
      bare32: expm(new Float32Array(1)),
      bare64: expm(new Float64Array(1)),
      object: expm({ data: new Float32Array(1), shape: [1, 1] }),
      plain: expm({ data: [1], shape: [1, 1] }),
      named: expm({ data: new Float64Array(2), shape: [1, 1], dtype: 'complex128' }),
      someName: expm({ data: new Float32Array(2), shape: [1, 1], dtype: 'complex64' as string }),
      unknown: expm([[1]] as MatrixInput),
      array: expm(randomArray('complex64', [1, 1], 1)),
    })
    type Typed = ReturnType<typeof typed>
    expectTypeOf<Typed['complexNested']>().toEqualTypeOf<NDArray<'complex128'>>()
    expectTypeOf<Typed['mixed']>().toEqualTypeOf<'float64' | 'complex128'>()
    expectTypeOf<Typed['bare32']>().toEqualTypeOf<NDArray<'float32'>>()
    expectTypeOf<Typed['bare32']['data']>().toEqualTypeOf<Float32Array>()
    expectTypeOf<Typed['bare64']>().toEqualTypeOf<NDArray<'float64'>>()
    expectTypeOf<Typed['object']>().toEqualTypeOf<NDArray<'float32'>>()
    expectTypeOf<Typed['plain']>().toEqualTypeOf<NDArray<'float64'>>()
    expectTypeOf<Typed['named']>().toEqualTypeOf<NDArray<'complex128'>>()
    expectTypeOf<Typed['someName']['data']>().toEqualTypeOf<Float32Array>()
    expectTypeOf<Typed['unknown']>().toEqualTypeOf<NDArray<DType>>()
    expectTypeOf<Typed['array']>().toEqualTypeOf<NDArray<'complex64'>>()
    expect(typed().someName.dtype).toBe('complex64')
  })

  test('of derivatives, conditions and plans too', () => {
    const jvp = expmJVP(new Float32Array(1), new Float32Array(1))
    expectTypeOf(jvp.tangent).toEqualTypeOf<NDArray<'float32'>>()
    expectTypeOf(expmVJP([[1]], [[1]]).cotangent.data).toEqualTypeOf<Float64Array>()
    expectTypeOf(expmVJP([[1]], [[z]]).cotangent).toEqualTypeOf<NDArray<'complex128'>>()
    expectTypeOf(expmVJP([[z]], [[1]]).value).toEqualTypeOf<NDArray<'complex128'>>()
    expectTypeOf(expmCond([[1]])).toEqualTypeOf<number>()
    expectTypeOf(expmCond([[[1]]])).toEqualTypeOf<number | Float64Array>()
    expectTypeOf(expmPlan([[1]]).shift).toEqualTypeOf<number>()
    expectTypeOf(expmPlan([[z]]).shift).toEqualTypeOf<{ readonly re: number; readonly im: number }>()
    // @ts-expect-error: an out of another kind is no out
    expect(() => expm([[1]], { out: new Float32Array(1) })).toThrow(TypeError)
  })
})
