import { describe, rangeError, typeError } from './errors.ts'
import {
  readView,
  requireAttached,
  requireStackStill,
  requireStill,
  requireStorage,
  type Stack,
} from './input.ts'
import { native } from './native.ts'
import {
  allocate,
  byteExtent,
  components,
  contiguous,
  type DataOf,
  type DType,
  gather,
  type NDArray,
  ndarray,
  overlapsItself,
  product,
  reach,
  scatter,
  storageOf,
} from './ndarray.ts'
import { isFloatArray, lengthOf } from './typed-array.ts'

/** What the addon writes, and how it becomes what the caller gets. */
export interface Target {
  readonly data: DataOf<DType>
  /** The caller's `out`, if any. */
  readonly given: NDArray | undefined
  finish(): NDArray
}

/**
 * Where a result goes: the caller's `out` or an array of the library's. That is `input` where it is given, which is as long
 * and is overwritten, else a new one. The addon's result is laid out with `strides` where they are given (see Pairing), and
 * then, or where `out` is not contiguous, is written to its own place and brought over.
 * Errors: those of an input for a wrong `out`, and ERR_STRIDES where its elements would overwrite one another.
 */
export function destination(
  name: string,
  out: unknown,
  dtype: DType,
  shape: readonly number[],
  input?: DataOf<DType>,
  strides?: readonly number[],
): Target {
  const given = out === undefined ? undefined : readDestination(name, out, dtype, shape)
  const inPlace = given && !strides ? contiguous(given) : undefined
  if (given && inPlace) return { data: inPlace, given, finish: () => given }
  const data = input ?? allocate(dtype, product(shape))
  const finish = (): NDArray => {
    const inOrder = strides ? gather({ ...ndarray(dtype, shape, data), strides }) : data
    if (!given) return ndarray(dtype, shape, inOrder)
    scatter(inOrder, given)
    return given
  }
  return { data, given, finish }
}

/** Inputs and outputs by the names that the caller knows them by. */
export type NamedInput = readonly [name: string, stack: Stack]
export type NamedOutput = readonly [name: string, target: Target]

/**
 * To be asked when all arguments have been read, of all of them. ERR_DETACHED where reading one has taken the memory of another
 * (see requireStill), ERR_ALIASED_OUT where an output shares memory with an input or with another output.
 */
export function requireSafe(inputs: readonly NamedInput[], outputs: readonly NamedOutput[]): void {
  for (const [name, stack] of inputs) requireStackStill(name, stack)
  for (const [name, target] of outputs) requireTargetStill(name, target)
  outputs.forEach(([name, { given }], k) => {
    if (!given) return
    const others = [
      ...inputs.map(([other, { view }]) => [other, view] as const),
      ...outputs.slice(k + 1).map(([other, target]) => [other, target.given] as const),
    ]
    for (const [other, array] of others)
      if (array && overlap(given, array))
        throw rangeError(
          'ERR_ALIASED_OUT',
          `${name} must not overlap ${other}: it would be overwritten while in use`,
        )
  })
}

/**
 * True when the stretches of memory between the views' first and last elements share a byte. By their addresses: two buffers can be of
 * one memory, as a SharedArrayBuffer and its structuredClone are.
 */
function overlap(a: NDArray, b: NDArray): boolean {
  const [x, y] = [byteExtent(a), byteExtent(b)]
  return native.overlap(a.data, x.first, x.bytes, b.data, y.first, y.bytes)
}

function requireTargetStill(name: string, { data, given }: Target): void {
  if (!given) return
  const { dtype, shape, strides, offset } = given
  const numbers = product(shape) * components(dtype)
  if (numbers === 0) return
  const [, highest] = reach(shape, strides, offset)
  const isWithin = lengthOf.call(given.data) >= (highest + 1) * components(dtype)
  requireStill(name, isWithin && lengthOf.call(data) === numbers)
}

/** A typed array of exactly the result's length, or an array object of its shape. */
function readDestination(name: string, input: unknown, dtype: DType, shape: readonly number[]): NDArray {
  return isFloatArray(input)
    ? readBareDestination(name, input, dtype, shape)
    : readViewDestination(name, input, dtype, shape)
}

function readBareDestination(
  name: string,
  data: Float64Array | Float32Array,
  dtype: DType,
  shape: readonly number[],
): NDArray {
  requireAttached(name, data)
  const length = product(shape) * components(dtype)
  requireStorage(name, data, dtype)
  const came = lengthOf.call(data)
  if (came !== length)
    throw rangeError('ERR_SHAPE', `${name} must hold ${length} numbers for shape [${shape}], got ${came}`)
  return ndarray(dtype, shape, data as DataOf<DType>)
}

function readViewDestination(name: string, input: unknown, dtype: DType, shape: readonly number[]): NDArray {
  const expected = `${name} must be a ${storageOf(dtype).name} or an array object whose data is one`
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw typeError('ERR_INVALID_ARG_TYPE', `${expected}, got ${describe(input)}`)
  const view = readView(name, input)
  if (!view.inPlace)
    throw typeError('ERR_INVALID_ARG_TYPE', `${expected}, got one whose data is a plain array`)
  if (view.dtype !== dtype)
    throw typeError('ERR_DTYPE', `${name} must have dtype ${dtype}, got ${view.dtype}`)
  if (view.shape.length !== shape.length || view.shape.some((d, k) => d !== shape[k]))
    throw rangeError('ERR_SHAPE', `${name} must have shape [${shape}], got [${view.shape}]`)
  if (overlapsItself(view))
    throw rangeError(
      'ERR_STRIDES',
      `${name} of shape [${view.shape}] and strides [${view.strides}] has elements that overwrite one another`,
    )
  const { inPlace, ...array } = view
  return array
}
