import { expmJVP, expmLinearize, expmVJP, type MatrixInput } from '../../lib/index.ts'
import type { ExpmLinearizeOptions } from '../../lib/linearize.ts'
import type { NDArray } from '../../lib/ndarray.ts'
import type { Entry } from './public-calls.ts'
import type { Scene } from './scene.ts'
import { compareArrays, Fault } from './verdict.ts'

type Derivative = 'jvp' | 'vjp'

/** A's value, and that what was disposed of says so. */
function value({ A, random, options }: Scene): NDArray {
  const kept = expmLinearize(A.input as MatrixInput, options as ExpmLinearizeOptions)
  kept.conditionNumber()
  if (random.chance(0.2)) return kept.value // left to the garbage collector
  kept.dispose()
  kept.dispose()
  for (const call of [() => kept.jvp(A.clean), () => kept.vjp(A.clean), () => kept.conditionNumber()])
    try {
      call()
      throw new Fault('a linearization that was disposed of still computes')
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_DISPOSED') throw error
    }
  return kept.value
}

/** E's derivative, with a direction and a place that may be anything. */
function derivative(operation: Derivative, result: string) {
  return ({ A, E, right, options }: Scene) => {
    const out = (options as { out?: Record<string, unknown> }).out?.[result]
    using kept = expmLinearize(A.clean, { ...right, onFailure: 'nan' })
    const given = out === undefined ? undefined : { out }
    return { [result]: kept[operation](E.input as MatrixInput, given as object) }
  }
}

/** `expmLinearize` and what it returns. */
export const linearizationEntries: readonly Entry[] = [
  {
    name: 'expmLinearize',
    weight: 6,
    outs: [''],
    call: value,
    expected({ A }, options) {
      using kept = expmLinearize(A.clean, options)
      return kept.value
    },
    compare: compareArrays,
  },
  {
    name: 'jvp of a linearization',
    weight: 6,
    takes: 'direction',
    direction: 'E',
    outs: ['tangent'],
    call: derivative('jvp', 'tangent'),
    expected: ({ A, E }, options) => ({
      tangent: expmJVP(A.clean, E.clean, { ...options, onFailure: 'nan' }).tangent,
    }),
    compare: compareArrays,
  },
  {
    name: 'vjp of a linearization',
    weight: 6,
    takes: 'direction',
    direction: 'W',
    outs: ['cotangent'],
    call: derivative('vjp', 'cotangent'),
    expected: ({ A, E }, options) => ({
      cotangent: expmVJP(A.clean, E.clean, { ...options, onFailure: 'nan' }).cotangent,
    }),
    compare: compareArrays,
  },
]
