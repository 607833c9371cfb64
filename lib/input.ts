import { describe, rangeError, typeError } from './errors.ts'
import { Fields } from './fields.ts'
import {
  allocate,
  columnMajorStrides,
  components,
  contiguous,
  type DataOf,
  type DType,
  gather,
  type NDArray,
  ndarray,
  product,
  reach,
  rowMajorStrides,
  storageOf,
} from './ndarray.ts'
import { isBuffer, isFloatArray, isGone, lengthOf, typedArrayName } from './typed-array.ts'

/** Complex elements as stdlib's Complex128Array and Complex64Array hold them: re, im, re, im, ... in `buffer`. */
export interface ComplexArray {
  readonly buffer: ArrayBufferLike
  /** In bytes. */
  readonly byteOffset: number
  /** In complex elements. */
  readonly length: number
}

/** An array as other libraries have it: scijs ndarray, stdlib ndarray, numpy-ts and {@link NDArray} fit. */
export interface ArrayLike2D {
  readonly data: ArrayLike<number> | ComplexArray
  readonly shape: ArrayLike<number>
  readonly strides?: ArrayLike<number>
  readonly stride?: ArrayLike<number>
  readonly offset?: number
  /** Read only where there are no strides: scijs ndarray has another thing of this name. */
  readonly order?: unknown
  readonly dtype?: unknown
  /** Where numpy-ts keeps its offset. */
  readonly storage?: { readonly offset?: number }
}

/** A complex number in nested arrays. */
export interface Complex {
  readonly re: number
  readonly im: number
}

/** Numbers, or `{ re, im }`, nested to [...batch, n, n]. */
export type Nested = readonly (number | Complex | Nested)[]

/** Whatever is accepted as a matrix or a stack of matrices. A bare typed array is one n x n matrix. */
export type MatrixInput = ArrayLike2D | Nested | Float64Array | Float32Array

/** A checked input: `count` matrices of order n, contiguous and row-major, in memory that may be the caller's. */
export interface Stack<D extends DType = DType> {
  readonly dtype: D
  readonly batch: readonly number[]
  readonly n: number
  readonly count: number
  readonly data: DataOf<D>
  /** The window of the caller's memory that was read, in place or not; undefined for nested arrays. */
  readonly view: NDArray<D> | undefined
}

/**
 * Reads an input in any accepted form as a stack of square matrices, in place where it is contiguous and
 * row-major already, else as a copy. `check` may refuse an order n before anything is copied.
 * Errors: ERR_INVALID_ARG_TYPE, ERR_SHAPE, ERR_STRIDES, ERR_DTYPE, ERR_DETACHED, each naming the argument.
 */
export function readStack(name: string, input: unknown, check?: (n: number) => void): Stack {
  if (Array.isArray(input)) return readNested(name, input, check)
  const view = readView(name, input)
  const { dtype, shape } = view
  const batch = shape.slice(0, -2)
  const n = shape[shape.length - 1]
  check?.(n)
  const count = product(batch)
  return { dtype, batch, n, count, data: contiguous(view) ?? gather(view), view }
}

/** Refuses an array without memory, which reports length 0 as an empty one does. */
export function requireAttached(name: string, data: Float64Array | Float32Array): void {
  if (isGone(data)) throw detached(name)
}

/**
 * To be asked when all arguments have been read, for reading one can run code of the caller's, which can take the memory of
 * another. ERR_DETACHED where what was read before is not `there` any more.
 */
export function requireStill(name: string, there: boolean): void {
  if (!there)
    throw typeError(
      'ERR_DETACHED',
      `${name} is backed by an ArrayBuffer that was detached or resized while the arguments were read`,
    )
}

/** The same for a stack, whose memory may be the caller's. */
export function requireStackStill(name: string, { dtype, n, count, data }: Stack): void {
  requireStill(name, lengthOf.call(data) === count * n * n * components(dtype))
}

