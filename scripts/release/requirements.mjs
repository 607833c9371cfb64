import { ask, SetupError } from '../setup/commands.mjs'

/** What a machine has at least that the prebuilt addon is for: Debian 12, Ubuntu 22.04, Fedora 35, Red Hat 9 and newer have. */
export const limits = { GLIBC: '2.34', GLIBCXX: '3.4.29', CXXABI: '1.3.13', GCC: '4.0.0' }

/** The libraries that it may ask for; every Linux that Node runs on has them. */
const libraries = /^(libstdc\+\+\.so\.6|libgcc_s\.so\.1|libm\.so\.6|libc\.so\.6|ld-linux-[\w-]+\.so\.\d)$/

/**
 * What a shared object needs and offers, as objdump reads it.
 * @param {string} file
 */
export function readRequirements(file) {
  const headers = ask('objdump', ['-p', file])
  const symbols = ask('objdump', ['-T', file])
  if (headers === undefined || symbols === undefined) throw new SetupError(`objdump cannot read ${file}`)
  const needed = [...headers.matchAll(/NEEDED\s+(\S+)/g)].map((found) => found[1])
  /** @type {Record<string, string>} the newest of each kind */
  const versions = {}
  for (const [, kind, version] of headers.matchAll(/ (GLIBC|GLIBCXX|CXXABI|GCC)_([\d.]+)$/gm))
    if (versions[kind] === undefined || isNewer(version, versions[kind])) versions[kind] = version
  // A defined symbol's section is no *UND*. Templates of the standard library are weak everywhere, and harmless.
  const defined = symbols.split('\n').filter((line) => /^[\da-f]{16} /.test(line) && !line.includes('*UND*'))
  const offered = defined.filter((line) => line[17] === 'g').map((line) => line.split(/\s+/).at(-1) ?? '')
  // What comes from a library has a version; Node's own functions have none.
  const missing = [...symbols.matchAll(/\*UND\*\t[\da-f]+ +(?:Base +)?(\w+)$/gm)]
    .map((found) => found[1])
    .filter((name) => !/^(napi_|_ITM_|__gmon_start__|__cxa_finalize)/.test(name))
  return { needed, versions, offered, missing }
}

/**
 * Throws a SetupError where a prebuilt addon needs more than is promised, or offers more than Node asks for: then it could
 * meet another OpenBLAS in a process.
 * @param {string} file
 */
export function checkRequirements(file) {
  const { needed, versions, offered, missing } = readRequirements(file)
  for (const library of needed)
    if (!libraries.test(library))
      throw new SetupError(`${file} needs ${library}, which not every machine has`)
  if (missing.length > 0)
    throw new SetupError(`${file} uses ${missing.slice(0, 5).join(', ')}, which nothing has`)
  for (const [kind, version] of Object.entries(versions)) {
    const limit = limits[/** @type {keyof typeof limits} */ (kind)]
    if (isNewer(version, limit))
      throw new SetupError(`${file} needs ${kind}_${version}; at most ${limit} is promised`)
  }
  const strangers = offered.filter(
    (name) => !/^(napi_register_module_v1|node_api_module_get_api_version_v1)$/.test(name),
  )
  if (strangers.length > 0) throw new SetupError(`${file} offers ${strangers.slice(0, 5).join(', ')}`)
  return { needed, versions }
}

/**
 * @param {string} a
 * @param {string} b
 */
function isNewer(a, b) {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number))
  for (let k = 0; k < Math.max(x.length, y.length); k++)
    if ((x[k] ?? 0) !== (y[k] ?? 0)) return (x[k] ?? 0) > (y[k] ?? 0)
  return false
}
