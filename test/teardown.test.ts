import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { expm, expmAsync } from '../lib/index.ts'
import { packageUrl, runProgram, runText } from './support/programs.ts'

/** Starts 100 calls of all kinds, together with work for tenths of a second, and says so. Where it stands in a worker, it never ends. */
const inFlight = `
  const stack = (count, n) => ({ data: new Float64Array(count * n * n).fill(0.01), shape: [count, n, n] })
  const large = stack(20, 64), small = stack(50, 5)
  for (let k = 0; k < 50; k++) {
    expmAsync(k % 2 ? large : small, { onProgress() {} }).catch(() => {})
    expmVJPAsync(k % 3 ? small : large, k % 3 ? small : large).catch(() => {})
  }`
const workerProgram = `
  const { parentPort } = await import('node:worker_threads')
  const { expmAsync, expmVJPAsync } = await import('${packageUrl}')
  ${inFlight}
  parentPort.postMessage('started')
  parentPort.on('message', () => {})`

function startWorker(): Worker {
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(workerProgram)}`))
}

describe('with 100 calls in flight', () => {
  it('worker.terminate() is safe, sixty times, and the main thread computes on', async () => {
    const A = { data: Float64Array.from({ length: 3600 }, (_, k) => Math.sin(k) / 4), shape: [100, 6, 6] }
    const expected = expm(A)
    for (let round = 0; round < 60; round += 2) {
      const workers = [startWorker(), startWorker()]
      const codes = workers.map(async (worker, k) => {
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
        if (round % 4 === 0) await new Promise((resolve) => setTimeout(resolve, round / 8 + k))
        return worker.terminate()
      })
      expect(await expmAsync(A)).toEqual(expected)
      expect(await Promise.all(codes)).toEqual([1, 1])
    }
  })

  it('the addon can go with the only workers that use it, and come again', () => {
    const text = `
      const { Worker } = await import('node:worker_threads')
      const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(workerProgram)}))
      for (let round = 0; round < 5; round++) {
        const worker = new Worker(url)
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
        await worker.terminate()
      }`
    expect(runText(text)).toMatchObject({ status: 0, signal: null, stderr: '' })
  })

  it.each([0, 1, 30])('process.exit() after %i ms ends the process with its code', (delay) => {
    for (let round = 0; round < 3; round++) {
      const { status, signal, stderr } = runProgram(
        `${inFlight}\nsetTimeout(() => process.exit(7), ${delay})`,
      )
      expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' })
    }
  })

  // There OpenBLAS is still busy when its own memory would be taken away at exit.
  it('process.exit() ends the process with its code while large matrices are multiplied', () => {
    const text = `
      const A = { data: new Float64Array(10 * 300 * 300).fill(0.01), shape: [10, 300, 300] }
      for (let k = 0; k < 20; k++) expmAsync(A)
      setTimeout(() => process.exit(7), 20)`
    for (let round = 0; round < 6; round++)
      expect(runProgram(text)).toMatchObject({ status: 7, signal: null, stderr: '' })
  })

  it('process.exit() at once, from main thread or worker, ends with its code', () => {
    expect(runProgram(`${inFlight}\nprocess.exit(3)`)).toMatchObject({ status: 3, signal: null, stderr: '' })
    const inWorker = JSON.stringify(`${workerProgram}\nprocess.exit(5)`)
    const text = `
      const { Worker } = await import('node:worker_threads')
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${inWorker})))
      worker.on('exit', (code) => { process.exitCode = code })`
    expect(runProgram(text)).toMatchObject({ status: 5, signal: null, stderr: '' })
  })

  it('an error that nobody catches ends the process as ever', () => {
    const { status, signal, stderr } = runProgram(
      `${inFlight}\nsetTimeout(() => { throw new Error('mine') }, 5)`,
    )
    expect({ status, signal }).toEqual({ status: 1, signal: null })
    expect(stderr).toContain('Error: mine')
  })
})

describe('a process', () => {
  it('ends where nobody handles a rejection, as with any promise', () => {
    const { status, stderr } = runProgram('expmAsync([[NaN]]); await new Promise((r) => setTimeout(r, 5000))')
    expect(status).toBe(1)
    expect(stderr).toContain('ERR_NOT_FINITE')
  })

  it('stays alive while a call runs, and no longer', () => {
    const { status, stdout } = runProgram(
      "expmAsync({ data: new Float64Array(4e6), shape: [1e4, 20, 20] }).then(() => console.log('done'))",
    )
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'done\n' })
  })
})
