import { types } from 'node:util'
import type { DerivativePlaces } from './call.ts'
import { MatfunError } from './errors.ts'
import { failuresOf } from './failures.ts'
import { Fields } from './fields.ts'
import { isRowMajor } from './input.ts'
import { jobCode, native, operationCodes } from './native.ts'
import { allocate, components, type DataOf, type DType, type NDArray, ndarray, storageOf } from './ndarray.ts'
import type { Settings } from './options.ts'
import { bufferOf, byteOffsetOf, copyInto, lengthOf, typedArrayName } from './typed-array.ts'

// One small matrix, given and taken as typed arrays or as array objects over them, without what a call of many forms costs:
// it is copied into memory that the addon is given whole, which takes 10 ns an array where it takes 32 to ask for the place of
// one, and leaves arrays of up to 64 bytes where V8 made them. Whatever is not plainly such a call, and plainly right, is left
// to the general one (call.ts), which then finds what is wrong with it.

/** Beyond, the exponential takes so much longer than the call that nothing is gained. */
const maxOrder = 16

const memory = new ArrayBuffer(4 * 16 * maxOrder ** 2)

type Numbers = DataOf<DType>

/** One kind of matrix, and where `runOne` looks for the arrays of a job with it. */
interface Places {
  readonly dtype: DType
  readonly n: number
  // Frozen, since all results have them: new ones would be half of what a call leaves to be collected.
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly kind: string
  /** In each array: n * n, or twice as many. */
  readonly numbers: number
  /** Bytes of a number. */
  readonly size: number
  readonly A: Numbers
  readonly value: Numbers
  readonly direction: Numbers
  readonly result: Numbers
}

function placesFor(dtype: DType, n: number): Places {
  const numbers = n * n * components(dtype)
  const kind = storageOf(dtype)
  const size = kind.BYTES_PER_ELEMENT
  const [A, value, direction, result] = [0, 1, 2, 3].map((k) => new kind(memory, k * numbers * size, numbers))
  const shape = Object.freeze([n, n])
  const strides = Object.freeze([n, 1])
  return { dtype, n, shape, strides, kind: kind.name, numbers, size, A, value, direction, result }
}

const places = new Map<unknown, (Places | undefined)[]>()
for (const dtype of ['float64', 'float32', 'complex128', 'complex64'] as const) places.set(dtype, [])

/** undefined for an order that is none or not small. */
function placesOf(dtype: unknown, n: number): Places | undefined {
  const known = places.get(dtype)
  if (known === undefined || !(Number.isInteger(n) && n >= 1 && n <= maxOrder)) return undefined
  known[n] ??= placesFor(dtype as DType, n)
  return known[n]
}

/** The numbers of an array that readOnce gave, where it has a common form. */
function dataOf(array: unknown): Numbers {
  return (array instanceof Fields ? array.data : array) as Numbers
}

/** Of an array that readOnce gave: undefined unless it looks like one small matrix, contiguous and row-major. */
function readPlaces(array: unknown): Places | undefined {
  const data = dataOf(array)
  const kind = typedArrayName(data)
  if (kind !== 'Float64Array' && kind !== 'Float32Array') return undefined
  const natural = kind === 'Float64Array' ? 'float64' : 'float32'
  if (!(array instanceof Fields)) return placesOf(natural, Math.sqrt(lengthOf.call(data as Numbers)))
  const { shape, dtype, strides, order, offset } = array
  if (!Array.isArray(shape) || shape.length !== 2 || offset !== 0) return undefined
  const n = shape[0]
  if (shape[1] !== n || !(strides === undefined ? isRowMajor(order) : areRowMajor(strides, n)))
    return undefined
  const at = placesOf(dtype === undefined ? natural : dtype, n)
  return at?.kind === kind ? at : undefined
}

function areRowMajor(strides: unknown, n: number): boolean {
  return Array.isArray(strides) && strides.length === 2 && strides[0] === n && strides[1] === 1
}

