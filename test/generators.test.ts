// Markov generators with `structure: 'generator'`: every entry of exp(Q) and of its derivatives, to its own condition.
import { describe, expect, test } from 'vitest'
import { expm, expmJVP, expmVJP, MatfunError } from '../lib/index.ts'
import { sumError } from '../lib/reference/double-double.ts'
import { unitRoundoff } from './support/fixtures.ts'
import {
  asGenerator,
  type EntrywiseTruth,
  type GeneratorCase,
  generatorCases,
  generatorData,
  generatorEntries,
  infinityNorm,
  type RealDType,
  type RealMatrix,
} from './support/generators.ts'
import { inner } from './support/matrices.ts'

const dtypes = ['float64', 'float32'] as const
const cases = { float64: generatorCases('float64'), float32: generatorCases('float32') }
const all = [...cases.float64, ...cases.float32]

/** Below these, entries may lose digits to underflow. */
const least: Record<RealDType, number> = { float64: 1e-300, float32: 1e-37 }

/**
 * The largest errors allowed, in u times the condition (see the README of the fixtures). A prototype of the method in numpy
 * has 6 for values, 8 for tangents and 19 for cotangents as its worst, in both precisions.
 */
const limits = { value: 10, kappa: 8, tangent: 16, cotangent: 32 }

/** What the chain's squarings add: each rounds once. */
function roundings({ Q, n }: GeneratorCase): number {
  return 1 + Math.log2(1 + infinityNorm(Q.data, n))
}

/** The names of the chains whose number is above the limit, with that number. */
function above(
  limit: number,
  chains: readonly GeneratorCase[],
  measure: (each: GeneratorCase) => number,
): string[] {
  return chains
    .map((each) => ({ name: each.name, number: measure(each) }))
    .filter(({ number }) => !(number <= limit))
    .map(({ name, number }) => `${name}: ${number.toPrecision(3)}`)
}

/** The largest of f(k) over the n^2 entries, NaN if one is; f may be undefined where nothing is asked. */
function worst(n: number, f: (k: number, i: number, j: number) => number | undefined): number {
  let most = 0
  for (let k = 0; k < n * n; k++) {
    const x = f(k, Math.floor(k / n), k % n)
    if (x !== undefined && !(x <= most)) most = x
    if (Number.isNaN(most)) return most
  }
  return most
}

/** Each row's sum of f over its entries, as if summed exactly and rounded once (Kahan, Babuska, Neumaier). */
function rowSums(n: number, f: (k: number) => number): number[] {
  return Array.from({ length: n }, (_, i) => {
    let [sum, lost] = [0, 0]
    for (let k = i * n; k < i * n + n; k++) {
      const x = f(k)
      const next = sum + x
      lost += sumError(sum, x, next)
      sum = next
    }
    return sum + lost
  })
}

/** The worst entry's error in u (moves + roundings |truth|), for entries that underflow does not touch. */
function errorInMoves(X: ArrayLike<number>, { truth, moves }: EntrywiseTruth, chain: GeneratorCase): number {
  const [u, count, smallest] = [unitRoundoff(chain.dtype), roundings(chain), 10 * least[chain.dtype]]
  return worst(chain.n, (k) => {
    const size = moves[k] + count * Math.abs(truth[k])
    return size > smallest ? Math.abs(X[k] - truth[k]) / (u * size) : undefined
  })
}

function transposed({ data, shape: [n] }: RealMatrix): RealMatrix {
  return { data: data.map((_, k) => data[(k % n) * n + Math.floor(k / n)]), shape: [n, n] }
}

describe('the chains', () => {
  test('are at least 50, of orders 2 to 60, and of norms to 1e100', () => {
    expect(cases.float64.length).toBeGreaterThanOrEqual(50)
    expect(cases.float32.length).toBeGreaterThanOrEqual(50)
    const orders = cases.float64.map(({ n }) => n)
    expect([Math.min(...orders), Math.max(...orders)]).toEqual([2, 60])
    expect(Math.max(...cases.float64.map(({ Q, n }) => infinityNorm(Q.data, n)))).toBe(2e100)
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  })

  test.each(dtypes)('of %s lie one after the other and fill the arrays', (dtype) => {
    let elements = 0
    for (const { n, offset } of generatorEntries().filter((entry) => entry.dtype === dtype)) {
      expect(offset).toBe(elements)
      elements += n * n
    }
    expect(generatorData('inputs', dtype).shape).toEqual([4 * elements])
    expect(generatorData('truth', dtype).shape).toEqual([4 * elements])
    expect(generatorData('scales', dtype).shape).toEqual([8 * elements])
  })

  test('have no negative rate, and a diagonal that is minus the sum of the rest', () => {
    const excess = ({ Q, n, dtype }: GeneratorCase) => {
      const negative = worst(n, (k, i, j) => (i !== j && Q.data[k] < 0 ? Infinity : 0))
      const sums = rowSums(n, (k) => Q.data[k])
      const off = sums.map((sum, i) => sum - Q.data[i * n + i])
      const unbalanced = sums.map((sum, i) =>
        sum === 0 ? 0 : Math.abs(sum) / (unitRoundoff(dtype) * off[i]),
      )
      return Math.max(negative, ...unbalanced.map((x, i) => x / (n + Number(off[i] < 0))))
    }
    expect(above(1, all, excess)).toEqual([])
  })
})

