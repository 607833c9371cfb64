import { readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import FileSystemStore from '@zarrita/storage/fs'
import { describe, expect, it } from 'vitest'
import * as zarrita from 'zarrita'
import { components, type DataOf, type DType, type NDArray } from '../lib/ndarray.ts'
import { createZarr, openZarr, type ZarrArray, ZarrError } from '../lib/zarr/index.ts'
import { dtypes, randomArray } from './support/dtypes.ts'
import { numberBytes, temporaryFolder } from './support/npy-files.ts'
import { chunkBytes, writeFolder, zarrJson } from './support/zarr-files.ts'

const at = temporaryFolder()
let made = 0
const fresh = (): string => at(`${made++}.zarr`)

/** The items of chunk k of an array in memory. */
function partOf({ dtype, shape, data }: NDArray, k: number, chunkLength: number): DataOf<DType> {
  const size = (data.length / shape[0]) * chunkLength
  expect(components(dtype)).toBeGreaterThan(0)
  return data.slice(k * size, (k + 1) * size) as DataOf<DType>
}

async function write(x: NDArray, chunkLength: number, attributes = {}): Promise<ZarrArray> {
  const { dtype, shape } = x
  const array = await createZarr(fresh(), { dtype, shape, chunkLength, attributes })
  for (let k = 0; k < array.chunks; k++) await array.writeChunk(k, partOf(x, k, chunkLength))
  return array
}

describe('an array that is written', () => {
  it.each(dtypes)('has the same %s numbers when it is read, its last chunk included', async (dtype) => {
    const x = randomArray(dtype, [7, 3, 3], 1)
    const { path } = await write(x, 3, { made: ['here', 1] })
    const array = await openZarr(path)
    expect(array).toMatchObject({ dtype, shape: [7, 3, 3], count: 7, n: 3, chunkLength: 3, chunks: 3 })
    expect(array.attributes).toEqual({ made: ['here', 1] })
    expect(await array.presentChunks()).toEqual([0, 1, 2])
    for (let k = 0; k < 3; k++) expect(await array.readChunk(k)).toEqual(partOf(x, k, 3))
  })

  it.each(dtypes)('lies on the disk as the specification has it: %s', async (dtype) => {
    const x = randomArray(dtype, [3, 2, 2], 2)
    const { path } = await write(x, 2)
    expect(readdirSync(path).sort()).toEqual(['c.0.0.0', 'c.1.0.0', 'zarr.json'])
    const fill = components(dtype) === 2 ? ['NaN', 'NaN'] : 'NaN'
    const key = { name: 'default', configuration: { separator: '.' } }
    expect(JSON.parse(readFileSync(`${path}/zarr.json`, 'utf8'))).toEqual(
      zarrJson({ data_type: dtype, fill_value: fill, chunk_key_encoding: key }),
    )
    expect(readFileSync(`${path}/c.0.0.0`)).toEqual(chunkBytes(x, 0, 2))
    // The last chunk is as long as the others, and its rest NaN.
    const last = readFileSync(`${path}/c.1.0.0`)
    const half = last.length / 2
    expect(last.subarray(0, half)).toEqual(chunkBytes(x, 2, 1))
    const size = dtype === 'float64' || dtype === 'complex128' ? 8 : 4
    const nan = numberBytes(Number.NaN, size, 'LE')
    expect(last.subarray(half)).toEqual(Buffer.concat(new Array(half / size).fill(nan)))
  })

  it.each(['float64', 'float32'] as const)(
    'is read alike by zarrita and its own store: %s',
    async (dtype) => {
      const x = randomArray(dtype, [5, 2, 2], 3)
      const { path } = await write(x, 2, { note: 'whole' })
      const array = await zarrita.open.v3(new FileSystemStore(path), { kind: 'array' })
      expect(array.attrs).toEqual({ note: 'whole' })
      const { data, shape } = await zarrita.get(array)
      expect(shape).toEqual([5, 2, 2])
      expect(data).toEqual(x.data)
      rmSync(`${path}/c.1.0.0`)
      const { data: holed } = await zarrita.get(array)
      expect((holed as typeof data & Float64Array).slice(8, 16)).toEqual(x.data.slice(8, 16).fill(Number.NaN))
    },
  )

  it('may be of numbers', async () => {
    const x = { ...randomArray('float64', [5, 1, 1], 4), shape: [5] } as NDArray
    const { path } = await write(x, 2)
    const array = await openZarr(path)
    expect(array).toMatchObject({ shape: [5], count: 5, n: undefined, chunks: 3 })
    expect(readdirSync(path).sort()).toEqual(['c.0', 'c.1', 'c.2', 'zarr.json'])
    expect(await array.presentChunks()).toEqual([0, 1, 2])
    expect(await array.readChunk(2)).toEqual(x.data.slice(4))
  })

  it('may be of no matrices', async () => {
    const { path } = await createZarr(fresh(), { dtype: 'float32', shape: [0, 3, 3], chunkLength: 4 })
    const array = await openZarr(path)
    expect(array).toMatchObject({ count: 0, chunks: 0 })
    expect(await array.presentChunks()).toEqual([])
  })
})

describe('chunks', () => {
  it('that are missing are the fill value, and are told', async () => {
    const x = randomArray('float64', [5, 2, 2], 5)
    const { path } = await write(x, 2)
    rmSync(`${path}/c.1.0.0`)
    const array = await openZarr(path)
    expect(await array.readChunk(1)).toEqual(new Float64Array(8).fill(Number.NaN))
    expect([await array.hasChunk(0), await array.hasChunk(1)]).toEqual([true, false])
    expect(await array.presentChunks()).toEqual([0, 2])
  })

  it('of the wrong length are refused, and do not count as there', async () => {
    const { path } = await write(randomArray('float64', [4, 2, 2], 6), 2)
    truncateSync(`${path}/c.1.0.0`, 63)
    const array = await openZarr(path)
    await expect(array.readChunk(1)).rejects.toThrow(`${path}: c.1.0.0 must have 64 bytes, got 63`)
    expect(await array.presentChunks()).toEqual([0])
    expect(await array.hasChunk(1)).toBe(false)
  })

  it('are read into memory of the caller, of their kind and length', async () => {
    const x = randomArray('float64', [3, 2, 2], 7)
    const array = await write(x, 2)
    const room = new Float64Array(10)
    const into = room.subarray(1, 9)
    expect(await array.readChunk(0, { into })).toBe(into)
    expect(room).toEqual(Float64Array.of(0, ...x.data.slice(0, 8), 0))
    const wrong = { into: new Float64Array(8) }
    await expect(array.readChunk(1, wrong)).rejects.toThrow(
      /Float64Array of length 4 for chunk 1, got length 8/,
    )
    const kind = { into: new Float32Array(8) as never }
    await expect(array.readChunk(0, kind)).rejects.toThrow(RangeError)
  })

  it.each([-1, 2, 0.5, Number.NaN])('are counted from 0: %d is none of two', async (k) => {
    const array = await write(randomArray('float64', [3, 2, 2], 8), 2)
    await expect(array.readChunk(k)).rejects.toThrow(/has 2 chunks, counted from 0/)
    await expect(array.writeChunk(k, new Float64Array(8))).rejects.toThrow(RangeError)
    await expect(array.hasChunk(k)).rejects.toThrow(RangeError)
  })

  it('are not read once the signal has aborted', async () => {
    const array = await write(randomArray('float64', [3, 2, 2], 8), 2)
    const reason = new Error('enough')
    await expect(array.readChunk(0, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('must have as many numbers as they have room for', async () => {
    const array = await write(randomArray('complex64', [3, 2, 2], 9), 2)
    await expect(array.writeChunk(1, new Float32Array(16))).rejects.toThrow(/has 8 numbers, got 16/)
    await expect(array.writeChunk(1, new Float64Array(8))).rejects.toThrow(/must be a Float32Array/)
  })

  it('are found by any encoding of their keys', async () => {
    const x = randomArray('float64', [3, 2, 2], 10)
    const cases = [
      ['default', '/', 'c/0/0/0', 'c/1/0/0'],
      ['default', '.', 'c.0.0.0', 'c.1.0.0'],
      ['v2', '.', '0.0.0', '1.0.0'],
      ['v2', '/', '0/0/0', '1/0/0'],
      ['default', undefined, 'c/0/0/0', 'c/1/0/0'],
      ['v2', undefined, '0.0.0', '1.0.0'],
    ] as const
    for (const [name, separator, first, second] of cases) {
      const encoding = separator ? { name, configuration: { separator } } : { name }
      const json = zarrJson({ chunk_key_encoding: encoding })
      const files = { 'zarr.json': json, [first]: chunkBytes(x, 0, 2), [second]: chunkBytes(x, 2, 2) }
      const array = await openZarr(writeFolder(fresh(), files))
      expect(await array.presentChunks()).toEqual([0, 1])
      expect(await array.readChunk(1)).toEqual(x.data.slice(8))
      rmSync(`${array.path}/${first}`)
      expect(await array.presentChunks()).toEqual([1])
    }
  })

  it('are written under a name of their own, which does not stay when writing fails', async () => {
    const array = await write(randomArray('float64', [4, 2, 2], 11), 2)
    rmSync(`${array.path}/c.1.0.0`)
    // Nothing can be renamed onto a folder.
    writeFolder(`${array.path}/c.1.0.0`, { file: '' })
    await expect(array.writeChunk(1, new Float64Array(8))).rejects.toThrow(/EISDIR|ENOTEMPTY/)
    expect(readdirSync(array.path).sort()).toEqual(['c.0.0.0', 'c.1.0.0', 'zarr.json'])
    await expect(array.readChunk(1)).rejects.toThrow(/c\.1\.0\.0 is not a regular file/)
  })
})

describe('fill values', () => {
  it.each([
    ['float64', 0.5, [0.5]],
    ['float64', 'NaN', [Number.NaN]],
    ['float64', '-Infinity', [Number.NEGATIVE_INFINITY]],
    ['float32', 'Infinity', [Number.POSITIVE_INFINITY]],
    ['float64', '0x4009000000000000', [3.125]],
    ['float32', '0x40490000', [3.140625]],
    ['complex128', [1, -2], [1, -2]],
    ['complex64', ['NaN', '0x3f800000'], [Number.NaN, 1]],
  ] as const)('of %s may be %j', async (dtype, value, numbers) => {
    const path = writeFolder(fresh(), { 'zarr.json': zarrJson({ data_type: dtype, fill_value: value }) })
    const filled = await (await openZarr(path)).readChunk(1)
    expect(Array.from(filled)).toEqual(Array.from(filled, (_, k) => numbers[k % numbers.length]))
  })
})

describe('creating an array', () => {
  const spec = { dtype: 'float64', shape: [4, 2, 2], chunkLength: 2 } as const

  it('again is opening it, with what it holds', async () => {
    const path = fresh()
    const first = await createZarr(path, { ...spec, attributes: { a: 1, b: [{ c: null }] } })
    await first.writeChunk(0, new Float64Array(8).fill(1))
    const second = await createZarr(path, { ...spec, attributes: { b: [{ c: null }], a: 1 } })
    expect(await second.presentChunks()).toEqual([0])
  })

  it.each([
    ['other attributes', { ...spec, attributes: { a: 2 } }],
    ['another dtype', { ...spec, dtype: 'float32' }],
    ['other chunks', { ...spec, chunkLength: 4 }],
    ['another shape', { ...spec, shape: [3, 2, 2] }],
  ] as const)('where there is one of %s is refused', async (_, other) => {
    const path = fresh()
    await createZarr(path, spec)
    await expect(createZarr(path, other)).rejects.toThrow(`${path}: is there already, and another array`)
  })

  it('in a folder of something else is refused, and in an empty one not', async () => {
    const path = writeFolder(fresh(), { 'letter.txt': 'dear' })
    await expect(createZarr(path, spec)).rejects.toThrow(
      /a new place or an empty folder, got one that holds "letter.txt"/,
    )
    expect(readdirSync(path)).toEqual(['letter.txt'])
    await createZarr(writeFolder(fresh(), {}), spec)
  })

  it('many times at once makes one', async () => {
    const path = fresh()
    const arrays = await Promise.all(Array.from({ length: 20 }, () => createZarr(path, spec)))
    await Promise.all(arrays.map((array, k) => array.writeChunk(k % 2, new Float64Array(8).fill(k % 2))))
    expect(readdirSync(path).sort()).toEqual(['c.0.0.0', 'c.1.0.0', 'zarr.json'])
    expect(await arrays[0].readChunk(1)).toEqual(new Float64Array(8).fill(1))
  })

  it.each([
    [{ ...spec, dtype: 'int8' }, /must be float64, float32, complex128 or complex64, got "int8"/],
    [{ ...spec, shape: [4, 2] }, /must be \[count, n, n\] or \[count\], got \[4,2\]/],
    [{ ...spec, shape: [4, 2, 3] }, /got \[4,2,3\]/],
    [{ ...spec, shape: [4, 0, 0] }, /got \[4,0,0\]/],
    [{ ...spec, shape: [-1] }, /got \[-1\]/],
    [{ ...spec, shape: [2 ** 52, 2, 2] }, /less than 2\^53 bytes/],
    [{ ...spec, chunkLength: 0 }, /must be a positive integer/],
    [{ ...spec, attributes: [1] }, /attributes .* must be an object/],
  ])('of a wrong kind is refused before anything is made: %j', async (wrong, message) => {
    const path = fresh()
    await expect(createZarr(path, wrong as never)).rejects.toThrow(message)
    await expect(openZarr(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a root', () => {
  const x = randomArray('float64', [3, 2, 2], 12)
  const files = { 'zarr.json': zarrJson(), 'c/0/0/0': chunkBytes(x, 0, 2), 'c/1/0/0': chunkBytes(x, 2, 2) }

  it('keeps reading within it, wherever a link stands', async () => {
    const outside = writeFolder(fresh(), files)
    const root = writeFolder(fresh(), {})
    symlinkSync(outside, `${root}/array`)
    await expect(openZarr(`${root}/array`, { root })).rejects.toThrow(ZarrError)
    writeFolder(`${root}/json`, {})
    symlinkSync(`${outside}/zarr.json`, `${root}/json/zarr.json`)
    await expect(openZarr(`${root}/json`, { root })).rejects.toThrow(/outside .*: expected a place below it/)
    writeFolder(`${root}/chunks`, { 'zarr.json': zarrJson() })
    symlinkSync(`${outside}/c`, `${root}/chunks/c`)
    const array = await openZarr(`${root}/chunks`, { root })
    await expect(array.readChunk(0)).rejects.toThrow(/outside/)
    await expect(array.hasChunk(0)).rejects.toThrow(/outside/)
    await expect(array.presentChunks()).rejects.toThrow(/outside/)
    // The same is read where there is no root, and through links that stay within.
    expect(await (await openZarr(`${root}/chunks`)).readChunk(0)).toEqual(x.data.slice(0, 8))
    writeFolder(`${root}/own`, files)
    symlinkSync(`${root}/own`, `${root}/alias`)
    expect(await (await openZarr(`${root}/alias`, { root })).readChunk(1)).toEqual(x.data.slice(8))
  })

  it('keeps writing within it', async () => {
    const outside = writeFolder(fresh(), {})
    const root = writeFolder(fresh(), {})
    const spec = { dtype: 'float64', shape: [3, 2, 2], chunkLength: 2 } as const
    symlinkSync(outside, `${root}/link`)
    await expect(createZarr(`${root}/link/new`, spec, { root })).rejects.toThrow(/outside/)
    await expect(createZarr(`${root}/link`, spec, { root })).rejects.toThrow(/outside/)
    await expect(createZarr(`${root}/../new-${made}`, spec, { root })).rejects.toThrow(/outside/)
    symlinkSync(`${outside}/dangling`, `${root}/dangling`)
    await expect(createZarr(`${root}/dangling`, spec, { root })).rejects.toThrow()
    // A link in the place of a chunk is replaced, not followed.
    const array = await createZarr(`${root}/array`, spec, { root })
    writeFileSync(`${outside}/victim`, 'as it was')
    symlinkSync(`${outside}/victim`, `${root}/array/c.0.0.0`)
    await array.writeChunk(0, x.data.slice(0, 8))
    expect(readFileSync(`${outside}/victim`, 'utf8')).toBe('as it was')
    expect(readdirSync(outside)).toEqual(['victim'])
    expect(await array.readChunk(0)).toEqual(x.data.slice(0, 8))
  })
})
