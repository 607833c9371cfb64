import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { chunkBudget, runJob } from '../lib/cli/job.ts'
import { expmJVP, expmPlan, expmVJP } from '../lib/index.ts'
import { type NDArray, ndarray } from '../lib/ndarray.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { runHere } from './support/command-line.ts'
import { random } from './support/matrices.ts'
import { npyBytes, numberBytes, temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()
const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' } as const

function stack(name: string, shape: number[], seed: number): NDArray<'float64'> {
  const n = shape[shape.length - 1]
  const count = shape.slice(0, -2).reduce((product, d) => product * d, 1)
  const array = ndarray('float64', shape, random(n, seed, count))
  writeNpy(at(name), array)
  return array
}

/** Runs a job into L.npy and V.npy with a budget of so many bytes, and gives the summary and both files. */
async function derive(operation: 'jvp' | 'vjp', a: string, e: string, budget = chunkBudget) {
  const args = [operation, at(a), at(e), '-o', at('L.npy'), '--value', at('V.npy'), '--json']
  const { code, stdout, stderr } = await runHere(args, { budget })
  expect(stderr).toBe('')
  return { code, ...JSON.parse(stdout), result: readNpy(at('L.npy')), value: readNpy(at('V.npy')) }
}

describe('chunks', () => {
  // 17 and 33 are orders at which one wide product over several directions would change the last bits.
  it.each([1, 2, 17, 33])('of any size give the same bytes, for order %i and every pairing', async (n) => {
    stack('A.npy', [7, n, n], n)
    stack('E.npy', [7, n, n], n + 100)
    stack('a.npy', [n, n], n + 200)
    stack('e.npy', [n, n], n + 300)
    for (const [a, e] of [
      ['A.npy', 'E.npy'],
      ['A.npy', 'e.npy'],
      ['a.npy', 'E.npy'],
      ['a.npy', 'e.npy'],
    ])
      for (const operation of ['jvp', 'vjp'] as const) {
        await derive(operation, a, e)
        const whole = [readFileSync(at('L.npy')), readFileSync(at('V.npy'))]
        for (const items of [0, 1, 2, 3, 6]) {
          await derive(operation, a, e, items * 4 * (n * n * 8 + 16))
          expect(readFileSync(at('L.npy')).equals(whole[0])).toBe(true)
          expect(readFileSync(at('V.npy')).equals(whole[1])).toBe(true)
        }
      }
  })

  it('are read as well from big-endian files in Fortran order, of any rank', async () => {
    const shape = [2, 3, 2, 3, 3]
    const A = stack('A.npy', shape, 1)
    const bytes: Buffer[] = []
    const steps = [54, 18, 9, 3, 1]
    for (let j = 0; j < 3; j++)
      for (let i = 0; i < 3; i++)
        for (let c = 0; c < 2; c++)
          for (let b = 0; b < 3; b++)
            for (let a = 0; a < 2; a++) {
              const place = [a, b, c, i, j].reduce((sum, index, k) => sum + index * steps[k], 0)
              bytes.push(numberBytes(A.data[place], 8, 'BE'))
            }
    writeFileSync(
      at('F.npy'),
      npyBytes({ descr: '>f8', fortranOrder: true, shape, data: Buffer.concat(bytes) }),
    )
    await runHere(['expm', at('A.npy'), '-o', at('Y.npy')])
    await runHere(['expm', at('F.npy'), '-o', at('X.npy')], { budget: 5 * 2 * (72 + 16) })
    expect(readFileSync(at('X.npy'))).toEqual(readFileSync(at('Y.npy')))
  })

  it('count failures through, and a bad direction spoils no other one', async () => {
    const A = stack('a.npy', [3, 3], 5)
    const E = stack('E.npy', [9, 3, 3], 6)
    const bad = { ...E, data: E.data.map((x, k) => (k === 4 * 9 + 2 ? Number.NaN : x)) }
    writeNpy(at('E.npy'), bad)
    const { code, failures, result, value } = await derive('jvp', 'a.npy', 'E.npy', 4 * (72 + 16) * 3)
    expect({ code, failures }).toEqual({ code: 1, failures: [{ index: 4, code: 'ERR_NOT_FINITE' }] })
    expect(value).toEqual(expmJVP(A, E).value)
    for (let k = 0; k < 9; k++) {
      const alone = expmJVP(A, E.data.slice(9 * k, 9 * k + 9)).tangent.data
      expect(result.data.slice(9 * k, 9 * k + 9)).toEqual(
        k === 4 ? new Float64Array(9).fill(Number.NaN) : alone,
      )
    }
  })

  it('keep memory within their budget, whatever the size of the file', async () => {
    const header = npyBytes({ shape: [2 ** 11, 64, 64] })
    writeFileSync(at('large.npy'), header)
    truncateSync(at('large.npy'), header.length + 2 ** 26)
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const onProgress = () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    const request = {
      operation: 'expm',
      inputs: [at('large.npy')],
      out: at('Y.npy'),
      value: undefined,
    } as const
    await runJob({ ...request, options }, { budget: 2 ** 21, onProgress })
    expect(most).toBeGreaterThan(2 ** 20)
    expect(most).toBeLessThan(2 ** 23)
    expect(chunkBudget).toBe(32 * 2 ** 20)
  })
})

describe('a single matrix meets each of the other file', () => {
  it.each([
    [
      [3, 3],
      [2, 4, 3, 3],
      [2, 4, 3, 3],
    ],
    [
      [2, 4, 3, 3],
      [3, 3],
      [2, 4, 3, 3],
    ],
    [
      [1, 3, 3],
      [5, 3, 3],
      [5, 3, 3],
    ],
    [
      [1, 1, 3, 3],
      [5, 3, 3],
      [1, 5, 3, 3],
    ],
    [
      [5, 3, 3],
      [1, 1, 3, 3],
      [1, 5, 3, 3],
    ],
    [
      [3, 3],
      [1, 3, 3],
      [1, 3, 3],
    ],
    [
      [1, 1, 3, 3],
      [1, 3, 3],
      [1, 1, 3, 3],
    ],
    [
      [3, 3],
      [0, 3, 3],
      [0, 3, 3],
    ],
    [
      [0, 3, 3],
      [3, 3],
      [0, 3, 3],
    ],
    [
      [4, 0, 0],
      [0, 0],
      [4, 0, 0],
    ],
  ])('A %j with E %j gives %j, and values of the shape of A, as the functions do', async (a, e, shape) => {
    const A = stack('A.npy', a, 3)
    const E = stack('E.npy', e, 4)
    const jvp = await derive('jvp', 'A.npy', 'E.npy')
    expect(jvp).toMatchObject({ code: 0, shape, result: { shape }, value: { shape: a } })
    expect(jvp).toMatchObject({ result: expmJVP(A, E).tangent, value: expmJVP(A, E).value })
    const vjp = await derive('vjp', 'A.npy', 'E.npy')
    expect(vjp).toMatchObject({ result: expmVJP(A, E).cotangent, value: expmVJP(A, E).value })
  })

  it('and where it cannot be done, every one fails, the value too', async () => {
    writeNpy(at('A.npy'), { data: Float64Array.of(1e4), shape: [1, 1] })
    stack('E.npy', [2, 1, 1], 1)
    const failed = await derive('vjp', 'A.npy', 'E.npy')
    expect(failed.failures).toEqual([0, 1].map((index) => ({ index, code: 'ERR_OVERFLOW' })))
    expect(failed.value.data).toEqual(Float64Array.of(Number.NaN))
    stack('E.npy', [0, 1, 1], 1)
    expect(await derive('vjp', 'A.npy', 'E.npy')).toMatchObject({ code: 1, failures: [{ index: 0 }] })
  })
})

describe('empty stacks', () => {
  it.each([[[0, 3, 3]], [[4, 0, 0]], [[0, 0]], [[2, 0, 3, 3]], [[2 ** 40, 0, 0]]])(
    'of shape %j are done',
    async (shape) => {
      writeNpy(at('A.npy'), { data: new Float64Array(0), shape })
      expect((await runHere(['expm', at('A.npy'), '-o', at('Y.npy')])).code).toBe(0)
      expect(readNpy(at('Y.npy')).shape).toEqual(shape)
      const { code, stdout } = await runHere(['plan', at('A.npy'), '--json'])
      const count = shape.slice(0, -2).reduce((product, d) => product * d, 1)
      expect({ code, count: JSON.parse(stdout).count }).toEqual({ code: 0, count })
    },
  )
})

describe('plan', () => {
  it('counts the matrices of each way, from the cheapest, in chunks too, and names those that have none', async () => {
    const data = Float64Array.from(
      [0, 1e-3, 0.1, 1, 5, 5, 40, Number.NaN, 3, Infinity].flatMap((x) => [0, x, x, 0]),
    )
    writeNpy(at('A.npy'), { data, shape: [10, 2, 2] })
    for (const budget of [1, 1500, chunkBudget]) {
      const { code, stdout } = await runHere(['plan', at('A.npy'), '--json', '--method', 'pade'], { budget })
      const { plans, failures, count } = JSON.parse(stdout)
      expect({ code, count }).toEqual({ code: 1, count: 10 })
      expect(failures).toEqual([7, 9].map((index) => ({ index, code: 'ERR_NOT_FINITE' })))
      const of = (x: number) =>
        expmPlan(
          [
            [0, x],
            [x, 0],
          ],
          { method: 'pade' },
        )
      const { shift, ...five } = of(5)
      expect(plans).toContainEqual({ ...five, shifted: shift !== 0, count: 3, norm: 5, alpha: 5 })
      expect(plans.reduce((sum: number, plan: { count: number }) => sum + plan.count, 0)).toBe(8)
      const costs = plans.map(
        (plan: { products: number; squarings: number }) => plan.products + plan.squarings,
      )
      expect(costs).toEqual(costs.toSorted((a: number, b: number) => a - b))
    }
  })

  it('prints a table', async () => {
    writeNpy(at('A.npy'), { data: new Float64Array(3), shape: [3, 1, 1] })
    const { code, stdout } = await runHere(['plan', at('A.npy')])
    expect(code).toBe(0)
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'plan of expm for 3 matrices of order 1',
      '  matrices  method  degree  products  squarings  form  balanced  shifted  norm up to',
    ])
    expect(stdout).toMatch(/\n {9}3 {2}scalar +\d+ +0 +0 +full +no +no +0\.000\n$/)
  })
})

