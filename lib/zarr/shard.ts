import { product, rowMajorStrides } from '../ndarray.ts'
import type { Sharding } from './codecs.ts'
import { copyBlock, Damage, decodeChunk, type Target, withoutChecksum } from './decode.ts'
import type { Decoder } from './zarrita.ts'

/** A chunk that is made of smaller ones, and where its numbers go. */
export interface Shard {
  /** Of the whole chunk. */
  readonly shape: readonly number[]
  readonly sharding: Sharding
  /** May have fewer items than the chunk; filled with what missing chunks are. */
  readonly target: Target
}

/** What marks a chunk that is not there, both as its offset and as its length. */
const absent = 2n ** 64n - 1n

/**
 * Reads a shard (Zarr v3, sharding_indexed 1.0): an index of offset and length for each of its chunks, and these.
 * Errors: {@link Damage} for bytes that are no such shard.
 */
export async function decodeShard(shard: Shard, bytes: Uint8Array, decoder: Decoder): Promise<void> {
  const { shape, sharding, target } = shard
  const { chunkShape, encoding } = sharding
  const grid = shape.map((d, k) => d / chunkShape[k])
  const steps = rowMajorStrides(grid)
  const index = readIndex(sharding, product(grid), bytes)
  for (let k = 0; k < product(grid); k++) {
    const at = grid.map((d, axis) => (Math.floor(k / steps[axis]) % d) * chunkShape[axis])
    if (at[0] >= target.shape[0]) continue
    const inner = bytesOf(index, k, bytes)
    if (inner === undefined) continue
    const form = { dtype: target.dtype, shape: chunkShape, encoding }
    copyBlock({ numbers: await decodeChunk(form, inner, decoder), shape: chunkShape, at }, target)
  }
}

interface Index {
  readonly view: DataView
  readonly isLittle: boolean
  /** Where it lies in the shard. */
  readonly start: number
  readonly end: number
}

function readIndex(sharding: Sharding, chunks: number, bytes: Uint8Array): Index {
  const length = 16 * chunks + (sharding.indexHasChecksum ? 4 : 0)
  if (length > bytes.length)
    throw new Damage(
      `expected an index of ${length} bytes for ${chunks} chunks, got ${bytes.length} bytes in all`,
    )
  const start = sharding.indexLocation === 'start' ? 0 : bytes.length - length
  const whole = bytes.subarray(start, start + length)
  const entries = sharding.indexHasChecksum ? withoutChecksum(whole) : whole
  return {
    view: new DataView(entries.buffer, entries.byteOffset, entries.byteLength),
    isLittle: sharding.indexEndian === 'little',
    start,
    end: start + length,
  }
}

function bytesOf(
  { view, isLittle, start, end }: Index,
  k: number,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const offset = view.getBigUint64(16 * k, isLittle)
  const length = view.getBigUint64(16 * k + 8, isLittle)
  if (offset === absent && length === absent) return undefined
  if (offset + length > BigInt(bytes.length))
    throw new Damage(
      `its index places chunk ${k} at bytes ${offset} to ${offset + length}, but there are ${bytes.length}`,
    )
  if (offset < end && offset + length > start)
    throw new Damage(
      `its index places chunk ${k} at bytes ${offset} to ${offset + length}, but bytes ${start} to ${end} are the index`,
    )
  return bytes.subarray(Number(offset), Number(offset + length))
}
