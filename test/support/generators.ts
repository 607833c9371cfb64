import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ComputeOptions } from '../../lib/index.ts'
import { readNpy } from '../../lib/npy/index.ts'

export type RealDType = 'float64' | 'float32'

/** A matrix as the functions take it, row-major. */
export interface RealMatrix {
  readonly data: Float64Array | Float32Array
  readonly shape: readonly [number, number]
}

/** exp(Q) or a derivative of it. */
export interface EntrywiseTruth {
  /** Each entry rounded once. */
  readonly truth: Float64Array
  /** The derivative in the direction's moduli, so without cancellation; of exp(Q) that in the direction |Q|. */
  readonly scale: Float64Array
  /** How far each entry moves, over u, if the rates and the entries of the direction move by +-u of themselves. */
  readonly moves: Float64Array
}

/** A chain of test/fixtures/generators; all matrices are row-major, rows of Q sum to 0. See the README there. */
export interface GeneratorCase {
  readonly name: string
  readonly family: string
  readonly dtype: RealDType
  readonly n: number
  readonly Q: RealMatrix
  /** Directions of the size of the rates, and of size one. */
  readonly directions: readonly RealMatrix[]
  readonly W: RealMatrix
  readonly value: EntrywiseTruth
  /** L(Q, E) for each of the directions. */
  readonly tangents: readonly EntrywiseTruth[]
  /** C_ij = G_ij - G_ii with G = L(Q^T, W). */
  readonly cotangent: EntrywiseTruth
}

/** A line of chains.json; `offset` counts the elements of all earlier chains of the dtype. */
export type GeneratorEntry = Pick<GeneratorCase, 'name' | 'family' | 'dtype' | 'n'> & {
  readonly offset: number
}

const folder = fileURLToPath(new URL('../fixtures/generators/', import.meta.url))

/** The list of the chains. */
export function generatorEntries(): readonly GeneratorEntry[] {
  return JSON.parse(readFileSync(`${folder}chains.json`, 'utf8'))
}

/** The elements of one file. */
export function generatorData(kind: 'inputs' | 'truth' | 'scales', dtype: RealDType) {
  return readNpy(`${folder}${kind}-${dtype}.npy`)
}

/** All chains of a dtype. */
export function generatorCases(dtype: RealDType): readonly GeneratorCase[] {
  const [inputs, truths, logarithms] = (['inputs', 'truth', 'scales'] as const).map(
    (kind) => generatorData(kind, dtype).data as Float64Array | Float32Array,
  )
  const ofThis = generatorEntries().filter((entry) => entry.dtype === dtype)
  return ofThis.map(({ offset, ...entry }) => {
    const { n } = entry
    const part = (data: Float64Array | Float32Array, count: number, k: number) =>
      data.slice(count * offset + k * n * n, count * offset + (k + 1) * n * n)
    const input = (k: number) => ({ data: part(inputs, 4, k), shape: [n, n] as const })
    const scale = (k: number) => Float64Array.from(part(logarithms, 8, k), (x) => 2 ** x)
    const derivative = (k: number) => ({
      truth: part(truths, 4, k) as Float64Array,
      scale: scale(k),
      moves: scale(k + 4),
    })
    return {
      ...entry,
      Q: input(0),
      directions: [input(1), input(2)],
      W: input(3),
      value: derivative(0),
      tangents: [derivative(1), derivative(2)],
      cotangent: derivative(3),
    }
  })
}

/** The greatest sum of moduli of a row. */
export function infinityNorm(X: ArrayLike<number>, n: number): number {
  let norm = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += Math.abs(X[i * n + j])
    norm = Math.max(norm, sum)
  }
  return norm
}

/** These options and `structure: 'generator'`. */
export function asGenerator(more: ComputeOptions = {}): ComputeOptions {
  return Object.assign({}, more, { structure: 'generator' as const })
}
