import { runInNewContext } from 'node:vm'
import type { Random } from './random.ts'

export type Numbers = Float64Array | Float32Array
export type Precision = 'Float64Array' | 'Float32Array'
type NumbersOver = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => Numbers

/** Typed by hand: newer than the library that types are checked against. */
export type Resizable = ArrayBuffer & { readonly resizable: boolean; resize(bytes: number): void }
const ResizableBuffer = ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable

class OwnDoubles extends Float64Array {}
class OwnSingles extends Float32Array {}
const own = { Float64Array: OwnDoubles, Float32Array: OwnSingles }
const here = { Float64Array, Float32Array }
const elsewhere = runInNewContext('({ Float64Array, Float32Array, ArrayBuffer })') as typeof here & {
  ArrayBuffer: typeof ArrayBuffer
}

/** Where numbers can lie. All but the first lie within a larger buffer, whose other bytes are watched. */
export const places = ['heap', 'within', 'shared', 'resizable', 'tracking', 'realm', 'own class'] as const
export type Place = (typeof places)[number]

interface Watched {
  readonly buffer: ArrayBufferLike
  readonly before: Uint8Array
  /** 1 for each byte that may change. */
  readonly free: Uint8Array
}

const typedArray = Object.getPrototypeOf(Float64Array.prototype)
const bufferGetter = Object.getOwnPropertyDescriptor(typedArray, 'buffer')!.get!

/** The buffer of an array, whatever it says itself. */
export function bufferOf(data: Numbers): ArrayBufferLike {
  return bufferGetter.call(data)
}

interface Heaped {
  readonly data: Numbers
  readonly precision: Precision
  readonly length: number
  before: Numbers
}

/** The memory that one call of the fuzzer may meet, and what it held before. */
export class Memory {
  readonly #buffers = new Set<ArrayBufferLike>()
  readonly #forgotten = new Set<ArrayBufferLike>()
  /** Arrays that lie where V8 makes small ones, and stay there as long as nobody asks for their buffers. */
  readonly #heaped: Heaped[] = []
  #watched: Watched[] = []

  /** Zeros in a place. */
  numbers(random: Random, precision: Precision, length: number, place: Place): Numbers {
    const size = here[precision].BYTES_PER_ELEMENT
    const before = random.integer(1, 4) * 8
    const after = place === 'tracking' ? 0 : random.integer(1, 4) * 8
    const bytes = before + length * size + after
    const over = (kind: typeof here, buffer: ArrayBufferLike): Numbers => {
      new Uint8Array(buffer).fill(0xa5)
      this.#buffers.add(buffer)
      const Kind = kind[precision] as unknown as NumbersOver
      return place === 'tracking' ? new Kind(buffer, before) : new Kind(buffer, before, length)
    }
    switch (place) {
      case 'within':
        return over(here, new ArrayBuffer(bytes))
      case 'shared':
        return over(here, new SharedArrayBuffer(bytes))
      case 'resizable':
      case 'tracking':
        return over(here, new ResizableBuffer(bytes, { maxByteLength: bytes + 256 }))
      case 'realm':
        return over(elsewhere, new elsewhere.ArrayBuffer(bytes))
      case 'own class':
        return over(own, new ArrayBuffer(bytes))
      case 'heap': {
        const data = new here[precision](length)
        this.#heaped.push({ data, precision, length, before: data })
        return data
      }
    }
  }

  /** What happens to this buffer is the fuzzer's own doing. */
  forget(buffer: ArrayBufferLike): void {
    this.#forgotten.add(buffer)
    this.#buffers.delete(buffer)
    this.#watched = this.#watched.filter((watched) => watched.buffer !== buffer)
  }

  /** Remembers what all holds now. */
  watch(): void {
    for (const heaped of this.#heaped) {
      if (this.#forgotten.size > 0 && this.#forgotten.has(bufferOf(heaped.data))) continue
      heaped.before = new here[heaped.precision](heaped.length)
      typedArray.set.call(heaped.before, heaped.data)
    }
    this.#watched = [...this.#buffers]
      .filter((buffer) => buffer.byteLength > 0)
      .map((buffer) => ({
        buffer,
        before: new Uint8Array(buffer).slice(),
        free: new Uint8Array(buffer.byteLength),
      }))
  }

  /** Lets elements of a view, each of so many bytes, change. */
  free(data: ArrayBufferView, elements: Iterable<number>, size: number): void {
    const { buffer, byteOffset } = data
    this.#forgotten.add(buffer)
    const watched = this.#watched.find((other) => other.buffer === buffer)
    if (watched)
      for (const at of elements) watched.free.fill(1, byteOffset + at * size, byteOffset + (at + 1) * size)
  }

  /** Lets a whole view change. */
  freeAll(data: ArrayBufferView): void {
    this.free(data, [0], data.byteLength)
  }

  /** What has changed that may not; undefined where nothing has. */
  changed(): string | undefined {
    for (const { buffer, before, free } of this.#watched) {
      if (buffer.byteLength < before.length) return `a buffer of ${before.length} bytes has become shorter`
      const after = new Uint8Array(buffer)
      for (let k = 0; k < before.length; k++)
        if (after[k] !== before[k] && free[k] === 0)
          return `byte ${k} of a buffer of ${before.length} was changed from ${before[k]} to ${after[k]}`
    }
    for (const { data, length, before } of this.#heaped)
      for (let k = 0; k < length && !this.#forgotten.has(bufferOf(data)); k++)
        if (!Object.is(data[k], before[k])) return `number ${k} of ${length} was changed`
    return undefined
  }
}

/** Detaches a buffer, where it can be. */
export function detach(buffer: ArrayBufferLike, memory: Memory): void {
  memory.forget(buffer)
  if (isShared(buffer) || buffer.byteLength === 0) return
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
}

function isShared(buffer: ArrayBufferLike): boolean {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]'
}

/** Makes a resizable buffer shorter or longer; detaches any other. */
export function resize(buffer: ArrayBufferLike, memory: Memory, by: number): void {
  if (!(buffer as Resizable).resizable || !('resize' in buffer)) {
    detach(buffer, memory)
    return
  }
  memory.forget(buffer)
  if (buffer.byteLength === 0) return
  const bytes = Math.max(0, buffer.byteLength + by)
  ;(buffer as Resizable).resize(
    Math.min(bytes, (buffer as unknown as { maxByteLength: number }).maxByteLength),
  )
}
