import { exponentOf, scaleByPowerOfTwo } from './double-double.ts'
import {
  blockMatrix,
  divideAndAddIdentity,
  identity,
  largest,
  type Matrix,
  mapped,
  multiply,
  scaleInPlace,
  upperRightBlock,
  zeros,
} from './matrix.ts'

/** The matrix times 2^exponent, so that no intermediate overflows when the result does not. */
export interface Scaled {
  readonly matrix: Matrix
  readonly exponent: number
}

/** exp(A) from the Taylor polynomial of A / 2^squarings with that many terms, squared so often. */
interface Scheme {
  readonly squarings: number
  readonly terms: number
}

/**
 * exp(A) for an n x n matrix of finite doubles, row-major.
 *
 * A is scaled by a power of two to a 1-norm of at most 1/2, Horner's rule evaluates the Taylor polynomial (26
 * terms at 1/2, truncation below 2^-110), and the result is squared back. Before the squarings the error is a few
 * 2^-106 of the largest entry; each squaring doubles it, so that it ends near 2^-104 max(1, |A|), and more where
 * |exp(tA)| has a peak before t = 1. The measure of what a matrix can lose is 2^-104 |A| cond(exp, A).
 */
export function exponential(n: number, a: Float64Array): Scaled {
  const scheme = chooseScheme(n, a)
  const b = zeros(n)
  b.hi.set(a)
  scaleInPlace(b, -scheme.squarings)
  return square(taylor(b, scheme.terms), scheme.squarings)
}

/**
 * The Fréchet derivative L(A, E), the upper right block of exp([A E; 0 A]) (Mathias 1996), for row-major n x n
 * matrices of finite doubles. The scheme comes from A alone and E is brought to size 1 by a power of two, so that
 * the relative error does not depend on |E|. Eight times the work of {@link exponential}.
 */
export function derivative(n: number, a: Float64Array, e: Float64Array): Scaled {
  const top = largest(e)
  if (top === 0) return { matrix: zeros(n), exponent: 0 }
  const { squarings, terms } = chooseScheme(n, a)
  const size = exponentOf(top)
  const b = blockMatrix(
    n,
    mapped(a, (entry) => scaleByPowerOfTwo(entry, -squarings)),
    mapped(e, (entry) => scaleByPowerOfTwo(entry, -size)),
  )
  const { matrix, exponent } = square(taylor(b, terms), squarings)
  // The block holds E / 2^size where the identity asks for E / 2^squarings.
  return { matrix: upperRightBlock(matrix), exponent: exponent + size - squarings }
}

/** Rounded to double: infinite where it overflows. */
export function toDoubles({ matrix, exponent }: Scaled): Float64Array {
  return mapped(matrix.hi, (entry) => scaleByPowerOfTwo(entry, exponent))
}

function chooseScheme(n: number, a: Float64Array): Scheme {
  const top = largest(a)
  const size = top === 0 ? 0 : exponentOf(top)
  let norm = 0 // of A / 2^size, whose column sums cannot overflow
  for (let j = 0; j < n; j++) {
    let sum = 0
    for (let k = j; k < a.length; k += n) sum += Math.abs(scaleByPowerOfTwo(a[k], -size))
    norm = Math.max(norm, sum)
  }
  const squarings = norm === 0 ? 0 : Math.max(0, exponentOf(norm) + size + 2)
  const scaled = scaleByPowerOfTwo(norm, size - squarings)
  // The remainder of the derivative's series is near |E| theta^m / m!, and that of exp is smaller by theta / (m+1).
  let terms = 0
  for (let remainder = 1; remainder > 2 ** -110; remainder *= scaled / terms) terms++
  return { squarings, terms }
}

function taylor(b: Matrix, terms: number): Matrix {
  let sum = identity(b.n)
  for (let k = terms; k > 0; k--) {
    sum = multiply(b, sum)
    divideAndAddIdentity(sum, k)
  }
  return sum
}

function square(x: Matrix, times: number): Scaled {
  let matrix = x
  let exponent = 0
  for (let k = 0; k < times; k++) {
    const top = largest(matrix.hi)
    // An exponent this large cannot come back: between the peak of |exp(tA)| and its value at t = 1 lie at most
    // n factors of |A| < 2^1024.
    if (top === 0 || Math.abs(exponent) > 2 ** 20) break
    const size = exponentOf(top)
    // Upwards to where the square still fits, downwards to where it keeps its 106 bits; no further than needed,
    // for entries far smaller than the largest would be lost.
    const kept = Math.max(-300, Math.min(489, size + exponent))
    if (kept !== size) scaleInPlace(matrix, kept - size)
    exponent = 2 * (size + exponent - kept)
    matrix = multiply(matrix, matrix)
  }
  return { matrix, exponent }
}
