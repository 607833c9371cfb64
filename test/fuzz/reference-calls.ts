import { expm, expmCond, expmJVP, type MatrixInput } from '../../lib/index.ts'
import type { NDArray } from '../../lib/ndarray.ts'
import * as reference from '../../lib/reference/index.ts'
import { relativeDistance, roundoff } from '../support/dtypes.ts'
import type { Entry } from './public-calls.ts'
import type { Scene } from './scene.ts'
import { compareArrays, Fault } from './verdict.ts'

const isDouble = ({ A }: Scene): boolean => A.clean.dtype === 'float64' || A.clean.dtype === 'complex128'

/** Small enough for a slow method. */
const isSmall = (scene: Scene): boolean =>
  isDouble(scene) && scene.A.clean.data.length + scene.E.clean.data.length <= 64

/** Fault unless a value is, within what its condition allows, what the independent method gives. */
export function compareWithReference(value: NDArray, scene: Scene): void {
  const A = scene.A.clean
  const [n] = A.shape.slice(-1)
  // Beyond, double-double arithmetic does not reach: an oscillation of 1e38 is an overflow to it.
  const isMild = A.data.every((x) => Math.abs(x) < 100) && value.data.every(Number.isFinite)
  if (A.shape.length > 2 || n === 0 || !isSmall(scene) || !isMild) return
  const truth = reference.expm(A)
  const most = 20 * n * Math.max(1, expmCond(A) as number) * roundoff[A.dtype]
  const distance = relativeDistance(value.data, truth.data)
  if (!(distance <= most)) throw new Fault(`the value is off by ${distance}, at most ${most} was expected`)
}

/** matfun/reference, where it can take the dtype and is not too slow. */
export const referenceEntries: readonly Entry[] = [
  {
    name: 'expm of the reference',
    weight: 2,
    call: (scene) =>
      isSmall(scene) ? reference.expm(scene.A.input as MatrixInput) : expm(scene.A.input as MatrixInput),
    expected: (scene) => (isSmall(scene) ? reference.expm(scene.A.clean) : expm(scene.A.clean)),
    compare: compareArrays,
  },
  {
    name: 'expmJVP of the reference',
    weight: 1,
    direction: 'E',
    call(scene) {
      const [A, E] = [scene.A.input as MatrixInput, scene.E.input as MatrixInput]
      return isSmall(scene) ? reference.expmJVP(A, E) : expmJVP(A, E)
    },
    expected: (scene) => {
      const [A, E] = [scene.A.clean, scene.E.clean]
      return isSmall(scene) ? reference.expmJVP(A, E) : expmJVP(A, E)
    },
    compare: compareArrays,
  },
  {
    name: 'expmVJP of the reference',
    weight: 1,
    direction: 'W',
    call(scene) {
      const [A, W] = [scene.A.input as MatrixInput, scene.E.input as MatrixInput]
      return isSmall(scene) ? reference.expmVJP(A, W) : expmJVP(A, W)
    },
    expected: (scene) => {
      const [A, W] = [scene.A.clean, scene.E.clean]
      return isSmall(scene) ? reference.expmVJP(A, W) : expmJVP(A, W)
    },
    compare: compareArrays,
  },
]
