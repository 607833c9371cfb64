import { types } from 'node:util'
import { inOneDType, pair } from './broadcast.ts'
import { destination, requireSafe } from './destination.ts'
import { type Failure, MatfunError, rangeError } from './errors.ts'
import { failuresOf } from './failures.ts'
import { readOnce } from './fields.ts'
import { type MatrixInput, readStack, type Stack } from './input.ts'
import { jobCode, native, operationCodes, type RunArguments } from './native.ts'
import { allocate, type DataOf, type DType, type NDArray, product } from './ndarray.ts'
import { type Out, requireKnown, type Settings } from './options.ts'
import { bufferOf, lengthOf } from './typed-array.ts'

/** A call whose arguments are checked and read, and which only has to be done. */
export interface Call<R> {
  readonly arguments: RunArguments
  /** Which inputs the caller could change while they are used: 1 for A, 2 for the direction. */
  readonly borrowed: number
  /** Results that there will be: exponentials of `expm`, derivatives of the others. */
  readonly results: number
  /** What the caller gets, by the statuses that came. Throws {@link MatfunError} where that was asked for. */
  readonly finish: (statuses: Uint8Array | undefined) => R
}

/** Does a call on this thread and as many others as it may use. */
export function runNow<R>(call: Call<R>): R {
  // Nothing is to be done for empty matrices, however many there are.
  const isEmpty = lengthOf.call(call.arguments[5]) === 0
  return call.finish(isEmpty ? undefined : native.run(...call.arguments))
}

/** The arguments of `expm`. */
export function expmCall(A: MatrixInput, { plan, threads, nan }: Settings, out?: unknown): Call<NDArray> {
  const a = readMatrices('A', A)
  const { dtype, n, count } = a
  const value = destination('out', out, dtype, [...a.batch, n, n], ownCopy(a, a.data))
  requireSafe([['A', a]], [['out', value]])
  return {
    arguments: [jobCode(operationCodes.expm, dtype, plan), n, count, 0, threads, a.data, value.data],
    borrowed: isBorrowed(a, a.data) ? 1 : 0,
    results: count,
    finish(statuses) {
      const result = value.finish()
      if (statuses && !nan) throw new MatfunError(failuresOf(statuses))
      return result
    },
  }
}

/** The public names of a derivative's direction and result. */
export const derivativeNames = {
  jvp: { direction: 'E', result: 'tangent', out: ['value', 'tangent'] },
  vjp: { direction: 'W', result: 'cotangent', out: ['value', 'cotangent'] },
} as const

/** The places that a derivative's results may be given. */
export interface DerivativeOut {
  readonly value?: Out
  readonly tangent?: Out
  readonly cotangent?: Out
}

/** The same for either operation. */
export interface DerivativePlaces {
  readonly value?: unknown
  readonly result?: unknown
}

const noPlaces: DerivativePlaces = {}

/** The places that a caller gave for value and derivative, each read once. Errors: as requireKnown's. */
export function readDerivativeOut(
  operation: 'jvp' | 'vjp',
  out: DerivativeOut | undefined,
): DerivativePlaces {
  if (out === undefined) return noPlaces
  const own = derivativeNames[operation]
  requireKnown('options.out', out, own.out)
  return { value: readOnce(out.value), result: readOnce(out[own.result]) }
}

/** The arguments of `expmJVP` or `expmVJP`, with the places for their results. */
export function derivativeCall(
  operation: 'jvp' | 'vjp',
  A: MatrixInput,
  direction: MatrixInput,
  { plan, threads, nan }: Settings,
  out: DerivativePlaces = noPlaces,
): Call<{ value: NDArray; result: NDArray }> {
  const own = derivativeNames[operation]
  const read = [readMatrices('A', A), readMatrices(own.direction, direction)] as const
  const [a, e] = inOneDType(read[0], own.direction, read[1])
  const { batch, directionsPerMatrix, directions, resultStrides } = pair(a, own.direction, e)
  const { n, count, dtype } = a
  const value = destination('out.value', out.value, dtype, [...a.batch, n, n], ownCopy(a, a.data))
  const result = destination(
    `out.${own.result}`,
    out.result,
    dtype,
    [...batch, n, n],
    ownCopy(e, directions),
    resultStrides,
  )
  requireSafe(
    [
      ['A', a],
      [own.direction, e],
    ],
    [
      ['out.value', value],
      [`out.${own.result}`, result],
    ],
  )
  // Where A meets no direction at all, its own matrices are told of.
  const failures = (statuses: Uint8Array): Failure[] =>
    product(batch) === 0 ? failuresOf(statuses) : failuresOf(statuses, batch, resultStrides)
  const shape = [n, count, directionsPerMatrix, threads] as const
  const arrays = [a.data, value.data, directions, result.data] as const
  return {
    arguments: [jobCode(operationCodes[operation], dtype, plan), ...shape, ...arrays],
    borrowed: (isBorrowed(a, a.data) ? 1 : 0) + (isBorrowed(e, directions) ? 2 : 0),
    results: product(batch),
    finish(statuses) {
      const done = { value: value.finish(), result: result.finish() }
      if (statuses && !nan) throw new MatfunError(failures(statuses), 'derivative')
      return done
    },
  }
}

/** The arguments of `expmCond`; `out` has a place for each number. */
export function condCall(
  A: MatrixInput,
  { plan, threads, nan }: Settings,
  out?: Float64Array,
): Call<number | Float64Array> {
  const a = readMatrices('A', A)
  const { dtype, n, count } = a
  const value = out ?? allocate('float64', count)
  return {
    arguments: [jobCode(operationCodes.cond, dtype, plan), n, count, 0, threads, a.data, value],
    borrowed: isBorrowed(a, a.data) ? 1 : 0,
    results: count,
    finish(statuses) {
      if (statuses && !nan) throw new MatfunError(failuresOf(statuses))
      return a.batch.length === 0 ? value[0] : value
    },
  }
}

/** OpenBLAS counts in 32 bits: 46341^2 > 2^31 - 1. */
const maxOrder = 46340

/** An input of any dtype, of an order that OpenBLAS can count. Errors: those of readStack, and ERR_TOO_LARGE. */
export function readMatrices(name: string, input: MatrixInput): Stack {
  return readStack(name, input, (n) => {
    if (n > maxOrder)
      throw rangeError('ERR_TOO_LARGE', `${name} has order ${n}; OpenBLAS's integers reach to ${maxOrder}`)
  })
}

/** `data` where it is a copy that the library has made of an input, so that it may be overwritten. */
function ownCopy({ view }: Stack, data: DataOf<DType>): DataOf<DType> | undefined {
  return view === undefined || bufferOf.call(data) !== bufferOf.call(view.data) ? data : undefined
}

/** True where `data` is the caller's own memory, unless that is shared, and so given to be used as it stands. */
function isBorrowed({ view }: Stack, data: DataOf<DType>): boolean {
  const buffer = bufferOf.call(data)
  return view !== undefined && buffer === bufferOf.call(view.data) && !types.isSharedArrayBuffer(buffer)
}
