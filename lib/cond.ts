import { condCall, runNow } from './call.ts'
import type { SingleMatrix } from './dtypes.ts'
import type { MatrixInput } from './input.ts'
import { type ComputeOptions, computeOptionNames, readSettings } from './options.ts'

/** Options of {@link expmCond}. */
export type ExpmCondOptions = ComputeOptions

/**
 * The relative condition number of the exponential at A in the 1-norm: κ₁ = |K|₁ |A|₁ / |exp A|₁, where K is the n² x n²
 * Kronecker form of the Fréchet derivative, K vec(E) = vec(L(A, E)). A relative change ε of A changes exp(A) by about
 * κ₁ ε relatively, so that exp(A) cannot be expected to be more accurate than κ₁ times the unit roundoff.
 *
 * |K|₁ is estimated by Higham and Tisseur's block 1-norm estimator, applied to L and its adjoint: the result is a lower
 * bound, nearly always within a factor of 3.
 *
 * With `structure: 'generator'` the rates are the variables: the diagonal of E is minus the rest of its row.
 *
 * @param A shape [..., n, n], as for `expm`, of any dtype.
 * @returns a number for one matrix (shape [n, n]), for a stack a Float64Array with the number of each in row-major order.
 *   0 for a matrix of zeros or of order 0.
 * @throws as `expm`; with `onFailure: 'nan'` NaN in place of each matrix that cannot be computed.
 *
 * Cost: that of some ten derivatives.
 * Source: Higham, Tisseur 2000 (SIAM J. Matrix Anal. Appl. 21:1185); Higham, Functions of Matrices, 2008, section 3.4;
 * Al-Mohy, Higham 2009 (doi 10.1137/080716426), algorithm 7.4.
 *
 * @example
 * expmCond([[1]])  // 1: exp(x (1 + ε)) = exp(x) (1 + x ε)
 */
export function expmCond(A: SingleMatrix, options?: ExpmCondOptions): number
export function expmCond(A: MatrixInput, options?: ExpmCondOptions): number | Float64Array
export function expmCond(A: MatrixInput, options: ExpmCondOptions = {}): number | Float64Array {
  return runNow(condCall(A, readSettings(options, computeOptionNames)))
}
