/** What the machine allows: multiply-adds in registers, and OpenBLAS's products, measured in alternation with everyone. */
import { ratioOf } from './statistics.mjs'

/** @typedef {import('./lines.mjs').Line} Line */
/** @typedef {import('./measure.mjs').Part} Part */
/** @typedef {import('./statistics.mjs').Spread} Spread */

/**
 * `peak`: 10^6 multiplications and additions at once in registers. `gemm`: one product of the line's order and dtype.
 */
export const bounds = [{ name: 'peak' }, { name: 'gemm' }]

/**
 * Shares of what is possible: of the multiply-adds' peak, what the products of the plan take; and of the time that these
 * products take by OpenBLAS alone, or more than 1 where they are faster by other means.
 * @typedef {Spread & { name: string, threads: number }} Share
 */

/**
 * n x n products of a line for each matrix: the plan's, and two more for each of them where there is a derivative.
 *
 * @param {Pick<Line, 'operation'>} line
 * @param {number} planned
 */
export function productsOf({ operation }, planned) {
  return operation === 'value' ? planned : 3 * planned
}

/**
 * Floating-point operations of one product, in units of 10^6.
 *
 * @param {Pick<Line, 'order' | 'dtype'>} line
 */
export function productUnits({ order, dtype }) {
  return ((dtype === 'complex128' ? 8 : 2) * order ** 3) / 1e6
}

/**
 * @param {Part[]} parts
 * @param {Part} own
 * @param {Line} line
 * @param {number} products of a matrix
 * @returns {Share[]}
 */
export function sharesOf(parts, own, line, products) {
  const { threads } = own.contender
  return bounds.flatMap(({ name }) => {
    const bound = parts.find(
      ({ contender }) =>
        contender.role === 'bound' && contender.name === name && contender.threads === threads,
    )
    const units = name === 'peak' ? products * productUnits(line) : products
    const share = ratioOf(
      own.rates.map((rate) => rate && units * rate),
      bound?.rates ?? [],
    )
    return share ? [{ name, threads, ...share }] : []
  })
}