function detached(name: string): TypeError {
  return typeError(
    'ERR_DETACHED',
    `${name} is backed by an ArrayBuffer that is detached, or shrunk below its view`,
  )
}

/** Refuses a typed array that is not the kind that holds elements of `dtype`. */
export function requireStorage(name: string, data: Float64Array | Float32Array, dtype: DType): void {
  const wanted = storageOf(dtype).name
  const came = typedArrayName(data)
  if (came !== wanted)
    throw typeError('ERR_DTYPE', `${name} must be a ${wanted} for dtype ${dtype}, got a ${came}`)
}

/** A view, and whether it is the caller's memory that it reads. */
export type ReadView = NDArray & { readonly inPlace: boolean }

/** Reads a bare typed array or an array object, in place where its data is a typed array. Errors as for {@link readStack}. */
export function readView(name: string, input: unknown): ReadView {
  if (isFloatArray(input)) return { ...readBare(name, input), inPlace: true }
  if (typeof input !== 'object' || input === null)
    throw typeError(
      'ERR_INVALID_ARG_TYPE',
      `${name} must be a Float64Array or Float32Array, nested arrays of numbers, or an object with data and shape, got ${describe(input)}`,
    )
  const source = input instanceof Fields ? input : new Fields(input)
  const shape = readIntegers(`${name}.shape`, source.shape)
  requireSquare(name, shape)
  const { data, dtype, inPlace } = readElements(name, source.data, readDType(name, source.dtype))
  const given = source.strides
  const strides =
    given === undefined ? readOrder(name, source.order)(shape) : readIntegers(`${name}.strides`, given, true)
  if (strides.length !== shape.length)
    throw rangeError(
      'ERR_STRIDES',
      `${name}.strides must have ${shape.length} entries like its shape, got ${strides.length}`,
    )
  const offset = source.offset as number
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw rangeError('ERR_STRIDES', `${name}.offset must be a non-negative integer, got ${describe(offset)}`)
  const held = lengthOf.call(data)
  requireWithin(name, Math.floor(held / components(dtype)), shape, strides, offset)
  if (given === undefined && offset === 0 && held !== product(shape) * components(dtype))
    throw rangeError(
      'ERR_SHAPE',
      `${name}.data holds ${held} numbers, but shape [${shape}] takes ${product(shape) * components(dtype)}; give strides or an offset for a part of a larger buffer`,
    )
  return { dtype, shape, data, strides, offset, order: 'row-major', inPlace }
}

interface Elements {
  readonly data: DataOf<DType>
  readonly dtype: DType
  readonly inPlace: boolean
}

/** The numbers of an array object, of the dtype that it names or else of the one that its data has by itself. */
function readElements(name: string, raw: unknown, named: DType | undefined): Elements {
  if (isFloatArray(raw)) {
    requireAttached(`${name}.data`, raw)
    const dtype = named ?? naturalDType(raw)
    requireStorage(`${name}.data`, raw, dtype)
    return { data: raw, dtype, inPlace: true }
  }
  if (Array.isArray(raw)) {
    const dtype = named ?? 'float64'
    return { data: readNumbers(`${name}.data`, raw, dtype), dtype, inPlace: false }
  }
  const elements = readComplexArray(name, raw)
  if (elements === undefined) {
    const kind = typedArrayName(raw)
    if (kind !== undefined)
      throw typeError('ERR_DTYPE', `${name}.data must be a Float64Array or Float32Array, got a ${kind}`)
    throw typeError('ERR_INVALID_ARG_TYPE', `${name}.data must be a typed array, got ${describe(raw)}`)
  }
  if (named !== undefined && named !== elements.dtype)
    throw typeError('ERR_DTYPE', `${name}.data holds ${elements.dtype}, but its dtype is ${named}`)
  return elements
}

