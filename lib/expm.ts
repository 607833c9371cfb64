import { type DerivativeOut, derivativeCall, expmCall, readDerivativeOut, runNow } from './call.ts'
import type { DTypeOf, DTypeOfPair } from './dtypes.ts'
import { readOnce } from './fields.ts'
import type { MatrixInput } from './input.ts'
import type { DType, NDArray } from './ndarray.ts'
import { derivativeOfOne, expmOfOne } from './one.ts'
import { type ComputeOptions, computeOptionNames, type Out, readSettings } from './options.ts'

/** Options of {@link expm}. */
export interface ExpmOptions<D extends DType = DType> extends ComputeOptions {
  /** Where to write exp(A), of A's shape and dtype; must not overlap A. */
  readonly out?: Out<D>
}

/** Options of {@link expmJVP}. */
export interface ExpmJVPOptions<D extends DType = DType> extends ComputeOptions {
  /** Where to write either result or both; they must overlap neither an input nor one another. */
  readonly out?: { readonly value?: Out<D>; readonly tangent?: Out<D> }
}

/** Options of {@link expmVJP}. */
export interface ExpmVJPOptions<D extends DType = DType> extends ComputeOptions {
  /** Where to write either result or both; they must overlap neither an input nor one another. */
  readonly out?: { readonly value?: Out<D>; readonly cotangent?: Out<D> }
}

/** exp(A) and a derivative in the direction E. */
export interface ExpmJVP<D extends DType = DType> {
  readonly value: NDArray<D>
  readonly tangent: NDArray<D>
}

/** exp(A) and the pullback of a cotangent W. */
export interface ExpmVJP<D extends DType = DType> {
  readonly value: NDArray<D>
  readonly cotangent: NDArray<D>
}

const optionNames = ['out', ...computeOptionNames]

/**
 * The matrix exponential exp(A) = I + A + A²/2! + ..., of one matrix or of each in a stack.
 *
 * @param A shape [..., n, n], in any form of {@link MatrixInput}: float64, float32, complex128 or complex64. Not modified.
 * @returns exp(A), of A's shape and dtype, row-major, computed in that dtype's own precision.
 * @throws TypeError or RangeError with a `code` for wrong arguments, before any work; {@link MatfunError} if a matrix has a NaN or Inf,
 *   its exponential overflows or has no certain digit, or it lacks the structure that was named (see `onFailure`).
 *
 * Scaling and squaring: backward error at most u|A| of the approximant (up to 2.5 u|A| with the published digits of its
 * coefficients), plus the rounding of the evaluation and of s squarings. Real matrices without negative entries off the diagonal keep
 * the accuracy of each entry, from order 5 on. Generators of Markov chains keep it at every order and norm, with `structure: 'generator'`.
 * Cost: `products + squarings` n x n products, as {@link expmPlan} tells.
 * Source: Higham 2005 (doi 10.1137/04061101X); Bader, Blanes, Casas 2019; Sastre, Ibáñez, Defez 2019; Xue, Ye 2013
 * (doi 10.1090/S0025-5718-2013-02677-4).
 *
 * @example
 * expm([[0, 1], [-1, 0]]).data  // Float64Array [cos 1, sin 1, -sin 1, cos 1]
 */
export function expm<const A extends MatrixInput>(
  A: A,
  options: ExpmOptions<DTypeOf<A>> = {},
): NDArray<DTypeOf<A>> {
  const settings = readSettings(options, optionNames)
  const a = readOnce(A)
  const out = readOnce(settings.out)
  const value = expmOfOne(a, settings, out) ?? runNow(expmCall(a as MatrixInput, settings, out))
  return value as NDArray<DTypeOf<A>>
}

