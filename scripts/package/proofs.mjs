import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ask, SetupError, say } from '../setup/commands.mjs'
import { thisNode } from './runtimes.mjs'

/** @import { Runtime } from './runtimes.mjs' */

/**
 * Computes in an installed folder on each runtime by import and by require, and on each Node in a worker, under the permission
 * model and beside another OpenBLAS. Throws a SetupError at the first that fails; says what could not be run.
 * @param {string} folder
 * @param {Runtime[]} others besides the Node that runs this
 */
export function proveHere(folder, others) {
  const runtimes = others.some(({ name }) => name === thisNode.name) ? others : [thisNode, ...others]
  for (const runtime of runtimes) {
    prove(folder, runtime, 'by import', ['import.mjs'])
    prove(folder, runtime, 'by require', ['require.cjs'])
    prove(folder, runtime, 'in a worker', ['worker.mjs'])
    if (runtime.kind === 'node')
      prove(folder, runtime, 'under the permission model', [
        ...permissionFlags(runtime, folder),
        'import.mjs',
      ])
  }
  const other = otherOpenBLAS()
  if (other === undefined) say('not run: beside another OpenBLAS, because there is none')
  else
    for (const runtime of runtimes)
      prove(folder, runtime, `beside ${other}`, ['import.mjs'], { LD_PRELOAD: other })
}

/**
 * @param {string} folder
 * @param {Runtime} runtime
 * @param {string} how in words
 * @param {string[]} args flags of the runtime and, last, one of the programs
 * @param {NodeJS.ProcessEnv} [env]
 */
function prove(folder, { name, command, flags }, how, args, env = {}) {
  const program = join(folder, 'programs', args[args.length - 1])
  const { status, stdout, stderr, error } = spawnSync(command, [...flags, ...args.slice(0, -1), program], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, MATFUN_ADDON: '', ...env },
  })
  const said = error?.message ?? `${stdout}${stderr}`.trim()
  if (status !== 0) throw new SetupError(`${name}, ${how}: failed\n${said}`)
  const { addon, blas } = JSON.parse(stdout)
  if (addon.source !== 'prebuild' || blas.linkage !== 'static' || blas.library !== addon.path)
    throw new SetupError(`${name}, ${how}: not the prebuilt addon with its own OpenBLAS\n${said}`)
  say(`${name}, ${how}: right`)
}

/**
 * Node's permission model has one name before 22.13 and another since.
 * @param {Runtime} runtime
 * @param {string} folder
 */
function permissionFlags({ command }, folder) {
  const major = Number(/^v(\d+)/.exec(ask(command, ['--version']) ?? '')?.[1])
  return [
    major < 22 ? '--experimental-permission' : '--permission',
    '--allow-addons',
    `--allow-fs-read=${folder}/*`,
  ]
}

/** The file of a shared OpenBLAS on this system. */
function otherOpenBLAS() {
  const libraries = ask('pkg-config', ['--variable=libdir', 'openblas'])
  const files = ['libopenblas.so.0', 'libopenblas.so'].map((name) => join(libraries ?? '', name))
  return process.platform === 'linux' ? files.find((file) => existsSync(file)) : undefined
}
