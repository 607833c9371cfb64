import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = resolve(fileURLToPath(import.meta.url), '../../..')

/** Something that the set-up cannot do; the message is for the person who runs it. */
export class SetupError extends Error {}

/**
 * One line about what is being done.
 * @param {string} text
 */
export function say(text) {
  console.log(`set-up: ${text}`)
}

/**
 * Where a command lies on the PATH, undefined if nowhere.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findCommand(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder || '.', name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {}
  }
  return undefined
}

/**
 * What a command prints, undefined where it fails or does not exist.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, input?: string }} [options]
 * @returns {string | undefined}
 */
export function ask(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options })
  return status === 0 ? stdout.trim() : undefined
}

/**
 * Runs a command, in the repository's folder unless told otherwise, silently; throws a SetupError with all it printed where it fails.
 * @param {string} what what the command is for, as in 'could not ...'
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string} [cwd]
 */
export function run(what, command, args, env = process.env, cwd = root) {
  const maxBuffer = 1 << 28
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer })
  if (result.status === 0) return
  const end =
    result.error?.message ?? (result.signal ? `ended by ${result.signal}` : `exit code ${result.status}`)
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trimEnd()
  throw new SetupError(
    `could not ${what} (${[command, ...args].join(' ')}: ${end})${output && `\n${output}`}`,
  )
}
