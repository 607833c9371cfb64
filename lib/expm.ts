import { pair } from './broadcast.ts'
import { type Failure, type FailureCode, MatfunError, rangeError, typeError } from './errors.ts'
import { type Destination, type MatrixInput, readDestination, readStack, type Stack } from './input.ts'
import { native } from './native.ts'
import { allocate, gather, type NDArray, ndarray, overlap, product, scatter } from './ndarray.ts'
import { type ComputeOptions, fillsWithNaN, methodCode, type Out, requireKnown } from './options.ts'

/** Options of {@link expm}. */
export interface ExpmOptions extends ComputeOptions {
  /** Where to write exp(A), of A's shape; must not overlap A. */
  readonly out?: Out
}

/** Options of {@link expmJVP}. */
export interface ExpmJVPOptions extends ComputeOptions {
  /** Where to write either result or both; they must overlap neither an input nor one another. */
  readonly out?: { readonly value?: Out; readonly tangent?: Out }
}

/** Options of {@link expmVJP}. */
export interface ExpmVJPOptions extends ComputeOptions {
  /** Where to write either result or both; they must overlap neither an input nor one another. */
  readonly out?: { readonly value?: Out; readonly cotangent?: Out }
}

/** The codes of native/expm/expm.hpp's Operation. */
export const operationCodes = { expm: 0, jvp: 1, vjp: 2 } as const

/** native/linalg/scalar.hpp's Status, from 1 on. */
const failureCodes: readonly FailureCode[] = ['ERR_NOT_FINITE', 'ERR_OVERFLOW', 'ERR_SINGULAR']

/** OpenBLAS counts in 32 bits: 46341^2 > 2^31 - 1. */
const maxOrder = 46340

/** The public names of a derivative's direction and result. */
const derivativeNames = {
  jvp: { direction: 'E', result: 'tangent' },
  vjp: { direction: 'W', result: 'cotangent' },
} as const

/**
 * The matrix exponential exp(A) = I + A + A²/2! + ..., of one matrix or of each in a stack.
 *
 * @param A shape [..., n, n], in any form of {@link MatrixInput}; float64. Not modified.
 * @returns exp(A), of A's shape, row-major.
 * @throws TypeError or RangeError with a `code` for wrong arguments, before any work; {@link MatfunError} where a
 *   matrix has a NaN or Inf, or its exponential overflows (see `onFailure`).
 *
 * Scaling and squaring: backward error at most u|A| of the approximant (up to 2.5 u|A| with the published digits of its
 * coefficients), plus the rounding of the evaluation and of s squarings.
 * Cost: `products + squarings` n x n products, as {@link expmPlan} tells.
 * Source: Higham 2005 (doi 10.1137/04061101X); Bader, Blanes, Casas 2019; Sastre, Ibáñez, Defez 2019.
 *
 * @example
 * expm([[0, 1], [-1, 0]]).data  // Float64Array [cos 1, sin 1, -sin 1, cos 1]
 */
export function expm(A: MatrixInput, options: ExpmOptions = {}): NDArray<'float64'> {
  requireKnown('options', options, ['out', 'method', 'onFailure'])
  const method = methodCode(options.method)
  const nan = fillsWithNaN(options.onFailure)
  const a = readFloat64('A', A)
  const value = destination('out', options.out, [...a.batch, a.n, a.n])
  refuseOverlap([['A', a.view]], [['out', value.given]])
  // Nothing is to be done for empty matrices, however many there are.
  const statuses =
    a.data.length && native.run(operationCodes.expm, method, a.n, a.count, 0, a.data, value.data)
  const result = value.finish()
  if (statuses && !nan) throw new MatfunError(failures(statuses))
  return result
}

/**
 * exp(A) and its Fréchet derivative in the direction E: L(A, E) = d/dt exp(A + tE) at t = 0. The pushforward.
 *
 * @param A shape [..., n, n], as for {@link expm}.
 * @param E the direction, shape [..., n, n]. Leading dimensions broadcast with A's by NumPy's rule; a matrix that
 *   meets several directions is evaluated once for each group of them (8 or more).
 * @returns `value`, exp(A) of A's shape, and `tangent`, L(A, E) of the broadcast shape.
 * @throws as {@link expm}; `failures` count the derivatives, in the order of the broadcast batch. A direction with a
 *   NaN or Inf, or whose derivative overflows, costs its own derivative alone.
 *
 * Cost: 3 (products + squarings) products for one direction. The value may differ from `expm`'s in the last bits,
 * because a derivative needs a stricter bound, and so sometimes another plan.
 * Source: Al-Mohy, Higham 2009 (doi 10.1137/080716426).
 *
 * @example
 * expmJVP([[0, 0], [0, 0]], [[1, 2], [3, 4]]).tangent.data  // Float64Array [1, 2, 3, 4]: L(0, E) = E
 */
export function expmJVP(
  A: MatrixInput,
  E: MatrixInput,
  options: ExpmJVPOptions = {},
): { value: NDArray<'float64'>; tangent: NDArray<'float64'> } {
  const { value, result } = derivative('jvp', A, E, options, options?.out?.tangent)
  return { value, tangent: result }
}

