import { availableParallelism } from 'node:os'
import { type ComputeOptions, expm, expmCond, expmVJP, type Info, type NDArray } from '../index.ts'
import { allocate, components, type DType, ndarray, storageOf } from '../ndarray.ts'
import * as reference from '../reference/index.ts'

/** One stack of matrices, computed by the addon and by the portable reference. */
export interface CheckResult {
  readonly name: string
  /** The greatest relative error of the values, in units of cond u: what rounding the matrices alone may cause. */
  readonly value: number
  /** The same of the gradients. */
  readonly gradient: number
  readonly passed: boolean
}

/** What {@link selfCheck} found. */
export interface SelfCheck {
  readonly passed: boolean
  readonly results: readonly CheckResult[]
}

interface Case {
  readonly name: string
  readonly dtype: DType
  readonly n: number
  readonly count: number
  readonly entries?: readonly number[]
  readonly options?: ComputeOptions
}

/** [1 b; 0 -1] with b = 1e6, turned by the angle of (3, 4, 5): what goes to Schur form. */
const nonNormal = [-479999.72, 639999.04, -360000.96, 479999.72]

/** One for each path to the result: lanes, one matrix's kernels, LAPACK twice, and each dtype. */
const cases: readonly Case[] = [
  { name: 'float64, tiny', dtype: 'float64', n: 4, count: 20 },
  { name: 'float32, tiny', dtype: 'float32', n: 3, count: 20 },
  { name: 'complex128, tiny', dtype: 'complex128', n: 3, count: 10 },
  { name: 'complex64, tiny', dtype: 'complex64', n: 4, count: 10 },
  { name: 'float64, small', dtype: 'float64', n: 20, count: 1 },
  { name: 'complex128, small', dtype: 'complex128', n: 9, count: 1 },
  { name: 'float64, by Padé', dtype: 'float64', n: 12, count: 1, options: { method: 'pade' } },
  {
    name: 'float64, in Schur form',
    dtype: 'float64',
    n: 2,
    count: 1,
    entries: nonNormal,
    options: { balance: false },
  },
]

/** In units of cond u: what docs/accuracy.md holds hard matrices to. These come out below 1. */
const allowed = 10

/**
 * Computes values and gradients of a few matrices along every path, and compares them with matfun/reference. Takes some
 * hundredths of a second. The functions are a parameter for the tests' sake.
 */
export function selfCheck(
  compute: { expm: typeof expm; expmVJP: typeof expmVJP } = { expm, expmVJP },
): SelfCheck {
  const results = cases.map((spec) => check(spec, compute))
  return { passed: results.every(({ passed }) => passed), results }
}

function check(
  { name, dtype, n, count, entries, options = {} }: Case,
  compute: { expm: typeof expm; expmVJP: typeof expmVJP },
): CheckResult {
  const A = stack(dtype, n, count, (k) => entries?.[k] ?? Math.sin(12.9898 * (k + 1)))
  const W = stack(dtype, n, count, (k) => Math.cos(78.233 * (k + 1)))
  const u = storageOf(dtype) === Float32Array ? 2 ** -24 : 2 ** -53
  try {
    const unit = u * Math.max(1, ...(expmCond(A) as Float64Array))
    const truth = reference.expmVJP(exact(A), exact(W))
    const value = distance(compute.expm(A, options), truth.value) / unit
    const gradient = distance(compute.expmVJP(A, W, options).cotangent, truth.cotangent) / unit
    return { name, value, gradient, passed: value <= allowed && gradient <= allowed }
  } catch {
    return { name, value: Number.NaN, gradient: Number.NaN, passed: false }
  }
}

function stack(dtype: DType, n: number, count: number, entry: (k: number) => number): NDArray {
  const data = allocate(dtype, count * n * n)
  for (let k = 0; k < data.length; k++) data[k] = entry(k)
  return ndarray(dtype, [count, n, n], data)
}

function exact({ dtype, shape, data }: NDArray): NDArray<'float64' | 'complex128'> {
  return ndarray(components(dtype) === 2 ? 'complex128' : 'float64', shape, Float64Array.from(data))
}

/** The greatest difference of two entries, relative to the greatest entry. */
function distance(X: NDArray, Y: NDArray): number {
  let most = 0
  let scale = 0
  for (let k = 0; k < Y.data.length; k++) {
    const difference = Math.abs(X.data[k] - Y.data[k])
    if (!(difference <= most)) most = difference
    scale = Math.max(scale, Math.abs(Y.data[k]))
  }
  return most / scale
}

/** Cores by OpenBLAS's names that have AVX2, and with it the kernels that it is quick by. */
const modernCores = /^(haswell|zen|excavator|skylakex|cooperlake|sapphirerapids)$/i
const avx512Cores = /^(skylakex|cooperlake|sapphirerapids)$/i

/** Where OpenBLAS still computes. */
const whereBlas = "products of large matrices, Padé's linear systems and Schur forms"

/** What could be better on this machine, and how; nothing where all is well. */
export function advise(
  { addon, blas, cpu, threads }: Info,
  environment: NodeJS.ProcessEnv = process.env,
): string[] {
  const advice: string[] = []
  const has = (feature: string): boolean => cpu.features.includes(feature)
  const best = has('avx512f') ? 'SkylakeX' : 'Haswell'
  const isSlow =
    has('avx2') && (!modernCores.test(blas.core) || (has('avx512f') && !avx512Cores.test(blas.core)))
  const chosen = environment.OPENBLAS_CORETYPE
  if (isSlow && chosen)
    advice.push(
      `OPENBLAS_CORETYPE=${chosen} keeps OpenBLAS from this processor's own kernels: unset it, or set ${best}`,
    )
  else if (isSlow)
    advice.push(
      `OpenBLAS takes this processor for a ${blas.core}: set OPENBLAS_CORETYPE=${best} in the environment for faster ${whereBlas}`,
    )
  if (blas.locked)
    advice.push(
      'this OpenBLAS is built without threads and not safe for several, so its calls wait for one another: install the ' +
        'pthread variant (Debian: libopenblas0-pthread), or unset MATFUN_ADDON and use the prebuilt addon',
    )
  if (addon.kernels === 'baseline')
    advice.push(
      cpu.features.length > 0
        ? 'this processor has no SSE4.2: matfun computes with its slowest kernels'
        : "there are no kernels for this processor's vector instructions: matfun computes with its portable ones",
    )
  if (threads > availableParallelism())
    advice.push(
      `MATFUN_NUM_THREADS=${threads} is more than the ${availableParallelism()} threads that can run at once`,
    )
  return advice
}
