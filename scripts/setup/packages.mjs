import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { findCommand, root, run, SetupError, say } from './commands.mjs'
import { digest, stampIs } from './stamps.mjs'

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} Locked */

const lockFile = join(root, 'package-lock.json')
const stampFile = join(root, 'node_modules', '.package-lock.sha256')

/** @returns {string[]} in words */
export function missing() {
  return stampIs(stampFile, lockDigest()) || installedAsLocked()
    ? []
    : ['the npm packages of package-lock.json']
}

/** Installs exactly what package-lock.json names. */
export function provide() {
  say('installing npm packages')
  const [command, ...before] = npm()
  // Without install scripts it is the same under every npm, and none of the packages needs its own. The tools
  // are devDependencies, which a production environment would leave out.
  const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  run('install npm packages', command, [
    ...before,
    'ci',
    ...flags,
    '--no-update-notifier',
    '--loglevel=error',
  ])
  writeFileSync(stampFile, lockDigest())
}

function lockDigest() {
  return digest(root, ['package-lock.json'])
}

/** True where somebody ran npm by hand and it installed what the lock file says. */
function installedAsLocked() {
  const hidden = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(hidden)) return false
  const installed = lockedPackages(hidden)
  const wanted = lockedPackages(lockFile)
  const fits = Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    const found = installed[path]
    if (found === undefined) return optional === true || devOptional === true // of another platform
    return found.version === version && found.integrity === integrity
  })
  return fits && Object.keys(installed).every((path) => path in wanted)
}

/**
 * By path, the project itself left out.
 * @param {string} file
 * @returns {Record<string, Locked>}
 */
function lockedPackages(file) {
  const { '': _project, ...packages } = JSON.parse(readFileSync(file, 'utf8')).packages
  return packages
}

/** The npm that runs this, or the one on the PATH, or the one that came with Node. */
export function npm() {
  const running = process.env.npm_execpath
  if (running && basename(running) === 'npm-cli.js') return [process.execPath, running]
  const onPath = findCommand('npm')
  if (onPath) return [onPath]
  return [process.execPath, join(npmFolder(), 'bin', 'npm-cli.js')]
}

/** Where the npm lies that came with Node. */
export function npmFolder() {
  const beside = resolve(dirname(realpathSync(process.execPath)), '../lib/node_modules/npm')
  if (existsSync(beside)) return beside
  throw new SetupError('npm is missing; it comes with Node')
}
