import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { expm } from '../lib/index.ts'

// Allocations of V8 and Node themselves are not among these: where they fail, the process ends, as is their way.

const support = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url))
const dist = fileURLToPath(new URL('../dist', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'matfun-memory-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What a program prints as JSON; it must end well. */
function told<T>(program: string, env: NodeJS.ProcessEnv = {}): Record<string, T> {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [support(program), dist], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 55_000,
  })
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  return JSON.parse(stdout)
}

function compile(source: string, library: string): void {
  const [command, ...options] = (process.env.CXX ?? 'c++').split(' ')
  const args = [...options, '-O1', '-shared', '-fPIC', '-o', library, source, '-ldl']
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  expect({ status, stderr, error }).toEqual({ status: 0, stderr: '', error: undefined })
}

// What these do to a process is Linux's.
if (process.platform === 'linux') {
  it('whichever allocation of the addon fails, the call throws ERR_OUT_OF_MEMORY or is right, and the next one is right', () => {
    const library = join(folder, 'failing-memory.so')
    const control = join(folder, 'control')
    compile(support('failing-memory.cpp'), library)
    writeFileSync(control, new Uint8Array(24))
    const all = told<{ allocations: number; refused: number; problems: unknown[] }>('failing-calls.mjs', {
      LD_PRELOAD: library,
      MATFUN_FAILING: control,
    })
    for (const [name, { allocations, refused, problems }] of Object.entries(all)) {
      expect([name, ...problems]).toEqual([name])
      // One small matrix takes no memory that its thread does not keep. A thread that cannot be started is done without.
      if (!name.includes('one matrix')) expect([name, refused > 0]).toEqual([name, true])
      expect(refused).toBeLessThanOrEqual(allocations)
    }
  })

  it('a process short of addresses is told so, computes on, and computes all when it has more', () => {
    const all = told<{ code: string; next: boolean; again: string }>('limited-memory.mjs')
    expect(Object.keys(all)).toHaveLength(6)
    for (const [call, { code, next }] of Object.entries(all))
      expect({ call, code, next }).toEqual({ call, code: 'ERR_OUT_OF_MEMORY', next: true })
    expect(Object.values(all).map(({ again }) => again)).toEqual([
      'object',
      '',
      'object',
      'object',
      '',
      'undefined',
    ])
  })
}

describe('where statuses cannot be given to JavaScript', () => {
  const original = globalThis.Uint8Array
  const code = (meaning: unknown): unknown => {
    globalThis.Uint8Array = meaning as typeof Uint8Array
    try {
      expm([[[Number.NaN]], [[1]]])
    } catch (error) {
      return (error as { code?: string }).code
    } finally {
      globalThis.Uint8Array = original
    }
    return undefined
  }

  it('for want of memory, the call says so', () => {
    class None {
      constructor() {
        throw new RangeError('Array buffer allocation failed')
      }
    }
    expect(code(None)).toBe('ERR_OUT_OF_MEMORY')
  })

  it('because the name means something else, nothing is written anywhere', () => {
    for (const other of [Map, Float64Array, class extends original {}, Array, 1]) {
      const came = code(other)
      expect(['ERR_MATFUN_ADDON', 'ERR_OUT_OF_MEMORY', 'ERR_NOT_FINITE']).toContain(came)
      if (other === Float64Array) expect(came).toBe('ERR_MATFUN_ADDON')
    }
  })
})
