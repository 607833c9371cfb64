import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DType } from '../lib/ndarray.ts'
import { createNpy, NpyError, openNpy, readNpy, writeNpy } from '../lib/npy/index.ts'
import { indices, npyBytes, numberBytes, temporaryFolder, writeHandMade } from './support/npy-files.ts'

const at = temporaryFolder()

const types = [
  { code: 'f8', dtype: 'float64', size: 8, parts: 1 },
  { code: 'f4', dtype: 'float32', size: 4, parts: 1 },
  { code: 'c16', dtype: 'complex128', size: 8, parts: 2 },
  { code: 'c8', dtype: 'complex64', size: 4, parts: 2 },
] as const
const anyType = fc.constantFrom(...types)

/** Small integers and a half, exact in either precision, that tell every part of every element apart. */
const partAt = (place: number, part: number) => (part === 0 ? place + 0.5 : -place - 1)

function strides(shape: readonly number[], fortranOrder: boolean): number[] {
  const sizeOf = (dimensions: readonly number[]) => dimensions.reduce((size, d) => size * d, 1)
  return shape.map((_, k) => sizeOf(fortranOrder ? shape.slice(0, k) : shape.slice(k + 1)))
}

/** A hand-made file whose element with row-major place p has the parts partAt(p, ...). */
function numberedFile(
  path: string,
  type: (typeof types)[number],
  sign: '<' | '>',
  fortranOrder: boolean,
  shape: number[],
) {
  const { size, parts, code } = type
  const data = Buffer.alloc(shape.reduce((length, d) => length * d, size * parts))
  const steps = strides(shape, fortranOrder)
  let place = 0
  for (const index of indices(shape)) {
    const to = index.reduce((sum, i, k) => sum + i * steps[k], 0)
    for (let part = 0; part < parts; part++) {
      const bytes = numberBytes(partAt(place, part), size, sign === '<' ? 'LE' : 'BE')
      bytes.copy(data, (to * parts + part) * size)
    }
    place++
  }
  return { path: writeHandMade(path, { descr: sign + code, fortranOrder, shape, data }), elements: place }
}

/** What elements `from` to `to - 1` of such a file are, interleaved. */
function numbered(parts: number, from: number, to: number): number[] {
  return Array.from({ length: (to - from) * parts }, (_, k) =>
    partAt(from + Math.floor(k / parts), k % parts),
  )
}

const anyShape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 })

