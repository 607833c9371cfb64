/**
 * What matfun's derivatives are compared with beside other libraries: its own value, eight cotangents in one call, and a
 * derivative from kept intermediates. Each is computed by a process of its own, in alternation with the line.
 */
import { ratioOf } from './statistics.mjs'

/** @typedef {(number | undefined)[]} Rates calls a second, by round */
/** @typedef {import('./lines.mjs').Operation} Operation */
/** @typedef {import('./statistics.mjs').Spread} Spread */

/** @typedef {'own-value' | 'eight' | 'kept-jvp' | 'kept-vjp'} RelatedOperation */

/** How many cotangents `eight` takes. */
export const cotangents = 8

/**
 * @typedef {object} Relation
 * @property {string} name as tables have it
 * @property {RelatedOperation} operation
 * @property {Operation[]} of lines of these operations
 * @property {(rates: { line: Rates, related: Rates, value: Rates }) => Spread | undefined} ratio of times
 */

const value = 'of the value'
const kept = {
  name: 'kept, of the value',
  ratio: (/** @type {{ related: Rates, value: Rates }} */ rates) => ratioOf(rates.value, rates.related),
}

/** @type {Relation[]} */
export const relations = [
  {
    name: value,
    operation: 'own-value',
    of: ['jvp', 'vjp'],
    ratio: ({ line, related }) => ratioOf(related, line),
  },
  {
    name: `${cotangents} at once, of ${cotangents} calls`,
    operation: 'eight',
    of: ['vjp'],
    ratio: ({ line, related }) =>
      ratioOf(
        line,
        related.map((rate) => rate && cotangents * rate),
      ),
  },
  { ...kept, operation: 'kept-jvp', of: ['jvp'] },
  { ...kept, operation: 'kept-vjp', of: ['vjp'] },
]

/**
 * @param {Operation} operation
 * @param {string | undefined} related what a contender computes instead of a line's operation
 */
export function isRelated(operation, related) {
  return relations.some((relation) => relation.operation === related && relation.of.includes(operation))
}

/**
 * Those of matfun's line with so many threads that could be taken.
 *
 * @param {import('./measure.mjs').Part[]} parts
 * @param {import('./measure.mjs').Part} own
 * @param {Operation} operation
 * @returns {(Spread & { name: string, threads: number })[]}
 */
export function relationsOf(parts, own, operation) {
  const { threads } = own.contender
  const ratesOf = (/** @type {RelatedOperation} */ wanted) =>
    parts.find(({ contender }) => contender.operation === wanted && contender.threads === threads)?.rates
  return relations.flatMap(({ name, operation: wanted, of, ratio }) => {
    const related = of.includes(operation) ? ratesOf(wanted) : undefined
    const spread = related && ratio({ line: own.rates, related, value: ratesOf('own-value') ?? [] })
    return spread ? [{ name, threads, ...spread }] : []
  })
}
