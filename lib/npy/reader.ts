import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { allocate, components, type DataOf, type DType, product } from '../ndarray.ts'
import { native, readBytes, swapBytes } from './bytes.ts'
import { NpyError } from './error.ts'
import { type ByteSource, itemSize, type NpyHeader, readHeader } from './header.ts'

/**
 * What changes with a file: where a later one has the same, its elements are the same, unless someone took pains.
 * @internal
 */
export interface Fingerprint extends NpyHeader {
  /** In bytes. */
  readonly size: number
  /** When it was written to last, in nanoseconds since 1970. */
  readonly modified: string
  readonly inode: string
}

/**
 * A `.npy` file open for reading, item by item. An item is a matrix: what the last two dimensions span (the whole
 * array where it has fewer). Elements come out in this machine's byte order and in C order, whatever the file has.
 * Memory: that of the items asked for, and at most 1 MiB besides. Close it when done.
 */
export class NpyReader {
  readonly path: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** How many items the file holds: the product of all dimensions but the last two. */
  readonly count: number
  /** Elements of one item. */
  readonly itemLength: number
  readonly #fd: number
  readonly #header: NpyHeader
  #closed = false

  constructor(path: string) {
    this.path = path
    // Without O_NONBLOCK (which Windows lacks) a named pipe would hold the process up instead of being refused.
    this.#fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      this.#header = readHeader(path, byteSource(path, this.#fd), native)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
    const { dtype, shape } = this.#header
    this.dtype = dtype
    this.shape = shape
    this.count = product(shape.slice(0, -2))
    this.itemLength = product(shape.slice(-2))
  }

  /**
   * Items `start` to `end - 1`, counted in row-major order of the leading dimensions, C-contiguous. With `into` they
   * are written there and `into` is returned; it must be of the dtype's kind and of exactly their length.
   * A file in C order costs one read. One in Fortran order costs about one read for each run of neighbouring bytes:
   * for rank 3, itemLength of them; for higher rank more, the fewer the larger the chunk.
   * Errors: RangeError where items, or the length of `into`, are not as above; NpyError where the file has shrunk.
   */
  read(start = 0, end = this.count, into?: DataOf<DType>): DataOf<DType> {
    if (this.#closed) throw new NpyError(this.path, 'was closed, so it cannot be read')
    if (
      !(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= this.count)
    )
      throw new RangeError(`${this.path} has items 0 to ${this.count}, got a range from ${start} to ${end}`)
    const elements = this.itemLength === 0 ? 0 : (end - start) * this.itemLength
    const target = into ?? allocate(this.dtype, elements)
    const kind = this.dtype === 'float64' || this.dtype === 'complex128' ? Float64Array : Float32Array
    const length = elements * components(this.dtype)
    if (!(target instanceof kind) || target.length !== length)
      throw new RangeError(`into must be a ${kind.name} of length ${length}, got length ${target.length}`)
    if (elements === 0) return target
    if (this.#header.fortranOrder) this.#gather(start, end, target)
    else this.#load(start * this.itemLength, target)
    return target
  }

  /**
   * The fingerprint of the file as it is now.
   * @internal
   */
  fingerprint(): Fingerprint {
    const { size, mtimeNs, ino } = fstatSync(this.#fd, { bigint: true })
    return { ...this.#header, size: Number(size), modified: `${mtimeNs}`, inode: `${ino}` }
  }

  /** Closes the file. Calling it again does nothing. */
  close(): void {
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }

  /** Fills `target` with the elements that lie from the `element`th on in the file. */
  #load(element: number, target: DataOf<DType>): void {
    const { dataOffset, dtype, endianness } = this.#header
    readBytes(this.path, this.#fd, dataOffset + element * itemSize(dtype), target)
    if (endianness !== native) swapBytes(target)
  }

  /**
   * Reads items of a file in Fortran order. Item f in the file's own order has its element m (counted down the
   * columns) at f + m * count; so for each m in turn the wanted elements are met at rising places, and those that lie
   * near one another are read at once.
   */
  #gather(start: number, end: number, target: DataOf<DType>): void {
    const { places, items } = this.#placesInFile(start, end)
    const { itemLength, count } = this
    const [rows, columns] = [1, 1, ...this.shape].slice(-2)
    const wanted = places.length
    const total = wanted * itemLength
    const parts = components(this.dtype)
    const window = allocate(this.dtype, Math.min(windowLength, count * itemLength))
    const placeOf = (q: number): number => places[q % wanted] + count * Math.floor(q / wanted)
    for (let q = 0; q < total; ) {
      const first = placeOf(q)
      let last = first
      let after = q + 1
      for (; after < total; after++) {
        const place = placeOf(after)
        if (place - last > widestGap || place - first >= windowLength) break
        last = place
      }
      this.#load(first, window.subarray(0, (last - first + 1) * parts) as DataOf<DType>)
      for (; q < after; q++) {
        const m = Math.floor(q / wanted)
        const to = (items[q % wanted] * itemLength + (m % rows) * columns + Math.floor(m / rows)) * parts
        const from = (placeOf(q) - first) * parts
        for (let part = 0; part < parts; part++) target[to + part] = window[from + part]
      }
    }
  }

  /** Where items start to end - 1 stand in the file's own order, rising, and which of them each one is. */
  #placesInFile(start: number, end: number): { places: Float64Array; items: Float64Array } {
    const batch = this.shape.slice(0, -2)
    const places = allocate('float64', end - start)
    const items = allocate('float64', end - start)
    for (let k = 0; k < places.length; k++) places[k] = fortranIndex(start + k, batch)
    places.sort()
    for (let k = 0; k < items.length; k++) items[k] = rowMajorIndex(places[k], batch) - start
    return { places, items }
  }
}

/**
 * Opens a `.npy` file for reading in chunks.
 *
 * @returns a {@link NpyReader}, to be closed when done.
 * @throws {@link NpyError} for a file that is no such array; errors of the file system as Node has them.
 *
 * @example
 * const reader = openNpy('A.npy')
 * for (let first = 0; first < reader.count; first += 1000) {
 *   const end = Math.min(reader.count, first + 1000)
 *   const chunk = expm({ data: reader.read(first, end), shape: [end - first, ...reader.shape.slice(-2)] })
 *   console.log(chunk.shape)
 * }
 * reader.close()
 */
export function openNpy(path: string): NpyReader {
  return new NpyReader(path)
}

// Elements that are read at once at most, and so many between two wanted ones that reading them costs no more than a
// second system call (a page, for float64).
const windowLength = 1 << 15
const widestGap = 512

function fortranIndex(rowMajor: number, shape: readonly number[]): number {
  let index = 0
  let stride = product(shape)
  for (let k = shape.length - 1; k >= 0; k--) {
    stride /= shape[k]
    index += (rowMajor % shape[k]) * stride
    rowMajor = Math.floor(rowMajor / shape[k])
  }
  return index
}

function rowMajorIndex(fortran: number, shape: readonly number[]): number {
  return fortranIndex(fortran, shape.toReversed())
}

function byteSource(path: string, fd: number): ByteSource {
  const status = fstatSync(fd)
  if (!status.isFile()) throw new NpyError(path, 'is not a regular file: expected a .npy file')
  return {
    size: status.size,
    bytes(position, length) {
      const target = new Uint8Array(length)
      readBytes(path, fd, position, target)
      return target
    },
  }
}
