import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * SHA-256 of files' names and contents, and of other facts that what is made of them depends on.
 * @param {string} root
 * @param {string[]} files relative to root; one that does not exist counts as such
 * @param {string[]} [facts]
 */
export function digest(root, files, facts = []) {
  const hash = createHash('sha256')
  for (const fact of facts) hash.update(`${fact}\0`)
  for (const file of files) {
    const path = join(root, file)
    const content = existsSync(path) ? readFileSync(path) : 'none'
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/**
 * All files below a folder, relative to root and sorted, hidden ones left out.
 * @param {string} root
 * @param {string} folder relative to root
 * @param {(file: string) => boolean} wanted
 * @returns {string[]}
 */
export function filesBelow(root, folder, wanted) {
  if (!existsSync(join(root, folder))) return []
  /** @type {string[]} */
  const files = []
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) files.push(...filesBelow(root, path, wanted))
    else if (wanted(path)) files.push(path)
  }
  return files.sort()
}

/**
 * @param {string} file
 * @param {string} value
 */
export function stampIs(file, value) {
  return existsSync(file) && readFileSync(file, 'utf8') === value
}

/**
 * @param {string} file
 * @param {string} value
 */
export function writeStamp(file, value) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, value)
}
