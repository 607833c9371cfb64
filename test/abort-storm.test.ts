// Hundreds of calls at once, of which most are aborted, each at a moment of its own.
import { getEventListeners } from 'node:events'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, test } from 'vitest'
import { expm, expmAsync, expmJVP, expmJVPAsync, expmVJP, expmVJPAsync, type NDArray } from '../lib/index.ts'
import { bitsOf } from './support/bits.ts'
import { dtypes, randomArray } from './support/dtypes.ts'
import { uniform } from './support/matrices.ts'
import { packageUrl, runText } from './support/programs.ts'

/** From what is over before the call returns to what keeps two threads for some ms. */
const shapes = [
  [3, 3],
  [40, 5, 5],
  [1000, 4, 4],
  [30, 12, 12],
  [6, 70, 70],
]

interface Work {
  readonly start: (options: object) => Promise<unknown>
  readonly expected: unknown
}

const works: Work[] = dtypes.flatMap((dtype, d) =>
  shapes.flatMap((shape, s): Work[] => {
    const [A, E] = [1, 2].map((k) => randomArray(dtype, shape, 10 * d + 100 * s + k)) as [NDArray, NDArray]
    return [
      { start: (options) => expmAsync(A, options), expected: bitsOf(expm(A)) },
      { start: (options) => expmJVPAsync(A, E, options), expected: bitsOf(expmJVP(A, E)) },
      { start: (options) => expmVJPAsync(A, E, options), expected: bitsOf(expmVJP(A, E)) },
    ]
  }),
)

/** What becomes of a call: whether it must be rejected, or may be, or must not. */
type Fate = 'rejected' | 'either' | 'fulfilled'

interface Call {
  readonly controller: AbortController
  readonly reason: object
  readonly options: object
  readonly fate: Fate
  /** What is done once the call was made. */
  readonly after: () => void
}

type Moment = (call: Pick<Call, 'controller' | 'reason'>, next: () => number) => Partial<Call>

/** When a call is aborted, or by what it ends otherwise. */
const moments: Record<string, Moment> = {
  never: () => ({ fate: 'fulfilled' }),
  'before the call': ({ controller, reason }) => {
    controller.abort(reason)
    return { fate: 'rejected' }
  },
  'as soon as it returned': ({ controller, reason }) => ({
    fate: 'rejected',
    after: () => controller.abort(reason),
  }),
  'from another microtask': ({ controller, reason }) => ({
    fate: 'rejected',
    after: () => queueMicrotask(() => controller.abort(reason)),
  }),
  'when the event loop turns': ({ controller, reason }) => ({
    after: () => void setImmediate().then(() => controller.abort(reason)),
  }),
  'some ms later': ({ controller, reason }, next) => {
    const delay = 1 + Math.floor(40 * next())
    return { after: () => void sleep(delay).then(() => controller.abort(reason)) }
  },
  twice: ({ controller, reason }, next) => ({
    after: () =>
      void sleep(10 * next()).then(() => {
        controller.abort(reason)
        controller.abort(new Error('too late'))
      }),
  }),
  // The last progress comes before the promise settles, so that even a call that is done is rejected.
  'from its own onProgress': ({ controller, reason }) => ({
    fate: 'rejected',
    options: { signal: controller.signal, onProgress: () => controller.abort(reason) },
  }),
  'by what its onProgress throws': ({ controller, reason }) => ({
    fate: 'rejected',
    options: {
      signal: controller.signal,
      onProgress: () => {
        throw reason
      },
    },
  }),
}

function call(moment: Moment, next: () => number): Call {
  const controller = new AbortController()
  const reason = { reason: next() }
  const rest = { fate: 'either' as Fate, options: { signal: controller.signal }, after: () => {} }
  return { controller, reason, ...rest, ...moment({ controller, reason }, next) }
}

/** What a promise came to. */
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value: bitsOf(value) }),
    (reason: unknown) => ({ reason }),
  )

