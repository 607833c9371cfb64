/** What the numbers were made on. */
import { cpus } from 'node:os'
import { info } from 'matfun'

/** @returns {[string, string][]} what and which */
export function machine() {
  const { version, node, platform, blas } = info()
  return [
    ['processor', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${platform}`],
    ['Node', node.replace(/^v/, '')],
    ['matfun', version],
    ['its OpenBLAS', `${blas.version}, kernels for ${blas.core}, ${blas.threading}, ${blas.threads} thread`],
  ]
}
