import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path/posix'
import ts from 'typescript'

/** @import { Report } from '../check-layers.mjs' */

const loader = 'lib/native.ts'

/** What runs anywhere JavaScript runs, and therefore uses nothing else. */
const portable = [
  'lib/broadcast.ts',
  'lib/errors.ts',
  'lib/fields.ts',
  'lib/input.ts',
  'lib/ndarray.ts',
  'lib/typed-array.ts',
  'lib/reference/',
]
const usedByNpy = ['lib/errors.ts', 'lib/ndarray.ts', 'lib/beside.ts', 'lib/npy/']
const usedByZarr = ['lib/errors.ts', 'lib/ndarray.ts', 'lib/beside.ts', 'lib/zarr/']

/** Above the rest of lib, each of which may use those before it. */
const upperLayers = ['lib/job/', 'lib/queue/', 'lib/cli/']

/** The one place, a file or a folder, that imports a package which need not be installed. */
const optionalPackages = new Map([
  ['zarrita', 'lib/zarr/zarrita.ts'],
  ['bullmq', 'lib/queue/'],
  ['ioredis', 'lib/queue/'],
])

/**
 * Checks one TypeScript or JavaScript file of lib/ or examples/.
 * @param {string} root
 * @param {string} file relative to root, with slashes
 * @param {Report} report
 */
export function checkTypeScript(root, file, report) {
  const source = readFileSync(join(root, file), 'utf8')
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  /** @param {ts.Node} node */
  const visit = (node) => {
    const at = node.getStart(tree)
    if (file.startsWith('lib/')) {
      const target = importTarget(node)
      const fault = target === undefined ? undefined : importFault(file, target)
      if (fault) report(at, fault)
    }
    if (file !== loader && loadsNative(node)) report(at, `a .node file may be loaded by ${loader} only`)
    ts.forEachChild(node, visit)
  }
  visit(tree)
}

/**
 * What a node imports: '' where that is computed, undefined where the node is no import.
 * @param {ts.Node} node
 * @returns {string | undefined}
 */
function importTarget(node) {
  /** @param {ts.Node | undefined} target */
  const textOf = (target) => (target && ts.isStringLiteralLike(target) ? target.text : '')
  if (ts.isImportDeclaration(node)) return textOf(node.moduleSpecifier)
  if (ts.isExportDeclaration(node)) return node.moduleSpecifier && textOf(node.moduleSpecifier)
  if (ts.isExternalModuleReference(node)) return textOf(node.expression)
  if (ts.isImportTypeNode(node))
    return textOf(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined)
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return textOf(node.arguments[0])
  return undefined
}

/**
 * Why a file of lib may not import something, undefined where it may.
 * @param {string} file
 * @param {string} target
 * @returns {string | undefined}
 */
function importFault(file, target) {
  if (target === '') return 'an import whose target is computed cannot be checked'
  const isPortable = isAmong(portable, file)
  if (!target.startsWith('.')) {
    const place = optionalPackages.get(target)
    if (place !== undefined && !isAmong([place], file))
      return `'${target}' need not be installed and may be imported by ${place} only`
    const what = target.startsWith('node:') || builtinModules.includes(target) ? 'Node' : 'a package'
    return isPortable ? `${file} runs anywhere and may not use ${what} ('${target}')` : undefined
  }
  const used = join(dirname(file), target)
  if (used === 'package.json') return isPortable ? `${file} may use ${portable.join(', ')} only` : undefined
  if (!used.startsWith('lib/')) return `'${target}' lies outside lib/`
  if (isPortable && !isAmong(portable, used))
    return `${file} may use ${portable.join(', ')} only, not ${used}`
  if (file.startsWith('lib/npy/') && !isAmong(usedByNpy, used))
    return `${file} may use ${usedByNpy.join(', ')} only, not ${used}`
  if (file.startsWith('lib/zarr/') && !isAmong(usedByZarr, used))
    return `${file} may use ${usedByZarr.join(', ')} only, not ${used}`
  const [own, other] = [layerOf(file), layerOf(used)]
  if (own < other) return `${nameOf(own)} may not import ${nameOf(other)} ('${target}'): that is upward`
  return undefined
}

/**
 * How high a file of lib stands: 0 for what is no layer of its own.
 * @param {string} file
 */
function layerOf(file) {
  return upperLayers.findIndex((layer) => file.startsWith(layer)) + 1
}

/** @param {number} layer */
function nameOf(layer) {
  return layer === 0 ? 'lib' : upperLayers[layer - 1].split('/')[1]
}

/**
 * @param {string[]} places files, and folders with a slash at their end
 * @param {string} file
 */
function isAmong(places, file) {
  return places.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))
}

/**
 * True for the name of a .node file, and for Node's two ways to load one from an ES module.
 * @param {ts.Node} node
 */
function loadsNative(node) {
  if (ts.isIdentifier(node)) return node.text === 'createRequire' || node.text === 'dlopen'
  if (ts.isStringLiteralLike(node) || ts.isTemplateTail(node))
    return node.text.endsWith('.node') || node.text === 'dlopen' || node.text === 'createRequire'
  return false
}