describe('the truth of the chains', () => {
  const u = 2 ** -53

  test('has values with rows that sum to one and no negative entry', () => {
    expect(
      above(1, all, ({ value, n }) =>
        Math.max(...rowSums(n, (k) => value.truth[k]).map((sum) => Math.abs(sum - 1) / (n * u))),
      ),
    ).toEqual([])
    expect(all.every(({ value }) => value.truth.every((x) => x >= 0))).toBe(true)
  })

  test('has tangents with rows that sum to zero', () => {
    const residue = ({ tangents, n }: GeneratorCase) =>
      Math.max(
        ...tangents.map(({ truth }) => {
          const sizes = rowSums(n, (k) => Math.abs(truth[k]))
          return Math.max(
            ...rowSums(n, (k) => truth[k]).map(
              (sum, i) => Math.abs(sum) / (n * u * sizes[i] + Number.MIN_VALUE * n),
            ),
          )
        }),
      )
    expect(above(1, all, residue)).toEqual([])
  })

  test('has <W, L(Q, E)> = <C, E>', () => {
    const residue = ({ W, directions, tangents, cotangent, n }: GeneratorCase) =>
      Math.max(
        ...directions.map(({ data: E }, d) => {
          const C = cotangent.truth
          const difference = inner(W.data, tangents[d].truth) - inner(C, E)
          const sizes =
            inner(W.data.map(Math.abs), tangents[d].truth.map(Math.abs)) +
            inner(C.map(Math.abs), E.map(Math.abs))
          return difference === 0 ? 0 : Math.abs(difference) / ((n * n + 4) * u * sizes)
        }),
      )
    expect(above(1, all, residue)).toEqual([])
    expect(all.every(({ cotangent, n }) => cotangent.truth.every((c, k) => k % (n + 1) > 0 || c === 0))).toBe(
      true,
    )
  })

  test('has the closed form of two states', () => {
    const two = cases.float64.filter(({ n }) => n === 2)
    expect(two.length).toBeGreaterThanOrEqual(9)
    const error = ({ Q: { data }, value: { truth } }: GeneratorCase) => {
      const [, a, b] = data
      const moved = -Math.expm1(-(a + b)) / (a + b)
      return Math.max(Math.abs(truth[1] / (a * moved) - 1), Math.abs(truth[2] / (b * moved) - 1)) / u
    }
    expect(above(8, two, error)).toEqual([])
  })

  test('has scales that bound what they are scales of', () => {
    const exceeds = ({ value, tangents, cotangent, n }: GeneratorCase) =>
      worst(n, (k, i) => {
        const ofCotangent = cotangent.scale[k] + cotangent.scale[i * n + i]
        const pairs = [
          [value.moves[k], value.scale[k]],
          ...tangents.map(({ truth, scale }) => [Math.abs(truth[k]), scale[k]]),
          [Math.abs(cotangent.truth[k]), ofCotangent],
        ]
        return Math.max(...pairs.map(([x, bound]) => (x <= 1.001 * bound + 1e-300 ? 0 : x / bound)))
      })
    expect(above(0, all, exceeds)).toEqual([])
  })
})