/** A list's numbers as they come to lie in memory. By place: how a list iterates is its own affair, and need not end. */
function readNumbers(name: string, list: readonly unknown[], dtype: DType): DataOf<DType> {
  const numbers = allocate(dtype, list.length / components(dtype))
  for (let k = 0; k < numbers.length; k++) numbers[k] = requireNumber(`${name}[${k}]`, list[k])
  return numbers
}

/** stdlib's complex arrays, which are no typed arrays, read through their buffer; undefined for all else. */
function readComplexArray(name: string, raw: unknown): Elements | undefined {
  const kind = (raw as object | null | undefined)?.constructor?.name
  if (kind !== 'Complex128Array' && kind !== 'Complex64Array') return undefined
  const { buffer, byteOffset, length } = raw as ComplexArray
  const dtype = kind === 'Complex128Array' ? 'complex128' : 'complex64'
  if (!isBuffer(buffer) || !Number.isSafeInteger(byteOffset) || !Number.isSafeInteger(length))
    throw typeError('ERR_INVALID_ARG_TYPE', `${name}.data must be a ${kind} over an ArrayBuffer`)
  try {
    return { data: new (storageOf(dtype))(buffer, byteOffset, 2 * length), dtype, inPlace: true }
  } catch {
    throw detached(`${name}.data`)
  }
}

function readBare(name: string, data: Float64Array | Float32Array): NDArray {
  requireAttached(name, data)
  const length = lengthOf.call(data)
  const n = Math.round(Math.sqrt(length))
  if (n * n !== length)
    throw rangeError(
      'ERR_SHAPE',
      `${name} is a bare typed array, so its length must be n*n, got ${length}; give an object with data and shape for a stack`,
    )
  return ndarray(naturalDType(data), [n, n], data as DataOf<DType>)
}

function naturalDType(data: Float64Array | Float32Array): 'float64' | 'float32' {
  return typedArrayName(data) === 'Float64Array' ? 'float64' : 'float32'
}

/** The dtype that an array object names, if any. */
function readDType(name: string, dtype: unknown): DType | undefined {
  // scijs calls plain arrays 'array' and stdlib 'generic'.
  if (dtype === undefined || dtype === 'array' || dtype === 'generic') return undefined
  const known = typeof dtype === 'string' ? dtype : printed(dtype) // stdlib's dtype is an object that prints as its name
  if (known !== 'float64' && known !== 'float32' && known !== 'complex128' && known !== 'complex64')
    throw typeError(
      'ERR_DTYPE',
      `${name}.dtype must be float64, float32, complex128 or complex64, got ${describe(dtype)}`,
    )
  return known
}

/** An object as it prints itself; '' where it cannot. No array, which prints all that it holds. */
function printed(value: unknown): string {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return ''
  try {
    return String(value)
  } catch {
    return ''
  }
}

/** True for the `order` of an array without strides that is row-major. */
export function isRowMajor(order: unknown): boolean {
  return order === undefined || order === 'row-major' || order === 'C'
}

/** What gives an array without strides its strides. */
function readOrder(name: string, order: unknown): (shape: readonly number[]) => number[] {
  if (isRowMajor(order)) return rowMajorStrides
  if (order === 'column-major' || order === 'F') return columnMajorStrides
  throw typeError(
    'ERR_INVALID_ARG_TYPE',
    `${name}.order must be 'row-major' or 'column-major', got ${describe(order)}`,
  )
}

function readIntegers(name: string, values: unknown, signed = false): number[] {
  const length = (values as ArrayLike<number> | null | undefined)?.length
  if (typeof values !== 'object' || typeof length !== 'number')
    throw typeError('ERR_INVALID_ARG_TYPE', `${name} must be an array of integers, got ${describe(values)}`)
  if (!(Number.isSafeInteger(length) && length >= 0 && length <= 64))
    throw rangeError('ERR_SHAPE', `${name} must have at most 64 entries, got ${length}`)
  // Not as it iterates, which need not end.
  return Array.from({ length }, (_, k) => {
    const value = (values as ArrayLike<number>)[k]
    if (!Number.isSafeInteger(value) || (!signed && value < 0))
      throw rangeError(
        signed ? 'ERR_STRIDES' : 'ERR_SHAPE',
        `${name} must hold ${signed ? '' : 'non-negative '}integers, got ${describe(value)}`,
      )
    return value
  })
}

