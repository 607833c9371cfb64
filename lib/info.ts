import { type AddonSource, addon, native } from './native.ts'
import { defaultThreads } from './threads.ts'
import { readVersion } from './version.ts'

/** What {@link info} tells. */
export interface Info {
  readonly version: string
  readonly node: string
  readonly platform: string
  readonly addon: {
    readonly path: string
    /** Named by MATFUN_ADDON, built from source on this machine, or one that came with the package. */
    readonly source: AddonSource
    readonly compiler: string
    /** The instruction set of the kernels in use: 'x86-64-v4', 'x86-64-v3', 'x86-64-v2' or 'baseline'. */
    readonly kernels: string
  }
  /** What the processor can do that kernels are commonly compiled for; empty where it cannot be asked. */
  readonly cpu: { readonly features: readonly string[] }
  readonly blas: {
    readonly vendor: 'OpenBLAS'
    /** As in its own config, or 'unknown' where that does not begin with it. */
    readonly version: string
    readonly config: string
    /** The processor whose kernels OpenBLAS chose. */
    readonly core: string
    readonly threading: 'serial' | 'pthread' | 'openmp'
    /** Whether it is a part of the addon, as in the prebuilt ones, or the process's. */
    readonly linkage: 'static' | 'dynamic'
    /** The file that the calls go to: the addon, or the first OpenBLAS that was loaded in the process. */
    readonly library: string
    readonly threads: number
    /** True where calls are taken one at a time, because this kind of OpenBLAS is not safe otherwise. */
    readonly locked: boolean
  }
  /** Threads that a call uses which does not say how many: MATFUN_NUM_THREADS, or as many as the machine can run at once. */
  readonly threads: number
}

/**
 * Versions, where the addon was loaded from, and what OpenBLAS says of itself.
 *
 * @example
 * info().blas.core  // 'SkylakeX'
 */
export function info(): Info {
  const { target, compiler, features, config, core, threading, library, linkage, threads, locked } =
    native.info()
  const version = /^OpenBLAS (\S+)/.exec(config)?.[1] ?? 'unknown'
  return {
    version: readVersion(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    addon: { path: addon.path, source: addon.source, compiler, kernels: target },
    cpu: { features },
    blas: {
      vendor: 'OpenBLAS',
      version,
      config,
      core,
      threading,
      linkage,
      library,
      threads,
      locked,
    },
    threads: defaultThreads(),
  }
}