describe.each(dtypes)('exp(Q) of a generator, %s,', (dtype) => {
  const chains = cases[dtype]
  const u = unitRoundoff(dtype)
  const value = ({ Q }: GeneratorCase) => expm(Q, asGenerator()).data

  test('has every entry right to what moving the rates by u would do to it', () => {
    expect(above(limits.value, chains, (each) => errorInMoves(value(each), each.value, each))).toEqual([])
  })

  test('has every entry right in units of u (max(kappa_ij, 1) + log2(1 + |Q|))', () => {
    const error = (each: GeneratorCase) => {
      const { truth, scale } = each.value
      const X = value(each)
      const log = roundings(each) - 1
      return worst(each.n, (k) => {
        if (truth[k] < least[dtype]) return undefined
        return Math.abs(X[k] / truth[k] - 1) / (u * (Math.max(scale[k] / truth[k], 1) + log))
      })
    }
    expect(above(limits.kappa, chains, error)).toEqual([])
  })

  test('has no negative entry, zeros where a state cannot be reached, and rows that sum to one', () => {
    const violation = (each: GeneratorCase) => {
      const X = value(each)
      const sums = rowSums(each.n, (k) => X[k])
      const bad = worst(each.n, (k) =>
        X[k] >= 0 && (X[k] === 0 || each.value.truth[k] > 0 || X[k] < least[dtype]) ? 0 : Infinity,
      )
      return Math.max(bad, ...sums.map((sum) => Math.abs(sum - 1) / u))
    }
    expect(above(4, chains, violation)).toEqual([])
  })

  test('takes the diagonal as minus the sum of the rest', () => {
    for (const each of chains.filter(({ n }) => n <= 12)) {
      const data = each.Q.data.map((x, k) => (k % (each.n + 1) === 0 ? x * (1 + 2 * u) : x))
      expect(expm({ data, shape: each.Q.shape }, asGenerator()).data).toEqual(value(each))
    }
  })

  test('has the same bits in a batch', () => {
    const same = chains.filter(({ n }) => n === 8)
    const data =
      same[0].Q.data.constructor === Float32Array
        ? new Float32Array(64 * same.length)
        : new Float64Array(64 * same.length)
    for (const [k, { Q }] of same.entries()) data.set(Q.data, 64 * k)
    const batch = expm({ data, shape: [same.length, 8, 8] }, asGenerator()).data
    for (const [k, each] of same.entries()) expect(batch.slice(64 * k, 64 * k + 64)).toEqual(value(each))
  })
})

describe.each(dtypes)('tangents of a generator, %s,', (dtype) => {
  const chains = cases[dtype]
  const u = unitRoundoff(dtype)
  const tangent = ({ Q }: GeneratorCase, E: RealMatrix) => expmJVP(Q, E, asGenerator()).tangent.data

  // A rounding is a relative change of a rate or of an entry of E, or of what they have become; so each entry of the
  // tangent may move as far as such changes move it (second order in Q and E: `moves`), and once more at each squaring.
  test('have every entry right to what moving the rates and the direction by u would do to it', () => {
    for (const d of [0, 1]) {
      const error = (each: GeneratorCase) =>
        errorInMoves(tangent(each, each.directions[d]), each.tangents[d], each)
      expect(above(limits.tangent, chains, error)).toEqual([])
    }
  })

  test('have rows that sum to zero', () => {
    const residue = (each: GeneratorCase) =>
      Math.max(
        ...each.directions.map((E) => {
          const X = tangent(each, E)
          const sizes = rowSums(each.n, (k) => Math.abs(X[k]))
          const sums = rowSums(each.n, (k) => X[k]).map(Math.abs)
          return Math.max(...sums.map((sum, i) => (sum <= least[dtype] ? 0 : sum / (u * sizes[i]))))
        }),
      )
    expect(above(4, chains, residue)).toEqual([])
  })

  test("do not depend on the direction's diagonal", () => {
    for (const each of chains.filter(({ n }) => n <= 12)) {
      const [E] = each.directions
      const data = E.data.map((x, k) => (k % (each.n + 1) === 0 ? 7 : x))
      expect(tangent(each, { data, shape: E.shape })).toEqual(tangent(each, E))
    }
  })

  test('come with a value that is as right as that of expm', () => {
    const error = (each: GeneratorCase) =>
      errorInMoves(expmJVP(each.Q, each.directions[0], asGenerator()).value.data, each.value, each)
    expect(above(limits.value, chains, error)).toEqual([])
  })
})

