// n = 40 and eight threads at once is where a serial OpenBLAS without its guard gives wrong numbers: of BLAS alone that is seen in
// test/native/linalg/blas_threads_test.cpp; here by all functions, which call it seldom at this order.
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { packageUrl } from './support/programs.ts'

/**
 * Prints how many calls eight workers made and which of their results had other bits than those that the main thread had computed
 * before any of them was there. The calls are those that reach BLAS and LAPACK at this order (solves, balancing, Schur forms)
 * beside those of matfun's own products, with one thread a worker and with several of the pool's.
 */
const program = `
  const { Worker, isMainThread, parentPort, workerData } = await import('node:worker_threads')
  const { createHash } = await import('node:crypto')
  const m = await import('${packageUrl}')
  const numbers = (kind, length, seed, size) => kind.from({ length }, (_, k) => size * Math.sin(seed + 1.7 * k * k))
  const stack = (dtype, count, seed, size) => {
    const parts = dtype.startsWith('complex') ? 2 : 1
    const kind = dtype === 'float64' || dtype === 'complex128' ? Float64Array : Float32Array
    const data = numbers(kind, count * 1600 * parts, seed, size)
    // Far from normal, so that complex ones are brought to Schur form.
    for (let k = 0; k < data.length; k++) if (Math.floor(k / parts) % 40 > Math.floor(k / parts / 40) % 40) data[k] *= 30
    return { dtype, data, shape: [count, 40, 40] }
  }
  const calls = ['float64', 'float32', 'complex128', 'complex64'].flatMap((dtype, d) => {
    const [A, E, K] = [stack(dtype, 4, d, 0.05), stack(dtype, 4, d + 9, 1), stack(dtype, 3, d + 5, 1)]
    return [1, 3].flatMap((threads) => [
      () => m.expm(A, { threads }),
      () => m.expm(A, { method: 'pade', balance: true, threads }),
      () => m.expmJVP(A, E, { method: 'pade', threads }),
      () => m.expmVJP({ ...A, shape: [4, 1, 40, 40] }, K, { threads }),
      () => m.expmLinearize(A, { threads }).vjp(E),
      () => m.expmCond(A, { method: 'pade', threads }),
      () => m.expmAsync(A, { method: 'pade', threads }),
    ])
  })
  const digest = (value) => {
    const hash = createHash('sha1')
    const arrays = ArrayBuffer.isView(value) ? [value] : value.data ? [value.data] : Object.values(value).map((x) => x.data)
    for (const array of arrays) hash.update(array)
    return hash.digest('hex')
  }
  const rounds = 4
  if (isMainThread) {
    const { blas } = m.info()
    const expected = []
    for (const call of calls) expected.push(digest(await call()))
    const start = new SharedArrayBuffer(4)
    const workers = Array.from({ length: 8 }, () => {
      const url = new URL('data:text/javascript,' + encodeURIComponent(process.argv[1]))
      return new Worker(url, { argv: ['', process.argv[1]], workerData: { expected, start } })
    })
    const told = await Promise.all(workers.map((worker) =>
      new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))))
    console.log(JSON.stringify({ core: blas.core, calls: 8 * rounds * calls.length, wrong: told.flat() }))
  } else {
    const { expected, start } = workerData
    const ready = new Int32Array(start)
    if (Atomics.add(ready, 0, 1) === 7) Atomics.notify(ready, 0)
    for (let n = Atomics.load(ready, 0); n < 8; n = Atomics.load(ready, 0)) Atomics.wait(ready, 0, n, 5)
    const wrong = []
    for (let round = 0; round < rounds; round++)
      for (const [k, call] of calls.entries()) if (digest(await call()) !== expected[k]) wrong.push(k)
    parentPort.postMessage(wrong)
  }`

describe('eight workers at once, order 40: every number is the one that the main thread has alone', () => {
  // What OpenBLAS detects, and kernels that any processor of x86-64 can run.
  it.each([undefined, 'Haswell', 'Prescott'])('OPENBLAS_CORETYPE=%s', (core) => {
    const { OPENBLAS_CORETYPE: _, ...rest } = process.env
    const env = core === undefined ? rest : { ...rest, OPENBLAS_CORETYPE: core }
    const args = ['--input-type=module', '-e', program, program]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env,
      timeout: 55_000,
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const { calls, wrong } = JSON.parse(stdout)
    expect(calls).toBe(8 * 4 * 56)
    expect(wrong).toEqual([])
  })
})
