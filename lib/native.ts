import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { typeError } from './errors.ts'
import { components, type DType } from './ndarray.ts'
import { isOfGenerators } from './options.ts'
import { describeMachine, type Libc, readLibc } from './platform.ts'

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
 * as in native/addon/arguments.hpp. ERR_INVALID_OPTION for a structure that the dtype cannot have.
 */
export function jobCode(operation: number, dtype: DType, plan: number): number {
  if (isOfGenerators(plan) && components(dtype) === 2)
    throw typeError('ERR_INVALID_OPTION', `options.structure 'generator' is for real matrices, got ${dtype}`)
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
  /** Overwrites `plans`, of 11 numbers for each matrix. */
  plan(code: number, n: number, count: number, A: Numbers, plans: Float64Array): void
  /** Whether bytes of two typed arrays share memory, by their addresses; each from `first` on. */
  overlap(a: Numbers, aFirst: number, aBytes: number, b: Numbers, bFirst: number, bBytes: number): boolean
  info(): NativeInfo
}

/** What the addon and its OpenBLAS say of themselves. */
export interface NativeInfo {
  readonly config: string
  readonly core: string
  readonly threading: 'serial' | 'pthread' | 'openmp'
  readonly library: string
  readonly linkage: 'static' | 'dynamic'
  readonly threads: number
  readonly locked: boolean
  readonly target: string
  readonly compiler: string
  readonly features: readonly string[]
}

/** How an addon came to be where it lies. */
export type AddonSource = 'override' | 'build' | 'prebuild'

/** An addon that may be loaded. */
export interface Place {
  readonly source: AddonSource
  readonly path: string
}

/** What decides which addon is the right one. */
export interface Machine {
  readonly platform: string
  readonly arch: string
  readonly libc: () => Libc | undefined
  /** The environment variable MATFUN_ADDON. */
  readonly override: string | undefined
}

/** The package's folder; one up from here, in the sources as in dist. */
const packageFolder = fileURLToPath(new URL('..', import.meta.url))

/** In the repository, and in an installed package, where binding.gyp lies in native. */
const builds = ['build/Release/matfun.node', 'native/build/Release/matfun.node']

/**
 * The addon to load: what MATFUN_ADDON names, and that alone where it is set; else one that was built here; else the prebuilt
 * one for this platform, which needs glibc on Linux. Throws ERR_NATIVE_NOT_LOADED, with what is there and what to do,
 * where there is none.
 */
export function findAddon(folder: string, machine: Machine): Place {
  const { platform, arch, override } = machine
  if (override) return { source: 'override', path: resolve(override) }
  for (const build of builds) {
    const path = join(folder, build)
    if (existsSync(path)) return { source: 'build', path }
  }
  const name = `${platform}-${arch}`
  const path = join(folder, 'prebuilds', name, 'matfun.node')
  if (!existsSync(path))
    throw notLoaded(folder, `nothing was built here, and no addon is prebuilt for ${name}`)
  if (platform === 'linux' && machine.libc() === 'musl')
    throw notLoaded(folder, `the prebuilt addon for ${name} needs glibc, and this process runs on musl`)
  return { source: 'prebuild', path }
}

function notLoaded(folder: string, reason: string, cause?: unknown): Error {
  const native = relative(process.cwd(), join(folder, 'native'))
  const command = existsSync(join(folder, 'scripts', 'setup.mjs'))
    ? 'npm run setup   # in the folder of matfun'
    : `npx --yes --package=node-gyp@12 --package=node-addon-api@8 -- node-gyp rebuild --jobs=max --directory=${native}`
  return Object.assign(
    new Error(
      `matfun could not load its addon (${describeMachine()}): ${reason}. To build it from source, with a C++20 compiler, ` +
        `make, Python 3, pkg-config and OpenBLAS's development files installed, run\n\n  ${command}\n\n` +
        'An addon that lies elsewhere is named by the environment variable MATFUN_ADDON.',
      cause === undefined ? {} : { cause },
    ),
    { code: 'ERR_NATIVE_NOT_LOADED' },
  )
}

/** Loads an addon; ERR_NATIVE_NOT_LOADED with the system's reason where it cannot be. */
export function loadAddon(folder: string, { source, path }: Place): Native {
  try {
    return createRequire(import.meta.url)(path) as Native
  } catch (cause) {
    const said = existsSync(path) ? String((cause as Error).message) : 'there is no such file'
    const what = { override: 'MATFUN_ADDON names', build: 'built here is', prebuild: 'the prebuilt one is' }[
      source
    ]
    throw notLoaded(folder, `${what} ${path}, which cannot be loaded: ${said}`, cause)
  }
}

/** Where the addon of this process comes from. */
export const addon: Place = findAddon(packageFolder, {
  platform: process.platform,
  arch: process.arch,
  libc: readLibc,
  override: process.env.MATFUN_ADDON,
})

export const native: Native = loadAddon(packageFolder, addon)