describe('reading', () => {
  it('gives the same array from every dtype, byte order, memory order and rank', () => {
    const anySign = fc.constantFrom('<' as const, '>' as const)
    fc.assert(
      fc.property(anyType, anySign, fc.boolean(), anyShape, (type, sign, fortranOrder, shape) => {
        const { path, elements } = numberedFile(at('any.npy'), type, sign, fortranOrder, shape)
        const array = readNpy(path)
        expect(array).toMatchObject({ dtype: type.dtype, shape, offset: 0, order: 'row-major' })
        expect(array.data).toBeInstanceOf(type.size === 8 ? Float64Array : Float32Array)
        expect(Array.from(array.data)).toEqual(numbered(type.parts, 0, elements))
      }),
    )
  })

  it('in chunks of any size gives the same items as at once', () => {
    const anyStack = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 })
    fc.assert(
      fc.property(
        anyType,
        fc.boolean(),
        anyStack,
        fc.integer({ min: 1, max: 20 }),
        (type, fortranOrder, shape, step) => {
          const { path } = numberedFile(at('chunks.npy'), type, '>', fortranOrder, shape)
          const reader = openNpy(path)
          for (let start = 0; start < reader.count; start += step) {
            const end = Math.min(reader.count, start + step)
            const items = Array.from(reader.read(start, end))
            expect(items).toEqual(numbered(type.parts, start * reader.itemLength, end * reader.itemLength))
          }
          reader.close()
        },
      ),
    )
  })

  it.each([[[3000, 2, 3]], [[50, 40, 30]], [[2, 700, 3, 2]], [[700, 2, 3, 2]], [[260, 255]]])(
    'of Fortran order crosses windows and gaps: shape %j',
    (shape) => {
      const { path, elements } = numberedFile(at('windows.npy'), types[0], '<', true, shape)
      expect(readNpy(path).data).toEqual(Float64Array.from(numbered(1, 0, elements)))
      const reader = openNpy(path)
      const start = Math.floor(reader.count / 3)
      const end = Math.ceil(reader.count / 2)
      const into = new Float64Array((end - start) * reader.itemLength)
      expect(reader.read(start, end, into)).toBe(into)
      expect(into).toEqual(Float64Array.from(numbered(1, start * reader.itemLength, end * reader.itemLength)))
      reader.close()
    },
  )

  it('keeps the bits of infinities, negative zero and the smallest numbers', () => {
    const numbers = [Infinity, -Infinity, -0, 5e-324, Number.NaN, 2 ** -1022]
    const data = Buffer.concat(numbers.map((number) => numberBytes(number, 8, 'BE')))
    const path = writeHandMade(at('bits.npy'), { descr: '>f8', shape: [6], data })
    const array = readNpy(path)
    expect(array.data).toEqual(Float64Array.from(numbers))
    writeNpy(at('bits2.npy'), array)
    expect(readNpy(at('bits2.npy')).data).toEqual(Float64Array.from(numbers))
  })

  it('refuses items that are not there, and an `into` of the wrong length or kind', () => {
    const reader = openNpy(writeHandMade(at('r.npy'), { shape: [3, 1, 1], data: new Uint8Array(24) }))
    expect(reader).toMatchObject({ count: 3, itemLength: 1, dtype: 'float64', shape: [3, 1, 1] })
    expect(() => reader.read(2, 4)).toThrow(/has items 0 to 3, got a range from 2 to 4/)
    expect(() => reader.read(2, 1)).toThrow(RangeError)
    expect(() => reader.read(0.5, 1)).toThrow(RangeError)
    expect(() => reader.read(0, 2, new Float64Array(3))).toThrow(/Float64Array of length 2, got length 3/)
    expect(() => reader.read(0, 2, new Float32Array(2))).toThrow(/Float64Array of length 2/)
    reader.close()
    reader.close()
    expect(() => reader.read()).toThrow(/was closed/)
  })

  it('says so where the file shrinks meanwhile', () => {
    const reader = openNpy(writeHandMade(at('shrinks.npy'), { shape: [2, 1, 1], data: new Uint8Array(16) }))
    truncateSync(at('shrinks.npy'), 140)
    expect(() => reader.read()).toThrow(/shrinks\.npy: became shorter while it was read/)
    reader.close()
  })
})

describe('writing', () => {
  it('gives a little-endian file in C order that holds the array, for every dtype and shape', () => {
    fc.assert(
      fc.property(anyType, anyShape, ({ dtype, size, parts, code }, shape) => {
        const elements = shape.reduce((product, d) => product * d, 1)
        const numbers = numbered(parts, 0, elements)
        const data = size === 8 ? Float64Array.from(numbers) : Float32Array.from(numbers)
        writeNpy(at('w.npy'), { data, shape, dtype })
        const bytes = readFileSync(at('w.npy'))
        expect(bytes.subarray(0, 8)).toEqual(npyBytes().subarray(0, 8))
        expect(bytes.toString('latin1')).toContain(`'descr': '<${code}', 'fortran_order': False, `)
        const expected = Buffer.concat(numbers.map((number) => numberBytes(number, size, 'LE')))
        expect(bytes.subarray(bytes.length - expected.length)).toEqual(expected)
        expect(readNpy(at('w.npy'))).toMatchObject({ dtype, shape, data })
      }),
    )
  })

  it('takes views: transposed, sliced, reversed and shifted', () => {
    const data = Float64Array.from({ length: 12 }, (_, k) => k)
    const written = (array: Parameters<typeof writeNpy>[1]) => {
      writeNpy(at('v.npy'), array)
      return Array.from(readNpy(at('v.npy')).data)
    }
    expect(written({ data, shape: [3, 4], strides: [1, 3] })).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11])
    expect(written({ data, shape: [2, 2], strides: [4, 2], offset: 1 })).toEqual([1, 3, 5, 7])
    expect(written({ data, shape: [3], strides: [-1], offset: 5 })).toEqual([5, 4, 3])
    expect(written({ data, shape: [2, 2], offset: 8 })).toEqual([8, 9, 10, 11])
    expect(written({ data, shape: [], offset: 7 })).toEqual([7])
    expect(written({ data, shape: [2, 2], dtype: 'complex128', strides: [1, 2] })).toEqual([
      0, 1, 4, 5, 2, 3, 6, 7,
    ])
  })

  it('refuses what does not lie in its data, the wrong kind of data, and shapes that are none', () => {
    const data = new Float64Array(4)
    expect(() => writeNpy(at('x.npy'), { data, shape: [5] })).toThrow(
      /shape \[5\].*does not lie within its 4 numbers/,
    )
    expect(() => writeNpy(at('x.npy'), { data, shape: [2], offset: -1 })).toThrow(RangeError)
    expect(() => writeNpy(at('x.npy'), { data, shape: [2], strides: [0.5] })).toThrow(RangeError)
    expect(() => writeNpy(at('x.npy'), { data, shape: [4], strides: [1, 1] })).toThrow(RangeError)
    expect(() => writeNpy(at('x.npy'), { data, shape: [1.5, 2] })).toThrow(RangeError)
    expect(() => writeNpy(at('x.npy'), { data, shape: [4], dtype: 'float32' })).toThrow(
      /must be a Float32Array/,
    )
    expect(() => writeNpy(at('x.npy'), { data, shape: [4], dtype: 'int8' as DType })).toThrow(
      /dtype for .* "int8"/,
    )
    expect(() => writeNpy(at('x.npy'), { data: [1] as never, shape: [1] })).toThrow(TypeError)
    expect(existsSync(at('x.npy'))).toBe(false)
  })
})