describe('a storm of 500 calls, aborted at all moments:', () => {
  const all = Object.entries(moments)

  it.each([1, 2, 3])(
    'each has its reason or its right result, and no signal is held (seed %i)',
    async (seed) => {
      const next = uniform(seed)
      const ended: Promise<{ name: string; wanted: unknown; outcome: object; call: Call }>[] = []
      for (let k = 0; k < 500; k++) {
        const [name, moment] = all[Math.floor(next() * all.length)]
        const { start, expected } = works[Math.floor(next() * works.length)]
        const own = call(moment, next)
        const promise = start({ ...own.options, threads: 1 + Math.floor(4 * next()) })
        own.after()
        const outcome = outcomeOf(promise)
        ended.push(outcome.then((what) => ({ name, wanted: expected, outcome: what, call: own })))
        if (next() < 0.05) await setImmediate()
      }
      const counts = { fulfilled: 0, rejected: 0 }
      for (const { name, wanted, outcome, call } of await Promise.all(ended)) {
        call.controller.abort(new Error('after the end'))
        const isFulfilled = 'value' in outcome
        counts[isFulfilled ? 'fulfilled' : 'rejected']++
        if (call.fate !== 'either') expect([name, isFulfilled]).toEqual([name, call.fate === 'fulfilled'])
        if ('value' in outcome) expect(outcome.value).toEqual(wanted)
        else expect(Reflect.get(outcome, 'reason')).toBe(call.reason)
        expect(getEventListeners(call.controller.signal, 'abort')).toEqual([])
      }
      expect(Math.min(counts.fulfilled, counts.rejected)).toBeGreaterThan(50)
      // What was cut short leaves nothing in the way of what comes after.
      for (const { start, expected } of works) expect(bitsOf(await start({}))).toEqual(expected)
    },
  )

  it('one signal, with one listener, ends 400 at once, and each other call is done', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const many = Array.from({ length: 500 }, (_, k) =>
      outcomeOf(works[k % works.length].start({ signal: k % 5 === 0 ? undefined : signal })),
    )
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    controller.abort('enough')
    for (const [k, outcome] of (await Promise.all(many)).entries())
      expect(outcome).toEqual(
        k % 5 === 0 ? { value: works[k % works.length].expected } : { reason: 'enough' },
      )
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('calls made while others are being aborted, from their rejections, are done', async () => {
    const { start, expected } = works[0]
    const again = async (depth: number): Promise<unknown> => {
      const controller = new AbortController()
      const promise = works[depth % works.length].start({ signal: controller.signal })
      if (depth % 2 === 0) controller.abort()
      else queueMicrotask(() => controller.abort())
      try {
        await promise
      } catch {}
      return depth === 0 ? bitsOf(await start({})) : again(depth - 1)
    }
    const results = await Promise.all(Array.from({ length: 20 }, () => again(20)))
    expect(results).toEqual(results.map(() => expected))
  })
})

test('storms in two workers and the main thread, ended by terminate(), leave the main thread its numbers', async () => {
  const program = `
    const { parentPort } = await import('node:worker_threads')
    const { expmAsync, expmVJPAsync } = await import('${packageUrl}')
    const A = { data: new Float64Array(60 * 20 * 20).fill(0.01), shape: [60, 20, 20] }
    parentPort.postMessage('started')
    for (;;) {
      const calls = Array.from({ length: 100 }, (_, k) => {
        const controller = new AbortController()
        const call = k % 2 ? expmAsync(A, { signal: controller.signal }) : expmVJPAsync(A, A, { signal: controller.signal })
        setTimeout(() => controller.abort(), k % 7)
        return call.catch(() => {})
      })
      await Promise.all(calls)
    }`
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`)
  for (let round = 0; round < 5; round++) {
    const workers = [new Worker(url), new Worker(url)]
    const started = workers.map(
      (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    )
    await Promise.all(started)
    const mine = works.map(({ start }) => start({ threads: 2 }))
    await sleep(5 * round)
    expect(await Promise.all(workers.map((worker) => worker.terminate()))).toEqual([1, 1])
    expect(bitsOf(await Promise.all(mine))).toEqual(works.map(({ expected }) => expected))
  }
})

test('a process whose calls were all aborted by one signal ends by itself, at once and without a warning', () => {
  const { status, stdout, stderr } = runText(`
    const { expmAsync } = await import('${packageUrl}')
    const A = { data: new Float64Array(400 * 40 * 40).fill(0.01), shape: [400, 40, 40] }
    const controller = new AbortController()
    const start = performance.now()
    await expmAsync(A)
    const whole = performance.now() - start
    const calls = Array.from({ length: 30 }, () => expmAsync(A, { signal: controller.signal }))
    const aborted = performance.now()
    controller.abort('enough')
    console.log((await Promise.allSettled(calls)).every(({ reason }) => reason === 'enough'))
    process.on('exit', () => console.log(performance.now() - aborted < 15 * whole))`)
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'true\ntrue\n', stderr: '' })
})
