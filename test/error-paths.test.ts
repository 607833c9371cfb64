import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import Complex64Array from '@stdlib/array-complex64'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { reportHealth, showSeconds } from '../lib/cli/report.ts'
import { expm, expmAsync } from '../lib/index.ts'
import { native } from '../lib/native.ts'
import { createNpy, openNpy, writeNpy } from '../lib/npy/index.ts'
import { runHere } from './support/command-line.ts'
import { npyBytes, temporaryFolder } from './support/npy-files.ts'

// Paths that no other test comes to in its own process, where coverage sees them (scripts/coverage.mjs).

const at = temporaryFolder()

function codeOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return (error as { code?: string }).code
  }
  return undefined
}

describe('the command line in this process', () => {
  it('tells its help, its version and how it is, and nothing on stderr', async () => {
    const [help, version] = [await runHere(['--help']), await runHere(['--version'])]
    expect({ ...help, stdout: help.stdout.slice(0, 6) }).toEqual({ code: 0, stdout: 'matfun', stderr: '' })
    expect(version).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
    const [text, json] = [await runHere(['info']), await runHere(['info', '--json'])]
    expect(text.code).toBe(0)
    expect(text.stdout).toContain('self-check: ')
    expect(JSON.parse(json.stdout).check.passed).toBe(true)
  })

  it('says that it was interrupted, and leaves no file', async () => {
    writeNpy(at('A.npy'), { data: new Float64Array(4), shape: [2, 2] })
    const before = readdirSync(at('.'))
    const args = ['expm', at('A.npy'), '-o', at('Y.npy')]
    const came = await runHere(args, { signal: AbortSignal.abort(new Error('enough')) })
    expect(came).toEqual({
      code: 'interrupted',
      stdout: '',
      stderr: 'matfun: interrupted, nothing was written\n',
    })
    expect(readdirSync(at('.'))).toEqual(before)
  })

  it('tells which part of an installation is wrong', () => {
    const results = [
      { name: 'float64, order 3', value: 0.5, gradient: 1, passed: true },
      { name: 'float32, order 40', value: 1e7, gradient: Number.NaN, passed: false },
    ]
    const told = reportHealth({ passed: false, results }, ['mend it'])
    expect(told).toMatch(/FAILED/)
    expect(told).toMatch(/float64, order 3 .*right\n/)
    expect(told).toMatch(/float32, order 40 .*WRONG\n/)
    expect(told).toMatch(/advice: mend it\n$/)
  })

  it('tells durations by the unit that fits', () => {
    expect([9.994, 11.4, 119, 120, 7199, 7200].map(showSeconds)).toEqual([
      '9.99 s',
      '11 s',
      '119 s',
      '2 min',
      '120 min',
      '2.0 h',
    ])
  })
})

describe('inputs', () => {
  it('nested more than 64 deep are refused', () => {
    let A: unknown = [[1]]
    for (let k = 0; k < 63; k++) A = [A]
    expect(codeOf(() => expm(A as number[][]))).toBe('ERR_SHAPE')
  })

  it('whose elements are of another dtype than they name are refused', () => {
    const A = { data: new Complex64Array(1), shape: [1, 1], dtype: 'complex128' }
    expect(codeOf(() => expm(A as never))).toBe('ERR_DTYPE')
    expect(expm({ ...A, dtype: undefined } as never).dtype).toBe('complex64')
  })

  it('that are functions are told as such', () => {
    expect(() => expm((() => 1) as never)).toThrow(/got a function/)
  })

  it('of a class whose name is no string are told as unknown', () => {
    for (const named of [{ name: Symbol('none') }, { name: '' }, undefined]) {
      const options = { threads: { constructor: named } as never }
      expect(() => expm([[1]], options)).toThrow(/got an object of type unknown/)
    }
  })
})

it('what a job ends with in the background, the promise is rejected with', async () => {
  const error = Object.assign(new RangeError('there is not enough memory'), { code: 'ERR_OUT_OF_MEMORY' })
  const start = vi.spyOn(native, 'start').mockImplementation((...args) => {
    setImmediate(() => args[10](undefined, error))
    return 1
  })
  try {
    const seen: unknown[] = []
    const promise = expmAsync([[1]], { onProgress: (progress) => seen.push(progress) })
    await expect(promise).rejects.toBe(error)
    expect(seen).toEqual([])
  } finally {
    start.mockRestore()
  }
})

describe('MATFUN_NUM_THREADS', () => {
  afterEach(() => vi.unstubAllEnvs())

  // Read once by each process, so by a module that is loaded anew.
  const threadsWith = async (value: string): Promise<number> => {
    vi.stubEnv('MATFUN_NUM_THREADS', value)
    vi.resetModules()
    const { defaultThreads } = await import('../lib/threads.ts')
    return defaultThreads()
  }

  it('is the number of threads', async () => {
    expect(await threadsWith('3')).toBe(3)
    expect(await threadsWith('')).toBe(Math.min(availableParallelism(), 256))
  })

  it('is refused where it is none', async () => {
    await expect(threadsWith('two')).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  })
})

describe('files', () => {
  it('are written to paths that are strings', () => {
    expect(codeOf(() => writeNpy(5 as never, { data: new Float64Array(1), shape: [1] }))).toBe(
      'ERR_INVALID_ARG_TYPE',
    )
  })

  it('whose header is longer than any is are refused before it is read', () => {
    const bytes = npyBytes({ version: [2, 0], text: `{}${' '.repeat(2 ** 20)}` })
    writeFileSync(at('long.npy'), bytes)
    expect(() => openNpy(at('long.npy'))).toThrow(/expected a header of at most 1048576 bytes, got 1048578/)
  })

  it('that cannot come to their name leave nothing beside it', () => {
    const writer = createNpy(at('taken.npy'), 'float64', [1])
    writer.write(new Float64Array(1))
    mkdirSync(at('taken.npy'))
    expect(codeOf(() => writer.finish())).toBe('EISDIR')
    rmdirSync(at('taken.npy'))
    expect(readdirSync(at('.')).filter((name) => name.includes('taken'))).toEqual([])
  })
})