/**
 * exp(A) and its Fréchet derivative in the direction E: L(A, E) = d/dt exp(A + tE) at t = 0. The pushforward.
 *
 * @param A shape [..., n, n], as for {@link expm}.
 * @param E the direction, shape [..., n, n], of A's dtype; nested plain numbers, of A or of E, are complex128 beside a
 *   complex128 operand. Leading dimensions broadcast with A's by NumPy's rule; a matrix that
 *   meets several directions is evaluated once for each group of them (8 or more).
 * @returns `value`, exp(A) of A's shape, and `tangent`, L(A, E) of the broadcast shape.
 *   With `structure: 'generator'` the diagonal of E is taken as minus the rest of its row, and rows of the tangent sum to 0.
 * @throws as {@link expm}; `failures` count the derivatives, in the order of the broadcast batch. A direction with a
 *   NaN or Inf, or whose derivative overflows, costs its own derivative alone.
 *
 * Cost: 3 (products + squarings) products for one direction. The value may differ from `expm`'s in the last bits,
 * because a derivative needs a stricter bound, and so sometimes another plan.
 * Source: Al-Mohy, Higham 2009 (doi 10.1137/080716426).
 *
 * @example
 * expmJVP([[0, 0], [0, 0]], [[1, 2], [3, 4]]).tangent.data  // Float64Array [1, 2, 3, 4], for L(0, E) = E
 */
export function expmJVP<const A extends MatrixInput, const E extends MatrixInput>(
  A: A,
  E: E,
  options: ExpmJVPOptions<DTypeOfPair<A, E>> = {},
): ExpmJVP<DTypeOfPair<A, E>> {
  const { value, result } = derivative('jvp', A, E, options)
  return { value, tangent: result } as ExpmJVP<DTypeOfPair<A, E>>
}

/**
 * exp(A) and the pullback of a cotangent W: L(Aᴴ, W), the gradient with respect to A of a function whose gradient with
 * respect to exp(A) is W. In the inner product Re tr(Xᴴ Y), <W, L(A, E)> = <L(Aᴴ, W), E> for every E; for complex dtypes
 * PyTorch and ChainRules have the same convention, and JAX the conjugate one.
 *
 * @param A shape [..., n, n], as for {@link expm}.
 * @param W the cotangent, shape [..., n, n]; broadcasts as E does for {@link expmJVP}. Not modified.
 * @returns `value`, exp(A) of A's shape, and `cotangent`, L(Aᴴ, W) of the broadcast shape. With `structure: 'generator'` the cotangent is
 *   the gradient by the rates: that matrix minus its diagonal entry in each row, so 0 on the diagonal.
 * @throws as {@link expmJVP}.
 *
 * Cost: that of {@link expmJVP}, and two transpositions.
 * Source: the adjoint of the pushforward is the pushforward at the adjoint matrix (Higham, Functions of Matrices, 2008).
 *
 * @example
 * // f(A) = sum of the entries of exp(A) has gradient L(Aᵀ, ones):
 * expmVJP([[0, 0], [0, 0]], [[1, 1], [1, 1]]).cotangent.data  // Float64Array [1, 1, 1, 1]
 */
export function expmVJP<const A extends MatrixInput, const W extends MatrixInput>(
  A: A,
  W: W,
  options: ExpmVJPOptions<DTypeOfPair<A, W>> = {},
): ExpmVJP<DTypeOfPair<A, W>> {
  const { value, result } = derivative('vjp', A, W, options)
  return { value, cotangent: result } as ExpmVJP<DTypeOfPair<A, W>>
}

function derivative(
  operation: 'jvp' | 'vjp',
  A: MatrixInput,
  direction: MatrixInput,
  options: ComputeOptions & { readonly out?: DerivativeOut },
): { value: NDArray; result: NDArray } {
  const settings = readSettings(options, optionNames)
  const out = readDerivativeOut(operation, settings.out)
  const a = readOnce(A)
  const e = readOnce(direction)
  return (
    derivativeOfOne(operation, a, e, settings, out) ??
    runNow(derivativeCall(operation, a as MatrixInput, e as MatrixInput, settings, out))
  )
}