it('any number of threads gives the same bytes', async () => {
  stack('A.npy', [500, 30, 30], 1)
  stack('E.npy', [500, 30, 30], 2)
  for (const [name, ...inputs] of [
    ['expm', 'A.npy'],
    ['jvp', 'A.npy', 'E.npy'],
    ['vjp', 'A.npy', 'E.npy'],
    ['cond', 'A.npy'],
  ]) {
    const bytes: Buffer[] = []
    for (const threads of ['1', '4']) {
      const { code } = await runHere([name, ...inputs.map(at), '-o', at('Y.npy'), '--threads', threads])
      expect(code).toBe(0)
      bytes.push(readFileSync(at('Y.npy')))
    }
    expect(bytes[1].equals(bytes[0])).toBe(true)
  }
})

/** A chunk that takes long enough for several reports of its progress, and what computes it. */
function longChunk() {
  stack('C.npy', [150, 64, 64], 1)
  return { operation: 'cond', inputs: [at('C.npy')], value: undefined, options, threads: 1 } as const
}

it('a chunk tells how far it has come', async () => {
  const seen: number[] = []
  await runJob({ ...longChunk(), out: at('K.npy') }, { onProgress: (done) => seen.push(done) })
  expect(seen.length).toBeGreaterThan(1)
  expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
  expect(seen.at(-1)).toBe(150)
})

it('a job that is aborted within a chunk ends before the chunk does', async () => {
  const request = { ...longChunk(), out: at('new.npy') }
  const before = readdirSync(at('.'))
  const controller = new AbortController()
  const seen: number[] = []
  const onProgress = (done: number) => {
    seen.push(done)
    controller.abort('enough')
  }
  await expect(runJob(request, { signal: controller.signal, onProgress })).rejects.toBe('enough')
  expect(seen).toHaveLength(1)
  expect(seen[0]).toBeLessThan(150)
  expect(readdirSync(at('.'))).toEqual(before)
})

it('a job that is aborted between chunks removes its files', async () => {
  stack('A.npy', [6, 2, 2], 1)
  const before = readdirSync(at('.'))
  const controller = new AbortController()
  const request = { operation: 'expm', inputs: [at('A.npy')], out: at('new.npy'), value: undefined } as const
  const job = runJob(
    { ...request, options },
    {
      budget: 1,
      signal: controller.signal,
      onProgress: (done) => {
        if (done === 3) controller.abort('enough')
      },
    },
  )
  await expect(job).rejects.toBe('enough')
  expect(readdirSync(at('.'))).toEqual(before)
})
