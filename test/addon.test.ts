import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { info } from '../lib/index.ts'
import { addonPath, native } from '../lib/native.ts'

/** The addon's own checks: whatever lib lets through, these keep memory safe. */
describe('the raw addon refuses what would not be safe', () => {
  const f = (length: number) => new Float64Array(length)
  const whole = f(16)
  const calls: [string, () => unknown, RegExp][] = [
    [
      'no arguments',
      () => native.run(...([] as unknown as Parameters<typeof native.run>)),
      /operation must be a number/,
    ],
    [
      'an unknown operation',
      () => native.run(3, 0, 2, 1, 0, f(4), f(4)),
      /operation must be an integer from 0 to 2/,
    ],
    ['an unknown method', () => native.run(0, 3, 2, 1, 0, f(4), f(4)), /method must be an integer/],
    [
      'a negative order',
      () => native.run(0, 0, -1, 1, 0, f(4), f(4)),
      /n must be an integer from 0 to 46340/,
    ],
    [
      'an order of 2^32 + 1, which wraps to 1',
      () => native.run(0, 0, 2 ** 32 + 1, 1, 0, f(1), f(1)),
      /n must be an integer/,
    ],
    ['a NaN count', () => native.run(0, 0, 2, Number.NaN, 0, f(4), f(4)), /count must be an integer/],
    ['a fractional count', () => native.run(0, 0, 2, 1.5, 0, f(6), f(6)), /count must be an integer/],
    [
      'a count whose arrays cannot be',
      () => native.run(0, 0, 40000, 2 ** 40, 0, f(1), f(1)),
      /longer than any array/,
    ],
    ['an input too short', () => native.run(0, 0, 2, 2, 0, f(4), f(8)), /A must hold 8 numbers, got 4/],
    ['an output too short', () => native.run(0, 0, 2, 2, 0, f(8), f(7)), /value must hold 8 numbers, got 7/],
    [
      'another kind of array',
      () => native.run(0, 0, 2, 1, 0, new Float32Array(4) as never, f(4)),
      /A must be a Float64Array/,
    ],
    ['no direction', () => native.run(1, 0, 2, 1, 1, f(4), f(4)), /direction must be a Float64Array/],
    [
      'an output on the input',
      () => native.run(0, 0, 2, 1, 0, whole.subarray(0, 4), whole.subarray(3, 7)),
      /overlaps/,
    ],
    [
      'outputs on one another',
      () => native.run(1, 0, 2, 1, 1, f(4), whole.subarray(0, 4), f(4), whole.subarray(2, 6)),
      /overlaps/,
    ],
    ['a plan of no array', () => native.plan(0, 0, 2, 1, [] as never), /A must be a Float64Array/],
  ]
  test.each(calls)('%s', (_, call, message) => {
    expect(call).toThrow(message)
  })

  test('a detached buffer, whose length is 0', () => {
    const data = f(4)
    structuredClone(data.buffer, { transfer: [data.buffer] })
    expect(() => native.run(0, 0, 2, 1, 0, data, f(4))).toThrow(/A must hold 4 numbers, got 0/)
  })
})

test('info tells versions, the addon and what OpenBLAS says of itself', () => {
  const told = info()
  expect(told).toMatchObject({
    node: process.version,
    addon: { path: addonPath },
    blas: { vendor: 'OpenBLAS', threads: 1 },
  })
  expect(told.blas.config).toContain(told.blas.version)
  expect(told.blas.version).toMatch(/^\d+\.\d+/)
  expect(['serial', 'pthread', 'openmp']).toContain(told.blas.threading)
  expect(told.blas.locked).toBe(told.blas.threading === 'serial')
  expect(told.blas.library).toMatch(/blas/)
  for (const feature of told.cpu.features)
    expect(['sse4.2', 'avx', 'avx2', 'fma', 'avx512f']).toContain(feature)
})

test('four workers at once compute the numbers that the main thread does', async () => {
  // n = 40 is where an unguarded serial OpenBLAS gives wrong numbers.
  const program = `
    const { parentPort, workerData } = require('node:worker_threads')
    const native = require(workerData.path)
    const wrong = []
    for (let round = 0; round < 200; round++) {
      const X = new Float64Array(1600)
      native.run(0, 0, 40, 1, 0, workerData.A, X)
      if (!X.every((x, k) => x === workerData.X[k])) wrong.push(round)
    }
    parentPort.postMessage(wrong)`
  const A = Float64Array.from({ length: 1600 }, (_, k) => Math.sin(k) / 10)
  const X = new Float64Array(1600)
  native.run(0, 0, 40, 1, 0, A, X)
  const workers = [0, 1, 2, 3].map(
    () => new Worker(program, { eval: true, workerData: { path: addonPath, A, X } }),
  )
  const wrong = await Promise.all(
    workers.map(
      (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    ),
  )
  expect(wrong).toEqual([[], [], [], []])
})
