import { createRequire } from 'node:module'
import Complex64Array from '@stdlib/array-complex64'
import Complex128Array from '@stdlib/array-complex128'
import StdlibArray from '@stdlib/ndarray-base-ctor'
import * as np from 'numpy-ts'
import { describe, expect, test } from 'vitest'
import { type ArrayLike2D, type DType, expm, expmJVP, expmVJP, type NDArray } from '../lib/index.ts'
import { components, gather, ndarray, storageOf } from '../lib/ndarray.ts'
import { dtypes, randomArray } from './support/dtypes.ts'

/** scijs ndarray, which comes without types: as much of it as is used here. */
interface ScijsArray extends ArrayLike2D {
  get(...index: number[]): number
  transpose(...axes: number[]): ScijsArray
  lo(...index: number[]): ScijsArray
  hi(...index: number[]): ScijsArray
  step(...steps: number[]): ScijsArray
  pick(...index: (number | null)[]): ScijsArray
}
const scijs = createRequire(import.meta.url)('ndarray') as (
  data: ArrayLike<number>,
  shape: number[],
  stride?: number[],
  offset?: number,
) => ScijsArray

type Entry = number | { readonly re: number; readonly im: number } | undefined

/** What a package's array holds by that package's own word, as a plain array of matfun. */
function plain(dtype: DType, shape: readonly number[], get: (...index: number[]) => Entry): NDArray {
  const numbers: number[] = []
  const visit = (index: number[]): void => {
    if (index.length === shape.length) {
      const entry = get(...index)
      if (typeof entry === 'object') numbers.push(entry.re, entry.im)
      else numbers.push(entry!)
    } else for (let k = 0; k < shape[index.length]; k++) visit([...index, k])
  }
  visit([])
  expect(numbers.every((x) => x !== 0 && Number.isFinite(x))).toBe(true)
  return ndarray(dtype, shape, storageOf(dtype).from(numbers) as NDArray['data'])
}

/** Every function gives the bits that it gives for the plain array. */
function expectSame(array: ArrayLike2D, same: NDArray) {
  expect(expm(array)).toEqual(expm(same))
  const E = randomArray(same.dtype, same.shape, 77)
  expect(expmJVP(array, E)).toEqual(expmJVP(same, E))
  expect(expmJVP(E, array)).toEqual(expmJVP(E, same))
  expect(expmVJP(array, array)).toEqual(expmVJP(same, same))
}

/** Writing into the array leaves in it, by its package's own word, what comes without an out. */
function expectWritten(out: ArrayLike2D, dtype: DType, shape: readonly number[], read: () => NDArray) {
  const A = randomArray(dtype, shape, 5)
  const expected = expm(A)
  const result = expm(A, { out: out as never })
  expect(gather(result)).toEqual(expected.data)
  expect(read()).toEqual(expected)
}

describe('scijs ndarray', () => {
  const numbers = Array.from(randomArray('float64', [6, 20], 1).data)
  describe.each([
    ['a Float64Array', 'float64', Float64Array.from(numbers)],
    ['a Float32Array', 'float32', Float32Array.from(numbers)],
    ['a plain array', 'float64', numbers],
  ] as const)('over %s', (_, dtype, data) => {
    const views: Record<string, ScijsArray> = {
      whole: scijs(data, [30, 2, 2]),
      sliced: scijs(data, [10, 12]).lo(2, 3).hi(4, 4),
      transposed: scijs(data, [10, 12]).transpose(1, 0).lo(1, 2).hi(5, 5),
      'with negative steps': scijs(data, [10, 12]).hi(6, 6).step(-1, -1),
      'with steps': scijs(data, [10, 12]).step(3, 2).hi(3, 3),
      'a picked matrix of a stack': scijs(data, [5, 4, 6]).pick(3, null, null).hi(4, 4),
      'column-major': scijs(data, [4, 5, 5], [1, 20, 4], 7),
      'permuted axes': scijs(data, [3, 3, 10]).transpose(2, 1, 0),
    }
    test.each(Object.entries(views))('%s', (_name, view) => {
      const shape = Array.from(view.shape)
      const same = plain(dtype, shape, (...index) => view.get(...index))
      expectSame(view, same)
    })
  })

  test.each(['float64', 'float32'] as const)('as out, over a typed array of %s', (dtype) => {
    const whole = scijs(new (storageOf(dtype))(120), [10, 12])
    const view = whole.lo(1, 2).transpose(1, 0).step(2, -2).hi(4, 4)
    expectWritten(view, dtype, [4, 4], () => plain(dtype, [4, 4], (i, j) => view.get(i, j)))
  })
})

