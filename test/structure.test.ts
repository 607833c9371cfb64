// options.structure: what it may be, what it changes, and what matrices are told that do not have it or are uncertain.
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  expm,
  expmAsync,
  expmCond,
  expmJVP,
  expmJVPAsync,
  expmLinearize,
  expmPlan,
  expmVJP,
  expmVJPAsync,
  type FailureCode,
  MatfunError,
  type MatrixInput,
  type Plan,
} from '../lib/index.ts'
import { openJob } from '../lib/job/index.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { expm as exactly } from '../lib/reference/index.ts'
import { createZarr, openZarr } from '../lib/zarr/index.ts'
import { bitsOf } from './support/bits.ts'
import { runHere } from './support/command-line.ts'
import { dtypes, randomArray } from './support/dtypes.ts'
import { asGenerator, generatorCases } from './support/generators.ts'
import { families, random, u } from './support/matrices.ts'
import { temporaryFolder } from './support/npy-files.ts'
import { writeFolder } from './support/zarr-files.ts'

const at = temporaryFolder()
const Q = [
  [-3, 1, 2],
  [0.5, -1, 0.5],
  [0, 4, -4],
]
const noGenerator = [[-1, 2, -1], ...Q.slice(1)]
const rotation = (angle: number) => [
  [0, angle],
  [-angle, 0],
]

/** Every call that computes, by its name. */
const calls: Record<string, (A: MatrixInput, options?: object) => unknown> = {
  expm: (A, options) => expm(A, options),
  expmJVP: (A, options) => expmJVP(A, A, options),
  expmVJP: (A, options) => expmVJP(A, A, options),
  expmLinearize: (A, options) => expmLinearize(A, options).value,
  expmCond: (A, options) => expmCond(A, options),
}
const promises: Record<string, (A: MatrixInput, options?: object) => Promise<unknown>> = {
  expmAsync: (A, options) => expmAsync(A, options),
  expmJVPAsync: (A, options) => expmJVPAsync(A, A, options),
  expmVJPAsync: (A, options) => expmVJPAsync(A, A, options),
}
const plan = (A: MatrixInput, options?: object) => expmPlan(A, options)

async function errorOf(call: () => unknown): Promise<Error & { code?: string; failures?: unknown }> {
  try {
    await call()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe('options.structure', () => {
  const every = { ...calls, ...promises, expmPlan: plan }

  test.each([
    ['markov', '"markov"'],
    ['toString', '"toString"'],
    ['Generator', '"Generator"'],
    [true, 'boolean true'],
    [2, 'number 2'],
    [null, 'null'],
    [['generator'], 'an array of length 1'],
  ])('may not be %j', async (structure, came) => {
    for (const [name, call] of Object.entries(every))
      expect(await errorOf(() => call(Q, { structure })), name).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_OPTION',
        message: `options.structure must be 'auto', 'general' or 'generator', got ${came}`,
      })
  })

  test.each(dtypes.filter((dtype) => dtype.startsWith('complex')))(
    "may not be 'generator' for %s, whatever its numbers",
    async (dtype) => {
      for (const shape of [
        [3, 3],
        [2, 9, 9],
        [0, 3, 3],
      ])
        for (const [name, call] of Object.entries(every))
          expect(await errorOf(() => call(randomArray(dtype, shape, 1), asGenerator())), name).toMatchObject({
            name: 'TypeError',
            code: 'ERR_INVALID_OPTION',
            message: `options.structure 'generator' is for real matrices, got ${dtype}`,
          })
      expect(expm(randomArray(dtype, [3, 3], 1), { structure: 'general' }).dtype).toBe(dtype)
    },
  )

  test("is 'auto' unless it is given", () => {
    for (const n of [3, 9, 20])
      for (const A of [random(n, 1), random(n, 1).map(Math.abs), families['Markov generator'](n, 2)])
        for (const [name, call] of Object.entries(calls)) {
          expect(bitsOf(call(A, { structure: 'auto' })), name).toEqual(bitsOf(call(A)))
          expect(bitsOf(call(A, { structure: undefined })), name).toEqual(bitsOf(call(A)))
        }
  })

  test('is read once', () => {
    let reads = 0
    const options = {
      get structure() {
        reads++
        return 'generator' as const
      },
    }
    for (const call of Object.values(every)) {
      reads = 0
      call(Q, options)
      expect(reads).toBe(1)
    }
  })
})