/**
 * exp(A) and the pullback of a cotangent W: L(Aᴴ, W), the gradient with respect to A of a function whose gradient with
 * respect to exp(A) is W. In the inner product Re tr(Xᴴ Y), <W, L(A, E)> = <L(Aᴴ, W), E> for every E.
 *
 * @param A shape [..., n, n], as for {@link expm}.
 * @param W the cotangent, shape [..., n, n]; broadcasts as E does for {@link expmJVP}. Not modified.
 * @returns `value`, exp(A) of A's shape, and `cotangent`, L(Aᴴ, W) of the broadcast shape.
 * @throws as {@link expmJVP}.
 *
 * Cost: that of {@link expmJVP}, and two transpositions.
 * Source: the adjoint of the pushforward is the pushforward at the adjoint matrix (Higham, Functions of Matrices, 2008).
 *
 * @example
 * // f(A) = sum of the entries of exp(A) has gradient L(Aᵀ, ones):
 * expmVJP([[0, 0], [0, 0]], [[1, 1], [1, 1]]).cotangent.data  // Float64Array [1, 1, 1, 1]
 */
export function expmVJP(
  A: MatrixInput,
  W: MatrixInput,
  options: ExpmVJPOptions = {},
): { value: NDArray<'float64'>; cotangent: NDArray<'float64'> } {
  const { value, result } = derivative('vjp', A, W, options, options?.out?.cotangent)
  return { value, cotangent: result }
}

function derivative(
  operation: 'jvp' | 'vjp',
  A: MatrixInput,
  direction: MatrixInput,
  options: ComputeOptions & { readonly out?: { readonly value?: Out } },
  resultOut: Out | undefined,
): { value: NDArray<'float64'>; result: NDArray<'float64'> } {
  const names = derivativeNames[operation]
  requireKnown('options', options, ['out', 'method', 'onFailure'])
  if (options.out !== undefined) requireKnown('options.out', options.out, ['value', names.result])
  const method = methodCode(options.method)
  const nan = fillsWithNaN(options.onFailure)
  const a = readFloat64('A', A)
  const e = readFloat64(names.direction, direction)
  const { batch, directionsPerMatrix, directions, resultStrides } = pair(a, names.direction, e)
  const { n, count } = a
  const value = destination('out.value', options.out?.value, [...a.batch, n, n])
  const result = destination(`out.${names.result}`, resultOut, [...batch, n, n], resultStrides)
  refuseOverlap(
    [
      ['A', a.view],
      [names.direction, e.view],
    ],
    [
      ['out.value', value.given],
      [`out.${names.result}`, result.given],
    ],
  )
  const code = operationCodes[operation]
  const statuses =
    a.data.length &&
    native.run(code, method, n, count, directionsPerMatrix, a.data, value.data, directions, result.data)
  const done = { value: value.finish(), result: result.finish() }
  if (statuses && !nan) throw new MatfunError(failures(statuses, batch, resultStrides))
  return done
}

/** An input that this version computes: float64, of an order that OpenBLAS can count. */
export function readFloat64(name: string, input: MatrixInput): Stack<'float64'> {
  return readStack(name, input, (dtype, n) => {
    if (dtype !== 'float64')
      throw typeError('ERR_DTYPE', `${name} has dtype ${dtype}; this version computes float64 only`)
    if (n > maxOrder)
      throw rangeError('ERR_TOO_LARGE', `${name} has order ${n}; OpenBLAS's integers reach to ${maxOrder}`)
  }) as Stack<'float64'>
}

/** What the addon writes, and how it becomes what the caller gets. */
interface Target {
  readonly data: Float64Array
  readonly given: NDArray | undefined
  finish(): NDArray<'float64'>
}

/**
 * Where a result goes: the caller's `out` or a new array. The addon's result is laid out with `strides` where they are
 * given (see Pairing), and then, or where `out` is not contiguous, is written to its own place and brought over.
 */
function destination(
  name: string,
  out: Out | undefined,
  shape: readonly number[],
  strides?: readonly number[],
): Target {
  const given: Destination | undefined =
    out === undefined ? undefined : readDestination(name, out, 'float64', shape)
  if (given?.contiguous && !strides)
    return {
      data: given.contiguous as Float64Array,
      given: given.array,
      finish: () => given.array as NDArray<'float64'>,
    }
  const data = allocate('float64', product(shape))
  const finish = (): NDArray<'float64'> => {
    const inOrder = strides ? (gather({ ...ndarray('float64', shape, data), strides }) as Float64Array) : data
    if (!given) return ndarray('float64', shape, inOrder)
    scatter(inOrder, given.array)
    return given.array as NDArray<'float64'>
  }
  return { data, given: given?.array, finish }
}

type Named = readonly [name: string, array: NDArray | undefined]

function refuseOverlap(inputs: readonly Named[], outputs: readonly Named[]): void {
  outputs.forEach(([name, output], k) => {
    if (!output) return
    for (const [other, array] of [...inputs, ...outputs.slice(k + 1)])
      if (array && overlap(output, array))
        throw rangeError(
          'ERR_ALIASED_OUT',
          `${name} must not overlap ${other}: it would be overwritten while in use`,
        )
  })
}

/** The statuses that are not ok; where results were laid out by other strides than row-major (see Pairing), so were they. */
function failures(statuses: Uint8Array, batch?: readonly number[], strides?: readonly number[]): Failure[] {
  let ordered: ArrayLike<number> = statuses
  if (batch && strides) {
    const size = strides[batch.length] ** 2 // n * n numbers a result, one status
    const laidOut = ndarray('float64', batch, Float64Array.from(statuses))
    ordered = gather({ ...laidOut, strides: batch.map((_, k) => strides[k] / size) })
  }
  const list: Failure[] = []
  for (let index = 0; index < ordered.length; index++)
    if (ordered[index] !== 0) list.push({ index, code: failureCodes[ordered[index] - 1] })
  return list
}
