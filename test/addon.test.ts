import { describe, expect, test } from 'vitest'
import { info } from '../lib/index.ts'
import { addon, jobCode, native } from '../lib/native.ts'
import { allocate, components, type DType, storageOf } from '../lib/ndarray.ts'
import { runText } from './support/programs.ts'

const dtypes: DType[] = ['float64', 'float32', 'complex128', 'complex64']

/** The addon's own checks: whatever lib lets through, these keep memory safe. */
describe.each(dtypes)('the raw addon refuses what would not be safe in %s:', (dtype) => {
  const code = (operation: number) => jobCode(operation, dtype, 0)
  const kind = storageOf(dtype).name
  const parts = components(dtype)
  /** Room for so many elements. */
  const f = (elements: number) => allocate(dtype, elements)
  const whole = f(16)
  const part = (from: number, to: number) =>
    whole.subarray(from * parts, to * parts) as Float64Array | Float32Array
  const other = (elements: number) =>
    kind === 'Float64Array' ? new Float32Array(elements * parts) : new Float64Array(elements * parts)
  const run = (operation: number, n: number, count: number, directions: number, ...arrays: unknown[]) =>
    native.run(code(operation), n, count, directions, 1, ...(arrays as [Float64Array, Float64Array]))
  const numbers = (elements: number) => elements * parts
  const owner = {}
  const plans = new Float64Array(11)
  const room = new ArrayBuffer(256)
  const kept = native.linearize(code(0), 2, 2, 0, 1, f(8), f(8), owner).id
  const calls: [string, () => unknown, RegExp][] = [
    ['a negative order', () => run(0, -1, 1, 0, f(4), f(4)), /n must be an integer from 0 to 46340/],
    [
      'an order of 2^32 + 1, which wraps to 1',
      () => run(0, 2 ** 32 + 1, 1, 0, f(1), f(1)),
      /n must be an integer/,
    ],
    ['a NaN count', () => run(0, 2, Number.NaN, 0, f(4), f(4)), /count must be an integer/],
    ['a fractional count', () => run(0, 2, 1.5, 0, f(6), f(6)), /count must be an integer/],
    ['a count whose arrays cannot be', () => run(0, 40000, 2 ** 40, 0, f(1), f(1)), /longer than any array/],
    [
      'an input too short',
      () => run(0, 2, 2, 0, f(4), f(8)),
      RegExp(`A must hold ${numbers(8)} numbers, got ${numbers(4)}`),
    ],
    [
      'an output too short',
      () => run(0, 2, 2, 0, f(8), f(7)),
      RegExp(`value must hold ${numbers(8)} numbers, got ${numbers(7)}`),
    ],
    [
      'a direction too short',
      () => run(1, 2, 1, 2, f(4), f(4), f(4), f(8)),
      RegExp(`direction must hold ${numbers(8)} numbers, got ${numbers(4)}`),
    ],
    [
      'a result too short',
      () => run(2, 2, 1, 2, f(4), f(4), f(8), f(4)),
      RegExp(`result must hold ${numbers(8)} numbers, got ${numbers(4)}`),
    ],
    ['an input of the other precision', () => run(0, 2, 1, 0, other(4), f(4)), RegExp(`A must be a ${kind}`)],
    [
      'an output of the other precision',
      () => run(0, 2, 1, 0, f(4), other(4)),
      RegExp(`value must be a ${kind}`),
    ],
    [
      'an input of integers',
      () => run(0, 2, 1, 0, new BigInt64Array(4 * parts), f(4)),
      RegExp(`A must be a ${kind}`),
    ],
    ['no direction', () => run(1, 2, 1, 1, f(4), f(4)), RegExp(`direction must be a ${kind}`)],
    ['directions where there are none', () => run(0, 2, 1, 1, f(4), f(4)), /directions must be 0/],
    ['an output on the input', () => run(0, 2, 1, 0, part(0, 4), part(3, 7)), /overlaps/],
    ['outputs on one another', () => run(1, 2, 1, 1, f(4), part(0, 4), f(4), part(2, 6)), /overlaps/],
    ['an output on the direction', () => run(2, 2, 1, 1, f(4), part(0, 4), part(3, 7), f(4)), /overlaps/],
    [
      'condition numbers that are not float64',
      () => run(3, 2, 1, 0, f(4), new Float32Array(1)),
      /value must be a Float64Array/,
    ],
    [
      'too few condition numbers',
      () => run(3, 2, 2, 0, f(8), new Float64Array(1)),
      /value must hold 2 numbers, got 1/,
    ],
    [
      'condition numbers on their input',
      () => run(3, 2, 1, 0, whole.subarray(0, 4 * parts), new Float64Array(whole.buffer, 0, 1)),
      /overlaps/,
    ],
    ['a plan of no array', () => native.plan(code(0), 2, 1, [] as never, plans), RegExp(`must be a ${kind}`)],
    [
      'a plan of an array too short',
      () => native.plan(code(0), 2, 2, f(4), plans),
      RegExp(`A must hold ${numbers(8)} numbers`),
    ],
    ['a plan that goes nowhere', () => native.plan(code(0), 2, 1, f(4), undefined as never), /plans must be/],
    [
      'plans of two in the place of one',
      () => native.plan(code(0), 2, 2, f(8), plans),
      /hold 22 numbers, got 11/,
    ],
    [
      'a plan on its matrix',
      () =>
        native.plan(
          code(0),
          4,
          1,
          new (storageOf(dtype))(room, 0, 16 * parts),
          new Float64Array(room, 0, 11),
        ),
      /overlaps/,
    ],
    [
      'one matrix in no memory',
      () => native.runOne(code(0), 2, undefined as never),
      /memory must be an Array/,
    ],
    [
      'one matrix in an array',
      () => native.runOne(code(0), 2, f(64) as never),
      /memory must be an ArrayBuffer/,
    ],
    [
      'one matrix in memory that is shared',
      () => native.runOne(code(0), 2, new SharedArrayBuffer(1024) as never),
      /memory must be an ArrayBuffer/,
    ],
    [
      'a value beyond the memory',
      () => native.runOne(code(0), 2, new ArrayBuffer(2 * f(4).byteLength - 1)),
      RegExp(`memory must hold ${2 * f(4).byteLength} bytes, got ${2 * f(4).byteLength - 1}`),
    ],
    [
      'a derivative beyond the memory',
      () => native.runOne(code(2), 2, new ArrayBuffer(4 * f(4).byteLength - 1)),
      RegExp(`memory must hold ${4 * f(4).byteLength} bytes`),
    ],
    ['one matrix of order 0', () => native.runOne(code(0), 0, new ArrayBuffer(64)), /order 1 at least/],
    [
      'one matrix of an order whose bytes wrap',
      () => native.runOne(code(1), 46340, new ArrayBuffer(64)),
      /memory must hold/,
    ],
    [
      'a linearization of another operation',
      () => native.linearize(code(1), 2, 1, 0, 1, f(4), f(4), {}),
      /direction must be/,
    ],
    [
      'a linearization in place',
      () =>
        native.linearize(code(0), 2, 1, 0, 1, whole.subarray(0, 4 * parts), whole.subarray(0, 4 * parts), {}),
      /overlaps/,
    ],
    [
      'a linearization of order 0',
      () => native.linearize(code(0), 0, 1, 0, 1, f(0), f(0), {}),
      /order 1 at least/,
    ],
    [
      'a linearization without an owner',
      () => native.linearize(code(0), 2, 1, 0, 1, f(4), f(4), undefined as never),
      /owner must be an object/,
    ],
    ['an id that is none', () => native.derive(Number.NaN, 1, 1, 1, f(4), f(4)), /id must be an integer/],
    ['an id of nothing', () => native.conditions(2 ** 40, 1, new Float64Array(1)), /no linearization/],
    ['an id that wraps', () => native.release(2 ** 64), /id must be an integer/],
    [
      'derivatives of another operation',
      () => native.derive(kept, 3, 1, 1, f(8), f(8)),
      /operation must be an integer from 1 to 2/,
    ],
    [
      'a direction for one matrix of two',
      () => native.derive(kept, 1, 1, 1, f(4), f(8)),
      RegExp(`direction must hold ${numbers(8)} numbers, got ${numbers(4)}`),
    ],
    [
      'derivatives of the other precision',
      () => native.derive(kept, 2, 1, 1, f(8), other(8)),
      RegExp(`result must be a ${kind}`),
    ],
    [
      'derivatives on their directions',
      () => native.derive(kept, 1, 1, 1, part(0, 8), part(0, 8)),
      /overlaps/,
    ],
    [
      'condition numbers for one matrix of two',
      () => native.conditions(kept, 1, new Float64Array(1)),
      /values must hold 2 numbers, got 1/,
    ],
    [
      'a job without anyone to tell of its end',
      () =>
        native.start(code(0), 2, 1, 0, 1, f(4), f(4), undefined, undefined, 0, undefined as never, undefined),
      /ended must be a function/,
    ],
    [
      'a job whose progress is told to nobody',
      () => native.start(code(0), 2, 1, 0, 1, f(4), f(4), undefined, undefined, 0, () => {}, 1 as never),
      /progress must be a function or undefined/,
    ],
    [
      'copies of what is not overwritten',
      () =>
        native.start(
          code(3),
          2,
          1,
          0,
          1,
          f(4),
          new Float64Array(1),
          undefined,
          undefined,
          1,
          () => {},
          undefined,
        ),
      /copies must be an integer from 0 to 0/,
    ],
    ['an output on the value', () => run(1, 2, 1, 1, part(8, 12), f(4), f(4), part(9, 13)), /overlaps/],
    ['one condition number', () => native.runOne(code(3), 1, new ArrayBuffer(64)), /no condition numbers/],
  ]
  test.each(calls)('%s', (_, call, message) => {
    expect(call).toThrow(message)
  })

  test('but not a linearization of no matrices', () => {
    const { id, statuses } = native.linearize(code(0), 2, 0, 0, 1, f(0), f(0), owner)
    expect(statuses).toBeUndefined()
    expect(native.derive(id, 1, 3, 1, f(0), f(0))).toBeUndefined()
    expect(native.conditions(id, 1, new Float64Array(0))).toBeUndefined()
    native.release(id)
  })

  test('a linearization that was released, whose number is not used again', () => {
    const make = () => native.linearize(code(0), 2, 1, 0, 1, f(4), f(4), owner).id
    const id = make()
    native.release(id)
    native.release(id)
    expect(() => native.derive(id, 1, 1, 1, f(4), f(4))).toThrow(/no linearization/)
    expect(make()).toBeGreaterThan(id)
  })

  test('but not an output that is its input', () => {
    const numbers = allocate(dtype, 8).map((_, k) => (k % 5) / 4) as Float64Array | Float32Array
    const apart = [f(8), f(8)]
    run(1, 2, 2, 1, numbers, apart[0], numbers, apart[1])
    const inPlace = [numbers.slice(), numbers.slice()]
    run(1, 2, 2, 1, inPlace[0], inPlace[0], inPlace[1], inPlace[1])
    expect(inPlace).toEqual(apart)
    const condition = new Float64Array(1)
    expect(() => native.run(jobCode(3, 'float64', 0), 1, 1, 0, 1, condition, condition)).toThrow(/overlaps/)
  })

  test('a detached buffer, whose length is 0', () => {
    const data = f(4)
    structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] })
    expect(() => run(0, 2, 1, 0, data, f(4))).toThrow(RegExp(`A must hold ${numbers(4)} numbers, got 0`))
    expect(() => native.runOne(code(0), 1, data.buffer as ArrayBuffer)).toThrow(/memory must hold .*, got 0/)
  })
})

