import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { registry } from 'zarrita'
import type { NDArray } from '../lib/ndarray.ts'
import { crc32c } from '../lib/zarr/crc32c.ts'
import { openZarr } from '../lib/zarr/index.ts'
import { dtypes, randomArray } from './support/dtypes.ts'
import { temporaryFolder } from './support/npy-files.ts'
import { chunkBytes, writeFolder, zarrJson, zeroOf } from './support/zarr-files.ts'

const at = temporaryFolder()
let made = 0

type Codec = { name: string; configuration?: Record<string, unknown> }
type Encode = (bytes: Uint8Array) => Promise<Uint8Array> | Uint8Array

const little: Codec = { name: 'bytes', configuration: { endian: 'little' } }
const big: Codec = { name: 'bytes', configuration: { endian: 'big' } }
const crc: Codec = { name: 'crc32c' }

async function encodeBy(name: string, configuration: object, bytes: Uint8Array): Promise<Uint8Array> {
  const codec = (await registry.get(name)!()).fromConfig(configuration, undefined as never)
  return (await codec.encode(bytes as never)) as Uint8Array
}

function withChecksum(bytes: Uint8Array): Buffer {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(crc32c(bytes))
  return Buffer.concat([bytes, checksum])
}

const blosc = { cname: 'lz4', clevel: 5, shuffle: 'shuffle', typesize: 8, blocksize: 0 }
const zstd = { level: 3, checksum: false }

/** Each with what it makes of the bytes. */
const encodings: readonly (readonly [string, readonly Codec[], Encode])[] = [
  ['gzip', [{ name: 'gzip', configuration: { level: 5 } }], (bytes) => gzipSync(bytes)],
  ['zstd', [{ name: 'zstd', configuration: zstd }], (bytes) => encodeBy('zstd', zstd, bytes)],
  [
    'blosc and crc32c',
    [{ name: 'blosc', configuration: blosc }, crc],
    async (bytes) => withChecksum(await encodeBy('blosc', { ...blosc, shuffle: 1 }, bytes)),
  ],
  ['crc32c', [crc], withChecksum],
  ['gzip and crc32c', [{ name: 'gzip' }, crc], (bytes) => withChecksum(gzipSync(bytes))],
  ['crc32c and gzip', [crc, { name: 'gzip' }], (bytes) => gzipSync(withChecksum(bytes))],
  ['gzip twice', [{ name: 'gzip' }, { name: 'gzip' }], (bytes) => gzipSync(gzipSync(bytes))],
]

/** Writes an array in chunks of two, each encoded. */
async function write(x: NDArray, codecs: readonly Codec[], encode: Encode, layout = {}): Promise<string> {
  const { dtype, shape } = x
  const fields = { shape, data_type: dtype, fill_value: zeroOf(dtype), codecs }
  const grid = { name: 'regular', configuration: { chunk_shape: [2, ...shape.slice(1)] } }
  const files: Record<string, string | Uint8Array | object> = {
    'zarr.json': zarrJson({ ...fields, chunk_grid: grid }),
  }
  for (let k = 0; 2 * k < shape[0]; k++) files[`c/${k}/0/0`] = await encode(chunkBytes(x, 2 * k, 2, layout))
  return writeFolder(at(`${made++}.zarr`), files)
}

async function expectRead(path: string, x: NDArray): Promise<void> {
  const array = await openZarr(path)
  const size = (2 * x.data.length) / x.shape[0]
  expect(array).toMatchObject({ dtype: x.dtype, shape: x.shape, chunkLength: 2 })
  for (let k = 0; k < array.chunks; k++)
    expect(await array.readChunk(k)).toEqual(x.data.slice(k * size, (k + 1) * size))
}

