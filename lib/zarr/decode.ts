import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { components, type DType, product, rowMajorStrides } from '../ndarray.ts'
import type { ByteCodec, Encoding } from './codecs.ts'
import { crc32c } from './crc32c.ts'
import { elementBytes } from './metadata.ts'
import type { Decoder, Numbers } from './zarrita.ts'

/** What a chunk's bytes are not, in words that follow its name. */
export class Damage extends Error {}

/** How a chunk's bytes become numbers. */
export interface Form {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly encoding: Encoding
}

const unzip = promisify(gunzip)

/**
 * The numbers of one encoded chunk. No more is decoded than the chunk has numbers, whatever the bytes say; only zstd can take up to
 * the 2 GiB of its WebAssembly before it is found out.
 * Errors: {@link Damage} for bytes that are not such a chunk.
 */
export async function decodeChunk(form: Form, bytes: Uint8Array, decoder: Decoder): Promise<Numbers> {
  const { dtype, shape, encoding } = form
  const expected = product(shape) * elementBytes(dtype)
  let decoded = bytes
  for (let k = encoding.bytes.length - 1; k >= 0; k--) {
    // Codecs before this one may have made the bytes more: checksums, or what does not compress.
    const most = k === 0 ? expected : expected + (expected >> 3) + 4096
    decoded = await decodeBytes(encoding.bytes[k], decoded, most, decoder)
  }
  if (decoded.byteLength !== expected)
    throw new Damage(`expected ${expected} bytes of numbers, got ${decoded.byteLength}`)
  const numbers = await decoder.numbers(dtype, shape, encoding, decoded)
  if (numbers.data.length !== product(shape) * components(dtype))
    throw new Damage(`expected ${product(shape)} elements, got ${numbers.data.length} numbers`)
  return numbers
}

async function decodeBytes(
  codec: ByteCodec,
  bytes: Uint8Array,
  most: number,
  decoder: Decoder,
): Promise<Uint8Array> {
  if (codec.name === 'crc32c') return withoutChecksum(bytes)
  if (codec.name === 'blosc') requireBloscLength(bytes, most)
  if (codec.name === 'zstd') requireZstdLength(bytes, most)
  try {
    if (codec.name === 'gzip') return await unzip(bytes, { maxOutputLength: Math.max(1, most) })
    return await decoder.bytes(codec, bytes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_OUT_OF_MEMORY') throw error
    throw new Damage(
      `${codec.name} cannot decode it: ${String((error as Error)?.message ?? error).slice(0, 200)}`,
    )
  }
}

/** The bytes before a checksum of them, little-endian. */
export function withoutChecksum(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 4) throw new Damage(`expected a checksum at its end, got ${bytes.length} bytes`)
  const content = bytes.subarray(0, -4)
  const written = new DataView(bytes.buffer, bytes.byteOffset + content.length).getUint32(0, true)
  const found = crc32c(content)
  if (written !== found)
    throw new Damage(`its checksum is ${hex(written)}, but that of its bytes is ${hex(found)}`)
  return content
}

/** What a blosc buffer says it decodes to is taken from it untested by the decoder (c-blosc, README_CHUNK_FORMAT). */
function requireBloscLength(bytes: Uint8Array, most: number): void {
  const header = bytes.length < 16 ? undefined : new DataView(bytes.buffer, bytes.byteOffset, 16)
  const length = header?.getUint32(4, true) ?? 0
  if (header === undefined || length > most || header.getUint32(12, true) > bytes.length)
    throw new Damage(`blosc cannot decode it: expected at most ${most} bytes, got a header of ${length}`)
}

/** The same of the first frame of zstd, where it says its length (RFC 8878, section 3.1.1.1). */
function requireZstdLength(bytes: Uint8Array, most: number): void {
  if (bytes.length < 18) return
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const [magic, descriptor] = [view.getUint32(0, true), bytes[4]]
  const isSingleSegment = (descriptor >> 5) & 1
  const place = 6 - isSingleSegment + [0, 1, 2, 4][descriptor & 3]
  // Of fewer bytes it cannot be much.
  const length = [0, 0, view.getUint32(place, true), Number(view.getBigUint64(place, true))][descriptor >> 6]
  if (magic === 0xfd2fb528 && length > most)
    throw new Damage(`zstd cannot decode it: expected at most ${most} bytes, got a header of ${length}`)
}

/** A part of an array, and where in that it begins. */
export interface Block {
  readonly numbers: Numbers
  readonly shape: readonly number[]
  /** The indices of its first element. */
  readonly at: readonly number[]
}

/** A row-major array that blocks are copied to. */
export interface Target {
  readonly data: Float64Array | Float32Array
  readonly shape: readonly number[]
  readonly dtype: DType
}

/** Copies a block to its place; what reaches beyond the target, as that of a last chunk does, is left out. */
export function copyBlock({ numbers: { data, strides }, shape, at }: Block, target: Target): void {
  const parts = components(target.dtype)
  const places = rowMajorStrides(target.shape).map((stride) => stride * parts)
  const extent = shape.map((d, k) => Math.max(0, Math.min(d, target.shape[k] - at[k])))
  const isRowMajor = rowMajorStrides(shape).every((stride, k) => strides[k] === stride * parts)
  if (isRowMajor && product(extent) === product(target.shape)) {
    target.data.set(data.subarray(0, target.data.length))
    return
  }
  const copyAxis = (axis: number, first: number, place: number): void => {
    let [from, to] = [first, place]
    for (let k = 0; k < extent[axis]; k++, from += strides[axis], to += places[axis])
      if (axis < shape.length - 1) copyAxis(axis + 1, from, to)
      else for (let part = 0; part < parts; part++) target.data[to + part] = data[from + part]
  }
  const start = places.reduce((sum, place, k) => sum + place * at[k], 0)
  copyAxis(0, 0, start)
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
