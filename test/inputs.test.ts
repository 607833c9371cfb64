import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { expm, expmJVP, expmVJP, type MatrixInput } from '../lib/index.ts'
import {
  allocate,
  components,
  gather,
  type NDArray,
  ndarray,
  reach,
  scatter,
  storageOf,
} from '../lib/ndarray.ts'
import { dtypes, randomArray } from './support/dtypes.ts'
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
    const result = expm(A, { out: { data, shape: [n, n], strides: [1, 4], offset: 2 } })
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

describe.each(dtypes)('views of %s', (dtype) => {
  const parts = components(dtype)

  /** The elements of x in a larger buffer of NaN, so that a view of these strides and offset shows x. */
  function viewOf(x: NDArray, strides: readonly number[], offset: number) {
    const [lowest, highest] = reach(x.shape, strides, offset)
    expect(lowest).toBeGreaterThanOrEqual(0)
    const data = allocate(dtype, highest + 3).fill(Number.NaN)
    const view = { dtype, shape: x.shape, data, strides, offset, order: 'row-major' } as const
    scatter(x.data, view)
    return view
  }

  const shape = [2, 3, 4, 4]
  const stack = randomArray(dtype, shape, 11)
  const layouts: [string, number[], number][] = [
    ['contiguous', [48, 16, 4, 1], 0],
    ['contiguous at an offset', [48, 16, 4, 1], 5],
    ['of rows with a leading dimension', [90, 30, 7, 1], 2],
    ['of every other element', [96, 32, 8, 2], 1],
    ['transposed', [48, 16, 1, 4], 0],
    ['in Fortran order', [1, 2, 6, 24], 0],
    ['with every axis reversed', [-48, -16, -4, -1], 95],
    ['with the matrices interleaved', [3, 1, 24, 6], 4],
  ]

  test.each(layouts)(
    '%s give the bits of the plain array, as A, as direction, and as out',
    (_, ...layout) => {
      const view = viewOf(stack, ...layout)
      const before = view.data.slice()
      const plain = expmVJP(stack, stack)
      expect(expmVJP(view, view)).toEqual(plain)
      expect(view.data).toEqual(before)
      const out = { value: viewOf(stack, ...layout), cotangent: viewOf(stack, ...layout) }
      const untouched = out.value.data.filter(Number.isNaN).length
      const written = expmVJP(stack, stack, { out })
      expect(written.value).toMatchObject({ strides: layout[0], offset: layout[1] })
      expect(gather(written.value)).toEqual(plain.value.data)
      expect(gather(written.cotangent)).toEqual(plain.cotangent.data)
      expect(out.value.data.filter(Number.isNaN).length).toBe(untouched)
    },
  )

  test.each([
    [[300, 16, 16], [256, 1, 16], 7],
    [[300, 16, 16], [1, 300, 4800], 0],
    [[260, 260], [1, 260], 0],
    [[260, 260], [-522, 2], 522 * 259],
  ])('of more than 2^16 elements, %j by strides %j, are read whole', (big, strides, offset) => {
    const A = randomArray(dtype, big, 3, 1 / big[big.length - 1])
    expect(A.data.length / parts).toBeGreaterThan(2 ** 16)
    expect(expm(viewOf(A, strides, offset)).data).toEqual(expm(A).data)
  })

  test('of shared memory are read, and written, in place', () => {
    const A = randomArray(dtype, [3, 3], 5)
    const bytes = A.data.byteLength
    const memory = new SharedArrayBuffer(2 * bytes)
    const [first, second] = [0, bytes].map((at) => {
      const kind = storageOf(dtype)
      return ndarray(dtype, [3, 3], new kind(memory, at, bytes / A.data.BYTES_PER_ELEMENT) as typeof A.data)
    })
    first.data.set(A.data)
    expm(first, { out: second })
    expect(Array.from(second.data)).toEqual(Array.from(expm(A).data))
    expect(() => expm(first, { out: first })).toThrow(expect.objectContaining({ code: 'ERR_ALIASED_OUT' }))
  })

  test('whose data is a plain array are read in the dtype that they name', () => {
    const A = randomArray(dtype, [3, 3], 6)
    expect(expm({ data: Array.from(A.data), shape: [3, 3], dtype })).toEqual(expm(A))
  })
})
