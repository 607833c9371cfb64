import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openZarr, ZarrError } from '../lib/zarr/index.ts'
import { uniform } from './support/matrices.ts'
import { temporaryFolder } from './support/npy-files.ts'
import { drawSeed } from './support/seed.ts'
import { writeFolder, zarrJson } from './support/zarr-files.ts'

const at = temporaryFolder()
const path = at('A.zarr')
mkdirSync(path)

async function open(json: string | Uint8Array | object) {
  writeFolder(path, { 'zarr.json': json })
  return openZarr(path)
}

const bytes = { name: 'bytes', configuration: { endian: 'little' } }
const grid = (...chunk_shape: unknown[]) => ({
  chunk_grid: { name: 'regular', configuration: { chunk_shape } },
})
const sharding = (configuration: object) => ({
  codecs: [
    {
      name: 'sharding_indexed',
      configuration: { chunk_shape: [1, 2, 2], codecs: [bytes], index_codecs: [bytes], ...configuration },
    },
  ],
})

describe('an array is refused', () => {
  it.each([
    ['of version 2', { zarr_format: 2 }, 'zarr_format must be 3, got number 2'],
    [
      'that is a group',
      { node_type: 'group' },
      'is a group: expected an array, such as one of those within it',
    ],
    ['that is neither', { node_type: 'table' }, 'node_type must be "array", got "table"'],
    ['without a shape', { shape: undefined }, 'shape must be a list, got undefined'],
    ['of rank 2', { shape: [2, 2] }, 'expected shape (count, n, n), or (count) for numbers, got (2, 2)'],
    ['of rank 4', { shape: [1, 2, 2, 2] }, 'got (1, 2, 2, 2)'],
    ['of matrices that are not square', { shape: [3, 2, 3] }, 'got (3, 2, 3)'],
    ['of matrices of order 0', { shape: [3, 0, 0] }, 'got (3, 0, 0)'],
    [
      'of a negative count',
      { shape: [-1, 2, 2] },
      'shape[0] must be an integer from 0 to 2^53 - 1, got number -1',
    ],
    ['of half a matrix', { shape: [0.5, 2, 2] }, 'shape[0] must be an integer'],
    [
      'of a count that is a string',
      { shape: ['3', 2, 2] },
      'shape[0] must be an integer from 0 to 2^53 - 1, got "3"',
    ],
    ['of too many bytes', { shape: [2 ** 50, 2, 2] }, 'overflows: expected less than 2^53 bytes'],
    [
      'of chunks of too many bytes',
      grid(2 ** 52, 2, 2),
      'a chunk of shape (4503599627370496, 2, 2) overflows',
    ],
    [
      'of integers',
      { data_type: 'int64' },
      'data_type must be float64, float32, complex128 or complex64, got "int64"',
    ],
    ['of a dtype with a name of its own', { data_type: { name: 'float64' } }, 'data_type must be'],
    ['cut across matrices', grid(2, 1, 2), 'expected chunks of whole matrices, (c, 2, 2), got (2, 1, 2)'],
    ['cut into nothing', grid(0, 2, 2), 'chunk_grid.configuration.chunk_shape[0] must be an integer from 1'],
    ['cut in another number of axes', grid(2, 2), 'expected chunks of whole matrices'],
    [
      'cut irregularly',
      { chunk_grid: { name: 'rectangular' } },
      'chunk_grid.name must be "regular", got "rectangular"',
    ],
    [
      'of other keys',
      { chunk_key_encoding: { name: 'fanout' } },
      'chunk_key_encoding.name must be "default" or "v2"',
    ],
    [
      'of keys with another separator',
      { chunk_key_encoding: { name: 'default', configuration: { separator: '../' } } },
      'separator must be "/" or "."',
    ],
    ['without codecs', { codecs: [] }, 'codecs must be transpose, if any, then bytes'],
    [
      'of an unknown codec',
      { codecs: [bytes, { name: 'lzma' }] },
      'codecs[1].name must be "gzip" or "zstd" or "blosc" or "crc32c", got "lzma"',
    ],
    [
      'of codecs out of order',
      { codecs: [{ name: 'gzip' }, bytes] },
      'codecs[0].name must be transpose, if any, then bytes',
    ],
    [
      'of bytes in no order',
      { codecs: [{ name: 'bytes' }] },
      'codecs[0].configuration.endian must be "little" or "big", got undefined',
    ],
    [
      'of axes that are not all there',
      { codecs: [{ name: 'transpose', configuration: { order: [0, 1, 1] } }, bytes] },
      'order must be the axes 0 to 2, each once',
    ],
    [
      'of blosc without a checksum',
      { codecs: [bytes, 'crc32c', 'blosc'] },
      'codecs must be with crc32c after blosc',
    ],
    ['of shards in shards', sharding({ codecs: sharding({}).codecs }), 'must be without sharding_indexed'],
    [
      'of shards cut unevenly',
      { ...sharding({ chunk_shape: [3, 2, 2] }) },
      "chunk_shape must be numbers that divide the chunk's shape (2, 2, 2)",
    ],
    [
      'of shards with a packed index',
      sharding({ index_codecs: [bytes, { name: 'gzip' }] }),
      'index_codecs must be bytes, and crc32c or nothing after it',
    ],
    [
      'of shards that are packed',
      { codecs: [...sharding({}).codecs, { name: 'gzip' }] },
      'sharding_indexed alone',
    ],
    [
      'with storage transformers',
      { storage_transformers: [{ name: 'x' }] },
      'storage_transformers must be empty',
    ],
    ['of something not known', { consolidated: true }, 'zarr.json has "consolidated", which is not known'],
    [
      'of a fill value that is none',
      { fill_value: null },
      'fill_value must be a number, "NaN", "Infinity", "-Infinity" or "0x" and 16 hexadecimal digits, got null',
    ],
    ['of a fill value for another type', { fill_value: [0, 0] }, 'fill_value must be a number'],
    [
      'of complex numbers with a real fill value',
      { data_type: 'complex128' },
      'fill_value must be a list, got number 0',
    ],
    ['of names for other axes', { dimension_names: ['k'] }, 'dimension_names must be a list of 3 names'],
    [
      'of attributes that are a list',
      { attributes: [] },
      'attributes must be an object, got an array of length 0',
    ],
  ])('%s', async (_, fields, message) => {
    const error = await open(zarrJson(fields)).catch((reason) => reason)
    expect(error).toBeInstanceOf(ZarrError)
    expect(error).toMatchObject({ code: 'ERR_ZARR', path })
    expect(error.message.startsWith(`${path}: `)).toBe(true)
    expect(error.message).toContain(message)
  })

  it.each([
    ['is not JSON', '{"zarr_format": 3,', /zarr\.json is not JSON/],
    ['is empty', '', /zarr\.json is not JSON/],
    ['is a number', '3', /zarr\.json must be an object, got number 3/],
    ['is a list', '[]', /zarr\.json must be an object/],
    ['is not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /zarr\.json is not valid UTF-8/],
    ['has more than 4 MiB', ' '.repeat(2 ** 22 + 1), /zarr\.json must have at most 4194304 bytes/],
    ['is nested very deep', '['.repeat(2 ** 20), /zarr\.json/],
  ])('whose zarr.json %s', async (_, text, message) => {
    await expect(open(text)).rejects.toThrow(message)
  })

  it('of version 2, which has other files', async () => {
    const old = writeFolder(at('old.zarr'), { '.zarray': {} })
    await expect(openZarr(old)).rejects.toThrow(
      'expected an array of Zarr version 3, got version 2 (.zarray)',
    )
  })

  it('that is not there, as Node says it', async () => {
    await expect(openZarr(at('none.zarr'))).rejects.toMatchObject({ code: 'ENOENT', syscall: 'stat' })
    await expect(openZarr(3 as never)).rejects.toThrow('path must be a string, got number 3')
  })
})

describe('what is no array says what it is:', () => {
  const expected = 'expected a Zarr array, which is a folder with a zarr.json, got'

  it('a folder', async () => {
    const path = writeFolder(at('folder'), { 'other/zarr.json': zarrJson() })
    const error = await openZarr(path).catch((reason) => reason)
    expect(error).toBeInstanceOf(ZarrError)
    expect(error).toMatchObject({
      code: 'ENOENT',
      path,
      message: `${path}: ${expected} a folder without one`,
    })
  })

  it('a file', async () => {
    writeFileSync(at('file'), '')
    const error = await openZarr(at('file')).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'ERR_ZARR', message: `${at('file')}: ${expected} a file` })
  })

  it('an array whose zarr.json is gone', async () => {
    const path = writeFolder(at('gone'), { 'zarr.json': zarrJson() })
    const array = await openZarr(path)
    rmSync(`${path}/zarr.json`)
    await expect(array.readChunk(0)).rejects.toThrow(`${path}: ${expected} a folder without one`)
    await expect(array.presentChunks()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('an array is taken', () => {
  it('with what may be there besides', async () => {
    const array = await open(
      zarrJson({
        dimension_names: ['sample', null, 'column'],
        storage_transformers: [],
        extra: { must_understand: false, anything: [1] },
        codecs: [{ ...bytes, must_understand: false }],
      }),
    )
    expect(array.dimensionNames).toEqual(['sample', null, 'column'])
  })

  it('where codecs are named without an object', async () => {
    await open(zarrJson({ codecs: [bytes, 'crc32c'] }))
  })

  it('with attributes that look like a prototype, which they do not become', async () => {
    const text = JSON.stringify(zarrJson()).replace(
      '"attributes":{}',
      '"attributes":{"__proto__":{"job":"x"}}',
    )
    const { attributes } = await open(text)
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype)
    expect((attributes as { job?: unknown }).job).toBeUndefined()
    expect(Object.keys(attributes)).toEqual(['__proto__'])
  })
})

/** What may stand in the place of anything. */
const intruders: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  3,
  1e308,
  2 ** 53,
  9007199254740991,
  '',
  'float64',
  'NaN',
  '__proto__',
  '../../etc/passwd',
  'x'.repeat(1000),
  [],
  [1, 1, 1],
  new Array(70).fill(1),
  {},
  { name: 'bytes' },
  { name: 'gzip', configuration: { level: 1e9 } },
  { length: 3, 0: 1, 1: 1, 2: 1 },
]

const seed = drawSeed('changes of a zarr.json')

/** Changes one place of a JSON value. */
function mutate(value: unknown, next: () => number): unknown {
  const intruder = intruders[Math.floor(next() * intruders.length)]
  if (typeof value !== 'object' || value === null || next() < 0.1) return intruder
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value }
  const keys = Object.keys(copy)
  const key = keys[Math.floor(next() * keys.length)]
  const kind = next()
  const place = copy as Record<string, unknown>
  if (key === undefined || kind < 0.05)
    Object.defineProperty(copy, '__proto__', { value: intruder, enumerable: true })
  else if (kind < 0.1) delete place[key]
  else if (kind < 0.15 && Array.isArray(copy)) copy.push(intruder)
  else place[key] = mutate(place[key], next)
  return copy
}

describe('a hostile zarr.json', () => {
  const start = [
    zarrJson(),
    zarrJson({ data_type: 'complex64', fill_value: [0, 'NaN'], codecs: [bytes, { name: 'gzip' }] }),
    zarrJson({ ...sharding({ codecs: [bytes, { name: 'crc32c' }] }), dimension_names: ['a', 'b', 'c'] }),
    zarrJson({
      codecs: [
        { name: 'transpose', configuration: { order: [2, 1, 0] } },
        bytes,
        {
          name: 'blosc',
          configuration: { cname: 'lz4', clevel: 5, shuffle: 'shuffle', typesize: 8, blocksize: 0 },
        },
        'crc32c',
      ],
    }),
  ]

  // Chunks are read too, of what can be opened and is small: missing ones, and one that is there and too short.
  it('is refused, or is an array, and nothing else: 4000 changes of one to three places', async () => {
    const next = uniform(seed)
    writeFolder(path, { 'c/0/0/0': new Uint8Array(40).fill(1) })
    const seen = { refused: 0, opened: 0, damaged: 0 }
    for (let round = 0; round < 4000; round++) {
      let json: unknown = start[round % start.length]
      for (let changes = 1 + Math.floor(next() * 3); changes > 0; changes--) json = mutate(json, next)
      const text = JSON.stringify(json)
      const array = await open(text).catch((error) => {
        expect(error, text).toBeInstanceOf(ZarrError)
        seen.refused++
      })
      if (array === undefined) continue
      seen.opened++
      expect(array.chunks, text).toBe(Math.ceil(array.count / array.chunkLength))
      if (array.chunks === 0 || array.itemsOf(0) * (array.n ?? 1) ** 2 > 1e6) continue
      await array.readChunk(0).catch((error) => {
        expect(error, text).toBeInstanceOf(ZarrError)
        seen.damaged++
      })
    }
    expect(seen.refused).toBeGreaterThan(1000)
    expect(seen.opened).toBeGreaterThan(200)
    expect(seen.damaged).toBeGreaterThan(100)
  })

  it('of any changed byte is refused, or is an array', async () => {
    const text = Buffer.from(JSON.stringify(start[1]))
    const next = uniform(seed + 1)
    for (let k = 0; k < text.length; k++) {
      const changed = Buffer.from(text)
      changed[k] = Math.floor(next() * 256)
      await open(changed).catch((error) => expect(error).toBeInstanceOf(ZarrError))
    }
  })
})
