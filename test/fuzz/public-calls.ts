import { deepStrictEqual } from 'node:assert'
import {
  type ComputeOptions,
  expm,
  expmAsync,
  expmCond,
  expmJVP,
  expmJVPAsync,
  expmPlan,
  expmVJP,
  expmVJPAsync,
  info,
  type MatrixInput,
} from '../../lib/index.ts'
import type { NDArray } from '../../lib/ndarray.ts'
import { linearizationEntries } from './linearizations.ts'
import { compareWithReference, referenceEntries } from './reference-calls.ts'
import type { Scene, Takes } from './scene.ts'
import { compareArrays, Fault, requireSameNumbers } from './verdict.ts'

export type Options = ComputeOptions & { out?: never; purpose?: never }

/** One public function, as the fuzzer calls it. */
export interface Entry {
  readonly name: string
  /** How many of a hundred calls are of it, about. */
  readonly weight: number
  readonly direction?: 'E' | 'W'
  /** The names of its results in `out`; '' where `out` is the result's place itself. */
  readonly outs?: readonly string[]
  readonly isAsync?: boolean
  readonly takes?: Takes
  readonly call: (scene: Scene) => unknown
  /** What it has to give for the same numbers, given plainly, with these options. */
  readonly expected: (scene: Scene, options: Options) => unknown
  /** Fault unless it is. */
  readonly compare: (came: unknown, expected: unknown, scene: Scene) => void
}

const input = (x: unknown) => x as MatrixInput
const chosen = (x: unknown) => x as Options

function compareNumbers(came: unknown, expected: unknown): void {
  if (typeof came !== typeof expected) throw new Fault(`got ${came}, expected ${expected}`)
  if (typeof came === 'number') requireSameNumbers('the result', [came], [expected as number])
  else requireSameNumbers('the result', came as Float64Array, expected as Float64Array)
}

/** The public functions that are called once. */
export const entries: readonly Entry[] = [
  {
    name: 'expm',
    weight: 20,
    outs: [''],
    call: ({ A, options }) => expm(input(A.input), chosen(options)),
    expected: ({ A }, options) => expm(A.clean, options),
    compare(came, expected, scene) {
      compareArrays(came, expected, scene)
      if (scene.random.chance(0.01)) compareWithReference(expected as NDArray, scene)
    },
  },
  {
    name: 'expmJVP',
    weight: 12,
    direction: 'E',
    outs: ['value', 'tangent'],
    call: ({ A, E, options }) => expmJVP(input(A.input), input(E.input), chosen(options)),
    expected: ({ A, E }, options) => expmJVP(A.clean, E.clean, options),
    compare: compareArrays,
  },
  {
    name: 'expmVJP',
    weight: 12,
    direction: 'W',
    outs: ['value', 'cotangent'],
    call: ({ A, E, options }) => expmVJP(input(A.input), input(E.input), chosen(options)),
    expected: ({ A, E }, options) => expmVJP(A.clean, E.clean, options),
    compare: compareArrays,
  },
  {
    name: 'expmCond',
    weight: 4,
    call: ({ A, options }) => expmCond(input(A.input), chosen(options)),
    expected: ({ A }, options) => expmCond(A.clean, options),
    compare: compareNumbers,
  },
  {
    name: 'expmPlan',
    weight: 6,
    call: ({ A, options }) => {
      const { onFailure, threads, ...rest } = (options ?? {}) as ComputeOptions
      return expmPlan(input(A.input), chosen(typeof options === 'object' && options ? rest : options))
    },
    expected: ({ A }, { onFailure, threads, ...rest }) => expmPlan(A.clean, rest),
    compare: (came, expected) => deepStrictEqual(came, expected),
  },
  {
    name: 'expmAsync',
    weight: 5,
    isAsync: true,
    call: ({ A, options }) => expmAsync(input(A.input), chosen(options)),
    expected: ({ A }, options) => expm(A.clean, options),
    compare: compareArrays,
  },
  {
    name: 'expmJVPAsync',
    weight: 3,
    direction: 'E',
    isAsync: true,
    call: ({ A, E, options }) => expmJVPAsync(input(A.input), input(E.input), chosen(options)),
    expected: ({ A, E }, options) => expmJVP(A.clean, E.clean, options),
    compare: compareArrays,
  },
  {
    name: 'expmVJPAsync',
    weight: 3,
    direction: 'W',
    isAsync: true,
    call: ({ A, E, options }) => expmVJPAsync(input(A.input), input(E.input), chosen(options)),
    expected: ({ A, E }, options) => expmVJP(A.clean, E.clean, options),
    compare: compareArrays,
  },
  {
    name: 'info',
    weight: 0.1,
    takes: 'nothing',
    call: () => info(),
    expected: () => info(),
    compare: (came, expected) => deepStrictEqual(came, expected),
  },
  ...linearizationEntries,
  ...referenceEntries,
]
