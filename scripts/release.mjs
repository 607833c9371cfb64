// Makes the package for this platform: OpenBLAS's archive, the addon with it inside, and the tarball.
// usage: node scripts/release.mjs [--openblas trimmed|system] [--output FOLDER]

import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkCallers } from './release/left-out.mjs'
import { systemOpenBLAS, trimmedOpenBLAS } from './release/openblas.mjs'
import { buildPrebuild, prebuild } from './release/prebuild.mjs'
import { checkRequirements } from './release/requirements.mjs'
import { megabytes, pack, unpackedLimit } from './release/tarball.mjs'
import { root, SetupError, say } from './setup/commands.mjs'

const usage = `usage: node scripts/release.mjs [--openblas trimmed|system] [--output FOLDER]
  --openblas  trimmed (the default): built from Debian 12's sources, for few processors, some minutes the first time;
              system: the archive that pkg-config finds, as it is, for trying things out
  --output    where the tarball goes (default: output)`

/** @param {string[]} args */
function release(args) {
  const { values } = parseArgs({
    args,
    options: { openblas: { type: 'string' }, output: { type: 'string' } },
  })
  const { openblas = 'trimmed', output = 'output' } = values
  if (openblas !== 'trimmed' && openblas !== 'system')
    throw new TypeError(`--openblas takes trimmed or system, got ${openblas}`)
  const archives = openblas === 'trimmed' ? trimmedOpenBLAS() : systemOpenBLAS()
  checkNotices(archives.notices)
  buildPrebuild(archives)
  if (archives.linkerOptions.length > 0) checkCallers(archives.linkerOptions)
  const { needed, versions } = checkRequirements(prebuild)
  const newest = Object.entries(versions).map(([kind, version]) => `${kind} ${version}`)
  say(
    `it takes ${megabytes(statSync(prebuild).size)} and needs ${newest.join(', ')} and ${needed.join(', ')}`,
  )
  const { unpackedSize } = pack(resolve(root, output))
  if (openblas === 'trimmed' && unpackedSize > unpackedLimit)
    throw new SetupError(
      `the package takes ${megabytes(unpackedSize)}, more than ${megabytes(unpackedLimit)}`,
    )
}

/**
 * Throws a SetupError where a licence that has to go with the addon does not.
 * @param {string[]} notices
 */
function checkNotices(notices) {
  const plain = (/** @type {string} */ text) => text.replace(/\*\/|[/*\s]+/g, ' ').trim()
  const carried = plain(readFileSync(join(root, 'THIRD_PARTY_NOTICES'), 'utf8'))
  for (const notice of notices)
    if (!carried.includes(plain(notice)))
      throw new SetupError(`THIRD_PARTY_NOTICES lacks this:\n\n${notice.trim()}`)
}

try {
  release(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof TypeError
  console.error(
    isUsage ? `${error.message}\n${usage}` : `release: ${error instanceof Error ? error.message : error}`,
  )
  process.exitCode = isUsage ? 2 : 1
}
