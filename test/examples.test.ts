import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()
const folder = 'examples/interop'
const programs = readdirSync(folder).filter((name) => name.endsWith('.mjs'))

/** What each prints; what is not the same everywhere is left open. */
const printed: Record<string, RegExp> = {
  'mathjs.mjs':
    /0\.866025.*-0\.5.*0\.5.*0\.866025[\s\S]*0\.540302.*0\.841471i[\s\S]*relative difference .* 20 x 20 matrix: \de-1\d/,
  'scijs.mjs': /shape: \[ 2, 2 \] first entry: \d\.\d{6}\n.*: \de(-\d+|\+0)/,
  'stdlib.mjs': /U\[0, 0\] = 0\.4\d+ - 0\.\d+i\nnorm of the first column: 1\.000000000000/,
  'numpy-ts.mjs': /row 0: \[\s+1\.\d+[\s\S]*exp\(A\) exp\(-A\) - I: \de-1\d/,
  'npy.mjs': /^expm: 1,000 matrices of order 3\nshape: 1000 x 3 x 3 the same bits: true\n$/,
}

describe('examples with other packages', () => {
  test('are all tested, and all in the list', () => {
    expect(Object.keys(printed).sort()).toEqual(programs.sort())
    const list = readFileSync(`${folder}/README.md`, 'utf8')
    for (const program of programs) expect(list).toContain(`(${program})`)
  })

  test.each(programs)('%s runs and prints what it should', (program) => {
    const args = program === 'npy.mjs' ? [at('.')] : []
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${folder}/${program}`, ...args], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout).toMatch(printed[program])
    expect(status).toBe(0)
  })
})