describe('a file written in chunks', () => {
  const folder = at('atomic')
  mkdirSync(folder)
  const path = join(folder, 'Y.npy')

  it('has its name only when it is finished, and then replaces what stood there', () => {
    writeFileSync(path, 'before')
    const writer = createNpy(path, 'float64', [2, 1, 1])
    writer.write(Float64Array.of(1))
    expect(readFileSync(path, 'utf8')).toBe('before')
    expect(readdirSync(folder).filter((name) => /^\.matfun-[0-9a-f]+\.tmp$/.test(name))).toHaveLength(1)
    writer.write(Float64Array.of(2))
    writer.finish()
    writer.discard()
    expect(readNpy(path).data).toEqual(Float64Array.of(1, 2))
    expect(readdirSync(folder)).toEqual(['Y.npy'])
    expect(() => writer.finish()).toThrow(/was finished or discarded already/)
    expect(() => writer.write(Float64Array.of())).toThrow(NpyError)
  })

  it('leaves nothing where it is discarded, unfinished or overfull', () => {
    const before = readFileSync(path)
    const discarded = createNpy(path, 'float64', [1])
    discarded.discard()
    discarded.discard()
    const short = createNpy(path, 'complex128', [2])
    short.write(Float64Array.of(1, 2, 3))
    expect(() => short.finish()).toThrow(/shape \(2\) needs 4 numbers, got 3/)
    const over = createNpy(path, 'float64', [1])
    expect(() => over.write(Float64Array.of(1, 2))).toThrow(/room for 1 more numbers, got 2/)
    over.discard()
    expect(readdirSync(folder)).toEqual(['Y.npy'])
    expect(readFileSync(path)).toEqual(before)
  })

  it('goes up from where a link leads, as the system does', () => {
    for (const name of ['up', 'up/elsewhere', 'up/elsewhere/inner']) mkdirSync(join(folder, name))
    symlinkSync(join(folder, 'up/elsewhere/inner'), join(folder, 'up/link'))
    const [here, there] = ['up/Y.npy', 'up/elsewhere/Y.npy'].map((name) => join(folder, name))
    writeNpy(here, { data: Float64Array.of(1), shape: [1] })
    for (const number of [2, 3]) {
      writeNpy(`${folder}/up/link/../Y.npy`, { data: Float64Array.of(number), shape: [1] })
      expect([here, there].map((name) => readNpy(name).data[0])).toEqual([1, number])
      expect(readdirSync(join(folder, 'up')).sort()).toEqual(['Y.npy', 'elsewhere', 'link'])
    }
  })

  it('goes to the file behind a symbolic link, and never replaces a folder or a device', () => {
    symlinkSync(path, join(folder, 'link.npy'))
    writeNpy(join(folder, 'link.npy'), { data: Float64Array.of(7), shape: [1] })
    expect(readNpy(path).data).toEqual(Float64Array.of(7))
    expect(() => createNpy(folder, 'float64', [1])).toThrow(/is not a regular file/)
    expect(() => createNpy('/dev/null', 'float64', [1])).toThrow(/is not a regular file/)
  })
})