/** The numbers of a new array, or of the caller's `out`; undefined where that does not look like a place for the result. */
function destination(out: unknown, at: Places): Numbers | undefined {
  if (out === undefined) return allocate(at.dtype, at.n * at.n)
  const fits = out instanceof Fields ? readPlaces(out) === at : typedArrayName(out) === at.kind
  return fits ? dataOf(out) : undefined
}

/**
 * True where an array has the length that it has to have. Asked last, for reading a shape can run code of the caller's, which
 * can detach or shrink a buffer.
 */
function holds(data: Numbers, at: Places): boolean {
  return lengthOf.call(data) === at.numbers
}

/**
 * False where two arrays for `at` have no number in common. Mostly told by the one that they would have in common if their
 * buffers were the same: asking for the buffers takes three times as long, and moves small arrays off V8's heap. That
 * numbers are read first tells the compiler what these are, so that asking for their places costs no call.
 */
function mayOverlap(a: Numbers, b: Numbers, at: Places): boolean {
  let x = a[0]
  let y = b[0]
  const distance = (byteOffsetOf.call(b) - byteOffsetOf.call(a)) / at.size
  if (distance !== 0) {
    if (Math.abs(distance) >= at.numbers) return false
    x = a[Math.max(0, distance)]
    y = b[Math.max(0, -distance)]
  }
  if (!Object.is(x, y)) return false
  const buffer = bufferOf.call(a)
  // Two SharedArrayBuffers may be of the same memory.
  return buffer === bufferOf.call(b) || types.isSharedArrayBuffer(buffer)
}

function arrayOf(data: Numbers, { dtype, shape, strides }: Places): NDArray {
  return ndarray(dtype, shape, data, strides)
}

/**
 * `expm` of one small matrix in a common form; undefined where this is none, or where something may be wrong. A and out are
 * as readOnce gives them.
 */
export function expmOfOne(A: unknown, settings: Settings, out: unknown): NDArray | undefined {
  const at = readPlaces(A)
  if (at === undefined) return undefined
  const a = dataOf(A)
  const value = destination(out, at)
  if (value === undefined || !holds(a, at) || !holds(value, at)) return undefined
  if (out !== undefined && mayOverlap(a, value, at)) return undefined
  copyInto.call(at.A, a)
  const status = native.runOne(jobCode(operationCodes.expm, at.dtype, settings.plan), at.n, memory)
  copyInto.call(value, at.value)
  if (status !== 0 && !settings.nan) throw new MatfunError(failuresOf([status]))
  return arrayOf(value, at)
}

/** `expmJVP` or `expmVJP` of one small matrix and one direction; otherwise as {@link expmOfOne}. */
export function derivativeOfOne(
  operation: 'jvp' | 'vjp',
  A: unknown,
  direction: unknown,
  settings: Settings,
  out: DerivativePlaces,
): { value: NDArray; result: NDArray } | undefined {
  const at = readPlaces(A)
  if (at === undefined || readPlaces(direction) !== at) return undefined
  const a = dataOf(A)
  const e = dataOf(direction)
  const value = destination(out.value, at)
  const result = destination(out.result, at)
  if (value === undefined || result === undefined) return undefined
  if (!holds(a, at) || !holds(e, at) || !holds(value, at) || !holds(result, at)) return undefined
  if (out.value !== undefined && (mayOverlap(a, value, at) || mayOverlap(e, value, at))) return undefined
  if (out.result !== undefined && (mayOverlap(a, result, at) || mayOverlap(e, result, at))) return undefined
  if (out.value !== undefined && out.result !== undefined && mayOverlap(value, result, at)) return undefined
  copyInto.call(at.A, a)
  copyInto.call(at.direction, e)
  const status = native.runOne(jobCode(operationCodes[operation], at.dtype, settings.plan), at.n, memory)
  copyInto.call(value, at.value)
  copyInto.call(result, at.result)
  if (status !== 0 && !settings.nan) throw new MatfunError(failuresOf([status]), 'derivative')
  return { value: arrayOf(value, at), result: arrayOf(result, at) }
}
