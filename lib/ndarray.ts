import { rangeError } from './errors.ts'
import { bufferOf, byteOffsetOf, lengthOf, typedArrayName } from './typed-array.ts'

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
  /** [...batch, n, n]; of a result it may be frozen, as `strides`. */
  readonly shape: readonly number[]
  /** Interleaved re, im for the complex dtypes. */
  readonly data: DataOf<D>
  /** In elements of D, so a complex element counts once. */
  readonly strides: readonly number[]
  /** In elements of D. */
  readonly offset: number
  readonly order: 'row-major'
}

/** Numbers of the typed array for each element: 2 for complex. */
export function components(dtype: DType): 1 | 2 {
  return dtype === 'complex128' || dtype === 'complex64' ? 2 : 1
}

/** A constructor of typed arrays of floats. */
export interface FloatArrayConstructor {
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
  new (length: number): DataOf<DType>
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): DataOf<DType>
  from(numbers: ArrayLike<number>): DataOf<DType>
}

/** The kind of typed array that holds elements of a dtype. */
export function storageOf(dtype: DType): FloatArrayConstructor {
  return dtype === 'float64' || dtype === 'complex128' ? Float64Array : Float32Array
}

/** A typed array of zeros for so many elements of D; ERR_OUT_OF_MEMORY where the machine has no room for it. */
export function allocate<D extends DType>(dtype: D, elements: number): DataOf<D> {
  const length = elements * components(dtype)
  try {
    return new (storageOf(dtype))(length) as DataOf<D>
  } catch {
    throw rangeError('ERR_OUT_OF_MEMORY', `there is no room for ${length} numbers`)
  }
}

/** The number of elements of an array with these dimensions. */
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

/** Strides of a contiguous column-major array. */
export function columnMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let k = 0; k < shape.length; k++) {
    strides[k] = stride
    stride *= shape[k]
  }
  return strides
}

/** An NDArray over contiguous row-major data; strides where the caller has them at hand. */
export function ndarray<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data: DataOf<D>,
  strides: readonly number[] = rowMajorStrides(shape),
): NDArray<D> {
  return { dtype, shape, data, strides, offset: 0, order: 'row-major' }
}

/** Copies contiguous row-major data into a strided array of the same shape and dtype. */
export function scatter(source: DataOf<DType>, target: NDArray): void {
  const c = components(target.dtype)
  const [from, to] = [movable(source), movable(target.data)]
  let next = 0
  forEachElement(target, (at) => {
    for (let part = 0; part < c; part++) to[at * c + part] = from[next++]
  })
}

/**
 * Numbers as they can be moved one by one. Float32 numbers as their bits: JavaScript reads one as a double, and that conversion loses
 * subnormal numbers if a library built with -ffast-math has changed how this thread computes.
 */
function movable(data: DataOf<DType>): Float64Array | Uint32Array {
  if (typedArrayName(data) === 'Float64Array') return data as Float64Array
  const length = lengthOf.call(data)
  // No view can be made of a buffer that is gone; whoever calls finds that out later.
  return length === 0
    ? new Uint32Array(0)
    : new Uint32Array(bufferOf.call(data), byteOffsetOf.call(data), length)
}

/** True when two elements of the view may lie in one place, so that writing one would overwrite the other. */
export function overlapsItself({ shape, strides }: NDArray): boolean {
  if (product(shape) === 0) return false
  // Each dimension must step over all that the ones of smaller stride reach.
  const dimensions = shape.map((d, k) => ({ d, stride: Math.abs(strides[k]) })).filter(({ d }) => d > 1)
  dimensions.sort((a, b) => a.stride - b.stride)
  let spanned = 0
  for (const { d, stride } of dimensions) {
    if (stride <= spanned) return true
    spanned += stride * (d - 1)
  }
  return false
}

/** The stretch of a view's data, in bytes of it, from its first element to its last. */
export function byteExtent({ dtype, shape, strides, offset }: NDArray): { first: number; bytes: number } {
  if (product(shape) === 0) return { first: 0, bytes: 0 }
  const [lowest, highest] = reach(shape, strides, offset)
  const size = storageOf(dtype).BYTES_PER_ELEMENT * components(dtype)
  return { first: lowest * size, bytes: (highest + 1 - lowest) * size }
}

/** The least and the greatest position (in elements) that a view of at least one element reads. */
export function reach(
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): [number, number] {
  let lowest = offset
  let highest = offset
  for (let k = 0; k < shape.length; k++) {
    const span = strides[k] * (shape[k] - 1)
    if (span < 0) lowest += span
    else highest += span
  }
  return [lowest, highest]
}

/** The view's own memory where its elements lie in row-major order without gaps. */
export function contiguous(view: NDArray): DataOf<DType> | undefined {
  const { dtype, shape, data, strides, offset } = view
  const plain = rowMajorStrides(shape)
  if (!strides.every((s, k) => s === plain[k] || shape[k] === 1) && product(shape) > 0) return undefined
  const c = components(dtype)
  const length = product(shape) * c
  if (offset === 0 && length === lengthOf.call(data)) return data
  const kind = storageOf(dtype)
  if (length === 0) return new kind(0)
  // Not by subarray, which a class of the caller's may have its own way of.
  return new kind(bufferOf.call(data), byteOffsetOf.call(data) + offset * c * kind.BYTES_PER_ELEMENT, length)
}

/** A contiguous row-major copy of a view's elements. */
export function gather(view: NDArray): DataOf<DType> {
  const c = components(view.dtype)
  const data = allocate(view.dtype, product(view.shape))
  const [from, to] = [movable(view.data), movable(data)]
  let next = 0
  forEachElement(view, (at) => {
    for (let part = 0; part < c; part++) to[next++] = from[at * c + part]
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
