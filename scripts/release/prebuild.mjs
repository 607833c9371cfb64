import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build, sourceDigest } from '../setup/addon.mjs'
import { root, say } from '../setup/commands.mjs'
import { stampIs, writeStamp } from '../setup/stamps.mjs'

/** @import { Archives } from './openblas.mjs' */

/** This machine's, as lib/native.ts looks for it. */
export const prebuild = join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'matfun.node')

const stamp = join(root, 'build', '.prebuild.sha256')

/** True where the prebuilt addon was made of these sources, with whatever OpenBLAS. */
export function isCurrent() {
  return existsSync(prebuild) && stampIs(stamp, sourceDigest())
}

/**
 * Builds the addon with OpenBLAS in it, beside the other, whose objects it shares, and puts it where the package has it.
 * @param {Archives} archives
 */
export function buildPrebuild({ name, files, locks, linkerOptions }) {
  say(`building the addon with ${name}`)
  const built = join(root, 'build', 'Release', 'matfun_static.node')
  // make does not know that it depends on archives: linked anew each time.
  for (const file of [built, built.replace('Release', 'Release/obj.target')]) rmSync(file, { force: true })
  build([
    `openblas_archives=${files.join(' ')}`,
    `openblas_locks=${locks ? 1 : 0}`,
    `openblas_options=${linkerOptions.join(' ')}`,
  ])
  mkdirSync(dirname(prebuild), { recursive: true })
  copyFileSync(built, prebuild)
  chmodSync(prebuild, 0o755)
  writeStamp(stamp, sourceDigest())
  say(`wrote ${relative(root, prebuild)}`)
}
