import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  expm,
  expmAsync,
  expmJVP,
  expmJVPAsync,
  expmVJP,
  expmVJPAsync,
  type MatrixInput,
  type Progress,
} from '../lib/index.ts'
import { bitsOf } from './support/bits.ts'
import { dtypes, randomArray } from './support/dtypes.ts'

/** What a promise is rejected with. */
async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (reason) {
    return reason
  }
  throw new Error('the promise was not rejected')
}

/** What a function throws. */
function errorOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** A stack that takes one thread some tenths of a second. */
const long = () => randomArray('float64', [1500, 40, 40], 1)

describe('a promise gives what the same call without gives', () => {
  describe.each(dtypes)('bit for bit in %s,', (dtype) => {
    it.each([
      ['one matrix', [], []],
      ['a stack', [400], [400]],
      ['a stack in one direction', [30], []],
      ['one matrix in many directions', [], [300]],
      ['stacks that broadcast crosswise', [5, 1], [4, 1, 3]],
      ['an empty stack', [0], [0]],
    ])('%s', async (_, a, e) => {
      const A = randomArray(dtype, [...a, 5, 5], 1)
      const E = randomArray(dtype, [...e, 5, 5], 2)
      for (const threads of [1, 3]) {
        expect(bitsOf(await expmAsync(A, { threads }))).toEqual(bitsOf(expm(A)))
        expect(bitsOf(await expmJVPAsync(A, E, { threads }))).toEqual(bitsOf(expmJVP(A, E)))
        expect(bitsOf(await expmVJPAsync(A, E, { threads }))).toEqual(bitsOf(expmVJP(A, E)))
      }
    })
  })

  it('for nested arrays, views, matrices of order 0, and options', async () => {
    const nested = [
      [0.3, 2],
      [-1, 0.1],
    ]
    const view = {
      data: Float64Array.from({ length: 30 }, (_, k) => k / 9),
      shape: [2, 3, 3],
      strides: [10, 1, 3],
    }
    for (const A of [
      nested,
      view,
      [],
      { data: new Float64Array(0), shape: [2 ** 40, 0, 0] },
    ] as MatrixInput[])
      for (const options of [{}, { method: 'pade', shift: true, balance: false }] as const)
        expect(await expmAsync(A, options)).toEqual(expm(A, options))
    expect(
      await expmJVPAsync(nested, [
        [1, { re: 0, im: 1 }],
        [0, 0],
      ]),
    ).toEqual(
      expmJVP(nested, [
        [1, { re: 0, im: 1 }],
        [0, 0],
      ]),
    )
  })
})

describe('wrong use is a rejection with the error that the call without a promise throws:', () => {
  const ok = [[1]]
  it.each<[string, readonly unknown[]]>([
    ['no matrix', [undefined]],
    ['a wrong shape', [[[1, 2]]]],
    ['an unknown option', [ok, { metod: 'pade' }]],
    ['a wrong method', [ok, { method: 'taylor' }]],
    ['a wrong number of threads', [ok, { threads: 0 }]],
    ['options that are null', [ok, null]],
  ])('%s', async (_, args) => {
    const rejected = (await reasonOf(Reflect.apply(expmAsync, undefined, args))) as Error
    const thrown = errorOf(() => Reflect.apply(expm, undefined, args)) as Error
    const unlisted = (message: string) => message.replace(/; expected one of .*/, '')
    expect(rejected).toMatchObject({ name: thrown.name, code: Reflect.get(thrown, 'code') })
    expect(unlisted(rejected.message)).toBe(unlisted(thrown.message))
  })

  it('a direction of another order', async () => {
    for (const call of [expmJVPAsync, expmVJPAsync])
      expect(
        await reasonOf(
          call(ok, [
            [1, 2],
            [3, 4],
          ]),
        ),
      ).toMatchObject({ code: 'ERR_SHAPE' })
  })

  it.each<[object, RegExp]>([
    [
      { out: new Float64Array(1) },
      /^options\.out is not taken by calls that return promises: .* allocated by the/,
    ],
    [{ out: undefined }, /^options\.out is not taken/],
    [{ signal: 3 }, /^options\.signal must be an AbortSignal, got number 3/],
    [{ signal: null }, /^options\.signal must be an AbortSignal, got null/],
    [{ signal: { aborted: false } }, /^options\.signal must be an AbortSignal/],
    [{ onProgress: true }, /^options\.onProgress must be a function, got boolean true/],
  ])('%o', async (options, message) => {
    for (const promise of [
      expmAsync(ok, options),
      expmJVPAsync(ok, ok, options),
      expmVJPAsync(ok, ok, options),
    ]) {
      const reason = await reasonOf(promise)
      expect(reason).toBeInstanceOf(TypeError)
      expect(reason).toMatchObject({ code: 'ERR_INVALID_OPTION', message: expect.stringMatching(message) })
    }
  })
})

