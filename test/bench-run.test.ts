import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expm, expmJVP, expmVJP } from '../lib/index.ts'
import { ProcessContender } from '../scripts/bench/contender.mjs'
import { normalNumbers, randomStack } from '../scripts/bench/inputs.mjs'
import { checkReport } from '../scripts/bench/report.mjs'
import { files, line } from './support/contenders.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'matfun-bench-test-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const pathOf = (path: string) => fileURLToPath(new URL(`../scripts/${path}`, import.meta.url))

function open(args: string[], operation?: string) {
  const command = process.execPath
  const name = (version: string) => `some ${version}`
  const description = { role: 'peer', threads: 1, ...(operation && { operation }) } as const
  return ProcessContender.open({ ...description, name, command, args, env: process.env })
}

describe('a contender that is slow at first', () => {
  it('is warmed up before the length of its turns is chosen', async () => {
    // It takes 10 ms a matrix until it has computed for a second, by its own clock, and 10 us from then on.
    const code = `let spent = 0
      console.log('{"version":"1"}')
      require('node:readline').createInterface({ input: process.stdin }).on('line', (request) => {
        const [verb, count, passes] = request.split('\\t')
        if (verb === 'prepare') return console.log('{"offers":true,"warmUp":true}')
        const seconds = count * passes * (spent < 0.25 ? 1e-2 : 1e-5)
        spent += seconds
        console.log(JSON.stringify({ seconds, processor: seconds }))
      })`
    const contender = await open(['-e', code])
    await contender?.prepare({ ...line, calls: 'one', batch: 8 }, files)
    await contender?.calibrate(8, 0.01)
    expect((await contender?.turn())?.seconds).toBeCloseTo(1e-5, 12)
    contender?.close()
  })
})

describe("matfun's contender, called for each matrix", () => {
  const [n, count] = [3, 5]
  const compute = async (operation: string, dtype: 'float64' | 'complex128', wanted = operation) => {
    const size = { dtype, order: n, count } as const
    const [A, E] = [randomStack(normalNumbers(1), size, 1), randomStack(normalNumbers(2), size)]
    const paths = { A: join(folder, 'A'), direction: join(folder, 'E') }
    writeFileSync(paths.A, A)
    writeFileSync(paths.direction, E)
    const contender = await open([pathOf('bench/contenders/matfun.mjs'), '1'], operation)
    const asked = {
      ...line,
      operation: wanted as 'vjp',
      dtype,
      order: n,
      batch: count,
      calls: 'one',
    } as const
    const offer = await contender?.prepare(asked, paths)
    if (offer?.offers) await contender?.result?.(count, join(folder, 'X'))
    contender?.close()
    const shape = [count, n, n]
    return { offer, result: numbers(), A: { data: A, shape, dtype }, E: { data: E, shape, dtype } }
  }
  const numbers = () => {
    if (!readdirSync(folder).includes('X')) return undefined
    return new Float64Array(new Uint8Array(readFileSync(join(folder, 'X'))).buffer)
  }

  it.each(['float64', 'complex128'] as const)('computes what it does in one call: %s', async (dtype) => {
    const value = await compute('value', dtype)
    expect(value.result).toEqual(expm(value.A).data)
    const jvp = await compute('jvp', dtype)
    expect(jvp.result).toEqual(expmJVP(jvp.A, jvp.E).tangent.data)
    const vjp = await compute('vjp', dtype)
    expect(vjp.result).toEqual(expmVJP(vjp.A, vjp.E).cotangent.data)
  })

  it('computes another operation than the line asks for, where it is there for that', async () => {
    const { result, A } = await compute('own-value', 'float64', 'vjp')
    expect(result).toEqual(expm(A).data)
    expect((await compute('eight', 'float64', 'vjp')).offer).toMatchObject({ offers: true, warmUp: true })
  })
})

describe('the script', () => {
  const run = (...args: string[]) => {
    const settings = [
      '--threads',
      '1',
      '--peers',
      'none',
      '--seconds',
      '0.001',
      '--name',
      'here',
      '--output',
      folder,
    ]
    return spawnSync(process.execPath, [pathOf('bench.mjs'), ...args, ...settings], { encoding: 'utf8' })
  }
  const read = (suite: string) =>
    checkReport(JSON.parse(readFileSync(join(folder, `${suite}-here.json`), 'utf8')), suite)

  it('measures one matrix and its derivatives, with bounds and relations', () => {
    const { stdout, stderr, status } = run('derivative', '--orders', '2', '--operations', 'vjp')
    expect(stderr).toContain('derivative, 1 of 1: vjp, float64, order 2')
    expect(status).toBe(0)
    expect(stdout).toContain('exp(A) and L(Aᴴ, W), float64, 1-norm 1, 1 thread: µs')
    const [told] = read('derivative').lines
    expect(told.shares?.map(({ name }) => name)).toEqual(['peak', 'gemm'])
    expect(told.relations?.map(({ name }) => name)).toEqual(expect.arrayContaining(['of the value']))
    expect(told.measured?.seconds).toBe(0.001)
  })

  it('goes on with a file, and joins what it measures to it', () => {
    const norms = ['--norms', '1']
    expect(run('single', '--orders', '2', ...norms).status).toBe(0)
    const { seed } = read('single').settings
    const more = run('single', '--orders', '2,4', ...norms, '--resume')
    expect(more.stderr).toContain('single, 1 of 1: value, float64, order 4')
    expect(read('single').lines.map(({ order }) => order)).toEqual([2, 4])
    expect(read('single').settings.seed).toBe(seed)
    expect(run('single', '--orders', '2,4', ...norms, '--resume').stderr).toContain('lacks nothing')
    const other = run('single', '--orders', '2', ...norms, '--merge', '--seed', String((seed + 1) % 2 ** 32))
    expect(other.status).toBe(2)
    expect(other.stderr).toContain('is of another seed')
    expect(readdirSync(folder)).toEqual(['single-here.json'])
  })
})