function requireNumber(name: string, value: unknown): number {
  if (typeof value !== 'number')
    throw typeError('ERR_INVALID_ARG_TYPE', `${name} must be a number, got ${describe(value)}`)
  return value
}

function requireSquare(name: string, shape: readonly number[]): void {
  const rank = shape.length
  if (rank < 2 || shape[rank - 1] !== shape[rank - 2])
    throw rangeError('ERR_SHAPE', `${name} must have shape [..., n, n], got [${shape}]`)
  if (!Number.isSafeInteger(product(shape.slice(0, -2))))
    throw rangeError('ERR_TOO_LARGE', `${name} of shape [${shape}] has more matrices than can be counted`)
}

/** Every element that the view can reach lies in its data. */
function requireWithin(
  name: string,
  elements: number,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): void {
  if (product(shape) === 0) return
  const [lowest, highest] = reach(shape, strides, offset)
  if (!(lowest >= 0 && highest < elements))
    throw rangeError(
      'ERR_STRIDES',
      `${name} of shape [${shape}], strides [${strides}] and offset ${offset} reaches elements ${lowest} to ${highest}, but its data holds ${elements}`,
    )
}

/** True when there is a complex number so deep or above: then the plain numbers beside it are complex too. */
function holdsComplex(node: unknown, depth: number): boolean {
  if (!Array.isArray(node)) return typeof node === 'object' && node !== null
  return depth > 0 && node.some((part) => holdsComplex(part, depth - 1))
}

function readNested(name: string, input: Nested, check?: (n: number) => void): Stack {
  const shape: number[] = []
  let level: unknown = input
  while (Array.isArray(level)) {
    shape.push(level.length)
    if (shape.length > 64) throw rangeError('ERR_SHAPE', `${name} is nested more than 64 deep`)
    level = level[0]
  }
  if (typedArrayName(level) !== undefined)
    throw typeError(
      'ERR_INVALID_ARG_TYPE',
      `${name}${'[0]'.repeat(shape.length)} must be an array or a number, got ${describe(level)}; give one typed array with a shape`,
    )
  // [] is the one matrix of order 0; [[], []] and the like have no n to read.
  if (shape.length === 1 && shape[0] === 0) shape.push(0)
  requireSquare(name, shape)
  check?.(shape[shape.length - 1])
  // Before it is looked through: a few arrays can stand in as many places as there are no numbers for.
  const room = allocate('float64', product(shape))
  const complex = holdsComplex(input, shape.length)
  const dtype: DType = complex ? 'complex128' : 'float64'
  const data = complex ? allocate(dtype, product(shape)) : room
  let to = 0
  const fill = (node: unknown, depth: number, path: string): void => {
    if (depth === shape.length) {
      if (complex) {
        const z = node as Complex | null
        if (typeof z === 'number') {
          data[to++] = z
          data[to++] = 0
          return
        }
        data[to++] = requireNumber(`${path}.re`, z?.re)
        data[to++] = requireNumber(`${path}.im`, z?.im)
      } else data[to++] = requireNumber(path, node)
      return
    }
    if (!Array.isArray(node) || node.length !== shape[depth])
      throw rangeError(
        'ERR_SHAPE',
        `${path} must be an array of length ${shape[depth]}, got ${describe(node)}`,
      )
    for (let k = 0; k < shape[depth]; k++) fill(node[k], depth + 1, `${path}[${k}]`)
  }
  if (product(shape) > 0) fill(input, 0, name)
  const batch = shape.slice(0, -2)
  return { dtype, batch, n: shape[shape.length - 1], count: product(batch), data, view: undefined }
}
