import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { expm, expmJVP, type MatrixInput } from '../lib/index.ts'
import { random, transpose } from './support/matrices.ts'

const n = 3
const A = random(n, 1)
const expected = expm(A).data

/** The matrices of A inside a larger buffer of NaN, at the given strides and offset. */
function placed(length: number, strides: [number, number], offset: number): Float64Array {
  const data = new Float64Array(length).fill(Number.NaN)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) data[offset + i * strides[0] + j * strides[1]] = A[i * n + j]
  return data
}

const nested = [0, 1, 2].map((i) => Array.from(A.subarray(i * n, (i + 1) * n)))
const shared = new Float64Array(new SharedArrayBuffer(8 * n * n))
shared.set(A)
const forms: Record<string, MatrixInput> = {
  'a bare Float64Array': A,
  'nested arrays': nested,
  'data and shape': { data: A, shape: [n, n] },
  'data as a plain array': { data: Array.from(A), shape: [n, n] },
  'an NDArray that matfun made': { ...expm(new Float64Array(n * n)), data: A },
  'row-major strides with a leading dimension': {
    data: placed(15, [5, 1], 0),
    shape: [n, n],
    strides: [5, 1],
  },
  'scijs names: stride and dtype array': {
    data: Array.from(A),
    shape: [n, n],
    stride: [3, 1],
    offset: 0,
    dtype: 'array',
  },
  'scijs: an order that is an axis permutation': {
    data: transpose(A, n),
    shape: [n, n],
    stride: [1, 3],
    offset: 0,
    order: [0, 1],
  },
  'numpy-ts: the offset kept in its storage': {
    data: placed(20, [4, 1], 7),
    shape: [n, n],
    strides: [4, 1],
    storage: { offset: 7 },
  },
  'a transposed view': { data: transpose(A, n), shape: [n, n], strides: [1, n] },
  'column-major order without strides': { data: transpose(A, n), shape: [n, n], order: 'column-major' },
  'negative strides': { data: placed(9, [-3, -1], 8), shape: [n, n], strides: [-3, -1], offset: 8 },
  'an offset into a larger buffer': { data: placed(20, [3, 1], 7), shape: [n, n], offset: 7 },
  'every other element': { data: placed(18, [6, 2], 1), shape: [n, n], strides: [6, 2], offset: 1 },
  'a subarray of a larger buffer': { data: placed(20, [3, 1], 7).subarray(7, 16), shape: [n, n] },
  'a dtype that prints as its name, as stdlib has it': {
    data: A,
    shape: [n, n],
    dtype: { toString: () => 'float64' },
  },
  'shape as a typed array': { data: A, shape: Int32Array.of(n, n) },
  'a SharedArrayBuffer': shared,
  'an array of another realm': runInNewContext('Float64Array.from(values)', { values: Array.from(A) }),
}

describe('the same matrix in every accepted form', () => {
  test.each(Object.entries(forms))('%s', (_, form) => {
    const result = expm(form)
    expect(result.data).toEqual(expected)
    expect(result).toMatchObject({
      dtype: 'float64',
      shape: [n, n],
      strides: [n, 1],
      offset: 0,
      order: 'row-major',
    })
  })
})

test('stacks of strided views of any rank are read in row-major order', () => {
  const data = random(2, 5, 6)
  // Shape [3, 2, 2, 2] seen through strides that put the first axis last: data[m, i, j, k] = buffer[i, j, m, k] ...
  const view = { data, shape: [3, 2, 2, 2], strides: [2, 12, 6, 1], offset: 0 }
  const result = expm(view)
  for (let m = 0; m < 3; m++)
    for (let i = 0; i < 2; i++) {
      const one = [0, 1].map((j) => [0, 1].map((k) => data[m * 2 + i * 12 + j * 6 + k]))
      expect(result.data.subarray((m * 2 + i) * 4, (m * 2 + i + 1) * 4)).toEqual(expm(one).data)
    }
})

test('nested arrays may be stacks of any depth', () => {
  const stack = [[nested, nested]]
  expect(expm(stack)).toMatchObject({ shape: [1, 2, n, n] })
  expect(expm(stack).data.subarray(n * n)).toEqual(expected)
})

test('a matrix and its direction may come in different forms', () => {
  const E = random(n, 3)
  const other = expmJVP(forms['a transposed view'], { data: transpose(E, n), shape: [n, n], order: 'F' })
  expect(other.tangent.data).toEqual(expmJVP(A, E).tangent.data)
})

test('inputs are not modified', () => {
  const a = A.slice()
  const e = random(n, 4)
  const before = e.slice()
  expmJVP(a, e)
  expect(a).toEqual(A)
  expect(e).toEqual(before)
})

describe('out', () => {
  test('is written and returned', () => {
    const out = new Float64Array(n * n)
    expect(expm(A, { out }).data).toBe(out)
    expect(out).toEqual(expected)
  })

  test('may be an NDArray', () => {
    const out = expm(new Float64Array(n * n))
    expect(expm(A, { out }).data).toBe(out.data)
    expect(out.data).toEqual(expected)
  })

  test('may be a strided view: only its own elements are written', () => {
    const data = new Float64Array(20).fill(7)
    const result = expm(A, { out: { data, shape: [n, n], strides: [1, 4], offset: 2 } as never })
    expect(result).toMatchObject({ strides: [1, 4], offset: 2 })
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) expect(data[2 + i + 4 * j]).toBe(expected[i * n + j])
    expect(data.filter((x) => x === 7).length).toBe(20 - n * n)
  })

  test('may be given for one of two results', () => {
    const tangent = new Float64Array(n * n)
    const result = expmJVP(A, A, { out: { tangent } })
    expect(result.tangent.data).toBe(tangent)
    expect(result.value.data).toEqual(expmJVP(A, A).value.data)
  })
})