describe('a plan', () => {
  const positive = random(9, 3).map((x) => Math.abs(x) + 0.1)

  test('finds nonnegative matrices unless it may not', () => {
    expect(expmPlan(positive)).toMatchObject({ method: 'nonnegative', form: 'full' })
    expect(expmPlan(positive, { method: 'polynomial' }).method).toBe('nonnegative')
    expect(expmPlan(positive, { method: 'pade' }).method).toBe('pade')
    expect(expmPlan(positive, { structure: 'general' }).method).toBe('polynomial')
    expect(expmPlan(positive.map((x, k) => (k === 5 ? -x : x))).method).toBe('polynomial')
    expect(expmPlan(positive.map((x, k) => (k === 10 ? -x : x))).method).toBe('nonnegative')
    expect((expmPlan(randomArray('complex128', [3, 3], 1)) as Plan).method).toBe('polynomial')
  })

  test('of a generator has its form, its rates as the shift, and degrees that rise with the norm', () => {
    expect(expmPlan(Q, asGenerator())).toEqual({
      method: 'nonnegative',
      degree: expect.any(Number),
      products: expect.any(Number),
      squarings: expect.any(Number),
      norm: 4,
      alpha: 4,
      form: 'generator',
      balanced: false,
      shift: -4,
    })
    const scaled = (c: number) => Q.map((row) => row.map((x) => c * x))
    const degrees = [1e-20, 1e-10, 1e-5, 0.005, 0.1, 0.25, 0.4].map(
      (c) => expmPlan(scaled(c), asGenerator()).degree,
    )
    expect(degrees).toEqual([...degrees].sort((a, b) => a - b))
    expect(new Set(degrees).size).toBeGreaterThan(4)
    for (const { degree } of [expmPlan(scaled(1), asGenerator()), expmPlan(scaled(1e9), asGenerator())])
      expect(degree).toBe(20)
    expect(expmPlan(scaled(1024), asGenerator()).squarings).toBeGreaterThan(9)
  })

  test('tells what is no generator, and what is uncertain', async () => {
    const wrong = await errorOf(() => expmPlan([Q, noGenerator, Q, noGenerator], asGenerator()))
    expect(wrong).toBeInstanceOf(MatfunError)
    expect(wrong.failures).toEqual([
      { index: 1, code: 'ERR_STRUCTURE' },
      { index: 3, code: 'ERR_STRUCTURE' },
    ])
    expect(await errorOf(() => expmPlan(rotation(1e20)))).toMatchObject({ code: 'ERR_UNCERTAIN' })
  })
})

const failing: [FailureCode, MatrixInput, object, string, string?][] = [
  [
    'ERR_STRUCTURE',
    noGenerator,
    asGenerator(),
    'matrix 0 is no generator: entries off the diagonal must be 0 or more, and each row must sum to 0 but for rounding',
  ],
  [
    'ERR_UNCERTAIN',
    rotation(1e20),
    {},
    'matrix 0 has so large a norm that no digit of its exponential is certain: rounding the matrix alone changes every digit',
  ],
  [
    'ERR_UNCERTAIN',
    { data: random(5, 4).map((x) => 1e100 * x), shape: [5, 5] },
    {},
    'matrix 0 has so large a norm that no digit of its exponential is certain: rounding the matrix alone changes every digit',
  ],
  [
    'ERR_NOT_FINITE',
    [[Number.NaN]],
    {},
    'matrix 0 has an entry that is not finite',
    'matrix 0 or its direction has an entry that is not finite',
  ],
  [
    'ERR_OVERFLOW',
    [[1000]],
    {},
    'matrix 0 has an exponential that overflows',
    'matrix 0 has an exponential or derivative that overflows',
  ],
]

