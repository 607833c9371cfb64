import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The compiled package, which the set-up of the test run has made, as the text of an import. */
export const packageUrl = new URL('../../dist/index.js', import.meta.url).href

/** Runs the text of an ES module as a process of its own. */
export function runText(text: string, env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ['--input-type=module', '-e', text], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 30_000,
  })
}

/** The same for a module that sees the package's names. */
export function runProgram(text: string, env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  const names = 'expm, expmAsync, expmLinearize, expmVJP, expmVJPAsync, info'
  return runText(`const { ${names} } = await import('${packageUrl}')\n${text}`, env)
}
