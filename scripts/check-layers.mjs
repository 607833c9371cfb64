// Holds the order of the layers and what belongs to one of them alone: see ARCHITECTURE.md.
// usage: node scripts/check-layers.mjs [folder]   (the repository's root where none is given)

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkNative } from './layers/native.mjs'
import { checkTypeScript } from './layers/typescript.mjs'
import { filesBelow } from './setup/stamps.mjs'

/** @typedef {(offset: number, why: string) => void} Report the offset is into the file's text */

/**
 * @typedef {object} Violation
 * @property {string} file relative to the root
 * @property {number} line from 1
 * @property {string} why
 */

const cpp = /\.(?:[ch]|cc|hh|[chi]pp|[ch]xx|inc|tpp)$/
const javascript = /\.[cm]?[jt]sx?$/

/**
 * Every place in a repository that breaks a rule, in order of file and line.
 * @param {string} root
 * @returns {Violation[]}
 */
export function findViolations(root) {
  return [
    ...check(root, 'native', cpp, checkNative),
    ...check(root, 'test/native', cpp, checkNative),
    ...check(root, 'lib', javascript, checkTypeScript),
    ...check(root, 'examples', javascript, checkTypeScript),
  ]
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {RegExp} names
 * @param {(root: string, file: string, report: Report) => void} checkFile
 * @returns {Violation[]}
 */
function check(root, folder, names, checkFile) {
  return filesBelow(root, folder, (file) => names.test(file)).flatMap((file) => {
    /** @type {Violation[]} */
    const found = []
    const text = readFileSync(join(root, file), 'utf8')
    checkFile(root, file, (offset, why) => found.push({ file, line: lineAt(text, offset), why }))
    return found.sort((a, b) => a.line - b.line)
  })
}

/**
 * @param {string} text
 * @param {number} offset
 */
function lineAt(text, offset) {
  return text.slice(0, offset).split('\n').length
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const violations = findViolations(resolve(process.argv[2] ?? join(fileURLToPath(import.meta.url), '../..')))
  for (const { file, line, why } of violations) console.error(`${file}:${line}: ${why}`)
  process.exitCode = violations.length > 0 ? 1 : 0
}
