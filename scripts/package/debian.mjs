import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { findCommand, root, SetupError, say } from '../setup/commands.mjs'
import { npmFolder } from '../setup/packages.mjs'

/** @import { Runtime } from './runtimes.mjs' */

/**
 * Installs a tarball in a Debian 12 that has nothing but its least packages and Node, without network, and computes there
 * on each Node. Throws a SetupError where that fails.
 * @param {string} tarball
 * @param {Runtime[]} runtimes of which those of Node are taken
 */
export function proveInDebian(tarball, runtimes) {
  if (process.getuid?.() !== 0 || !findCommand('debootstrap'))
    throw new SetupError('a clean Debian needs root and debootstrap')
  const folder = mkdtempSync(join(tmpdir(), 'matfun-debian-'))
  try {
    const tree = join(folder, 'tree')
    say('unpacking a clean Debian 12')
    // --foreign leaves the packages unpacked and not configured, which is enough for Node, and three times as quick.
    execute('debootstrap', ['--foreign', '--variant=minbase', 'bookworm', tree])
    const inTree = (/** @type {string} */ path) => join(tree, 'root', path)
    for (const { command, name } of runtimes.filter(({ kind }) => kind === 'node'))
      cpSync(command, inTree(`runtimes/${name.replace(' ', '-')}`))
    cpSync(npmFolder(), inTree('npm'), { recursive: true })
    cpSync(tarball, inTree(basename(tarball)))
    cpSync(join(root, 'scripts', 'package', 'programs'), inTree('programs'), { recursive: true })
    cpSync(join(root, 'scripts', 'package', 'debian.sh'), inTree('debian.sh'))
    execute('unshare', ['--net', 'chroot', tree, '/bin/bash', '/root/debian.sh', basename(tarball)])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function execute(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (status !== 0) throw new SetupError(`${command} ${args[0]} failed\n${stdout}${stderr}`.trimEnd())
  for (const line of stdout.split('\n')) if (line.startsWith('set-up: ')) console.log(line)
}