describe.each(dtypes)('chunks of %s are read', (dtype) => {
  const x = randomArray(dtype, [5, 3, 3], 1)

  it.each(encodings)('encoded by %s', async (_, codecs, encode) => {
    await expectRead(await write(x, [little, ...codecs], encode), x)
  })

  it('of the other byte order', async () => {
    await expectRead(await write(x, [big], (bytes) => bytes, { endian: 'BE' }), x)
  })

  it.each([[[0, 2, 1]], [[2, 1, 0]], [[1, 2, 0]], [[2, 0, 1]], [[0, 1, 2]]])(
    'with their axes in the order %j',
    async (order) => {
      const transpose = { name: 'transpose', configuration: { order } }
      await expectRead(await write(x, [transpose, little], (bytes) => bytes, { order }), x)
      const all = [transpose, big, { name: 'gzip' }, crc]
      const encode: Encode = (bytes) => withChecksum(gzipSync(bytes))
      await expectRead(await write(x, all, encode, { order, endian: 'BE' }), x)
    },
  )
})

/** A shard of 2 x n x n elements from smaller chunks, each encoded and placed as it comes, by hand from the specification. */
function shardOf(
  x: NDArray,
  start: number,
  inner: readonly number[],
  { location = 'end', missing = -1 }: { location?: string; missing?: number } = {},
): Buffer {
  const [, n] = x.shape
  const grid = [2 / inner[0], n / inner[1], n / inner[2]]
  const entries: bigint[] = []
  const bodies: Buffer[] = []
  const indexBytes = 16 * grid[0] * grid[1] * grid[2] + 4
  let offset = location === 'start' ? indexBytes : 0
  for (let k = 0; k < grid[0] * grid[1] * grid[2]; k++) {
    const at = [Math.floor(k / grid[1] / grid[2]), Math.floor(k / grid[2]) % grid[1], k % grid[2]]
    const body = Buffer.from(
      gzipSync(
        blockBytes(
          x,
          start,
          at.map((a, axis) => a * inner[axis]),
          inner,
        ),
      ),
    )
    if (k === missing) {
      entries.push(2n ** 64n - 1n, 2n ** 64n - 1n)
      continue
    }
    entries.push(BigInt(offset), BigInt(body.length))
    bodies.push(body)
    offset += body.length
  }
  const index = Buffer.alloc(8 * entries.length)
  for (const [k, entry] of entries.entries()) index.writeBigUInt64LE(entry, 8 * k)
  const parts = [...bodies]
  parts.splice(location === 'start' ? 0 : bodies.length, 0, withChecksum(index))
  return Buffer.concat(parts)
}

function blockBytes(x: NDArray, start: number, at: readonly number[], inner: readonly number[]): Buffer {
  const element = chunkBytes(x, 0, 1).length / x.shape[1] ** 2
  const whole = chunkBytes(x, start, 2)
  const n = x.shape[1]
  const rows: Buffer[] = []
  for (let m = at[0]; m < at[0] + inner[0]; m++)
    for (let i = at[1]; i < at[1] + inner[1]; i++) {
      const from = ((m * n + i) * n + at[2]) * element
      rows.push(whole.subarray(from, from + inner[2] * element))
    }
  return Buffer.concat(rows)
}

function sharding(inner: readonly number[], location?: string): Codec {
  const configuration = {
    chunk_shape: inner,
    codecs: [little, { name: 'gzip' }],
    index_codecs: [little, crc],
    ...(location === undefined ? {} : { index_location: location }),
  }
  return { name: 'sharding_indexed', configuration }
}

async function writeShards(x: NDArray, inner: readonly number[], options: object = {}): Promise<string> {
  const { location } = options as { location?: string }
  const path = await write(x, [sharding(inner, location)], (bytes) => bytes)
  for (let k = 0; 2 * k < x.shape[0]; k++)
    writeFileSync(`${path}/c/${k}/0/0`, shardOf(x, 2 * k, inner, options))
  return path
}

describe.each(dtypes)('shards of %s are read', (dtype) => {
  const x = randomArray(dtype, [5, 4, 4], 2)

  it.each([[[1, 4, 4]], [[2, 4, 4]], [[1, 2, 2]], [[2, 1, 4]]])(
    'made of chunks of shape %j, and with their index at either end',
    async (inner) => {
      await expectRead(await writeShards(x, inner), x)
      await expectRead(await writeShards(x, inner, { location: 'end' }), x)
      await expectRead(await writeShards(x, inner, { location: 'start' }), x)
    },
  )

  it('with what is missing in them as the fill value', async () => {
    const path = await writeShards(x, [1, 4, 4], { missing: 1 })
    const half = x.data.length / 5
    const first = await (await openZarr(path)).readChunk(0)
    expect(first.slice(0, half)).toEqual(x.data.slice(0, half))
    expect(first.slice(half)).toEqual(x.data.slice(half, 2 * half).fill(0))
    rmSync(`${path}/c/0/0/0`)
    expect(await (await openZarr(path)).readChunk(0)).toEqual(x.data.slice(0, 2 * half).fill(0))
  })
})

