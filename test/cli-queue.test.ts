import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openQueue } from '../lib/queue/index.ts'
import { createZarr, openZarr } from '../lib/zarr/index.ts'
import { redisIsMissing, type Server, startRedis } from '../scripts/queue/redis.mjs'
import { main, matfun, runHere } from './support/command-line.ts'
import { temporaryFolder } from './support/npy-files.ts'

describe('wrong use of a queue', () => {
  it.each([
    [['worker'], 'expected a queue: --queue redis://host:port, or MATFUN_QUEUE in the environment'],
    [
      ['worker', '--queue', 'redis://me:secret@h'],
      /--queue expects an address without a password, .* MATFUN_QUEUE_PASSWORD/,
    ],
    [
      ['worker', '--queue', 'http://h'],
      "expected a queue's address as redis://host:port/db or rediss://host:port/db, got http://h",
    ],
    [['worker', '--queue', 'redis://h', '--lock', '0'], '--lock expects an integer from 1 to 3600, got "0"'],
    [
      ['worker', '--queue', 'redis://h', '--concurrency', '17'],
      '--concurrency expects an integer from 1 to 16, got "17"',
    ],
    [
      ['worker', '--queue', 'redis://h', '--max-chunk', '1.5'],
      '--max-chunk expects a positive integer, got "1.5"',
    ],
    [['worker', 'x', '--queue', 'redis://h'], 'worker expects no file, got x'],
    [['status', 'a', 'b', '--queue', 'redis://h'], 'status expects [JOB], got a b'],
    [['cancel', '--queue', 'redis://h'], 'cancel expects JOB, got none'],
    [
      ['status', '--queue', 'redis://127.0.0.1:1'],
      'cannot use the queue at redis://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    ],
    [
      ['run', 'expm', '--a', 'A', '-o', 'Y', '--follow'],
      'run takes --follow, --retry-failed, --max-order and --max-chunk with --queue only',
    ],
    [['run', 'expm', '--a', 'A', '-o', 'Y', '--max-order', '3'], /with --queue only/],
    [['expm', 'A.npy', '-o', 'Y.npy', '--queue', 'redis://h'], 'expm takes no --queue'],
  ])('matfun %j', async (args, message) => {
    const { code, stdout, stderr } = await runHere(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const said = stderr.replace(/^matfun: /, '').replace(/ \(see matfun --help\)\n$|\n$/, '')
    if (typeof message === 'string') expect(said).toBe(message)
    else expect(said).toMatch(message)
  })
})

describe.skipIf(redisIsMissing)(
  `a job on a queue${redisIsMissing ? ` (left out: ${redisIsMissing})` : ''}`,
  () => {
    const at = temporaryFolder()
    let server: Server
    const workers: ChildProcess[] = []
    beforeAll(async () => {
      server = await startRedis()
      const A = await createZarr(at('A.zarr'), { dtype: 'float64', shape: [100, 2, 2], chunkLength: 10 })
      for (let k = 0; k < 10; k++)
        await A.writeChunk(k, new Float64Array(40).fill(k === 7 ? Number.NaN : 0.1 * k))
    })
    afterAll(async () => await server?.end())
    afterEach(() => {
      for (const worker of workers.splice(0)) worker.kill('SIGKILL')
    })

    /** Starts a worker, and waits until it is at work. */
    async function startWorker(
      ...more: string[]
    ): Promise<{ worker: ChildProcess; said: { out: string; err: string } }> {
      const worker = spawn(process.execPath, [main, 'worker', ...more], {
        cwd: at('.'),
        env: { ...process.env, MATFUN_QUEUE: server.url },
      })
      workers.push(worker)
      const said = { out: '', err: '' }
      worker.stdout.on('data', (text) => {
        said.out += text
      })
      await new Promise<void>((resolve) => {
        worker.stderr.on('data', (text) => {
          said.err += text
          resolve()
        })
      })
      return { worker, said }
    }

    const ended = async (worker: ChildProcess): Promise<{ code: number | null; signal: string | null }> =>
      await new Promise((resolve) => worker.once('exit', (code, signal) => resolve({ code, signal })))

    const run = (...args: string[]) => matfun(at('.'), ...args, '--queue', server.url)

    it('is described as a local one is, and has its bytes', async () => {
      expect(matfun(at('.'), 'run', 'expm', '--a', 'A.zarr', '-o', 'local.zarr').status).toBe(1)
      const submitted = run('run', 'expm', '--a', 'A.zarr', '-o', 'Y.zarr')
      expect(submitted).toMatchObject({ status: 0, stderr: '' })
      const id = /^job ([0-9a-f]{16}): 10 chunks, of which 0 were there already\n/.exec(submitted.stdout)?.[1]
      expect(submitted.stdout).toContain(
        `matfun status ${id} --follow --queue ${server.url} shows how it gets on`,
      )
      expect(run('status').stdout).toBe(
        `job ${id}: expm of A.zarr to Y.zarr, 100 of order 2, float64\n` +
          '  waiting for a worker: 0 of 10 chunks done, 0 active, 10 waiting, 0 failed\n',
      )
      const { worker, said } = await startWorker('--verbose')
      expect(said.err).toMatch(
        /^matfun: at work on redis:\/\/127\.0\.0\.1:\d+, in \.; matrices up to order 8192, chunks up to 1,024 MiB\n/,
      )
      const followed = run('status', id!, '--follow')
      expect(followed).toMatchObject({ status: 1, stderr: '' })
      expect(followed.stdout).toMatch(
        /complete: 10 of 10 chunks done, 0 active, 0 waiting, 0 failed; [\d,]+ matrices per second\n/,
      )
      expect(followed.stdout).toContain(
        '  10 matrices cannot be done, with NaN in their places: see Y.zarr/matfun/failures\n',
      )
      worker.kill('SIGTERM')
      expect(await ended(worker)).toEqual({ code: 0, signal: null })
      expect(said.err).toContain(`job ${id}, chunk 7: computed in`)
      expect(said.err).toMatch(/matfun: ended after 10 chunks, in which 10 matrices failed\n$/)
      for (const name of readdirSync(at('local.zarr')).filter((file) => file.startsWith('c.')))
        expect(readFileSync(at(`Y.zarr/${name}`))).toEqual(readFileSync(at(`local.zarr/${name}`)))
      expect((await openZarr(at('Y.zarr'))).attributes).toMatchObject({ matfun: { job: id } })
    })

    it('that is submitted again, done, says so', () => {
      const again = run('run', 'expm', '--a', 'A.zarr', '-o', 'Y.zarr', '--follow', '--json')
      expect(again.status).toBe(1)
      expect(JSON.parse(again.stdout)).toMatchObject({ complete: true, present: 10, done: 10, failures: 10 })
    })

    it('shows a bar while it is followed, on a terminal, and goes on when that is interrupted', async () => {
      await startWorker('--json')
      const bar = await runHere(
        [
          'run',
          'cond',
          '--a',
          'A.zarr',
          '-o',
          'K.zarr',
          '--root',
          at('.'),
          '--queue',
          server.url,
          '--follow',
        ].map((word) => (word.endsWith('.zarr') ? at(word) : word)),
        { isTTY: true },
      )
      expect(bar.code).toBe(1)
      expect(bar.stderr).toMatch(/job [0-9a-f]{16} \[#+\] 100% {2}10\/10 /)
      const waiting = run('run', 'expm', '--a', 'A.zarr', '-o', 'Z.zarr', '--json')
      const { id } = JSON.parse(waiting.stdout)
      for (const worker of workers.splice(0)) worker.kill('SIGKILL')
      const ended = new AbortController()
      setTimeout(() => ended.abort(), 300)
      const { code, stderr } = await runHere(['status', id, '--follow', '--queue', server.url], {
        signal: ended.signal,
      })
      // The worker may have been quick enough.
      if (code === 'interrupted')
        expect(stderr).toBe(`matfun: interrupted; the job goes on: matfun status ${id} --follow\n`)
      else expect(code).toBe(1)
    })

    it('whose chunk cannot be read ends with exit code 2, and is taken up by --retry-failed', async () => {
      const B = await createZarr(at('B.zarr'), { dtype: 'float64', shape: [4, 2, 2], chunkLength: 2 })
      await B.writeChunk(0, new Float64Array(8))
      writeFileSync(at('B.zarr/c.1.0.0'), 'short')
      await startWorker('--json')
      const job = ['run', 'expm', '--a', 'B.zarr', '-o', 'BY.zarr', '--follow']
      const failed = run(...job)
      expect(failed.status).toBe(2)
      expect(failed.stdout).toMatch(/ended with failures: 1 of 2 chunks done, 0 active, 0 waiting, 1 failed/)
      expect(failed.stdout).toContain(
        '  chunk 1 failed after one try: chunk 1: B.zarr: c.1.0.0 must have 64 bytes, got 5\n',
      )
      await B.writeChunk(1, new Float64Array(8))
      const still = run(...job)
      expect(still.status).toBe(2)
      expect(still.stderr).toContain(
        '1 chunk failed before: run this again with --retry-failed to try again\n',
      )
      const retried = run(...job, '--retry-failed')
      expect(retried.stderr).toContain('1 chunk that had failed will be tried again\n')
      expect(retried).toMatchObject({ status: 0 })
    })

    it('is cancelled', () => {
      const { id } = JSON.parse(run('run', 'expm', '--a', 'A.zarr', '-o', 'C.zarr', '--json').stdout)
      expect(run('cancel', id)).toMatchObject({
        status: 0,
        stdout: `cancelled job ${id}; what is on the storage stays\n`,
      })
      expect(run('cancel', id)).toMatchObject({
        status: 2,
        stderr: `matfun: there is no job ${id} in this queue\n`,
      })
    })

    it('loses nothing to a worker that is told to end twice', async () => {
      const big = await createZarr(at('big.zarr'), { dtype: 'float64', shape: [6, 400, 400], chunkLength: 6 })
      await big.writeChunk(0, new Float64Array(6 * 400 * 400).fill(0.001))
      const { id } = JSON.parse(run('run', 'expm', '--a', 'big.zarr', '-o', 'bigY.zarr', '--json').stdout)
      const { worker } = await startWorker('--threads', '1', '--lock', '600')
      const queue = await openQueue({ url: server.url })
      for await (const { active } of queue.follow(id, { interval: 10 })) if (active > 0) break
      await queue.close()
      worker.kill('SIGINT')
      setTimeout(() => worker.kill('SIGINT'), 10)
      expect(await ended(worker)).toEqual({ code: null, signal: 'SIGINT' })
      expect(JSON.parse(run('status', id, '--json').stdout)[0]).toMatchObject({ active: 0 })
      await startWorker('--lock', '600')
      expect(run('status', id, '--follow').status).toBe(0)
    })
  },
)
