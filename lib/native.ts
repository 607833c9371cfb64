import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { DType } from './ndarray.ts'

type Numbers = Float64Array | Float32Array

/** The codes of native/expm/expm.hpp's Operation. */
export const operationCodes = { expm: 0, jvp: 1, vjp: 2, cond: 3 } as const

/** The codes of native/batch/job.hpp's DType. */
export const dtypeCodes: Readonly<Record<DType, number>> = {
  float64: 0,
  float32: 1,
  complex128: 2,
  complex64: 3,
}

/**
 * The one number that tells the addon operation, dtype and how a matrix is evaluated (see planCode); what goes into it is
 * as in native/addon/arguments.hpp.
 */
export function jobCode(operation: number, dtype: DType, plan: number): number {
  return operation + 4 * dtypeCodes[dtype] + 16 * plan
}

/** What is kept of values, for derivatives. */
export interface NativeLinearization {
  readonly id: number
  readonly statuses: Uint8Array | undefined
}

type Operands = readonly [
  code: number,
  n: number,
  count: number,
  directions: number,
  threads: number,
  A: Numbers,
  value: Numbers,
]

/** What the addon takes to compute. */
export type RunArguments = readonly [...Operands, direction?: Numbers, result?: Numbers]

/** The addon's raw functions; native/addon/module.cpp, worker.hpp and linearizations.hpp state what each expects. */
export interface Native {
  run(...args: RunArguments): Uint8Array | undefined
  /** One matrix, with one direction for a derivative; `memory` holds A, value, direction and result one after the other. */
  runOne(code: number, n: number, memory: ArrayBuffer): number
  start(
    ...args: readonly [
      ...Operands,
      direction: Numbers | undefined,
      result: Numbers | undefined,
      copies: number,
      ended: (statuses: Uint8Array | undefined, error: Error | undefined) => void,
      progress: ((share: number) => void) | undefined,
    ]
  ): number
  cancel(id: number): void
  /** With the code of `expm` and no directions. What is kept goes by `release`, or when the owner is collected as garbage. */
  linearize(...args: readonly [...Operands, owner: object]): NativeLinearization
  /** Derivatives from what was kept; operation: that of jvp or vjp, directions: of each matrix. */
  derive(
    id: number,
    operation: number,
    directions: number,
    threads: number,
    direction: Numbers,
    result: Numbers,
  ): Uint8Array | undefined
  conditions(id: number, threads: number, values: Float64Array): Uint8Array | undefined
  release(id: number): void
  plan(code: number, n: number, count: number, A: Numbers): Float64Array
  info(): NativeInfo
}

/** What the addon and its OpenBLAS say of themselves. */
export interface NativeInfo {
  readonly config: string
  readonly core: string
  readonly threading: 'serial' | 'pthread' | 'openmp'
  readonly library: string
  readonly threads: number
  readonly locked: boolean
  readonly target: string
  readonly compiler: string
  readonly features: readonly string[]
}

/** The file that the addon is loaded from; one folder up from here, in the sources as in dist. */
export const addonPath = fileURLToPath(new URL('../build/Release/matfun.node', import.meta.url))

function load(): Native {
  try {
    return createRequire(import.meta.url)(addonPath) as Native
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
    const reason = missing ? 'it has not been built' : String((cause as Error).message)
    throw Object.assign(
      new Error(
        `matfun could not load its addon for ${process.platform}-${process.arch} from ${addonPath}: ${reason}. ` +
          'Build it with `npm run setup` in the folder of matfun (OpenBLAS and a C++ compiler are needed).',
        { cause },
      ),
      { code: 'ERR_NATIVE_NOT_LOADED' },
    )
  }
}

export const native: Native = load()
