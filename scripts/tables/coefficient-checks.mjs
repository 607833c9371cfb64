/**
 * The tables of coefficients against their closed forms, their matching conditions and their expansion.
 *
 * @typedef {import('./fixed.mjs').Fixed} Fixed
 * @typedef {import('./polynomial.mjs').Polynomial} Polynomial
 * @typedef {import('./derived.mjs').Precision} Precision
 * @typedef {import('./checks.mjs').Finding} Finding
 */

import { roundingResidual } from './backward-error.mjs'
import { derivedThreshold, double, padePair, single, solutionOf } from './derived.mjs'
import { abs, BITS, fraction, fromDecimal, fromDouble, ONE, TINY, toDecimal, toDouble } from './fixed.mjs'
import { readArray, readMembers } from './header.mjs'
import { closedFormsOfT8, expandT8, factorial, padeIntegers, taylor } from './polynomial.mjs'

/**
 * The most backward error at theta, in units of u, that a table's rounding may bring: what each was measured to bring,
 * rounded up. No limit stands where the ladder does not use the table.
 *
 * @type {Readonly<Record<string, number>>}
 */
const roundingLimits = {
  'T8 in double': 0.01,
  'T8 in float': 0.05,
  'kFifteenPlus in double': 1.4,
  'kFifteenPlus in float': 7.3,
  'kTwentyOnePlus in double': 2.5,
  'kPade<R, 3> in float': 1e-9,
  'kPade<R, 5> in float': 1e-9,
  'kPade<R, 7> in float': 1e-9,
  'kPade<R, 9> in float': 5.1,
  'kPade<R, 13> in float': 255,
}

/**
 * @param {string} name
 * @param {string} literal
 * @param {Fixed} exact
 * @param {number} digits the least number of digits it must have
 * @param {bigint} [off] by how many units of its last digit its magnitude is known to miss the rounded exact value
 * @returns {string[]} what is wrong with it
 */
function literalErrors(name, literal, exact, digits, off = 0n) {
  const written = fromDecimal(literal)
  if (written.digits < digits)
    return [`${name} = ${literal} has ${written.digits} digits instead of ${digits}`]
  const rounded = (2n * abs(exact) + written.unit) / (2n * written.unit)
  const difference = abs(written.value - (exact < 0n ? -1n : 1n) * (rounded + off) * written.unit)
  return difference < written.unit / 2n ? [] : [`${name} = ${literal} should be ${toDecimal(exact, digits)}`]
}

/**
 * @param {string} table
 * @param {Precision} precision
 * @param {(round: (x: Fixed) => Fixed) => readonly [Polynomial, Polynomial]} approximant its p and q, of rounded entries
 * @param {number} order
 * @param {number} theta
 * @returns {{ text: string, errors: string[] }}
 */
function roundingOf(table, { name, u, round }, approximant, order, theta) {
  const rounded = approximant((x) => fromDouble(round(toDouble(x))))
  const residual = roundingResidual(rounded, order, theta, u)
  const text = `${residual.toFixed(2)} u in ${name}`
  const limit = roundingLimits[`${table} in ${name}`]
  const tooLarge = limit !== undefined && residual > limit
  return { text, errors: tooLarge ? [`${table}: rounding brings ${text}, more than ${limit} u`] : [] }
}

/** @param {string} text @returns {Finding} */
export function checkT8(text) {
  const exact = closedFormsOfT8()
  const names = Object.keys(exact)
  const literals = readMembers(text, 'T8', names)
  const errors = names.flatMap((name, i) => {
    const wrong = literalErrors(`T8 ${name}`, literals[i], exact[name], 20)
    const nearest = Number(literals[i]) === toDouble(exact[name])
    return nearest || wrong.length
      ? wrong
      : [`T8 ${name} = ${literals[i]} does not round to the nearest double`]
  })
  const expanded = expandT8(exact)
  const target = taylor(8)
  if (expanded.length !== 9) errors.push(`T8: the closed forms have degree ${expanded.length - 1}`)
  expanded.forEach((coefficient, k) => {
    if (abs(coefficient - (target[k] ?? 0n)) > TINY) errors.push(`T8: the closed forms miss 1/${k}!`)
  })
  const read = Object.fromEntries(names.map((name, i) => [name, fromDecimal(literals[i]).value]))
  const residuals = [double, single].map((precision) =>
    roundingOf(
      'T8',
      precision,
      (round) => [expandT8(Object.fromEntries(names.map((name) => [name, round(read[name])]))), [ONE]],
      8,
      derivedThreshold('polynomial', 8, 'theta', precision.u),
    ),
  )
  const found = `closed forms in sqrt(177), 1/k! for k <= 8 and nothing beyond; rounding brings ${residuals.map((r) => r.text).join(', ')}`
  return { table: 'T8', found, errors: [...errors, ...residuals.flatMap((r) => r.errors)] }
}

