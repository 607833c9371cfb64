import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path/posix'
import { includesOf, separateCpp } from './cpp-text.mjs'

/** @import { Report } from '../check-layers.mjs' */
/** @import { Include } from './cpp-text.mjs' */

/** Each may include itself and what stands before it. */
const layers = ['linalg', 'kernels', 'expm', 'batch', 'addon']

/** Measures everything, other libraries included, and is part of nothing: no rule but that nobody includes it. */
const bench = 'bench'

const napiHeader = 'native/addon/napi.hpp'
const facade = 'native/linalg/blas.cpp'

const napiHeaders = /^(?:napi(?:-inl)?|node_api|js_native_api)\.h$/
const blasHeaders = /^(?:cblas\w*|lapack\w*|f77blas|openblas\w*|clapack|blas|mkl\w*|Accelerate)\.h$/
const threadHeaders =
  /^(?:thread|future|condition_variable|stop_token|semaphore|barrier|latch|shared_mutex|execution|(?:pthread|threads|omp|semaphore)\.h)$/

const routines =
  'gemm|gemm3m|gemmt|gemv|gbmv|ger|geru|gerc|symm|hemm|symv|hemv|syrk|herk|syr2k|her2k|trmm|trmv|trsm|trsv|axpy|' +
  'axpby|scal|copy|swap|dot|dotu|dotc|nrm2|asum|rot|rotg|omatcopy|imatcopy|geadd|gesv|gesvx|gesvxx|getrf|getrf2|' +
  'getrs|getri|gecon|geequ|gerfs|gebal|gebak|gehrd|hseqr|orghr|unghr|gees|geev|geevx|gesvd|gesdd|syev|heev|syevd|' +
  'heevd|potrf|potrs|potri|geqrf|orgqr|ungqr|ormqr|unmqr|lange|lansy|lantr|lacpy|laset|lascl|laswp|lamch|lacn2|' +
  'trsyl|trtri|trtrs|trcon|trevc|trexc|rscl'
const blasSymbols = new RegExp(
  String.raw`\b(?:cblas_\w+|LAPACKE_\w+|openblas_\w+|goto_(?:get|set)_\w+|[sdcz](?:${routines})_(?:64_)?|` +
    String.raw`i[sdcz]amax_(?:64_)?|(?:xerbla|ilaver|lsame)_(?:64_)?)\b`,
  'g',
)
const threadSymbols =
  /\bstd\s*::\s*(?:j?thread|async)\b|\bpthread_\w+|\buv_thread_\w+|#[ \t]*pragma[ \t]+omp\b|\bomp_\w+\s*\(/g
const mutexSymbols = /\bstd\s*::\s*(?:recursive_|timed_|recursive_timed_|shared_|shared_timed_)?mutex\b/g

/**
 * Checks one C++ file of native/ or test/native/.
 * @param {string} root
 * @param {string} file relative to root, with slashes
 * @param {Report} report
 */
export function checkNative(root, file, report) {
  const source = readFileSync(join(root, file), 'utf8')
  const text = separateCpp(source)
  const folders = file.split('/')
  const layer = folders[0] === 'native' && folders.length > 2 ? folders[1] : undefined
  if (layer === bench) return
  const includes = includesOf(text)
  if (file !== napiHeader)
    for (const { target, offset } of includes)
      if (napiHeaders.test(basename(target)))
        report(offset, `${target} may be included by ${napiHeader} only`)
  if (folders[0] !== 'native') return
  if (layer === undefined || !layers.includes(layer)) {
    report(
      0,
      `native/${folders.length > 2 ? `${layer}/` : ''} is no layer (they are ${layers.join(', ')} and ${bench})`,
    )
    return
  }
  for (const include of includes) checkOrder(root, file, layer, include, report)
  if (file !== facade) checkBlas(text.code, includes, report)
  if (layer !== 'batch') checkThreads(text, includes, file, report)
}

/**
 * @param {string} root
 * @param {string} file
 * @param {string} layer
 * @param {Include} include
 * @param {Report} report
 */
function checkOrder(root, file, layer, { target, quoted, offset }, report) {
  if (target === '') return report(offset, 'an include whose target is a macro cannot be checked')
  const candidates = quoted ? [join(dirname(file), target), join('native', target)] : [join('native', target)]
  const found = candidates.find((path) => existsSync(join(root, path)))
  const path = found ?? normalize(candidates[candidates.length - 1])
  const [top, used] = path.split('/')
  if (found === undefined && !quoted && !layers.includes(used)) return // a header of the system
  if (top !== 'native') return report(offset, `"${target}" lies outside native/`)
  const rank = used === bench ? layers.length : layers.indexOf(used)
  if (rank > layers.indexOf(layer))
    report(offset, `${layer} may not include ${used} ("${target}"): that is upward`)
}

/**
 * @param {string} code
 * @param {Include[]} includes
 * @param {Report} report
 */
function checkBlas(code, includes, report) {
  for (const { target, offset } of includes)
    if (blasHeaders.test(basename(target))) report(offset, `<${target}> may be included by ${facade} only`)
  for (const match of code.matchAll(blasSymbols))
    report(match.index, `${match[0]} is BLAS or LAPACK, which ${facade} alone may use`)
}

/**
 * @param {import('./cpp-text.mjs').CppText} text
 * @param {Include[]} includes
 * @param {string} file
 * @param {Report} report
 */
function checkThreads({ code, strings }, includes, file, report) {
  const mayLock = file === facade
  for (const { target, offset } of includes)
    if (threadHeaders.test(target) || (target === 'mutex' && !mayLock))
      report(offset, `<${target}>: threads and locks are for native/batch/`)
  const symbols = [...code.matchAll(threadSymbols), ...(mayLock ? [] : code.matchAll(mutexSymbols))]
  for (const match of symbols)
    report(match.index, `${match[0].trim()}: threads and locks are for native/batch/`)
  for (const match of code.matchAll(/\b_Pragma\s*\(\s*(?=")/g))
    if (/^\s*omp\b/.test(strings.get(match.index + match[0].length) ?? ''))
      report(match.index, '_Pragma omp: threads and locks are for native/batch/')
}
