/** What to do where OpenBLAS does not know the processor, and takes kernels that use nothing of it. */

/** Kernels that need nothing beyond SSE3. */
const genericCores = ['Prescott', 'Core2', 'generic', 'unknown']

/** The OPENBLAS_CORETYPE to set instead, by a feature of the processor, best first. */
const better = [
  ['avx512f', 'SkylakeX'],
  ['avx2', 'Haswell'],
]

/** @param {string} core */
export function isGeneric(core) {
  return genericCores.some((generic) => generic.toLowerCase() === core.toLowerCase())
}

/**
 * The OPENBLAS_CORETYPE with which matfun and all peers are measured: the one that is set already; else one that fits the
 * processor where OpenBLAS took generic kernels, which would flatter whoever does not use it; else none.
 *
 * @param {string} core as info().blas.core tells it
 * @param {readonly string[]} features of the processor
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ value: string, setBy: 'user' | 'bench' } | undefined}
 */
export function coreTypeFor(core, features, env) {
  if (env.OPENBLAS_CORETYPE) return { value: env.OPENBLAS_CORETYPE, setBy: 'user' }
  if (!isGeneric(core)) return undefined
  const known = features.map((feature) => feature.toLowerCase())
  const found = better.find(([feature]) => known.includes(feature))
  return found && { value: found[1], setBy: 'bench' }
}
