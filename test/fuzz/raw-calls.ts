import { dtypeCodes, native } from '../../lib/native.ts'
import { components, type DType, storageOf } from '../../lib/ndarray.ts'
import { type Memory, type Numbers, type Precision, places } from './memory.ts'
import type { Random } from './random.ts'
import { Fault } from './verdict.ts'

/** What a raw call of the addon is given, and what it may do. */
export interface RawCall {
  readonly args: unknown[]
  /** Which of the arguments are written to. */
  readonly outputs: readonly number[]
  /** Fault unless the call, whose arguments are as they were made, gave what it should. */
  readonly check?: (came: unknown) => void
}

export interface RawEntry {
  readonly name: keyof typeof native
  readonly weight: number
  readonly make: (sizes: Sizes) => RawCall
}

/** Sizes that fit one another, and memory for them. */
export class Sizes {
  readonly random: Random
  readonly memory: Memory
  readonly dtype: DType
  readonly n: number
  readonly count: number
  readonly directions: number
  /** Of method, shift, balance and structure; 3 is none in each. */
  readonly plan: number
  readonly arrays: Numbers[] = []

  constructor(random: Random, memory: Memory) {
    this.random = random
    this.memory = memory
    this.dtype = random.pick(['float64', 'float32', 'complex128', 'complex64'] as const)
    this.n = random.pick([0, 1, 1, 2, 2, 3, 4, 5, 9, 17])
    this.count = random.pick([0, 1, 1, 1, 2, 3, 7])
    this.directions = random.pick([0, 1, 1, 2, 9])
    this.plan = random.chance(0.7)
      ? 0
      : random.integer(0, 2) +
        4 * random.integer(0, 2) +
        16 * random.integer(0, 2) +
        64 * random.integer(0, 2)
  }

  code(operation: number): number {
    return operation + 4 * dtypeCodes[this.dtype] + 16 * this.plan
  }

  /** So many matrices of random numbers. */
  matrices(count: number): Numbers {
    const kind = storageOf(this.dtype).name as Precision
    const length = count * this.n * this.n * components(this.dtype)
    const data = this.memory.numbers(this.random, kind, length, this.random.pick(places))
    for (let k = 0; k < length; k++) data[k] = this.random.real(-1, 1)
    this.arrays.push(data)
    return data
  }

  doubles(length: number): Numbers {
    const data = this.memory.numbers(this.random, 'Float64Array', length, this.random.pick(places))
    this.arrays.push(data)
    return data
  }
}

/** The arguments of `run`, which are also the first ones of `start`. */
export function runArguments(sizes: Sizes): RawCall {
  const { random, n, count } = sizes
  const operation = random.integer(0, 3)
  const hasDirections = operation === 1 || operation === 2
  const directions = hasDirections ? sizes.directions : 0
  const A = sizes.matrices(count)
  const value = operation === 3 ? sizes.doubles(count) : random.chance(0.1) ? A : sizes.matrices(count)
  const args: unknown[] = [sizes.code(operation), n, count, directions, random.integer(1, 3), A, value]
  if (hasDirections) {
    const E = sizes.matrices(count * directions)
    args.push(E, random.chance(0.1) ? E : sizes.matrices(count * directions))
  }
  return { args, outputs: [6, 8] }
}

/** Ids of linearizations that are kept, and of some that are not. */
const kept: { id: number; sizes: Pick<Sizes, 'n' | 'count' | 'dtype'> }[] = []
/** What keeps them. */
const owner = {}

function linearized(sizes: Sizes): { id: number } & Pick<Sizes, 'n' | 'count' | 'dtype'> {
  if (kept.length === 0 || sizes.random.chance(0.1)) return { id: sizes.random.integer(0, 99), ...sizes }
  const { id, sizes: of } = sizes.random.pick(kept)
  return { id, ...of }
}

const like = (sizes: Sizes, of: Pick<Sizes, 'n' | 'count' | 'dtype'>): Sizes =>
  Object.assign(Object.create(sizes), of) as Sizes

/** The addon's functions, all but `start` and `cancel` (see raw-run.ts). */
export const rawEntries: readonly RawEntry[] = [
  { name: 'run', weight: 10, make: runArguments },
  {
    name: 'runOne',
    weight: 8,
    make(sizes) {
      const { random, n, memory } = sizes
      const operation = random.integer(0, 2)
      const each = n * n * components(sizes.dtype) * storageOf(sizes.dtype).BYTES_PER_ELEMENT
      const length = (operation === 0 ? 2 : 4) * each + 8 * random.integer(0, 3)
      const place = random.pick(['within', 'resizable', 'shared', 'realm'] as const)
      const bytes = memory.numbers(random, 'Float32Array', length / 4, place)
      bytes.fill(0.25)
      // The whole buffer, canaries included.
      return { args: [sizes.code(operation), n, bytes.buffer], outputs: [] }
    },
  },
  {
    name: 'plan',
    weight: 5,
    make: (sizes) => ({
      args: [
        sizes.code(sizes.random.integer(0, 2)),
        sizes.n,
        sizes.count,
        sizes.matrices(sizes.count),
        sizes.doubles(11 * sizes.count),
      ],
      outputs: [4],
    }),
  },
  {
    name: 'overlap',
    weight: 2,
    make(sizes) {
      const [a, b] = [sizes.matrices(sizes.count), sizes.matrices(sizes.count)]
      const half = a.byteLength / 2
      const isOne = sizes.random.chance(0.5)
      return {
        args: [a, 0, half, isOne ? a : b, half - (isOne && half > 0 ? 1 : 0), half],
        outputs: [],
        check(came) {
          if (came !== (isOne && half > 0)) throw new Fault(`overlap says ${came}`)
        },
      }
    },
  },
  { name: 'info', weight: 0.3, make: () => ({ args: [], outputs: [] }) },
  {
    name: 'linearize',
    weight: 5,
    make(sizes) {
      const { n, count, dtype } = sizes
      const arrays = [sizes.matrices(count), sizes.matrices(count)]
      return {
        args: [sizes.code(0), n, count, 0, sizes.random.integer(1, 3), ...arrays, owner],
        outputs: [6],
        check(came) {
          if (kept.length >= 20) native.release(kept.shift()!.id)
          kept.push({ id: (came as { id: number }).id, sizes: { n, count, dtype } })
        },
      }
    },
  },
  {
    name: 'derive',
    weight: 6,
    make(sizes) {
      const { id, ...of } = linearized(sizes)
      const { directions, random } = sizes
      const own = like(sizes, of)
      const arrays = [own.matrices(of.count * directions), own.matrices(of.count * directions)]
      return { args: [id, random.integer(1, 2), directions, random.integer(1, 3), ...arrays], outputs: [5] }
    },
  },
  {
    name: 'conditions',
    weight: 3,
    make(sizes) {
      const { id, count } = linearized(sizes)
      return { args: [id, sizes.random.integer(1, 3), sizes.doubles(count)], outputs: [2] }
    },
  },
  {
    name: 'release',
    weight: 2,
    make(sizes) {
      const { id } = linearized(sizes)
      return { args: [id], outputs: [] }
    },
  },
]
