import { type DType, product } from '../ndarray.ts'
import { NpyError } from './error.ts'
import { type Literal, parseDictionary, shorten } from './literal.ts'

// The format, versions 1.0 to 3.0: numpy.org/doc/stable/reference/generated/numpy.lib.format.html
const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)
const alignment = 64
// Version 2.0 allows 4 GiB for the names of structured types; a shape and a plain type need a few hundred bytes.
const longestHeader = 1 << 20
const highestRank = 64

const dtypes: ReadonlyMap<string, DType> = new Map([
  ['f8', 'float64'],
  ['f4', 'float32'],
  ['c16', 'complex128'],
  ['c8', 'complex64'],
])
const codes: Record<DType, string> = { float64: 'f8', float32: 'f4', complex128: 'c16', complex64: 'c8' }

/** What a `.npy` file says of its array, checked against the file's true size. */
export interface NpyHeader {
  readonly dtype: DType
  readonly endianness: 'LE' | 'BE'
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Where the elements begin, in bytes. */
  readonly dataOffset: number
}

/** A file's bytes by place. `bytes` gives exactly `length` of them; it is asked for nothing beyond `size`. */
export interface ByteSource {
  readonly size: number
  bytes(position: number, length: number): Uint8Array
}

/** True for the names of the element types. */
export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(codes, name)
}

/** Bytes of one element. */
export function itemSize(dtype: DType): 4 | 8 | 16 {
  return dtype === 'complex128' ? 16 : dtype === 'float32' ? 4 : 8
}

/**
 * Reads and checks a header. `native` is what '=' and no byte order at all mean: the byte order of this machine.
 * Errors: NpyError for anything but a header of version 1.0, 2.0 or 3.0 whose array of float64, float32, complex128
 * or complex64 fills the file exactly. At most 1 MiB is read, whatever the header says.
 */
export function readHeader(path: string, source: ByteSource, native: 'LE' | 'BE'): NpyHeader {
  const { text, dataOffset } = readText(path, source)
  let entries: Map<string, Literal>
  try {
    entries = parseDictionary(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new NpyError(path, `the header is not a dictionary as .npy files have it: ${error.message}`)
  }
  const keys = [...entries.keys()].sort()
  if (keys.join() !== 'descr,fortran_order,shape')
    throw new NpyError(
      path,
      `the header must have the keys descr, fortran_order and shape, got ${shorten(keys.join(', ')) || 'none'}`,
    )
  const { dtype, endianness } = readType(path, entries.get('descr')!, native)
  const order = entries.get('fortran_order')!
  if (order.kind !== 'boolean')
    throw new NpyError(path, `fortran_order must be True or False, got ${shorten(order.text)}`)
  const shape = readShape(path, entries.get('shape')!)
  requireSize(path, dtype, shape, source.size - dataOffset)
  return { dtype, endianness, fortranOrder: order.value, shape, dataOffset }
}

/** The header of a little-endian array in C order, padded so that the elements begin at a multiple of 64 bytes. */
export function formatHeader(dtype: DType, shape: readonly number[]): Uint8Array {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '<${codes[dtype]}', 'fortran_order': False, 'shape': (${dimensions}), }`
  const total = Math.ceil((magic.length + 4 + text.length + 1) / alignment) * alignment
  const header = Buffer.alloc(total, ' ')
  header.set(magic)
  header.set([1, 0], 6)
  header.writeUInt16LE(total - 10, 8)
  header.write(text, 10, 'latin1')
  header[total - 1] = 0x0a
  return header
}

function readText(path: string, source: ByteSource): { text: string; dataOffset: number } {
  const start = source.bytes(0, Math.min(12, source.size))
  if (start.length < magic.length || magic.some((byte, k) => start[k] !== byte))
    throw new NpyError(path, `is not a .npy file: expected its first bytes to be \\x93NUMPY`)
  const version = `${start[6]}.${start[7]}`
  if (start.length >= 8 && !['1.0', '2.0', '3.0'].includes(version))
    throw new NpyError(path, `expected .npy version 1.0, 2.0 or 3.0, got ${version}`)
  const textOffset = start[6] === 1 ? 10 : 12
  if (start.length < textOffset)
    throw new NpyError(path, `is truncated: it ends within its first ${textOffset} bytes`)
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  const length = start[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const dataOffset = textOffset + length
  if (dataOffset > source.size)
    throw new NpyError(
      path,
      `is truncated: its header should end at byte ${dataOffset}, but the file has ${source.size}`,
    )
  if (length > longestHeader)
    throw new NpyError(path, `expected a header of at most ${longestHeader} bytes, got ${length}`)
  const decoder = new TextDecoder(start[6] === 3 ? 'utf-8' : 'latin1', { fatal: true, ignoreBOM: true })
  try {
    return { text: decoder.decode(source.bytes(textOffset, length)), dataOffset }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new NpyError(path, 'the header of version 3.0 is not valid UTF-8')
  }
}

function readType(
  path: string,
  descr: Literal,
  native: 'LE' | 'BE',
): { dtype: DType; endianness: 'LE' | 'BE' } {
  const expected = 'expected f8, f4, c16 or c8 (float64, float32, complex128, complex64)'
  const name = descr.kind === 'string' ? descr.value : ''
  if (/^[<>=|]?O/.test(name))
    throw new NpyError(
      path,
      `holds Python objects (dtype ${shorten(descr.text)}), which are never read; ${expected}`,
    )
  const [, order, code] = /^([<>=|]?)(.*)$/.exec(name)!
  const dtype = dtypes.get(code)
  if (dtype === undefined)
    throw new NpyError(path, `has dtype ${shorten(descr.text)}, which cannot be read; ${expected}`)
  return { dtype, endianness: order === '<' ? 'LE' : order === '>' ? 'BE' : native }
}

function readShape(path: string, literal: Literal): number[] {
  if (literal.kind !== 'tuple')
    throw new NpyError(path, `shape must be a tuple of integers, got ${shorten(literal.text)}`)
  if (literal.items.length > highestRank)
    throw new NpyError(path, `shape must have at most ${highestRank} entries, got ${literal.items.length}`)
  return literal.items.map((item) => {
    // Python 2 wrote its long integers as 3L.
    const value =
      item.kind === 'number' && /^(0|[1-9][0-9]*)L?$/.test(item.text) ? Number.parseInt(item.text, 10) : -1
    if (value < 0)
      throw new NpyError(path, `shape must hold non-negative integers, got ${shorten(literal.text)}`)
    if (!Number.isSafeInteger(value))
      throw new NpyError(path, `shape must hold integers below 2^53, got ${shorten(literal.text)}`)
    return value
  })
}

function requireSize(path: string, dtype: DType, shape: readonly number[], actual: number): void {
  const claim = `shape (${shape.join(', ')}) of ${dtype} needs`
  // Like NumPy, which lets no zero hide dimensions that overflow.
  const withoutZeros = product(shape.filter((d) => d > 0)) * itemSize(dtype)
  if (!Number.isSafeInteger(withoutZeros))
    throw new NpyError(
      path,
      `shape (${shape.join(', ')}) of ${dtype} overflows: expected less than 2^53 bytes`,
    )
  const promised = shape.includes(0) ? 0 : withoutZeros
  if (promised > actual)
    throw new NpyError(path, `is truncated: ${claim} ${promised} bytes, but ${actual} follow the header`)
  if (promised < actual)
    throw new NpyError(
      path,
      `${claim} ${promised} bytes, but ${actual} follow the header: nothing may come after the array`,
    )
}