describe.each(failing)('what fails with %s (%#)', (code, A, options, message, ofDerivative = message) => {
  test('is told by every call, with a reason that speaks of what was asked', async () => {
    for (const [name, call] of Object.entries({ ...calls, ...promises })) {
      const error = await errorOf(() => call(A, options))
      expect(error, name).toBeInstanceOf(MatfunError)
      expect(error, name).toMatchObject({ code, failures: [{ index: 0, code }] })
      expect(error.message, name).toBe(/JVP|VJP/.test(name) ? ofDerivative : message)
    }
    expect(message).not.toMatch(/direction|derivative/)
  })

  test('is told of a batch, once for all', async () => {
    const n = expm(A, { ...options, onFailure: 'nan' }).shape[0]
    const data = new Float64Array(4 * n * n)
    const flat = (A as { data?: Float64Array }).data ?? (A as number[][]).flat()
    for (const k of [1, 3]) data.set(flat, k * n * n)
    const stack = { data, shape: [4, n, n] }
    for (const [name, call] of Object.entries({ ...calls, ...promises })) {
      const error = await errorOf(() => call(stack, options))
      const text = /JVP|VJP/.test(name) ? ofDerivative : message
      expect(error.message, name).toBe(`${text.replace('matrix 0', 'matrix 1')} (and 1 more; see failures)`)
      expect(error.failures, name).toEqual([1, 3].map((index) => ({ index, code })))
    }
    const X = expm(stack, { ...options, onFailure: 'nan' }).data
    const isIdentity = (k: number) =>
      X.slice(k * n * n, (k + 1) * n * n).every((x, e) => x === (e % (n + 1) === 0 ? 1 : 0))
    expect([isIdentity(0), isIdentity(2)]).toEqual([true, true])
    for (const k of [1, 3]) expect(X.slice(k * n * n, (k + 1) * n * n).every(Number.isNaN)).toBe(true)
  })

  test("is NaN with onFailure 'nan'", async () => {
    const numbersOf = (x: unknown): number[] => {
      if (typeof x === 'number') return [x]
      const { data } = x as { data?: ArrayLike<number> }
      return data ? Array.from(data) : Object.values(x as object).flatMap(numbersOf)
    }
    for (const [name, call] of Object.entries({ ...calls, ...promises })) {
      const numbers = numbersOf(await call(A, { ...options, onFailure: 'nan' }))
      expect(numbers.length, name).toBeGreaterThan(0)
      expect(numbers.every(Number.isNaN), name).toBe(true)
    }
  })

  test('is told by the derivatives of a linearization', async () => {
    const L = expmLinearize(A, { ...options, onFailure: 'nan' })
    for (const derivative of [L.jvp(A), L.vjp(A)]) expect(derivative.data.every(Number.isNaN)).toBe(true)
    expect(Number.isNaN(L.conditionNumber() as number)).toBe(true)
    L.dispose()
  })
})

describe('generators in every call', () => {
  const chains = generatorCases('float64').filter(({ n }) => n <= 20)

  test('linearizations and promises have the bits of expmJVP and expmVJP', async () => {
    for (const { Q, W, directions } of chains) {
      const [E] = directions
      const jvp = expmJVP(Q, E, asGenerator())
      const vjp = expmVJP(Q, W, asGenerator())
      const L = expmLinearize(Q, asGenerator())
      expect(bitsOf({ value: L.value, tangent: L.jvp(E) })).toEqual(bitsOf(jvp))
      expect(bitsOf({ value: L.value, cotangent: L.vjp(W) })).toEqual(bitsOf(vjp))
      L.dispose()
      expect(bitsOf(await expmAsync(Q, asGenerator()))).toEqual(bitsOf(expm(Q, asGenerator())))
      expect(bitsOf(await expmJVPAsync(Q, E, asGenerator()))).toEqual(bitsOf(jvp))
      expect(bitsOf(await expmVJPAsync(Q, W, asGenerator()))).toEqual(bitsOf(vjp))
    }
  })

  test('have the bits alone that they have in a batch with many directions', () => {
    for (const { Q, W, directions, n } of chains) {
      const stack = Float64Array.of(...directions[0].data, ...W.data, ...directions[1].data)
      const all = { data: stack, shape: [3, n, n] }
      for (const call of [
        (E: MatrixInput) => expmJVP(Q, E, asGenerator()).tangent.data,
        (E: MatrixInput) => expmVJP(Q, E, asGenerator()).cotangent.data,
      ]) {
        const together = call(all)
        for (let k = 0; k < 3; k++) {
          const E = { data: stack.slice(k * n * n, (k + 1) * n * n), shape: [n, n] }
          expect(bitsOf(together.slice(k * n * n, (k + 1) * n * n))).toEqual(bitsOf(call(E)))
        }
      }
    }
  })

  test('have the same bits from a transposed view, whose rows are what sums to zero', () => {
    for (const { Q, n } of chains) {
      const data = Q.data.map((_, k) => Q.data[(k % n) * n + Math.floor(k / n)])
      const view = { data, shape: [n, n], strides: [1, n] }
      expect(bitsOf(expm(view, asGenerator()).data)).toEqual(bitsOf(expm(Q, asGenerator()).data))
    }
  })

  test('have a condition number', () => {
    expect(expmCond(Q, asGenerator())).toBeGreaterThan(0)
    const L = expmLinearize(Q, asGenerator())
    expect(L.conditionNumber()).toBeGreaterThan(0)
    L.dispose()
  })
})

