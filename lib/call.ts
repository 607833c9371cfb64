import { types } from 'node:util'
import { inOneDType, pair } from './broadcast.ts'
import { destination, refuseOverlap } from './destination.ts'
import { MatfunError, rangeError } from './errors.ts'
import { failuresOf } from './failures.ts'
import { type MatrixInput, readStack, type Stack } from './input.ts'
import { dtypeCodes, native, operationCodes, type RunArguments } from './native.ts'
import { allocate, type DataOf, type DType, type NDArray, product } from './ndarray.ts'
import { type ComputeOptions, fillsWithNaN, type Out, planCodes, requireKnown } from './options.ts'
import { threadCount } from './threads.ts'

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
  const isEmpty = call.arguments[9].length === 0
  return call.finish(isEmpty ? undefined : native.run(...call.arguments))
}

/** The arguments of `expm`, with the names of the options that the caller of this takes. */
export function expmCall(
  A: MatrixInput,
  options: ComputeOptions & { readonly out?: Out },
  names: readonly string[],
): Call<NDArray> {
  requireKnown('options', options, names)
  const codes = planCodes(options)
  const threads = threadCount(options.threads)
  const nan = fillsWithNaN(options.onFailure)
  const a = readMatrices('A', A)
  const { dtype, n, count } = a
  const value = destination('out', options.out, dtype, [...a.batch, n, n], ownCopy(a, a.data))
  refuseOverlap([['A', a.view]], [['out', value.given]])
  return {
    arguments: [operationCodes.expm, dtypeCodes[dtype], ...codes, n, count, 0, threads, a.data, value.data],
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
const derivativeNames = {
  jvp: { direction: 'E', result: 'tangent' },
  vjp: { direction: 'W', result: 'cotangent' },
} as const

/** The places that a derivative's results may be given. */
interface DerivativeOut {
  readonly value?: Out
  readonly tangent?: Out
  readonly cotangent?: Out
}

/** The arguments of `expmJVP` or `expmVJP`, with the names of the options that the caller of this takes. */
export function derivativeCall(
  operation: 'jvp' | 'vjp',
  A: MatrixInput,
  direction: MatrixInput,
  options: ComputeOptions & { readonly out?: DerivativeOut },
  names: readonly string[],
): Call<{ value: NDArray; result: NDArray }> {
  const own = derivativeNames[operation]
  requireKnown('options', options, names)
  if (options.out !== undefined) requireKnown('options.out', options.out, ['value', own.result])
  const codes = planCodes(options)
  const threads = threadCount(options.threads)
  const nan = fillsWithNaN(options.onFailure)
  const read = [readMatrices('A', A), readMatrices(own.direction, direction)] as const
  const [a, e] = inOneDType(read[0], own.direction, read[1])
  const { batch, directionsPerMatrix, directions, resultStrides } = pair(a, own.direction, e)
  const { n, count, dtype } = a
  const value = destination('out.value', options.out?.value, dtype, [...a.batch, n, n], ownCopy(a, a.data))
  const result = destination(
    `out.${own.result}`,
    options.out?.[own.result],
    dtype,
    [...batch, n, n],
    ownCopy(e, directions),
    resultStrides,
  )
  refuseOverlap(
    [
      ['A', a.view],
      [own.direction, e.view],
    ],
    [
      ['out.value', value.given],
      [`out.${own.result}`, result.given],
    ],
  )
  const shape = [n, count, directionsPerMatrix, threads] as const
  const arrays = [a.data, value.data, directions, result.data] as const
  return {
    arguments: [operationCodes[operation], dtypeCodes[dtype], ...codes, ...shape, ...arrays],
    borrowed: (isBorrowed(a, a.data) ? 1 : 0) + (isBorrowed(e, directions) ? 2 : 0),
    results: product(batch),
    finish(statuses) {
      const done = { value: value.finish(), result: result.finish() }
      if (statuses && !nan) throw new MatfunError(failuresOf(statuses, batch, resultStrides))
      return done
    },
  }
}

/** The arguments of `expmCond`; `out` has a place for each number. */
export function condCall(
  A: MatrixInput,
  options: ComputeOptions,
  names: readonly string[],
  out?: Float64Array,
): Call<number | Float64Array> {
  requireKnown('options', options, names)
  const codes = planCodes(options)
  const threads = threadCount(options.threads)
  const nan = fillsWithNaN(options.onFailure)
  const a = readMatrices('A', A)
  const { dtype, n, count } = a
  const value = out ?? allocate('float64', count)
  return {
    arguments: [operationCodes.cond, dtypeCodes[dtype], ...codes, n, count, 0, threads, a.data, value],
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
  return view === undefined || data.buffer !== view.data.buffer ? data : undefined
}

/** True where `data` is the caller's own memory, unless that is shared, and so given to be used as it stands. */
function isBorrowed({ view }: Stack, data: DataOf<DType>): boolean {
  return view !== undefined && data.buffer === view.data.buffer && !types.isSharedArrayBuffer(data.buffer)
}
