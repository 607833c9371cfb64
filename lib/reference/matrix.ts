import { allocate } from '../ndarray.ts'
import { add, divide, scaleByPowerOfTwo, sumError, upperHalf } from './double-double.ts'

/** A square matrix of double-doubles, row-major: entry [i, j] is `hi[i * n + j] + lo[i * n + j]`. */
export interface Matrix {
  readonly n: number
  readonly hi: Float64Array
  readonly lo: Float64Array
}

/** An n x n matrix of zeros. */
export function zeros(n: number): Matrix {
  return { n, hi: allocate('float64', n * n), lo: allocate('float64', n * n) }
}

/** A new array of what `of` makes of each entry, got by `allocate`, whose error has a code. */
export function mapped(entries: Float64Array, of: (entry: number, k: number) => number): Float64Array {
  const made = allocate('float64', entries.length)
  for (let k = 0; k < made.length; k++) made[k] = of(entries[k], k)
  return made
}

/** The n x n identity. */
export function identity(n: number): Matrix {
  const x = zeros(n)
  for (let i = 0; i < n; i++) x.hi[i * n + i] = 1
  return x
}

/** [A E; 0 A] of order 2n from the row-major doubles of two n x n matrices. */
export function blockMatrix(n: number, a: Float64Array, e: Float64Array): Matrix {
  const block = zeros(2 * n)
  for (let i = 0; i < n; i++) {
    const row = i * n
    block.hi.set(a.subarray(row, row + n), row * 2)
    block.hi.set(e.subarray(row, row + n), row * 2 + n)
    block.hi.set(a.subarray(row, row + n), (row + n * n) * 2 + n)
  }
  return block
}

/** The upper right n x n block of a matrix of order 2n. */
export function upperRightBlock(x: Matrix): Matrix {
  const n = x.n / 2
  const block = zeros(n)
  for (let i = 0; i < n; i++) {
    const from = i * x.n + n
    block.hi.set(x.hi.subarray(from, from + n), i * n)
    block.lo.set(x.lo.subarray(from, from + n), i * n)
  }
  return block
}

/** The largest absolute value among `values`; 0 when there are none. */
export function largest(values: Float64Array): number {
  let top = 0
  for (const value of values) top = Math.max(top, Math.abs(value))
  return top
}

/** Multiplies x by 2^exponent, in place; exact where nothing underflows. */
export function scaleInPlace({ hi, lo }: Matrix, exponent: number): void {
  for (let k = 0; k < hi.length; k++) {
    hi[k] = scaleByPowerOfTwo(hi[k], exponent)
    lo[k] = scaleByPowerOfTwo(lo[k], exponent)
  }
}

/** Replaces x by I + x / d. */
export function divideAndAddIdentity({ n, hi, lo }: Matrix, d: number): void {
  for (let k = 0; k < hi.length; k++) {
    const quotient = divide({ hi: hi[k], lo: lo[k] }, d)
    const entry = k % (n + 1) === 0 ? add(quotient, 1) : quotient
    hi[k] = entry.hi
    lo[k] = entry.lo
  }
}

/**
 * The product x y. Each entry is within (n + 5)^2 2^-107 times the same entry of |x| |y| (in practice a few
 * 2^-106): the products and sums of the upper parts are exact, and their errors and the cross terms are summed in
 * one double. Entries of x and y must stay below 2^490. n^3 times about 25 flops; 1.2 ms at n = 64.
 */
export function multiply(x: Matrix, y: Matrix): Matrix {
  const n = x.n
  const product = zeros(n)
  const { hi, lo } = product
  const yHi = y.hi
  const yLo = y.lo
  const yUpper = mapped(yHi, upperHalf)
  for (let i = 0; i < n; i++) {
    const row = i * n
    for (let k = 0; k < n; k++) {
      const a = x.hi[row + k]
      if (a === 0) continue // a quarter of the work for a block triangular x
      const aLo = x.lo[row + k]
      const aUpper = upperHalf(a)
      const aLower = a - aUpper
      for (let to = row, from = k * n; to < row + n; to++, from++) {
        const b = yHi[from]
        const bUpper = yUpper[from]
        const bLower = b - bUpper
        const p = a * b
        // productError and sumError with the halves of a and b at hand.
        const pError = aLower * bLower - (p - aUpper * bUpper - aLower * bUpper - aUpper * bLower)
        const before = hi[to]
        const sum = before + p
        hi[to] = sum
        lo[to] += sumError(before, p, sum) + (pError + (a * yLo[from] + aLo * b))
      }
    }
    for (let k = row; k < row + n; k++) {
      const sum = hi[k] + lo[k]
      lo[k] = sumError(hi[k], lo[k], sum)
      hi[k] = sum
    }
  }
  return product
}
