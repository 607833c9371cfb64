import { describe, expect, it } from 'vitest'
import {
  chunkLengthFor,
  type JobDescription,
  JobError,
  jobId,
  type Operation,
  parseDescription,
} from '../lib/job/index.ts'
import { dtypes } from './support/dtypes.ts'
import { uniform } from './support/matrices.ts'
import { drawSeed } from './support/seed.ts'

const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' } as const
const expm: JobDescription = { operation: 'expm', A: 'in/A.zarr', out: 'out/Y.zarr', options }
const vjp: JobDescription = {
  operation: 'vjp',
  A: 'A.npy',
  direction: 'W.npy',
  out: 'G',
  value: 'V',
  options: { method: 'pade', shift: true, balance: false, structure: 'auto' },
  chunk: 10,
}

describe('a description', () => {
  it.each([[expm], [vjp]])('is what it was after a journey as JSON: %j', (description) => {
    expect(parseDescription(JSON.parse(JSON.stringify(description)))).toEqual(description)
  })

  it.each([
    [undefined, 'the job must be an object, got undefined'],
    [[], 'the job must be an object, got an array of length 0'],
    ['expm', 'the job must be an object, got "expm"'],
    [{ ...expm, operation: 'eval' }, 'operation must be one of "expm", "jvp", "vjp", "cond", got "eval"'],
    [{ ...expm, operation: 'constructor' }, 'operation must be one of'],
    [{ ...expm, command: 'rm' }, 'the job has a field "command", which is not known'],
    [JSON.parse(`{"__proto__":{"operation":"expm"}}`), 'the job has a field "__proto__", which is not known'],
    [{ ...expm, A: undefined }, 'A must be a relative path with / between its parts, got undefined'],
    [{ ...expm, A: 3 }, 'A must be a relative path with / between its parts, got number 3'],
    [{ ...expm, out: 'Y.npy' }, 'expected names that do not end in .npy'],
    [{ ...expm, direction: 'E' }, 'direction is not taken by expm, got "E"'],
    [{ ...vjp, direction: undefined }, 'direction must be a path for vjp, got none'],
    [{ ...expm, value: 'V' }, 'value is not taken by expm, whose result it is'],
    [{ ...expm, operation: 'cond', value: 'V' }, 'value is not taken by cond'],
    [{ ...expm, options: undefined }, 'options must be an object, got undefined'],
    [{ ...expm, options: { ...options, threads: 1e9 } }, 'options has a field "threads"'],
    [{ ...expm, options: { ...options, method: 'taylor' } }, 'options.method must be one of'],
    [
      { ...expm, options: { ...options, shift: 1 } },
      'options.shift must be one of "auto", true, false, got number 1',
    ],
    [{ ...expm, chunk: 0 }, 'chunk must be a positive integer, got number 0'],
    [{ ...expm, chunk: '10' }, 'chunk must be a positive integer, got "10"'],
    [{ ...expm, out: 'in/A.zarr' }, 'out "in/A.zarr" lies in the same place as A'],
    [{ ...expm, out: 'in' }, 'lies in the same place as A'],
    [{ ...expm, out: 'in/A.zarr/c' }, 'lies in the same place as A'],
    [{ ...vjp, value: 'G' }, 'lies in the same place as'],
    [{ ...vjp, value: 'G/V' }, 'lies in the same place as'],
  ])('is refused: %j', (value, message) => {
    expect(() => parseDescription(value)).toThrow(JobError)
    expect(() => parseDescription(value)).toThrow(message)
  })

  it.each([
    '/etc/passwd',
    '../A',
    'a/../../A',
    'a/..',
    '..',
    '.',
    './A',
    'a//b',
    'a/',
    '',
    'a\0b',
    'C:/A',
    'C:A',
    'a\\..\\b',
    '\\\\host\\share',
    '\ud800',
    'x'.repeat(1025),
  ])('has no path that could lead outside, such as %j', (path) => {
    for (const field of ['A', 'direction', 'out', 'value'])
      expect(() => parseDescription({ ...vjp, [field]: path })).toThrow(`${field} must be a relative path`)
  })

  it.each(['A', 'a b/c.d', '..a', 'a..', '...', 'Δ/π.zarr', 'ab:c'])('may have the path %j', (path) => {
    expect(parseDescription({ ...expm, A: path }).A).toBe(path)
  })

  it('reads no getter twice, and nothing inherited', () => {
    let asked = 0
    const value = {
      ...expm,
      get A() {
        return asked++ === 0 ? 'A' : '/etc/passwd'
      },
    }
    expect(parseDescription(value).A).toBe('A')
    expect(() => parseDescription(Object.create(expm))).toThrow(JobError)
  })

  it('of anything else, however it is put together, is refused as such: 5000 of them', () => {
    const next = uniform(drawSeed('descriptions of jobs'))
    const parts = [
      null,
      0,
      -1,
      Number.POSITIVE_INFINITY,
      'A',
      '../B',
      'expm',
      'jvp',
      true,
      [],
      {},
      options,
      { ...expm },
      Symbol.iterator,
    ]
    const keys = [
      'operation',
      'A',
      'direction',
      'out',
      'value',
      'options',
      'chunk',
      'method',
      '__proto__',
      'toString',
    ]
    let refused = 0
    for (let round = 0; round < 5000; round++) {
      const value: Record<string, unknown> = { ...(next() < 0.5 ? expm : vjp), options: { ...options } }
      for (let changes = Math.floor(next() * 3); changes > 0; changes--) {
        const key = keys[Math.floor(next() * keys.length)]
        const picked = parts[Math.floor(next() * parts.length)]
        const part = typeof picked === 'object' ? structuredClone(picked) : picked
        const place = next() < 0.3 ? (value.options as Record<string, unknown>) : value
        if (typeof place === 'object' && place !== null)
          Object.defineProperty(place, key, {
            value: part,
            enumerable: true,
            configurable: true,
            writable: true,
          })
      }
      try {
        const parsed = parseDescription(value)
        expect(parseDescription(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed)
      } catch (error) {
        expect(error).toBeInstanceOf(JobError)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(2000)
  })
})

describe('the name of a job', () => {
  const facts = { dtype: 'float64', n: 4, count: 100, chunkLength: 10 } as const

  it('is 16 hexadecimal digits, the same today as ever', () => {
    expect(jobId(expm, facts)).toMatch(/^[0-9a-f]{16}$/)
    expect(jobId(expm, facts)).toBe('f135f4ed2f2d9c28')
    expect(jobId(vjp, facts)).toBe('bdd764a1b64adc6f')
  })

  it('does not depend on the order in which things are said', () => {
    const turned = Object.fromEntries(Object.entries(vjp).reverse()) as unknown as JobDescription
    expect(jobId(turned, facts)).toBe(jobId(vjp, facts))
  })

  it('differs wherever the work does', () => {
    const others = [
      jobId(vjp, facts),
      ...(['operation', 'A', 'direction', 'out', 'value', 'chunk'] as const).map((key) =>
        jobId({ ...vjp, [key]: 'other' } as never, facts),
      ),
      ...(['method', 'shift', 'balance', 'structure'] as const).map((key) =>
        jobId(
          { ...vjp, options: { ...vjp.options, [key]: key === 'structure' ? 'general' : 'auto' } },
          facts,
        ),
      ),
      ...(['n', 'count', 'chunkLength'] as const).map((key) => jobId(vjp, { ...facts, [key]: 7 })),
      jobId(vjp, { ...facts, dtype: 'float32' }),
    ]
    expect(new Set(others).size).toBe(others.length)
  })
})

describe('the length of a chunk', () => {
  it('is at least a matrix, fits 32 MiB, and falls as matrices grow', () => {
    for (const operation of ['expm', 'jvp', 'vjp', 'cond'] satisfies Operation[])
      for (const dtype of dtypes) {
        const bytes = { float64: 8, float32: 4, complex128: 16, complex64: 8 }[dtype]
        let before = Number.POSITIVE_INFINITY
        for (const n of [1, 2, 4, 16, 64, 256, 1024, 4096, 16384]) {
          const length = chunkLengthFor(n, dtype, operation)
          expect(Number.isInteger(length) && length >= 1 && length <= before).toBe(true)
          expect(length === 1 || length * n * n * bytes <= 2 ** 25).toBe(true)
          before = length
        }
      }
  })
})
