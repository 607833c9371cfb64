// Proves the package as users get it: packs it, lints the tarball, installs it in an empty folder without install scripts and
// without network, and computes values and gradients there.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { proveInDebian } from './package/debian.mjs'
import { lint } from './package/lint.mjs'
import { proveHere } from './package/proofs.mjs'
import { otherRuntimes } from './package/runtimes.mjs'
import { systemOpenBLAS } from './release/openblas.mjs'
import { buildPrebuild, isCurrent, prebuild } from './release/prebuild.mjs'
import { checkRequirements } from './release/requirements.mjs'
import { pack } from './release/tarball.mjs'
import { root, run, SetupError, say } from './setup/commands.mjs'
import { npm } from './setup/packages.mjs'

const usage = `usage: node scripts/check-package.mjs [--everywhere] [--tarball FILE]
  --everywhere  instead of linting: on other versions of Node, on Bun and on Deno, all from npm, and in a clean Debian (needs
                network and, for that, root and debootstrap)
  --tarball     this one, instead of packing one with what is built here`

/** @param {string[]} args */
function check(args) {
  const { values } = parseArgs({
    args,
    options: { everywhere: { type: 'boolean' }, help: { type: 'boolean' }, tarball: { type: 'string' } },
  })
  if (values.help) return console.log(usage)
  if (process.platform !== 'linux') return say('not run: prebuilt addons are made and proven on Linux only')
  const tarball = values.tarball ? resolve(values.tarball) : packHere()
  if (!values.everywhere) lint(tarball)
  const folder = mkdtempSync(join(tmpdir(), 'matfun-package-'))
  try {
    install(tarball, folder)
    const others = values.everywhere ? otherRuntimes() : []
    proveHere(folder, others)
    if (values.everywhere) proveInDebian(tarball, others)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The package with the prebuilt addon that is there, if it is of these sources; else with one made of the system's OpenBLAS. */
function packHere() {
  if (!isCurrent()) buildPrebuild(systemOpenBLAS())
  checkRequirements(prebuild)
  return pack(join(root, 'build', 'package')).path
}

/**
 * Installs a tarball as a user would, with an empty cache and no network.
 * @param {string} tarball
 * @param {string} folder
 */
function install(tarball, folder) {
  const [command, ...before] = npm()
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const flags = [
    '--ignore-scripts',
    '--offline',
    '--no-audit',
    '--no-fund',
    `--cache=${join(folder, '.cache')}`,
  ]
  run('install the package', command, [...before, 'install', ...flags, tarball], process.env, folder)
  const programs = join(folder, 'programs')
  mkdirSync(programs)
  cpSync(join(root, 'scripts', 'package', 'programs'), programs, { recursive: true })
  say(`installed in the empty folder ${folder}`)
}

try {
  check(process.argv.slice(2))
} catch (error) {
  const isUsage = error instanceof TypeError && 'code' in error
  const message = error instanceof SetupError || isUsage ? error.message : error
  console.error(isUsage ? `${message}\n${usage}` : message)
  process.exitCode = isUsage ? 2 : 1
}
