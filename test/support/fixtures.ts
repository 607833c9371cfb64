import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { components, type DataOf, type DType } from '../../lib/ndarray.ts'
import { readNpy } from '../../lib/npy/index.ts'

export { relativeError as frobeniusError, unitRoundoff } from '../../scripts/accuracy/measure.mjs'

/** A matrix of test/fixtures with its exponential and derivatives; all matrices row-major, interleaved if complex. */
export interface FixtureCase<D extends DType = DType> {
  /** Unique; ends with the dtype. */
  readonly name: string
  readonly family: string
  readonly dtype: D
  readonly n: number
  readonly A: DataOf<D>
  /** The direction of the tangent. */
  readonly E: DataOf<D>
  /** What the cotangent is pulled back from. */
  readonly W: DataOf<D>
  /** exp(A), in double precision for every dtype, as the two that follow. */
  readonly value: Float64Array
  /** L(A, E) */
  readonly tangent: Float64Array
  /** L(A^H, W) */
  readonly cotangent: Float64Array
  /** The relative condition number of exp at A in the Frobenius norm, to three digits (n above 20: a lower bound, 1 %). */
  readonly condition: number
  /** |K|_1 |A|_1 / |exp A|_1 with K the Kronecker form of L(A, .); null above n = 20. */
  readonly oneNormCondition: number | null
}

/** A line of cases.json: where the case begins is in matrix elements, all earlier cases of its dtype added up. */
export type FixtureEntry = Pick<
  FixtureCase,
  'name' | 'family' | 'dtype' | 'n' | 'condition' | 'oneNormCondition'
> & { readonly offset: number }

const folder = fileURLToPath(new URL('../fixtures/', import.meta.url))

/** The list of the fixtures as it stands in cases.json. */
export function fixtureEntries(): readonly FixtureEntry[] {
  return JSON.parse(readFileSync(`${folder}cases.json`, 'utf8'))
}

/** The elements of one file of the fixtures, `inputs` or `truth`. */
export function fixtureData(kind: 'inputs' | 'truth', dtype: DType) {
  return readNpy(`${folder}${kind}-${dtype}.npy`)
}

/** All cases, in the order of cases.json. */
export function fixtures(): readonly FixtureCase[] {
  const inputs = new Map<DType, Float64Array | Float32Array>()
  const truths = new Map<DType, Float64Array>()
  return fixtureEntries().map(({ offset, ...entry }) => {
    const { dtype, n } = entry
    if (!inputs.has(dtype)) {
      inputs.set(dtype, fixtureData('inputs', dtype).data)
      truths.set(dtype, fixtureData('truth', dtype).data as Float64Array)
    }
    const size = n * n * components(dtype)
    const start = 3 * offset * components(dtype)
    const part = <T extends Float64Array | Float32Array>(data: T, k: number) =>
      data.slice(start + k * size, start + (k + 1) * size) as T
    const [A, E, W] = [0, 1, 2].map((k) => part(inputs.get(dtype)!, k))
    const [value, tangent, cotangent] = [0, 1, 2].map((k) => part(truths.get(dtype)!, k))
    return { ...entry, A, E, W, value, tangent, cotangent }
  })
}