describe('nonnegative matrices', () => {
  test.each(['auto', 'generator'] as const)('have no negative entry, with structure %s', (structure) => {
    for (let n = 2; n <= 33; n++)
      for (const size of [1e-6, 0.1, 3]) {
        const chain = families['Markov generator'](n, n).map((x) => size * x)
        const A = structure === 'generator' ? chain : chain.map((x) => Math.max(x, 0))
        for (const X of [expm(A, { structure }), expmJVP(A, A, { structure }).value])
          expect(X.data.every((x) => x >= 0)).toBe(true)
      }
  })

  test('have every entry right in order 2 to 5, where lanes know of no signs, and above', () => {
    for (const n of [2, 3, 4, 5, 9])
      for (const size of [1e-8, 1e-3, 0.2, 1, 3, 20])
        for (const seed of [1, 2, 3]) {
          const next = random(n, seed)
          const A = next.map((x, k) => size * (k % 3 === seed % 3 ? Math.abs(x) : 1e-3 * Math.abs(x)))
          const truth = exactly({ data: A, shape: [n, n] }).data
          const X = expm(A).data
          const worst = Math.max(...truth.map((x, k) => Math.abs(X[k] / x - 1)))
          const norm = n * Math.max(...A)
          expect(worst / (u * (n + 16) * Math.max(2 * norm, 1)), `${n}, ${size}, ${seed}`).toBeLessThan(1)
        }
  })
})