describe('the raw addon refuses codes that name nothing:', () => {
  const f = new Float64Array(4)
  const calls: [string, () => unknown, RegExp][] = [
    [
      'no arguments',
      () => native.run(...([] as unknown as Parameters<typeof native.run>)),
      /code must be a number/,
    ],
    ['none of its bits', () => native.run(4096, 2, 1, 0, 1, f, f), /code must be an integer from 0 to 4095/],
    ['a negative one', () => native.plan(-1, 2, 1, f, f), /code must be an integer from 0 to 4095/],
    ['an unknown method', () => native.run(jobCode(0, 'float64', 3), 2, 1, 0, 1, f, f), /no method/],
    ['an unknown shift', () => native.runOne(jobCode(0, 'float64', 12), 2, f.buffer), /no shift/],
    ['an unknown balance', () => native.plan(jobCode(0, 'float64', 48), 2, 1, f, f), /no balance/],
    ['an unknown structure', () => native.plan(jobCode(0, 'float64', 192), 2, 1, f, f), /no structure/],
    ['a code that is a name', () => native.plan('float64' as never, 2, 1, f, f), /code must be a number/],
  ]
  test.each(calls)('%s', (_, call, message) => {
    expect(call).toThrow(message)
  })
})

test('what one job in the background throws when it is told of its end does not keep the others from being told', () => {
  const { status, stdout } = runText(`
    const { native } = await import('${new URL('../dist/native.js', import.meta.url).href}')
    const A = () => new Float64Array(4)
    const start = (ended) => native.start(0, 2, 1, 0, 1, A(), A(), undefined, undefined, 0, ended, undefined)
    for (let k = 0; k < 20; k++)
      start(() => {
        console.log('ended')
        if (k % 2 === 0) throw new Error('here')
      })
    // Until all have ended, so that they are told of one after the other.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)`)
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'ended\n'.repeat(20) })
})

test('info tells versions, the addon and what OpenBLAS says of itself', () => {
  const told = info()
  expect(told).toMatchObject({
    node: process.version,
    addon: { path: addon.path, source: addon.source },
    blas: { vendor: 'OpenBLAS', threads: 1 },
  })
  expect(told.blas.config).toContain(told.blas.version)
  expect(told.blas.version).toMatch(/^\d+\.\d+/)
  expect(['serial', 'pthread', 'openmp']).toContain(told.blas.threading)
  if (told.blas.linkage === 'static') expect(told.blas.library).toBe(addon.path)
  else {
    expect(told.blas.locked).toBe(told.blas.threading === 'serial')
    expect(told.blas.library).toMatch(/blas/)
  }
  expect(['x86-64-v4', 'x86-64-v3', 'x86-64-v2', 'baseline']).toContain(told.addon.kernels)
  if (told.cpu.features.includes('avx512f')) expect(told.addon.kernels).not.toBe('baseline')
  for (const feature of told.cpu.features)
    expect(['sse4.2', 'avx', 'avx2', 'fma', 'avx512f']).toContain(feature)
})
