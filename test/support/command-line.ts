import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { run } from '../../lib/cli/run.ts'
import type { ExitCode, Surroundings } from '../../lib/cli/surroundings.ts'
import type { Output } from '../../lib/cli/terminal.ts'

/** The compiled command line, which the set-up of the test run has made. */
export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** Runs `matfun` as a process of its own, in a folder. */
export function matfun(folder: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

/** Runs `matfun` in this process, from the sources. */
export async function runHere(
  args: readonly string[],
  { isTTY = false, ...rest }: Partial<Surroundings<Output>> & { isTTY?: boolean } = {},
): Promise<{ code: ExitCode; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof said) => ({
    isTTY,
    columns: 100,
    write: (text: string) => {
      said[name] += text
    },
  })
  const code = await run(args, { stdout: stream('stdout'), stderr: stream('stderr'), ...rest })
  return { code, ...said }
}
