import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ask, findCommand } from './commands.mjs'

/** @type {NodeJS.ProcessEnv | undefined} */
let known

/**
 * The environment to build in. On macOS Homebrew keeps OpenBLAS, and on Apple silicon all headers, where
 * neither pkg-config nor the compiler looks by itself.
 * @returns {NodeJS.ProcessEnv}
 */
export function buildEnvironment() {
  known ??= process.platform === 'darwin' ? homebrewEnvironment() : { ...process.env }
  return known
}

/** Forgets what was found out, after packages were installed. */
export function forgetEnvironment() {
  known = undefined
}

/** @returns {NodeJS.ProcessEnv} */
function homebrewEnvironment() {
  const env = { ...process.env }
  if (!findCommand('brew')) return env
  const openblas = ask('brew', ['--prefix', 'openblas'])
  const prefix = ask('brew', ['--prefix'])
  if (openblas) env.PKG_CONFIG_PATH = prepend(join(openblas, 'lib', 'pkgconfig'), env.PKG_CONFIG_PATH)
  if (prefix && existsSync(join(prefix, 'include'))) env.CPATH = prepend(join(prefix, 'include'), env.CPATH)
  return env
}

/**
 * @param {string} folder
 * @param {string | undefined} list
 */
function prepend(folder, list) {
  return list ? `${folder}${delimiter}${list}` : folder
}
