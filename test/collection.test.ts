// Garbage collected at every step at which code of the caller's runs, and wherever V8 allocates; and buffers that go while calls run.
import { spawnSync } from 'node:child_process'
import { MessageChannel, Worker } from 'node:worker_threads'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { expm, expmAsync, expmJVP, expmLinearize, expmVJP, expmVJPAsync } from '../lib/index.ts'
import { bitsOf } from './support/bits.ts'
import { randomArray } from './support/dtypes.ts'
import { packageUrl } from './support/programs.ts'

/**
 * Calls everything with arguments that call `step` whenever they are read, and prints digests of all that came. Nothing but the
 * calls themselves refers to their arguments.
 */
const program = `
  const { createHash } = await import('node:crypto')
  const { setTimeout: sleep } = await import('node:timers/promises')
  const m = await import('${packageUrl}')
  let steps = 0
  // Most collections are of what is young, as the arguments are.
  const step = () => globalThis.gc?.(++steps % 5 === 0 ? undefined : { type: 'minor' })
  const turns = async (count) => { for (let k = 0; k < count; k++) { step(); await new Promise(setImmediate) } }
  const digest = (value) => {
    const hash = createHash('sha1')
    const add = (x) => ArrayBuffer.isView(x) ? hash.update(x) : typeof x === 'object' && x !== null
      ? Object.entries(x).forEach(([key, part]) => { hash.update(key); add(part) }) : hash.update(String(x))
    add(value)
    return hash.digest('hex')
  }
  // An object that steps before each of its properties is read.
  const stepping = (object) => Object.defineProperties({}, Object.fromEntries(Object.entries(object)
    .map(([key, value]) => [key, { enumerable: true, get() { step(); return value } }])))
  const numbers = (length, seed) => Float64Array.from({ length }, (_, k) => Math.sin(seed + k) / 3)
  const forms = {
    array: (shape, seed) => stepping({ data: numbers(shape.reduce((a, b) => a * b), seed), shape: stepping({ ...shape, length: shape.length }) }),
    transposed: (shape, seed) => {
      const [count, n] = [shape.length > 2 ? shape[0] : 1, shape.at(-1)]
      const strides = shape.length > 2 ? [n * n, 1, n] : [1, n]
      return stepping({ data: numbers(count * n * n, seed), shape, strides, offset: 0 })
    },
    complex: (shape, seed) => stepping({ data: numbers(2 * shape.reduce((a, b) => a * b), seed), shape, dtype: 'complex128' }),
    nested: (shape, seed) => shape.length === 0 ? Math.sin(seed) / 3
      : new Proxy(Array.from({ length: shape[0] }, (_, k) => forms.nested(shape.slice(1), 7 * seed + k)),
          { get(array, key) { if (key === '1') step(); return array[key] } }),
  }
  const shapes = [[3, 3], [12, 9, 9]]
  const said = []
  const tell = (name, value) => said.push(name + ' ' + digest(value))
  const failed = (f) => { try { f() } catch (error) { return error.code + ' ' + JSON.stringify(error.failures) } }
  for (const [form, make] of Object.entries(forms)) for (const shape of form === 'nested' ? [[3, 3], [2, 3, 3]] : shapes) {
    const [A, E] = [() => make(shape, 1), () => make(shape, 2)]
    const options = () => stepping({ method: 'auto', shift: 'auto', balance: false, onFailure: 'throw', threads: 2 })
    const at = form + shape
    tell('expm ' + at, m.expm(A(), options()))
    tell('jvp ' + at, m.expmJVP(A(), E(), options()))
    tell('vjp ' + at, m.expmVJP(A(), E(), options()))
    tell('cond ' + at, m.expmCond(A(), stepping({ threads: 2 })))
    tell('plan ' + at, m.expmPlan(A(), stepping({ purpose: 'derivative' })))
    tell('linearized ' + at, m.expmLinearize(A(), options()).vjp(E(), stepping({ out: undefined })))
    tell('linearized cond ' + at, m.expmLinearize(A()).conditionNumber())
    const out = new Float64Array(shape.reduce((a, b) => a * b) * (form === 'complex' ? 2 : 1))
    tell('out ' + at, m.expm(A(), stepping({ out })))
    tell('out ' + at, out)
    const controls = () => stepping({ signal: new AbortController().signal, onProgress: step, threads: 3 })
    const later = [m.expmAsync(A(), controls()), m.expmJVPAsync(A(), E(), controls()), m.expmVJPAsync(A(), E(), controls())]
    await turns(2)
    tell('later ' + at, await Promise.all(later))
  }
  // Long enough for collections while they run; of some nobody keeps the promise.
  const long = (seed) => ({ data: numbers(200 * 900, seed), shape: [200, 30, 30] })
  const running = [1, 2, 3].map((seed) => m.expmVJPAsync(long(seed), long(seed + 1), { onProgress: step }))
  for (let k = 0; k < 5; k++) m.expmAsync(long(k)).catch(() => {})
  let aborted = 0
  for (let k = 0; k < 20; k++) {
    const controller = new AbortController()
    m.expmAsync(long(k), { signal: controller.signal, onProgress: step }).catch(() => { step(); aborted++ })
    if (k % 2) controller.abort(); else setTimeout(() => { step(); controller.abort() }, k)
  }
  await turns(10)
  tell('running', await Promise.all(running))
  await sleep(30)
  // Of linearizations that are let go of, none takes another's place.
  const kept = []
  for (let k = 0; k < 60; k++) {
    const one = m.expmLinearize(long(k).data.subarray(0, 900).slice())
    if (k % 6 === 0) { kept.push(one); step() }
    if (k % 10 === 3) await turns(1)
  }
  tell('kept', kept.map((one) => one.jvp(long(3).data.subarray(0, 900))))
  tell('failures', [
    failed(() => m.expm(stepping({ data: Float64Array.of(NaN, 0), shape: [2, 1, 1] }))),
    failed(() => m.expm(stepping({ data: Float64Array.of(1, 2), shape: [1, 2] }))),
    await m.expmAsync(stepping({ data: Float64Array.of(1e4, 0), shape: [2, 1, 1] })).catch((error) => error.failures),
  ])
  tell('info', m.info().blas.config)
  console.log(said.join('\\n'))`