describe.each(dtypes)('cotangents of a generator, %s,', (dtype) => {
  const chains = cases[dtype]
  const u = unitRoundoff(dtype)
  const cotangent = ({ Q, W }: GeneratorCase) => expmVJP(Q, W, asGenerator()).cotangent.data

  test('are zero on the diagonal', () => {
    const onDiagonal = (each: GeneratorCase) => {
      const C = cotangent(each)
      return worst(each.n, (k, i, j) => (i === j ? Math.abs(C[k]) : 0))
    }
    expect(above(0, chains, onDiagonal)).toEqual([])
  })

  // A cotangent's entries are of different kinds of size: those of fast rates are small. What a change of a rate by a
  // part of itself does is q_ij C_ij, so each of these is measured beside the largest, or W's entries, if all are smaller.
  test('have derivatives in the logarithms of the rates that are right beside the largest of them', () => {
    const error = (each: GeneratorCase) => {
      const C = cotangent(each)
      const { truth, moves } = each.cotangent
      const rate = (k: number, i: number, j: number) => (i === j ? 0 : each.Q.data[k])
      const ofW = worst(each.n, (k) => Math.abs(each.W.data[k]))
      const size = worst(each.n, (k, i, j) => Math.max(ofW, rate(k, i, j) * moves[k]))
      return worst(each.n, (k, i, j) => (rate(k, i, j) * Math.abs(C[k] - truth[k])) / (u * size))
    }
    expect(above(limits.cotangent, chains, error)).toEqual([])
  })

  test('have entries that are right beside the largest of them', () => {
    const error = (each: GeneratorCase) => {
      const C = cotangent(each)
      const { truth, moves } = each.cotangent
      const size = worst(each.n, (k, i, j) => (i === j ? 0 : moves[k]))
      return worst(each.n, (k) => Math.abs(C[k] - truth[k]) / (u * size))
    }
    expect(above(limits.cotangent, chains, error)).toEqual([])
  })

  test('have every entry right to its own condition if no state is left faster than 100', () => {
    const slow = chains.filter(({ Q, n }) => infinityNorm(Q.data, n) <= 200)
    expect(slow.length).toBeGreaterThanOrEqual(20)
    const error = (each: GeneratorCase) => errorInMoves(cotangent(each), each.cotangent, each)
    expect(above(limits.cotangent, slow, error)).toEqual([])
  })

  // Both sides are within their own bounds of the truth, for which they are equal.
  test('have <W, L(Q, E)> = <C, E>', () => {
    for (const d of [0, 1]) {
      const residue = (each: GeneratorCase) => {
        const { Q, W, n, directions, tangents } = each
        const E = directions[d].data.map((x, k) => (k % (n + 1) === 0 ? 0 : x))
        const count = roundings(each)
        const size = ({ truth, moves }: EntrywiseTruth) => truth.map((x, k) => moves[k] + count * Math.abs(x))
        const left = inner(W.data, expmJVP(Q, directions[d], asGenerator()).tangent.data)
        const right = inner(cotangent(each), E)
        const sizes =
          inner(W.data.map(Math.abs), size(tangents[d])) + inner(E.map(Math.abs), size(each.cotangent))
        return Math.abs(left - right) / (u * (sizes + least[dtype] / u))
      }
      expect(above(4, chains, residue)).toEqual([])
    }
  })

  test('come with a value that is as right as that of expm', () => {
    const error = (each: GeneratorCase) =>
      errorInMoves(expmVJP(each.Q, each.W, asGenerator()).value.data, each.value, each)
    expect(above(limits.value, chains, error)).toEqual([])
  })
})

describe('what is not a generator', () => {
  const chain = [
    [-3, 1, 2],
    [0.5, -1, 0.5],
    [0, 4, -4],
  ]
  const changed = (i: number, j: number, x: number) =>
    chain.map((row, r) => row.map((entry, c) => (r === i && c === j ? x : entry)))
  const tolerance = 4 * 3 * 2 ** -53

  function failures(call: () => unknown) {
    try {
      call()
    } catch (error) {
      if (error instanceof MatfunError) return error.failures
      throw error
    }
    return []
  }

  const refused = [{ index: 0, code: 'ERR_STRUCTURE' }]

  test.each([
    ['a negative rate', changed(1, 2, -0.5)],
    ['a negative rate whose row sums to zero', [[-1, 1.5, -0.5], ...chain.slice(1)]],
    ['a row that does not sum to zero', changed(0, 0, -3.5)],
    ['a row that sums to zero but for too much', changed(2, 2, -4 * (1 + 2 * tolerance))],
    ['a state that is never left, with a diagonal', [[1e-30, 0, 0], ...chain.slice(1)]],
    ['the transpose', transposed({ data: Float64Array.from(chain.flat()), shape: [3, 3] })],
  ])('%s is refused as an item', (_, Q) => {
    expect(failures(() => expm(Q, asGenerator()))).toEqual(refused)
    expect(failures(() => expmJVP(Q, chain, asGenerator()))).toEqual(refused)
    expect(failures(() => expmVJP(Q, chain, asGenerator()))).toEqual(refused)
    expect(expm(Q, asGenerator({ onFailure: 'nan' })).data.every(Number.isNaN)).toBe(true)
  })

  test('a row that sums to zero but for 4 n u of its rates is taken', () => {
    const nearly = changed(2, 2, -4 * (1 + tolerance / 2))
    expect(expm(nearly, asGenerator()).data).toEqual(expm(chain, asGenerator()).data)
  })

  test('is refused alone in a batch', () => {
    const batch = [chain, changed(0, 1, -1), chain]
    expect(failures(() => expm(batch, asGenerator()))).toEqual([{ index: 1, code: 'ERR_STRUCTURE' }])
    const X = expm(batch, asGenerator({ onFailure: 'nan' })).data
    const alone = expm(chain, asGenerator()).data
    expect([X.slice(0, 9), X.slice(18)]).toEqual([alone, alone])
    expect(X.slice(9, 18).every(Number.isNaN)).toBe(true)
  })

  test('still has an exponential without the option', () => {
    expect(expm(changed(0, 1, -1)).data.every(Number.isFinite)).toBe(true)
  })
})