describe('the checksum', () => {
  it('is that of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43)
  })
})

describe('damage is told:', () => {
  const x = randomArray('float64', [4, 4, 4], 3)

  it.each(encodings)(
    'of any byte of a checksum or of its length, encoded by %s',
    async (name, codecs, encode) => {
      const path = await write(x, [little, ...codecs], encode)
      const file = `${path}/c/1/0/0`
      const whole = Buffer.from(await encode(chunkBytes(x, 2, 2)))
      const array = await openZarr(path)
      for (const length of [0, 3, 11, whole.length >> 1, whole.length - 1]) {
        truncateSync(file, length)
        await expect(array.readChunk(1), `${length}`).rejects.toThrow(/: c\/1\/0\/0 is damaged: /)
        writeFileSync(file, whole)
      }
      expect(await array.readChunk(1)).toEqual(x.data.slice(32))
      if (!name.includes('crc32c')) return
      for (let k = 0; k < whole.length; k += 5) {
        const changed = Buffer.from(whole)
        changed[k] ^= 4
        writeFileSync(file, changed)
        // A gzip file has some bytes, of its date and system, that say nothing of its contents.
        const isIdle = name === 'crc32c and gzip' && k >= 4 && k < 10
        if (!isIdle) await expect(array.readChunk(1), `byte ${k}`).rejects.toThrow(/is damaged/)
      }
    },
  )

  it('a chunk that would unpack to more than it has room for', async () => {
    const bomb = gzipSync(Buffer.alloc(2 ** 24))
    for (const codecs of [[{ name: 'gzip' }], [{ name: 'gzip' }, { name: 'gzip' }]]) {
      const path = await write(x, [little, ...codecs], () => (codecs.length > 1 ? gzipSync(bomb) : bomb))
      await expect((await openZarr(path)).readChunk(0)).rejects.toThrow(
        /gzip cannot decode it: .*larger than/,
      )
    }
    const lie = Buffer.from(await encodeBy('blosc', { ...blosc, shuffle: 1 }, chunkBytes(x, 0, 2)))
    lie.writeUInt32LE(2 ** 31, 4)
    const path = await write(x, [little, { name: 'blosc', configuration: blosc }, crc], () =>
      withChecksum(lie),
    )
    await expect((await openZarr(path)).readChunk(0)).rejects.toThrow(
      /at most 256 bytes, got a header of 2147483648/,
    )
  })

  it('a chunk of zstd that says it is longer than it has room for, and one that damage has made so', async () => {
    const encoded = Buffer.from(
      await encodeBy(
        'zstd',
        zstd,
        new Uint8Array(2 ** 17).map((_, k) => k % 250),
      ),
    )
    expect(encoded[4] >> 6).toBe(2) // its length, of four bytes, follows the byte of the window
    const codecs = [little, { name: 'zstd', configuration: zstd }]
    const path = await write(x, codecs, () => encoded)
    const array = await openZarr(path)
    await expect(array.readChunk(0)).rejects.toThrow(/at most 256 bytes, got a header of 131072/)
    // Many may be damaged, and the next good one is decoded.
    const good = Buffer.from(await encodeBy('zstd', zstd, chunkBytes(x, 2, 2)))
    writeFileSync(`${path}/c/1/0/0`, good)
    const changed = Buffer.from(good)
    changed[0] ^= 1
    writeFileSync(`${path}/c/0/0/0`, changed)
    for (let k = 0; k < 400; k++) await expect(array.readChunk(0)).rejects.toThrow(/is damaged: zstd cannot/)
    expect(await array.readChunk(1)).toEqual(x.data.slice(32))
    // Before the decoder would break, it is asked no more, and that is no damage of the chunk.
    for (let k = 0; k < 200; k++) await array.readChunk(0).catch(() => {})
    await expect(array.readChunk(1)).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' })
  })

  it('a file that is far longer than its chunk can be', async () => {
    const path = await write(x, [little, { name: 'gzip' }], (bytes) => gzipSync(bytes))
    truncateSync(`${path}/c/0/0/0`, 2 ** 40)
    await expect((await openZarr(path)).readChunk(0)).rejects.toThrow(
      /must have at most \d+ bytes, got 1099511627776/,
    )
  })

  it('an index of a shard that lies', async () => {
    const path = await writeShards(x, [1, 4, 4])
    const array = await openZarr(path)
    const whole = shardOf(x, 0, [1, 4, 4])
    const indexStart = whole.length - 36
    const plant = (offset: bigint, length: bigint): void => {
      const index = Buffer.from(whole.subarray(indexStart, -4))
      index.writeBigUInt64LE(offset, 0)
      index.writeBigUInt64LE(length, 8)
      writeFileSync(`${path}/c/0/0/0`, Buffer.concat([whole.subarray(0, indexStart), withChecksum(index)]))
    }
    for (const [offset, length] of [
      [2n ** 63n, 8n],
      [0n, 2n ** 40n],
      [2n ** 64n - 1n, 1n],
      [2n ** 64n - 1n, 2n ** 64n - 2n],
    ]) {
      plant(offset, length)
      await expect(array.readChunk(0)).rejects.toThrow(/its index places chunk 0 at bytes/)
    }
    // Of the index itself, whole, at its ends, and around it.
    const end = BigInt(whole.length)
    const start = BigInt(indexStart)
    for (const [from, to] of [
      [start, end],
      [start - 1n, start + 1n],
      [end - 1n, end],
      [start + 4n, start + 8n],
      [0n, end],
    ]) {
      plant(from, to - from)
      await expect(array.readChunk(0)).rejects.toThrow(
        `its index places chunk 0 at bytes ${from} to ${to}, but bytes ${start} to ${end} are the index`,
      )
    }
    plant(0n, 0n)
    await expect(array.readChunk(0)).rejects.toThrow(/gzip cannot decode it/)
    const changed = Buffer.from(whole)
    changed[indexStart] ^= 1
    writeFileSync(`${path}/c/0/0/0`, changed)
    await expect(array.readChunk(0)).rejects.toThrow(/its checksum is/)
    writeFileSync(`${path}/c/0/0/0`, whole.subarray(-30))
    await expect(array.readChunk(0)).rejects.toThrow(/expected an index of 36 bytes for 2 chunks, got 30/)
  })
})