function said(...flags: string[]): string[] {
  const args = [...flags, '--input-type=module', '-e', program]
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 55_000,
  })
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  return stdout.trim().split('\n')
}

describe('every call gives the same numbers where garbage is collected', () => {
  let expected: string[]
  beforeAll(() => {
    expected = said()
    expect(expected.length).toBeGreaterThan(80)
  })

  it('whenever an argument is read, progress is told, and the event loop turns', () => {
    expect(said('--expose-gc')).toEqual(expected)
  })

  // --gc-interval does nothing in Node's own builds; these do some 300 collections of everything.
  it('at random places where V8 allocates, all pages compacted', () => {
    const flags = ['--stress-scavenge=100', '--stress-compaction', '--random-seed=7']
    expect(said(...flags)).toEqual(expected)
  })
})

describe('buffers of the caller may go', () => {
  const A = randomArray('float64', [60, 24, 24], 1)
  const W = randomArray('float64', [60, 24, 24], 2)
  const copy = (x: typeof A) => ({ shape: x.shape, data: x.data.slice() })

  test('to a worker, while calls read from them: results are of what they held', async () => {
    const expected = bitsOf(expmVJP(A, W))
    const program = `
      const { parentPort } = require('node:worker_threads')
      parentPort.on('message', (x) => { x.fill(NaN); if (x.length === 0) parentPort.close() })`
    const worker = new Worker(program, { eval: true })
    for (let round = 0; round < 20; round++) {
      const [a, w] = [copy(A), copy(W)]
      const promise = expmVJPAsync(a, w, { threads: 1 + (round % 3) })
      worker.postMessage(a.data, [a.data.buffer as ArrayBuffer])
      worker.postMessage(w.data, [w.data.buffer as ArrayBuffer])
      expect([a.data.length, w.data.length]).toEqual([0, 0])
      expect(bitsOf(await promise)).toEqual(expected)
    }
    await worker.terminate()
  })

  test('with the results, as soon as these are there, and the next call has its own', async () => {
    const expected = bitsOf(expm(A))
    for (let round = 0; round < 20; round++) {
      const results = await Promise.all([expmAsync(A), expmAsync(A)])
      for (const { data } of results) {
        const moved = structuredClone(data, { transfer: [data.buffer as ArrayBuffer] })
        expect(bitsOf({ ...results[0], data: moved })).toEqual(expected)
      }
      const now = expm(A)
      structuredClone(now.data.buffer, { transfer: [now.data.buffer as ArrayBuffer] })
      expect(bitsOf(expm(A))).toEqual(expected)
    }
  })

  test('with the value of a linearization, and with what it was made of: it refers to neither', () => {
    const { tangent } = expmJVP(A, W)
    const { cotangent } = expmVJP(A, W)
    const a = copy(A)
    const linearization = expmLinearize(a)
    for (const { data } of [a, linearization.value])
      structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] })
    expect(linearization.value.data.length).toBe(0)
    expect(bitsOf(linearization.jvp(W))).toEqual(bitsOf(tangent))
    expect(bitsOf(linearization.vjp(W))).toEqual(bitsOf(cotangent))
    linearization.dispose()
  })

  test('a result can be cloned and sent as it is', async () => {
    const value = await expmAsync(A)
    expect(bitsOf(structuredClone(value))).toEqual(bitsOf(value))
    const { port1, port2 } = new MessageChannel()
    const received = new Promise((resolve) => port2.once('message', resolve))
    port1.postMessage(value, [value.data.buffer as ArrayBuffer])
    expect(bitsOf(await received)).toEqual(bitsOf(expm(A)))
    port1.close()
  })
})