describe('matrices that cannot be done', () => {
  const A = randomArray('float64', [2000, 3, 3], 1)
  A.data[9 * 1500] = Number.NaN
  A.data.fill(1e4, 9 * 20, 9 * 21)
  const E = randomArray('float64', [3, 1, 3, 3], 2)

  it('are listed as the call without a promise lists them', async () => {
    expect(await reasonOf(expmAsync(A))).toEqual(errorOf(() => expm(A)))
    expect(await reasonOf(expmVJPAsync(A, E))).toEqual(errorOf(() => expmVJP(A, E)))
  })

  it('become NaN where that was asked for', async () => {
    const options = { onFailure: 'nan' } as const
    expect(bitsOf(await expmJVPAsync(A, E, options))).toEqual(bitsOf(expmJVP(A, E, options)))
  })
})

describe('inputs are taken as they are at the call:', () => {
  it.each([
    ['a stack', [500, 6, 6], [500, 6, 6]],
    ['a stack in one direction', [500, 6, 6], [6, 6]],
    ['matrices in many directions, several groups of them', [2, 1, 40, 40], [2, 100, 40, 40]],
    ['stacks that broadcast crosswise', [5, 1, 6, 6], [40, 1, 3, 6, 6]],
  ])('what is written to %s later, or takes it away, changes nothing', async (_, a, e) => {
    for (const dtype of dtypes)
      for (const [sync, async] of [
        [expmJVP, expmJVPAsync],
        [expmVJP, expmVJPAsync],
      ] as const) {
        const A = randomArray(dtype, a, 1)
        const E = randomArray(dtype, e, 2)
        const expected = bitsOf(sync(A, E))
        const promise = async(A, E)
        A.data.fill(Number.NaN)
        structuredClone(E.data.buffer, { transfer: [E.data.buffer as ArrayBuffer] })
        expect(bitsOf(await promise)).toEqual(expected)
      }
  })

  it('views that are not in order are read, and stay as they are', async () => {
    const A = randomArray('float64', [40, 40], 1)
    const E = randomArray('float64', [100, 40, 40], 2)
    const strides = { A: [1, 40], E: [1600, 1, 40] }
    const inOrder = ({ shape, data }: typeof A) => {
      const at = (k: number) => k - (k % 1600) + (k % 40) * 40 + Math.floor((k % 1600) / 40)
      return { shape, data: data.map((_, k) => data[at(k)]) }
    }
    const before = bitsOf([A.data, E.data])
    const expected = bitsOf(expmVJP(inOrder(A), inOrder(E)))
    const views = [
      { ...A, strides: strides.A },
      { ...E, strides: strides.E },
    ] as const
    expect(bitsOf(expmVJP(...views))).toEqual(expected)
    expect(bitsOf(await expmVJPAsync(...views))).toEqual(expected)
    expect(bitsOf([A.data, E.data])).toEqual(before)
  })

  it('views of a SharedArrayBuffer are used where they stand', async () => {
    const { shape, data } = randomArray('float64', [300, 6, 6], 1)
    const shared = new Float64Array(new SharedArrayBuffer(data.byteLength))
    shared.set(data)
    const A = { data: shared, shape }
    expect(await expmAsync(A)).toEqual(expm({ data, shape }))
    expect(await expmJVPAsync(A, A)).toEqual(expmJVP({ data, shape }, { data, shape }))
  })
})

describe('progress', () => {
  it('grows, ends with all, and is told at most some 20 times a second', async () => {
    for (const [call, total] of [
      [(onProgress: (p: Progress) => void) => expmAsync(long(), { onProgress }), 1500],
      [
        (onProgress: (p: Progress) => void) =>
          expmVJPAsync(randomArray('float64', [2, 1, 30, 30], 1), randomArray('float64', [700, 30, 30], 2), {
            onProgress,
          }),
        1400,
      ],
    ] as const) {
      const seen: Progress[] = []
      const start = performance.now()
      await call((progress) => seen.push(progress))
      expect(seen.at(-1)).toEqual({ done: total, total })
      expect(seen.length).toBeLessThanOrEqual((performance.now() - start) / 50 + 1)
      seen.forEach((progress, k) => {
        expect(progress.total).toBe(total)
        expect(Number.isInteger(progress.done)).toBe(true)
        if (k > 0) expect(progress.done).toBeGreaterThan(seen[k - 1].done)
      })
    }
  })

  it('comes once for what is done in no time, and not before the call returns', async () => {
    for (const count of [0, 1]) {
      const seen: Progress[] = []
      const promise = expmAsync(randomArray('float64', [count, 2, 2], 1), { onProgress: (p) => seen.push(p) })
      expect(seen).toEqual([])
      await promise
      expect(seen).toEqual([{ done: count, total: count }])
    }
  })

  it('comes too where a matrix cannot be done', async () => {
    const seen: Progress[] = []
    await reasonOf(expmAsync([[Number.NaN]], { onProgress: (p) => seen.push(p) }))
    expect(seen).toEqual([{ done: 1, total: 1 }])
  })

  it('that throws rejects the promise with what it throws, and ends the work', async () => {
    let calls = 0
    const onProgress = () => {
      calls++
      throw new RangeError('enough')
    }
    expect(await reasonOf(expmAsync(long(), { onProgress }))).toEqual(new RangeError('enough'))
    expect(await reasonOf(expmAsync([[1]], { onProgress }))).toEqual(new RangeError('enough'))
    expect(calls).toBe(2)
  })

  it('is told in the asynchronous context of the call', async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    await storage.run('mine', () => expmAsync([[1]], { onProgress: () => seen.push(storage.getStore()) }))
    expect(seen).toEqual(['mine'])
  })
})

