// Of linearizations that nobody disposes of, in processes and threads of their own.
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { packageUrl, runProgram } from './support/programs.ts'

describe('linearizations', () => {
  test('10 000 that nobody disposes of, in one turn of the event loop, do not grow the process', () => {
    const { stdout, stderr, status } = runProgram(`
      const A = new Float64Array(32 * 32).fill(0.1)
      const many = (count) => { for (let k = 0; k < count; k++) expmLinearize(A) }
      const megabytes = () => process.memoryUsage.rss() / 2 ** 20
      many(3000)
      const before = megabytes()
      many(10_000)
      console.log(megabytes() - before)`)
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    // All of them hold 700 MB; some tens are there before V8 looks for garbage.
    expect(Number(stdout)).toBeLessThan(150)
  })

  test('those that are garbage go when the event loop turns, without any further call; those in use stay', () => {
    const { stdout, stderr, status } = runProgram(`
      const { setFlagsFromString } = await import('node:v8')
      const { runInNewContext } = await import('node:vm')
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc')
      const A = new Float64Array(200 * 200).fill(1e-3)
      const megabytes = () => process.memoryUsage.rss() / 2 ** 20
      const kept = expmLinearize(A)
      const expected = kept.jvp(A).data.join()
      // Each holds about 3 MB, so few that none is looked for.
      ;(() => { for (let k = 0; k < 4; k++) expmLinearize(A) })()
      const before = megabytes()
      collect()
      await new Promise((resolve) => setTimeout(resolve, 50))
      console.log(JSON.stringify([before - megabytes(), kept.jvp(A).data.join() === expected]))`)
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    const [freed, same] = JSON.parse(stdout)
    expect(freed).toBeGreaterThan(6)
    expect(same).toBe(true)
  })

  test('worker.terminate() amid linearizations is safe, and process.exit() too', async () => {
    const program = `
      import { parentPort } from 'node:worker_threads'
      const { expmLinearize } = await import('${packageUrl}')
      const A = { data: new Float64Array(50 * 100).fill(0.01), shape: [50, 10, 10] }
      const kept = [expmLinearize(A), expmLinearize(A)]
      parentPort.postMessage('started')
      for (;;) { kept.push(expmLinearize(A)); kept.at(-1).vjp(A); if (kept.length > 20) kept.splice(0, 10) }`
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      expect(await worker.terminate()).toBe(1)
    }
    const text = `
      const A = new Float64Array(400).fill(0.1)
      globalThis.kept = [expmLinearize(A), expmLinearize(A)]
      kept[0].jvp(A)
      process.exit(7)`
    expect(runProgram(text)).toMatchObject({ status: 7, signal: null, stderr: '' })
  })
})
