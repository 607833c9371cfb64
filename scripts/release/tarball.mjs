import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { ask, root, SetupError, say } from '../setup/commands.mjs'
import { npm } from '../setup/packages.mjs'

/** Of the whole package, unpacked, with the trimmed OpenBLAS. */
export const unpackedLimit = 8_000_000

/**
 * What `npm pack` says of what it packed.
 * @typedef {object} Packed
 * @property {string} path of the tarball
 * @property {number} size
 * @property {number} unpackedSize
 * @property {string[]} files
 */

/**
 * Packs the package as it stands, with what prepack adds.
 * @param {string} folder for the tarball
 * @returns {Packed}
 */
export function pack(folder) {
  mkdirSync(folder, { recursive: true })
  const [command, ...before] = npm()
  const args = ['pack', '--json', '--loglevel=error', `--pack-destination=${folder}`]
  const said = ask(command, [...before, ...args])
  if (said === undefined) throw new SetupError('npm pack failed')
  // What prepack prints on stdout comes first.
  const [{ filename, size, unpackedSize, files }] = JSON.parse(said.slice(said.search(/^\[$/m)))
  const path = join(folder, filename)
  say(`wrote ${relative(root, path)}: ${megabytes(size)} packed, ${megabytes(unpackedSize)} unpacked`)
  return { path, size, unpackedSize, files: files.map((/** @type {{ path: string }} */ file) => file.path) }
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