it.each(['start', 'end'])(
  'a chunk that lies in the index of its shard, at its %s, is not read as numbers',
  async (location) => {
    const x = randomArray('float64', [2, 2, 2], 5)
    const codec = sharding([1, 2, 2], location)
    const configuration = { ...codec.configuration, codecs: [little] }
    const index = Buffer.alloc(32)
    const start = location === 'start' ? 0n : 64n
    for (const [k, entry] of [start, 32n, location === 'start' ? 36n : 0n, 32n].entries())
      index.writeBigUInt64LE(entry, 8 * k)
    const body = chunkBytes(x, 0, 2)
    const parts = location === 'start' ? [withChecksum(index), body] : [body, withChecksum(index)]
    const array = await openZarr(await write(x, [{ ...codec, configuration }], () => Buffer.concat(parts)))
    await expect(array.readChunk(0)).rejects.toThrow(
      `its index places chunk 0 at bytes ${start} to ${start + 32n}, but bytes ${start} to ${start + 36n} are the index`,
    )
  },
)

it('an array that is encoded cannot be written', async () => {
  const x = randomArray('float64', [4, 2, 2], 4)
  const array = await openZarr(await write(x, [little, crc], withChecksum))
  await expect(array.writeChunk(0, new Float64Array(8))).rejects.toThrow(/encoded by other codecs than bytes/)
})
