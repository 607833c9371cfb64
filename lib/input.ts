import { describe, rangeError, typeError } from './errors.ts'

/** The element types. Complex data is interleaved: re, im, re, im, ... */
export type DType = 'float64' | 'float32' | 'complex128' | 'complex64'

/** The typed array that holds elements of D. */
export type DataOf<D extends DType> = D extends 'float64' | 'complex128' ? Float64Array : Float32Array

/**
 * A matrix or a stack of matrices, row-major: element [..., i, j] of a real array is
 * `data[offset + ... + i * strides[k - 2] + j * strides[k - 1]]`.
 * What every function returns; any array of this form is accepted as input.
 */
export interface NDArray<D extends DType = DType> {
  readonly dtype: D
  /** [...batch, n, n] */
  readonly shape: readonly number[]
  /** Interleaved re, im for the complex dtypes. */
  readonly data: DataOf<D>
  /** In elements of D, so a complex element counts once. */
  readonly strides: readonly number[]
  /** In elements of D. */
  readonly offset: number
  readonly order: 'row-major'
}

/** An array as other libraries have it: scijs ndarray, stdlib ndarray, numpy-ts and {@link NDArray} fit. */
export interface ArrayLike2D {
  readonly data: ArrayLike<number>
  readonly shape: ArrayLike<number>
  readonly strides?: ArrayLike<number>
  readonly stride?: ArrayLike<number>
  readonly offset?: number
  readonly order?: string
  readonly dtype?: unknown
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

/** A caller's `out`: where each element goes. Contiguous where `data` can be written as it stands. */
export interface Destination {
  readonly array: NDArray
  readonly contiguous: DataOf<DType> | undefined
}

const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get! as (this: unknown) => string | undefined

/** 'Float64Array' and so on for typed arrays of any realm, undefined for all else; cannot be forged. */
function typedArrayName(value: unknown): string | undefined {
  return typedArrayTag.call(value)
}

function isFloatArray(value: unknown): value is Float64Array | Float32Array {
  const name = typedArrayName(value)
  return name === 'Float64Array' || name === 'Float32Array'
}

/** Numbers of the typed array for each element: 2 for complex. */
export function components(dtype: DType): 1 | 2 {
  return dtype === 'complex128' || dtype === 'complex64' ? 2 : 1
}

/** A typed array of `length` zeros for elements of D; RangeError where the machine has no room for it. */
export function allocate<D extends DType>(dtype: D, elements: number): DataOf<D> {
  const length = elements * components(dtype)
  try {
    return (
      dtype === 'float64' || dtype === 'complex128' ? new Float64Array(length) : new Float32Array(length)
    ) as DataOf<D>
  } catch {
    throw rangeError('ERR_OUT_OF_MEMORY', `the result needs ${length} numbers, more than can be allocated`)
  }
}

export function product(dimensions: readonly number[]): number {
  let p = 1
  for (const d of dimensions) p *= d
  return p
}

/** Strides of a contiguous row-major array. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let k = shape.length - 1; k >= 0; k--) {
    strides[k] = stride
    stride *= shape[k]
  }
  return strides
}

function columnMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let k = 0; k < shape.length; k++) {
    strides[k] = stride
    stride *= shape[k]
  }
  return strides
}

/** An NDArray over contiguous row-major data. */
export function ndarray<D extends DType>(dtype: D, shape: readonly number[], data: DataOf<D>): NDArray<D> {
  return { dtype, shape, data, strides: rowMajorStrides(shape), offset: 0, order: 'row-major' }
}

/** Refuses what its caller does not compute, before anything is copied. */
export type Check = (dtype: DType, n: number) => void

/**
 * Reads an input in any accepted form as a stack of square matrices, in place where it is contiguous and
 * row-major already, else as a copy.
 * Errors: ERR_INVALID_ARG_TYPE, ERR_SHAPE, ERR_STRIDES, ERR_DTYPE, ERR_DETACHED, each naming the argument.
 */
export function readStack(name: string, input: unknown, check?: Check): Stack {
  if (Array.isArray(input)) return readNested(name, input, check)
  const view = readView(name, input)
  const { dtype, shape } = view
  const batch = shape.slice(0, -2)
  const n = shape[shape.length - 1]
  check?.(dtype, n)
  const count = product(batch)
  return { dtype, batch, n, count, data: contiguous(view) ?? gather(view), view }
}

/**
 * Reads a caller's `out`: a typed array of exactly the result's length, or an array object of its shape.
 * Errors as for inputs, and ERR_STRIDES for a stride of 0 or a read-only kind of data.
 */
export function readDestination(
  name: string,
  input: unknown,
  dtype: DType,
  shape: readonly number[],
): Destination {
  let view: NDArray
  if (isFloatArray(input)) {
    requireAttached(name, input)
    const length = product(shape) * components(dtype)
    requireStorage(name, input, dtype)
    if (input.length !== length)
      throw rangeError(
        'ERR_SHAPE',
        `${name} must hold ${length} numbers for shape [${shape}], got ${input.length}`,
      )
    view = ndarray(dtype, shape, input as DataOf<DType>)
  } else {
    if (Array.isArray(input) || !isFloatArray((input as ArrayLike2D | null)?.data))
      throw typeError(
        'ERR_INVALID_ARG_TYPE',
        `${name} must be a Float64Array or an array object whose data is one, got ${describe(input)}`,
      )
    view = readView(name, input)
    if (view.dtype !== dtype)
      throw typeError('ERR_DTYPE', `${name} must have dtype ${dtype}, got ${view.dtype}`)
    if (view.shape.length !== shape.length || view.shape.some((d, k) => d !== shape[k]))
      throw rangeError('ERR_SHAPE', `${name} must have shape [${shape}], got [${view.shape}]`)
    if (view.strides.some((s, k) => s === 0 && shape[k] > 1))
      throw rangeError('ERR_STRIDES', `${name} has a stride of 0: its elements would overwrite one another`)
  }
  return { array: view, contiguous: contiguous(view) }
}

/** Copies contiguous row-major data into a strided array of the same shape and dtype. */
export function scatter(source: DataOf<DType>, target: NDArray): void {
  const c = components(target.dtype)
  let from = 0
  forEachElement(target, (at) => {
    for (let part = 0; part < c; part++) target.data[at * c + part] = source[from++]
  })
}

/** True when the stretches of memory between the views' first and last elements share a byte. */
export function overlap(a: NDArray, b: NDArray): boolean {
  if (a.data.buffer !== b.data.buffer) return false
  const [aFirst, aEnd] = byteExtent(a)
  const [bFirst, bEnd] = byteExtent(b)
  return aFirst < bEnd && bFirst < aEnd
}

function byteExtent({ dtype, shape, data, strides, offset }: NDArray): [number, number] {
  if (product(shape) === 0) return [0, 0]
  const [lowest, highest] = reach(shape, strides, offset)
  const size = data.BYTES_PER_ELEMENT * components(dtype)
  return [data.byteOffset + lowest * size, data.byteOffset + (highest + 1) * size]
}

/** The least and the greatest position (in elements) that a view of at least one element reads. */
function reach(shape: readonly number[], strides: readonly number[], offset: number): [number, number] {
  let lowest = offset
  let highest = offset
  for (let k = 0; k < shape.length; k++) {
    const span = strides[k] * (shape[k] - 1)
    if (span < 0) lowest += span
    else highest += span
  }
  return [lowest, highest]
}

function contiguous(view: NDArray): DataOf<DType> | undefined {
  const { dtype, shape, data, strides, offset } = view
  const plain = rowMajorStrides(shape)
  if (!strides.every((s, k) => s === plain[k] || shape[k] === 1) && product(shape) > 0) return undefined
  const c = components(dtype)
  const start = offset * c
  const length = product(shape) * c
  return start === 0 && length === data.length ? data : data.subarray(start, start + length)
}

/** A contiguous row-major copy of a view's elements. */
export function gather(view: NDArray): DataOf<DType> {
  const c = components(view.dtype)
  const data = allocate(view.dtype, product(view.shape))
  let to = 0
  forEachElement(view, (at) => {
    for (let part = 0; part < c; part++) data[to++] = view.data[at * c + part]
  })
  return data
}

/** Visits the positions (in elements) of a view in row-major order. */
function forEachElement({ shape, strides, offset }: NDArray, visit: (at: number) => void): void {
  const rank = shape.length
  if (product(shape) === 0) return
  const index = new Array<number>(rank).fill(0)
  const last = shape[rank - 1]
  const step = strides[rank - 1]
  let row = offset
  for (;;) {
    for (let j = 0, at = row; j < last; j++, at += step) visit(at)
    let k = rank - 2
    for (; k >= 0; k--) {
      row += strides[k]
      if (++index[k] < shape[k]) break
      row -= strides[k] * shape[k]
      index[k] = 0
    }
    if (k < 0) return
  }
}

function requireAttached(name: string, data: Float64Array | Float32Array): void {
  // A detached buffer reports length 0; so does an empty one, which is told apart by its own flag where there is one.
  const buffer = data.buffer as ArrayBuffer & { detached?: boolean }
  if (data.length > 0) return
  let detached = buffer.detached
  if (detached === undefined) {
    try {
      new Uint8Array(buffer as ArrayBuffer)
      detached = false
    } catch {
      detached = true
    }
  }
  if (detached) throw typeError('ERR_DETACHED', `${name} is backed by a detached ArrayBuffer`)
}

function requireStorage(name: string, data: Float64Array | Float32Array, dtype: DType): void {
  const wanted = dtype === 'float64' || dtype === 'complex128' ? 'Float64Array' : 'Float32Array'
  const came = typedArrayName(data)
  if (came !== wanted)
    throw typeError('ERR_DTYPE', `${name} must be a ${wanted} for dtype ${dtype}, got a ${came}`)
}

function readView(name: string, input: unknown): NDArray {
  if (isFloatArray(input)) return readBare(name, input)
  if (typeof input !== 'object' || input === null)
    throw typeError(
      'ERR_INVALID_ARG_TYPE',
      `${name} must be a Float64Array, nested arrays of numbers, or an object with data and shape, got ${describe(input)}`,
    )
  const source = input as ArrayLike2D
  const shape = readIntegers(`${name}.shape`, source.shape)
  requireSquare(name, shape)
  const raw = source.data
  let data: Float64Array | Float32Array
  if (isFloatArray(raw)) {
    requireAttached(`${name}.data`, raw)
    data = raw
  } else if (Array.isArray(raw)) {
    data = Float64Array.from(raw, (value, k) => requireNumber(`${name}.data[${k}]`, value))
  } else {
    const kind = typedArrayName(raw)
    if (kind !== undefined)
      throw typeError('ERR_DTYPE', `${name}.data must be a Float64Array or Float32Array, got a ${kind}`)
    throw typeError('ERR_INVALID_ARG_TYPE', `${name}.data must be a typed array, got ${describe(raw)}`)
  }
  const dtype = readDType(name, source.dtype, data)
  const order = readOrder(name, source.order)
  const given = source.strides ?? source.stride
  const strides =
    given === undefined
      ? order === 'column-major'
        ? columnMajorStrides(shape)
        : rowMajorStrides(shape)
      : readIntegers(`${name}.strides`, given, true)
  if (strides.length !== shape.length)
    throw rangeError(
      'ERR_STRIDES',
      `${name}.strides must have ${shape.length} entries like its shape, got ${strides.length}`,
    )
  const offset = source.offset === undefined ? 0 : source.offset
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw rangeError('ERR_STRIDES', `${name}.offset must be a non-negative integer, got ${describe(offset)}`)
  requireWithin(name, data.length / components(dtype), shape, strides, offset)
  return { dtype, shape, data: data as DataOf<DType>, strides, offset, order: 'row-major' }
}

function readBare(name: string, data: Float64Array | Float32Array): NDArray {
  requireAttached(name, data)
  const n = Math.round(Math.sqrt(data.length))
  if (n * n !== data.length)
    throw rangeError(
      'ERR_SHAPE',
      `${name} is a bare typed array, so its length must be n*n, got ${data.length}; give an object with data and shape for a stack`,
    )
  const dtype: DType = typedArrayName(data) === 'Float64Array' ? 'float64' : 'float32'
  return ndarray(dtype, [n, n], data as DataOf<DType>)
}

function readDType(name: string, dtype: unknown, data: Float64Array | Float32Array): DType {
  const natural: DType = typedArrayName(data) === 'Float64Array' ? 'float64' : 'float32'
  // scijs calls plain arrays 'array' and stdlib 'generic'; their numbers were copied to a Float64Array.
  if (dtype === undefined || dtype === 'array' || dtype === 'generic') return natural
  const known = String(dtype) // stdlib's dtype is an object that prints as its name
  if (known !== 'float64' && known !== 'float32' && known !== 'complex128' && known !== 'complex64')
    throw typeError(
      'ERR_DTYPE',
      `${name}.dtype must be float64, float32, complex128 or complex64, got ${describe(dtype)}`,
    )
  requireStorage(`${name}.data`, data, known)
  return known
}

function readOrder(name: string, order: unknown): 'row-major' | 'column-major' {
  if (order === undefined || order === 'row-major' || order === 'C') return 'row-major'
  if (order === 'column-major' || order === 'F') return 'column-major'
  throw typeError(
    'ERR_INVALID_ARG_TYPE',
    `${name}.order must be 'row-major' or 'column-major', got ${describe(order)}`,
  )
}

function readIntegers(name: string, values: unknown, signed = false): number[] {
  const length = (values as ArrayLike<number> | null | undefined)?.length
  if (typeof values !== 'object' || typeof length !== 'number')
    throw typeError('ERR_INVALID_ARG_TYPE', `${name} must be an array of integers, got ${describe(values)}`)
  if (length > 64) throw rangeError('ERR_SHAPE', `${name} must have at most 64 entries, got ${length}`)
  return Array.from(values as ArrayLike<number>, (value) => {
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

function readNested(name: string, input: Nested, check: Check | undefined): Stack {
  const shape: number[] = []
  let level: unknown = input
  while (Array.isArray(level)) {
    shape.push(level.length)
    if (shape.length > 64) throw rangeError('ERR_SHAPE', `${name} is nested more than 64 deep`)
    level = level[0]
  }
  // [] is the one matrix of order 0; [[], []] and the like have no n to read.
  if (shape.length === 1 && shape[0] === 0) shape.push(0)
  requireSquare(name, shape)
  const complex = typeof level === 'object' && level !== null
  const dtype: DType = complex ? 'complex128' : 'float64'
  check?.(dtype, shape[shape.length - 1])
  const data = allocate(dtype, product(shape))
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
    for (let k = 0; k < node.length; k++) fill(node[k], depth + 1, `${path}[${k}]`)
  }
  if (product(shape) > 0) fill(input, 0, name)
  const batch = shape.slice(0, -2)
  return { dtype, batch, n: shape[shape.length - 1], count: product(batch), data, view: undefined }
}