describe('aborting', () => {
  it('before the call rejects with the reason, and nothing is done', async () => {
    const seen: Progress[] = []
    const options = { signal: AbortSignal.abort('early'), onProgress: (p: Progress) => seen.push(p) }
    expect(await reasonOf(expmAsync(long(), options))).toBe('early')
    expect(await reasonOf(expmVJPAsync([[1]], [[1]], options))).toBe('early')
    expect(seen).toEqual([])
  })

  it('during it rejects with the reason at once, and is the end of progress', async () => {
    const controller = new AbortController()
    const seen: Progress[] = []
    const promise = expmAsync(long(), {
      signal: controller.signal,
      threads: 1,
      onProgress: (p) => {
        seen.push(p)
        controller.abort(new Error('enough'))
      },
    })
    expect(await reasonOf(promise)).toEqual(new Error('enough'))
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    await expmAsync([[1]], { threads: 1 })
    expect(seen).toHaveLength(1)
  })

  it('without a reason rejects with an AbortError', async () => {
    const controller = new AbortController()
    const promise = expmAsync(long(), { signal: controller.signal })
    controller.abort()
    expect(await reasonOf(promise)).toMatchObject({ name: 'AbortError' })
    expect(await reasonOf(expmAsync(long(), { signal: AbortSignal.timeout(1) }))).toMatchObject({
      name: 'TimeoutError',
    })
  })

  it('after the end changes nothing, and the signal is let go of', async () => {
    const controller = new AbortController()
    const value = await expmAsync([[1]], { signal: controller.signal })
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    controller.abort()
    expect(value).toEqual(expm([[1]]))
  })

  it('one call leaves others alone', async () => {
    const controller = new AbortController()
    const A = long()
    const aborted = [0, 1, 2].map(() => reasonOf(expmAsync(A, { signal: controller.signal })))
    const other = expmAsync(A)
    controller.abort('enough')
    expect(await Promise.all(aborted)).toEqual(['enough', 'enough', 'enough'])
    expect(bitsOf(await other)).toEqual(bitsOf(expm(A)))
  })
})

describe('the event loop', () => {
  it('is free while a batch is computed', async () => {
    const A = randomArray('float64', [200, 100, 100], 1)
    const shared = new Float64Array(new SharedArrayBuffer(A.data.byteLength))
    shared.set(A.data)
    let longest = 0
    let last = performance.now()
    const tick = () => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }
    const promise = expmVJPAsync({ ...A, data: shared }, { ...A, data: shared }, { threads: 1 })
    last = performance.now()
    const start = last
    const timer = setInterval(tick, 10)
    await promise
    tick()
    clearInterval(timer)
    expect(longest).toBeLessThan((performance.now() - start) / 2)
  })
})

it('calls at once share the threads: small ones end while a large one runs', async () => {
  const ended: string[] = []
  // So long that a busy machine may hold up the small calls, which take a tenth of a millisecond, by some tenths of a second.
  const large = expmAsync(randomArray('float64', [4000, 80, 80], 1), { threads: 2 }).then(() =>
    ended.push('large'),
  )
  await sleep(5)
  const small = Array.from({ length: 20 }, (_, k) =>
    expmAsync([[k]], { threads: 2 }).then(() => ended.push('small')),
  )
  await Promise.all([large, ...small])
  expect(ended).toHaveLength(21)
  expect(ended.at(-1)).toBe('large')
})

it('a hundred calls at once each get their own results', async () => {
  const stacks = Array.from({ length: 100 }, (_, k) => randomArray('float64', [k, 4, 4], k))
  const results = await Promise.all(stacks.map((A, k) => expmAsync(A, { threads: 1 + (k % 3) })))
  expect(bitsOf(results)).toEqual(bitsOf(stacks.map((A) => expm(A))))
})