describe.each(dtypes)('stdlib ndarray of %s', (dtype) => {
  const parts = components(dtype)
  const numbers = randomArray(dtype, [120], 2).data
  const buffer = () => {
    if (dtype === 'complex128') return new Complex128Array(Float64Array.from(numbers))
    if (dtype === 'complex64') return new Complex64Array(Float32Array.from(numbers))
    return numbers.slice()
  }
  const make = (shape: number[], strides: number[], offset: number, order: 'row-major' | 'column-major') =>
    new StdlibArray(dtype, buffer() as Float64Array, shape, strides, offset, order)

  const views: [string, ReturnType<typeof make>][] = [
    ['whole', make([7, 4, 4], [16, 4, 1], 0, 'row-major')],
    ['at an offset', make([3, 3], [3, 1], 11, 'row-major')],
    ['sliced', make([2, 3, 3], [60, 10, 2], 5, 'row-major')],
    ['transposed', make([4, 4], [1, 4], 0, 'column-major')],
    ['column-major', make([2, 5, 5], [1, 2, 10], 3, 'column-major')],
    ['with negative strides', make([5, 2, 2], [-20, -7, -1], 119, 'row-major')],
  ]
  test.each(views)('%s', (_, array) => {
    const shape = Array.from(array.shape as ArrayLike<number>)
    const same = plain(dtype, shape, (...index) => array.get(...index) as Entry)
    expectSame(array, same)
  })

  test('over a part of a larger buffer', () => {
    const all = buffer()
    const bytes = all.byteLength / 120
    const view = { data: partOf(all, 8 * bytes, 9), shape: [3, 3], dtype }
    const same = ndarray(dtype, [3, 3], numbers.slice(8 * parts, 17 * parts) as NDArray['data'])
    expectSame(view as ArrayLike2D, same)
  })

  test('as out', () => {
    const out = make([2, 4, 4], [2, 3, 24], 6, 'column-major')
    expectWritten(out, dtype, [2, 4, 4], () =>
      plain(dtype, [2, 4, 4], (...index) => out.get(...index) as Entry),
    )
  })

  test('as out that overlaps the input is refused', () => {
    const array = make([4, 4], [4, 1], 3, 'row-major')
    expect(() => expm(array, { out: array as never })).toThrow(
      expect.objectContaining({ code: 'ERR_ALIASED_OUT' }),
    )
  })
})

/** The same kind of array over some elements of its buffer. */
function partOf<T extends { buffer: ArrayBufferLike }>(array: T, byteOffset: number, length: number): T {
  const kind = array.constructor as new (buffer: ArrayBufferLike, byteOffset: number, length: number) => T
  return new kind(array.buffer, byteOffset, length)
}

describe.each(dtypes)('numpy-ts array of %s', (dtype) => {
  const { data } = randomArray(dtype, [120], 3)
  const entries =
    components(dtype) === 1
      ? Array.from(data)
      : Array.from({ length: 120 }, (_, k) => new np.Complex(data[2 * k], data[2 * k + 1]))
  const all = np.array(entries as number[], dtype)
  const table = all.reshape([10, 12])
  const views: [string, np.NDArray][] = [
    ['whole', all.reshape([30, 2, 2])],
    ['sliced', table.slice('2:6', '3:7')],
    ['transposed', table.T.slice('1:6', '4:9')],
    ['with negative steps', table.slice('::-2', '10:0:-2')],
    ['a matrix of a stack', all.reshape([5, 4, 6]).slice('3', ':', '1:5')],
    ['with its axes swapped', all.slice('4:116').reshape([4, 4, 7]).swapaxes(0, 2).slice('1:7:2')],
    ['contiguous again', table.slice('1:5', '1:5').copy()],
  ]
  test.each(views)('%s', (_, array) => {
    const same = plain(dtype, array.shape, (...index) => array.get(index) as Entry)
    expectSame(array, same)
  })

  test('as out', () => {
    const whole = np.zeros([10, 12], dtype)
    const out = whole.slice('1:9:2', '8:0:-2').T
    expectWritten(out, dtype, [4, 4], () => plain(dtype, [4, 4], (...index) => out.get(index) as Entry))
  })
})