/**
 * @param {string} text
 * @param {import('./sum-schemes.mjs').SumScheme} scheme
 * @returns {Finding}
 */
export function checkSumScheme(text, { table, degree, expand, branch, lastDigitOff }) {
  const solution = solutionOf(degree === 15 ? 15 : 21)
  const literals = readArray(text, table, branch.length + 1)
  const errors = Number(literals[0]) === 0 ? [] : [`${table} c0 = ${literals[0]} should be 0`]
  for (let i = 1; i < literals.length; i++) {
    errors.push(...literalErrors(`${table} c${i}`, literals[i], solution[i], 16, lastDigitOff[i]))
  }
  const read = literals.map(fromDecimal)
  const { worst, misses } = expansionError(table, degree, expand, read)
  const residuals = [double, single].map((precision) =>
    roundingOf(
      table,
      precision,
      (round) => [expand(read.map(({ value }) => round(value))), [ONE]],
      degree,
      derivedThreshold('polynomial', degree, 'theta', precision.u),
    ),
  )
  const found = `expanded, 1/k! for k <= ${degree} to a relative ${worst.toExponential(1)}; rounding brings ${residuals.map((r) => r.text).join(', ')}`
  return { table, found, errors: [...errors, ...misses, ...residuals.flatMap((r) => r.errors)] }
}

/**
 * Each coefficient expands to a sum of products with positive signs, so a change of every c_i by up to one unit of its
 * last digit, u_i, moves the expansion by at most expand(|c| + u) - expand(|c|).
 *
 * @param {string} table
 * @param {number} degree
 * @param {(c: readonly Fixed[]) => Polynomial} expand
 * @param {readonly { value: Fixed, unit: Fixed }[]} read
 * @returns {{ worst: number, misses: string[] }} the largest relative deviation from 1/k!, and those out of bounds
 */
function expansionError(table, degree, expand, read) {
  const expanded = expand(read.map(({ value }) => value))
  const least = expand(read.map(({ value }) => abs(value)))
  const most = expand(read.map(({ value, unit }) => abs(value) + unit))
  let worst = 0
  /** @type {string[]} */
  const misses = []
  for (let k = 0; k <= degree; k++) {
    const deviation = abs(expanded[k] - fraction(1, factorial(k)))
    const relative = toDouble(deviation * factorial(k))
    worst = Math.max(worst, relative)
    if (deviation > most[k] - least[k] + TINY) {
      misses.push(
        `${table}: expanded, the coefficient of x^${k} misses 1/${k}! by a relative ${relative.toExponential(1)}`,
      )
    }
  }
  return { worst, misses }
}

/** @param {string} text @param {string} table @param {number} m @returns {Finding} */
export function checkPade(text, table, m) {
  const exact = padeIntegers(m)
  const literals = readArray(text, table, m + 1)
  const errors = literals.flatMap((literal, k) => {
    if (fromDecimal(literal).value !== exact[k] << BITS)
      return [`${table} b${k} = ${literal} should be ${exact[k]}`]
    return BigInt(Number(literal)) === exact[k] ? [] : [`${table} b${k} = ${literal} is not a double`]
  })
  const read = literals.map((literal) => fromDecimal(literal).value)
  const residual = roundingOf(
    table,
    single,
    (round) => padePair(read.map(round)),
    2 * m,
    derivedThreshold('pade', m, 'theta', single.u),
  )
  const found = `(2m-k)! / ((m-k)! k!), exact in double; rounding brings ${residual.text}`
  return { table, found, errors: [...errors, ...residual.errors] }
}