describe('jobs and the command line', () => {
  const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'generator' } as const
  const stack = { data: Float64Array.from([...Q.flat(), ...noGenerator.flat()]), shape: [2, 3, 3] }
  const expected = expm(Q, asGenerator()).data

  test('a job takes a structure, and writes down what has it not', async () => {
    const root = writeFolder(at('job'), {})
    const array = await createZarr(`${root}/A`, { dtype: 'float64', shape: [2, 3, 3], chunkLength: 1 })
    for (const k of [0, 1]) await array.writeChunk(k, stack.data.slice(9 * k, 9 * k + 9))
    const job = await openJob({ operation: 'expm', A: 'A', out: 'Y', options }, { root })
    for (const k of [0, 1]) await job.runChunk(k)
    const failures = []
    for await (const failure of job.failures()) failures.push(failure)
    expect(failures).toEqual([{ index: 1, code: 'ERR_STRUCTURE' }])
    expect(await (await openZarr(`${root}/Y`)).readChunk(0)).toEqual(expected)
    // It is another job than that without.
    await expect(
      openJob({ operation: 'expm', A: 'A', out: 'Y', options: { ...options, structure: 'auto' } }, { root }),
    ).rejects.toThrow()
  })

  test('a job refuses a structure that there is not', async () => {
    const description = { operation: 'expm', A: 'A', out: 'Z', options: { ...options, structure: 'markov' } }
    await expect(openJob(description as never, { root: at('job') })).rejects.toThrow(
      /options\.structure.*auto.*general.*generator.*"markov"/,
    )
  })

  test('--structure is an option of every command that computes', async () => {
    writeNpy(at('Q.npy'), { data: Float64Array.from(Q.flat()), shape: [3, 3] })
    for (const [command, result] of [
      ['expm', expected],
      ['jvp', expmJVP(Q, Q, asGenerator()).tangent.data],
      ['vjp', expmVJP(Q, Q, asGenerator()).cotangent.data],
      ['cond', Float64Array.of(expmCond(Q, asGenerator()) as number)],
    ] as const) {
      const inputs = command === 'jvp' || command === 'vjp' ? [at('Q.npy'), at('Q.npy')] : [at('Q.npy')]
      const args = [command, ...inputs, '-o', at('X.npy'), '--structure', 'generator', '--json']
      const { code, stdout, stderr } = await runHere(args)
      expect({ code, stderr }, command).toEqual({ code: 0, stderr: '' })
      expect(JSON.parse(stdout)).toMatchObject({ structure: 'generator', failures: [] })
      expect(readNpy(at('X.npy')).data).toEqual(result)
    }
    const planned = await runHere(['plan', at('Q.npy'), '--structure', 'generator', '--json'])
    expect(planned.code).toBe(0)
    expect(planned.stdout).toContain('"form":"generator"')
  })

  test('--structure refuses what it does not know', async () => {
    for (const args of [
      ['expm', at('Q.npy'), '-o', at('Y.npy')],
      ['plan', at('Q.npy')],
      ['run', 'expm', '--a', at('Q.npy'), '-o', at('Y.zarr')],
    ]) {
      const { code, stdout, stderr } = await runHere([...args, '--structure', 'on'])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/--structure expects auto, general or generator, got "on"/)
    }
  })

  test('the summary tells of what is no generator, and of what is uncertain', async () => {
    writeNpy(at('stack.npy'), stack)
    const refused = await runHere([
      'expm',
      at('stack.npy'),
      '-o',
      at('Y.npy'),
      '--structure',
      'generator',
      '--json',
    ])
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stdout).failures).toEqual([{ index: 1, code: 'ERR_STRUCTURE' }])
    expect(readNpy(at('Y.npy')).data.slice(0, 9)).toEqual(expected)
    writeNpy(at('rotation.npy'), { data: Float64Array.from(rotation(1e20).flat()), shape: [1, 2, 2] })
    const uncertain = await runHere(['expm', at('rotation.npy'), '-o', at('Y.npy')])
    expect(uncertain.code).toBe(1)
    expect(uncertain.stdout).toContain('ERR_UNCERTAIN')
  })

  test('matfun run takes a structure, and continues no job of another', async () => {
    const root = writeFolder(at('run'), {})
    writeNpy(`${root}/A.npy`, stack)
    const line = ['run', 'expm', '--a', `${root}/A.npy`, '-o', `${root}/Y.zarr`, '--root', root, '--json']
    const first = await runHere([...line, '--structure', 'generator'])
    expect(first.stderr).toBe('')
    expect(first.code).toBe(1)
    expect(JSON.parse(first.stdout)).toMatchObject({
      structure: 'generator',
      failures: [{ index: 1, code: 'ERR_STRUCTURE' }],
    })
    const again = await runHere([...line, '--structure', 'generator'])
    expect(JSON.parse(again.stdout)).toMatchObject({ present: 1, failures: [{ code: 'ERR_STRUCTURE' }] })
    expect((await runHere(line)).code).toBe(2)
  })

  test('a complex job cannot be of generators', async () => {
    const root = writeFolder(at('complex'), {})
    writeNpy(`${root}/C.npy`, randomArray('complex128', [2, 3, 3], 5))
    writeFileSync(`${root}/none`, '')
    const direct = await runHere(['expm', `${root}/C.npy`, '-o', `${root}/Y.npy`, '--structure', 'generator'])
    expect(direct.code).toBe(2)
    expect(direct.stderr).toMatch(/'generator' is for real matrices, got complex128/)
    const line = ['run', 'expm', '--a', `${root}/C.npy`, '-o', `${root}/Y.zarr`, '--root', root]
    const run = await runHere([...line, '--structure', 'generator'])
    expect(run.code).toBe(2)
    expect(run.stderr).toMatch(/'generator' is for real matrices, got complex128/)
  })
})
