import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expm } from '../lib/index.ts'
import { runProgram } from './support/programs.ts'

// Allocations of V8 and Node themselves are not among these: where they fail, the process ends, as is their way.

const support = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url))
const dist = fileURLToPath(new URL('../dist', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'matfun-memory-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What a program prints as JSON; it must end well. */
function told<T>(program: string, env: NodeJS.ProcessEnv = {}, ...args: string[]): T {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [support(program), dist, ...args], {
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
  const library = join(folder, 'failing-memory.so')
  const control = join(folder, 'control')
  const failing = { LD_PRELOAD: library, MATFUN_FAILING: control }
  beforeAll(() => {
    compile(support('failing-memory.cpp'), library)
    writeFileSync(control, new Uint8Array(24))
  })

  it('whichever allocation of the addon fails, the call throws ERR_OUT_OF_MEMORY or is right, and the next one is right', () => {
    type Told = Record<string, { allocations: number; refused: number; problems: unknown[] }>
    for (const [name, { allocations, refused, problems }] of Object.entries(
      told<Told>('failing-calls.mjs', failing),
    )) {
      expect([name, ...problems]).toEqual([name])
      // One small matrix takes no memory that its thread does not keep.
      if (!name.includes('one matrix')) expect([name, refused > 0]).toEqual([name, true])
      expect(refused).toBeLessThanOrEqual(allocations)
    }
  })

  it('a call that finds no thread, and can start none, says so, and the next one starts them', () => {
    const messages = new Set<string | undefined>()
    for (let first = 1, isOver = false; !isOver; first++) {
      const came = told<{ allocations: number; code?: string; message?: string; right: boolean }>(
        'failing-calls.mjs',
        failing,
        String(first),
      )
      isOver = came.allocations < first
      messages.add(came.message)
      expect({ first, right: came.right }).toEqual({ first, right: true })
      if (came.message !== undefined) expect(came.code).toBe('ERR_OUT_OF_MEMORY')
    }
    expect(messages).toEqual(new Set(['there is not enough memory', 'no thread can be started', undefined]))
  })

  it('a process short of addresses is told so, computes on, and computes all when it has more', () => {
    const all = told<Record<string, { code: string; next: boolean; again: string }>>('limited-memory.mjs')
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

  class None {
    constructor() {
      throw new RangeError('Array buffer allocation failed')
    }
  }

  it('for want of memory, the call says so', () => {
    expect(code(None)).toBe('ERR_OUT_OF_MEMORY')
  })

  // In a process of its own, since much else needs that name meanwhile.
  it('for want of memory, the promise says so', () => {
    const { stdout, stderr } = runProgram(`
      const promise = expmAsync([[[Number.NaN]], [[1]]])
      const original = globalThis.Uint8Array
      globalThis.Uint8Array = class { constructor() { throw new RangeError('Array buffer allocation failed') } }
      const { name, code } = await promise.catch((error) => error)
      globalThis.Uint8Array = original
      console.log(name, code)`)
    expect({ stdout, stderr }).toEqual({ stdout: 'RangeError ERR_OUT_OF_MEMORY\n', stderr: '' })
  })

  it('because the name means something else, nothing is written anywhere', () => {
    for (const other of [Map, Float64Array, class extends original {}, Array, 1]) {
      const came = code(other)
      expect(['ERR_MATFUN_ADDON', 'ERR_OUT_OF_MEMORY', 'ERR_NOT_FINITE']).toContain(came)
      if (other === Float64Array) expect(came).toBe('ERR_MATFUN_ADDON')
    }
  })
})
