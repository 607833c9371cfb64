import type { DType, NDArray } from '../../lib/ndarray.ts'
import type { ComputeOptions } from '../../lib/options.ts'
import { matrices, type Operand, operand } from './forms.ts'
import { Memory } from './memory.ts'
import { type Effect, mutations } from './mutations.ts'
import {
  type Destination,
  destination,
  rightOptions,
  shown,
  wrongDestination,
  wrongOptions,
} from './options.ts'
import type { Random } from './random.ts'

const dtypes: readonly DType[] = ['float64', 'float32', 'complex128', 'complex64']

/** Which operands a call is given as they are; of the others it gets their plain numbers. */
export type Takes = 'all' | 'direction' | 'nothing'

/** What one call is given. */
export interface Scene {
  readonly random: Random
  readonly memory: Memory
  readonly A: Operand
  /** A direction of A's dtype; its leading dimensions broadcast with A's. */
  readonly E: Operand
  /** The broadcast leading dimensions. */
  readonly batch: readonly number[]
  /** The options without what was done to them. */
  readonly right: ComputeOptions
  readonly options: unknown
  /** Right places for results, by their names in `out` ('' for `out` itself). */
  readonly outs: ReadonlyMap<string, Destination>
  /** The elements of a right place as an array like another one. */
  readonly shown: (out: Destination, like: NDArray) => NDArray
  readonly effect: Effect
  /** What was done to it, for messages. */
  readonly story: string
}

/** How leading dimensions meet: A's, those of its direction, and of both. */
function batches(random: Random): [a: number[], e: number[], both: number[]] {
  const rank = random.pick([0, 0, 0, 0, 1, 1, 2, 3])
  const both = Array.from({ length: rank }, () => random.pick([0, 1, 2, 2, 3, 3, 5]))
  const some = (): number[] => {
    const dimensions = both.map((d) => (random.chance(0.3) ? 1 : d))
    return dimensions.slice(random.chance(0.3) ? random.integer(0, rank) : 0)
  }
  const [a, e] = [some(), some()]
  const at = (list: number[], k: number): number => list[k - rank + list.length] ?? 1
  const length = Math.max(a.length, e.length)
  const result = Array.from({ length }, (_, k) => {
    const [x, y] = [at(a, k + rank - length), at(e, k + rank - length)]
    return x === 1 ? y : x
  })
  return [a, e, result]
}

/** What a call with a direction or without, with places for these results, is given. */
export function scene(
  random: Random,
  {
    direction,
    outs = [],
    takes = 'all',
  }: {
    readonly direction?: unknown
    readonly outs?: readonly string[]
    readonly takes?: Takes
  },
): Scene {
  const memory = new Memory()
  const dtype = random.pick(dtypes)
  const n = random.pick([0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 8, 9, 16, 17, 20])
  const [a, e, both] = batches(random)
  const A = operand(random, matrices(random, dtype, [...a, n, n]), memory)
  const E = operand(random, matrices(random, dtype, [...e, n, n]), memory)
  const operands = takes === 'direction' ? [E] : direction ? [A, E] : [A]
  const story: string[] = [`${dtype} [${A.clean.shape}]${direction ? ` [${E.clean.shape}]` : ''}`]
  let effect: Effect = 'none'
  const taint = (with_: Effect, by: string): void => {
    story.push(by)
    if (with_ === 'any' || effect === 'none') effect = with_
  }

  const right = rightOptions(random)
  let options: unknown = right
  const places = new Map<string, Destination>()
  if (outs.length > 0 && random.chance(0.4)) {
    const given = new Map<string, unknown>()
    for (const name of outs) {
      if (outs.length > 1 && random.chance(0.3)) continue
      const like =
        name === 'tangent' || name === 'cotangent' ? { ...E.clean, shape: [...both, n, n] } : A.clean
      if (random.chance(0.25)) {
        given.set(name, wrongDestination(random, like, operands, memory))
        taint('any', 'a wrong out')
      } else {
        const place = destination(random, dtype, like.shape, memory)
        places.set(name, place)
        given.set(name, place.given)
      }
    }
    options = { ...right, out: given.has('') ? given.get('') : Object.fromEntries(given) }
  }
  if (random.chance(0.5))
    for (let k = random.pick([1, 1, 1, 2]); k > 0; k--) {
      const target = random.pick(operands)
      const mutation = random.pick(mutations)
      const came = mutation.apply(random, target, { memory, operands })
      if (came !== undefined) taint(came, `${target === A ? 'A' : 'E'}: ${mutation.name}`)
    }
  if (takes !== 'direction' && random.chance(0.12)) {
    options = wrongOptions(random, options as object, operands, memory)
    taint('any', 'wrong options')
  }
  memory.watch()
  return {
    random,
    memory,
    A,
    E,
    batch: both,
    right,
    options,
    outs: places,
    shown: (out, like) => shown(out, like.dtype, like.shape),
    effect: takes === 'nothing' ? 'none' : effect,
    story: story.join('; '),
  }
}
