import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openJob } from '../lib/job/index.ts'
import { allocate, type DType } from '../lib/ndarray.ts'
import {
  type ChunkWorker,
  type DoneChunk,
  type JobDescription,
  type JobQueue,
  type JobStatus,
  openQueue,
  QueueError,
  startWorker,
  type WorkerOptions,
} from '../lib/queue/index.ts'
import { Ledger } from '../lib/queue/ledger.ts'
import { createZarr } from '../lib/zarr/index.ts'
import { redisIsMissing, type Server, startRedis } from '../scripts/queue/redis.mjs'
import { runHere } from './support/command-line.ts'
import { dtypes } from './support/dtypes.ts'
import { uniform } from './support/matrices.ts'
import { temporaryFolder } from './support/npy-files.ts'

const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' } as const

describe.skipIf(redisIsMissing)(`a queue${redisIsMissing ? ` (left out: ${redisIsMissing})` : ''}`, () => {
  const at = temporaryFolder()
  let server: Server
  let queue: JobQueue
  const workers: ChunkWorker[] = []
  let cases = 0
  let root = ''

  beforeAll(async () => {
    server = await startRedis()
    queue = await openQueue({ url: server.url })
  })
  afterAll(async () => {
    await queue?.close()
    await server?.end()
  })
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()))
  })

  /** A folder for a test, which becomes `root`. */
  function newRoot(): string {
    root = at(`case${cases++}`)
    mkdirSync(root)
    return root
  }

  async function makeArray(
    name: string,
    dtype: DType,
    shape: readonly number[],
    chunkLength: number,
  ): Promise<void> {
    const array = await createZarr(join(root, name), { dtype, shape, chunkLength })
    const next = uniform(cases + name.length)
    for (let k = 0; k < array.chunks; k++) {
      const data = allocate(dtype, array.itemsOf(k) * shape[1] * shape[2])
      await array.writeChunk(k, data.map(() => next() - 0.5) as typeof data)
    }
  }

  async function work(
    more: Partial<WorkerOptions> = {},
  ): Promise<{ chunks: DoneChunk[]; trouble: string[] }> {
    const told = { chunks: [] as DoneChunk[], trouble: [] as string[] }
    const worker = await startWorker(
      { url: server.url },
      {
        root,
        lock: 1,
        onChunk: (chunk) => told.chunks.push(chunk),
        onTrouble: (message) => told.trouble.push(message),
        ...more,
      },
    )
    workers.push(worker)
    return told
  }

  async function ended(id: string): Promise<JobStatus> {
    let last: JobStatus | undefined
    for await (last of queue.follow(id, { interval: 50 }));
    return last!
  }

  /** Does the same job locally, and gives the bytes of its chunks by file. */
  async function local(description: JobDescription): Promise<Record<string, string>> {
    const job = await openJob(
      { ...description, out: 'local', ...(description.value ? { value: 'localV' } : {}) },
      { root },
    )
    for (let k = 0; k < job.chunks; k++) await job.runChunk(k)
    await job.close()
    return files('local')
  }

  function files(name: string): Record<string, string> {
    const folder = join(root, name)
    const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    return Object.fromEntries(
      names
        .filter((entry) => entry.isFile() && entry.name !== 'zarr.json')
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
        .map((path) => [path.slice(folder.length), readFileSync(path, 'base64')]),
    )
  }

  const redis = async <T>(step: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(server.port)
    try {
      return await step(client)
    } finally {
      client.disconnect()
    }
  }

  describe('a job', () => {
    it.each(dtypes)('of %s done by two workers has the bytes of a local run', async (dtype) => {
      newRoot()
      await makeArray('A', dtype, [50, 3, 3], 4)
      await makeArray('E', dtype, [50, 3, 3], 4)
      const description = { operation: 'jvp', A: 'A', direction: 'E', out: 'L', value: 'V', options } as const
      const submission = await queue.submit(description, { root })
      expect(submission).toMatchObject({ chunks: 13, present: 0, retried: 0, failed: 0 })
      const told = [await work(), await work()]
      const status = await ended(submission.id)
      expect(status).toMatchObject({
        complete: true,
        done: 13,
        active: 0,
        waiting: 0,
        failed: 0,
        failures: 0,
        count: 50,
        n: 3,
        dtype,
      })
      expect(told.map(({ trouble }) => trouble)).toEqual([[], []])
      expect(told.flatMap(({ chunks }) => chunks.map(({ chunk }) => chunk)).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 13 }, (_, k) => k),
      )
      expect(files('L')).toEqual(await local(description))
      expect(files('V')).toEqual(files('localV'))
    })

    it('submitted twice, or again when it is done, is done once', async () => {
      newRoot()
      await makeArray('A', 'float64', [40, 2, 2], 4)
      const description = { operation: 'expm', A: 'A', out: 'Y', options } as const
      const [first, second] = await Promise.all([
        queue.submit(description, { root }),
        queue.submit(description, { root }),
      ])
      expect(second).toEqual(first)
      const told = await work()
      await ended(first.id)
      expect(await queue.submit(description, { root })).toMatchObject({
        id: first.id,
        chunks: 10,
        present: 10,
      })
      expect(await ended(first.id)).toMatchObject({ complete: true, done: 10, present: 10 })
      await sleep(300)
      expect(told.chunks).toHaveLength(10)
      expect(await queue.jobs()).toContain(first.id)
    })

    it('waits in Redis as references, however large its matrices are', async () => {
      newRoot()
      await makeArray('A', 'complex128', [6, 60, 60], 2)
      const { id } = await queue.submit({ operation: 'expm', A: 'A', out: 'Y', options }, { root })
      const waiting = await redis(async (client) => await client.hgetall(`bull:matfun:${id}-1`))
      expect(JSON.parse(waiting.data)).toEqual({
        version: 1,
        job: id,
        chunk: 1,
        description: { operation: 'expm', A: 'A', out: 'Y', options },
      })
      expect(JSON.stringify(waiting).length).toBeLessThan(1000)
      await queue.cancel(id)
    })

    it('records matrices that cannot be done, and is complete all the same', async () => {
      newRoot()
      await makeArray('A', 'float64', [30, 2, 2], 10)
      const A = await createZarr(join(root, 'A'), { dtype: 'float64', shape: [30, 2, 2], chunkLength: 10 })
      const data = await A.readChunk(2)
      data[4] = Number.NaN
      data[8] = 1e5
      await A.writeChunk(2, data)
      const { id } = await queue.submit({ operation: 'expm', A: 'A', out: 'Y', options }, { root })
      const told = await work()
      expect(await ended(id)).toMatchObject({ complete: true, failures: 2, failed: 0 })
      expect(told.chunks.map(({ chunk, failures }) => [chunk, failures])).toContainEqual([2, 2])
      expect(JSON.parse(readFileSync(join(root, 'Y/matfun/failures/2.json'), 'utf8'))).toEqual([
        { index: 21, code: 'ERR_NOT_FINITE' },
        { index: 22, code: 'ERR_OVERFLOW' },
      ])
      // What is known of them is on the storage: a queue that has forgotten everything learns it again.
      await redis(async (client) => await client.flushall())
      await queue.submit({ operation: 'expm', A: 'A', out: 'Y', options }, { root })
      expect(await queue.status(id)).toMatchObject({ complete: true, failures: 2, done: 3, present: 3 })
    })

    it('of no matrices is complete at once', async () => {
      newRoot()
      await makeArray('A', 'float32', [0, 2, 2], 10)
      const { id, chunks } = await queue.submit({ operation: 'expm', A: 'A', out: 'Y', options }, { root })
      expect(chunks).toBe(0)
      expect(await ended(id)).toMatchObject({ complete: true, done: 0, secondsLeft: 0 })
    })

    it('that is cancelled is forgotten, but for what is on the storage', async () => {
      newRoot()
      await makeArray('A', 'float64', [300, 2, 2], 1)
      const { id } = await queue.submit({ operation: 'expm', A: 'A', out: 'Y', options }, { root })
      await work()
      while ((await queue.status(id)).done === 0) await sleep(5)
      await queue.cancel(id)
      await expect(queue.status(id)).rejects.toThrow(`there is no job ${id} in this queue`)
      await expect(queue.cancel(id)).rejects.toThrow(QueueError)
      await Promise.all(workers.splice(0).map((worker) => worker.close()))
      const done = readdirSync(join(root, 'Y')).filter((name) => name.startsWith('c.')).length
      expect(done).toBeGreaterThan(0)
      expect(done).toBeLessThan(300)
      expect(await redis(async (client) => await client.keys(`*${id}*`))).toEqual([])
    })

    it('that is cancelled among others leaves these in their order, and no search of the list for each chunk', async () => {
      newRoot()
      await redis(async (client) => await client.flushall())
      await makeArray('A', 'float64', [1300, 1, 1], 1)
      const submit = async (out: string) =>
        (await queue.submit({ operation: 'expm', A: 'A', out, options }, { root })).id
      const [first, second, third] = [await submit('Y1'), await submit('Y2'), await submit('Y3')]
      await redis(async (client) => {
        const waiting = async () => await client.lrange('bull:matfun:wait', 0, -1)
        const searches = async () =>
          Number(/cmdstat_lrem:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
        const before = await waiting()
        expect(before).toHaveLength(3900)
        // These are not in the list: one that failed, one that waits to be tried again, and one that a worker holds.
        const move = async (chunk: number, key: string) => {
          await client.lrem('bull:matfun:wait', 1, `${second}-${chunk}`)
          await client.zadd(`bull:matfun:${key}`, 1, `${second}-${chunk}`)
        }
        await move(5, 'failed')
        await move(6, 'delayed')
        await client.lrem('bull:matfun:wait', 1, `${second}-7`)
        await client.lpush('bull:matfun:active', `${second}-7`)
        await client.set(`bull:matfun:${second}-7:lock`, 'mine', 'EX', 60)
        const searched = await searches()
        await queue.cancel(second)
        expect((await searches()) - searched).toBeLessThan(5)
        expect(await waiting()).toEqual(before.filter((entry) => !entry.startsWith(second)))
        expect((await client.keys(`*${second}*`)).sort()).toEqual([
          `bull:matfun:${second}-7`,
          `bull:matfun:${second}-7:lock`,
        ])
        expect(await client.zcard('bull:matfun:failed')).toBe(0)
        expect(await client.zcard('bull:matfun:delayed')).toBe(0)
        await client.del(`bull:matfun:${second}-7:lock`)
        await queue.cancel(first)
        await queue.cancel(third)
        await client.flushall()
      })
    })
  })

  describe('a chunk', () => {
    const description = { operation: 'expm', A: 'A', out: 'Y', options } as const

    it('that cannot be read fails with its reason, at once, and is listed; the others are done', async () => {
      newRoot()
      await makeArray('A', 'float64', [40, 2, 2], 4)
      const path = join(root, 'A/c.3.0.0')
      const whole = readFileSync(path)
      writeFileSync(path, whole.subarray(0, 100))
      const { id } = await queue.submit(description, { root })
      const told = await work()
      const status = await ended(id)
      expect(status).toMatchObject({ complete: false, done: 9, failed: 1, waiting: 0, active: 0 })
      expect(status.failedChunks).toEqual([
        {
          chunk: 3,
          attempts: 1,
          reason: expect.stringMatching(/^chunk 3: A: c\.3\.0\.0 must have 128 bytes, got 100$/),
        },
      ])
      expect(told.trouble).toEqual([`chunk ${id}-3: ${status.failedChunks[0].reason}`])
      writeFileSync(path, whole)
      // It stays failed until somebody says that it should be tried again.
      expect(await queue.submit(description, { root })).toMatchObject({ present: 9, failed: 1, retried: 0 })
      expect(await ended(id)).toMatchObject({ complete: false, failed: 1 })
      expect(await queue.submit(description, { root, retryFailed: true })).toMatchObject({
        failed: 0,
        retried: 1,
      })
      expect(await ended(id)).toMatchObject({ complete: true, failed: 0, done: 10 })
      expect(files('Y')).toEqual(await local(description))
    })

    it('of many that cannot be read: all of them are listed, and tried again', async () => {
      newRoot()
      await makeArray('A', 'float64', [40, 2, 2], 4)
      const paths = [1, 2, 5, 6, 9].map((k) => join(root, `A/c.${k}.0.0`))
      const whole = paths.map((path) => readFileSync(path))
      for (const path of paths) writeFileSync(path, '')
      const { id } = await queue.submit(description, { root })
      await Promise.all([work(), work()])
      const status = await ended(id)
      expect(status).toMatchObject({ complete: false, done: 5, failed: 5, waiting: 0, active: 0 })
      expect(status.failedChunks.map(({ chunk }) => chunk)).toEqual([1, 2, 5, 6, 9])
      for (const [k, path] of paths.entries()) writeFileSync(path, whole[k])
      const again = { root, retryFailed: true }
      const both = await Promise.all([queue.submit(description, again), queue.submit(description, again)])
      expect(Math.max(...both.map(({ retried }) => retried))).toBe(5)
      expect(await ended(id)).toMatchObject({ complete: true, done: 10, failed: 0 })
      expect(files('Y')).toEqual(await local(description))
    })

    it('that is computed while its output is made anew is not written there', async () => {
      newRoot()
      await makeArray('A', 'float64', [2, 3, 3], 2)
      const job = await openJob(description, { root })
      const stale = job.runChunk(0, {
        // It is read by now. Its output is removed as the documents say, because the numbers of A have changed, and made again.
        onProgress: () => {
          rmSync(join(root, 'Y'), { recursive: true, force: true })
          mkdirSync(join(root, 'Y'))
          writeFileSync(join(root, 'Y/zarr.json'), json)
        },
      })
      const json = readFileSync(join(root, 'Y/zarr.json'))
      await expect(stale).rejects.toMatchObject({
        retryable: true,
        message: 'chunk 0: Y was removed or made anew while the chunk was computed',
      })
      expect(readdirSync(join(root, 'Y'))).toEqual(['zarr.json'])
      await job.close()
    })

    it('of a job that nobody knows any more is let go of, undone', async () => {
      newRoot()
      await makeArray('A', 'float64', [40, 2, 2], 4)
      const { id } = await queue.submit(description, { root })
      // As a cancel leaves it that is interrupted.
      await redis(async (client) => await client.del(`matfun:job:${id}`))
      const told = await work()
      const waiting = (): Promise<string[]> =>
        redis(async (client) => await client.keys(`bull:matfun:${id}-*`))
      while ((await waiting()).length > 0) await sleep(10)
      expect(told).toEqual({ chunks: [], trouble: [] })
      expect(readdirSync(join(root, 'Y'))).toEqual(['zarr.json'])
    })

    it('is done, whatever the one who is told of it makes of that', async () => {
      newRoot()
      await makeArray('A', 'float64', [8, 2, 2], 4)
      const { id } = await queue.submit(description, { root })
      const told = await work({
        onChunk: () => {
          throw new Error('no ears')
        },
      })
      // The last one's finish is mended, too.
      expect(await ended(id)).toMatchObject({ complete: true, done: 2, failed: 0 })
      expect(told.trouble).toEqual(['no ears', 'no ears'])
    })

    it('that failed here and was done elsewhere has not failed', async () => {
      newRoot()
      await makeArray('A', 'float64', [8, 2, 2], 4)
      writeFileSync(join(root, 'A/c.1.0.0'), '')
      const { id } = await queue.submit(description, { root })
      await work()
      expect(await ended(id)).toMatchObject({ failed: 1, done: 1 })
      await redis(async (client) => await new Ledger(client).enterDone(id, 1, 0, 1))
      expect(await queue.status(id)).toMatchObject({ failed: 0, failedChunks: [], done: 2, waiting: 0 })
    })

    it('that is damaged, and then done by a local run, has not failed any more', async () => {
      newRoot()
      await makeArray('A', 'float64', [8, 2, 2], 4)
      const path = join(root, 'A/c.1.0.0')
      const whole = readFileSync(path)
      writeFileSync(path, '')
      const { id } = await queue.submit(description, { root })
      await work()
      expect(await ended(id)).toMatchObject({ failed: 1 })
      writeFileSync(path, whole)
      const job = await openJob(description, { root })
      await job.runChunk(1)
      await job.close()
      expect(await queue.submit(description, { root })).toMatchObject({ present: 2, failed: 0 })
      expect(await ended(id)).toMatchObject({ complete: true, failed: 0 })
    })

    it('that is removed after it was done is found missing, and done again', async () => {
      newRoot()
      await makeArray('A', 'float64', [40, 2, 2], 4)
      const submission = await queue.submit(description, { root })
      let removed = false
      const told = await work({
        concurrency: 1,
        onChunk: ({ chunk }) => {
          if (chunk !== 2 || removed) return
          removed = true
          rmSync(join(root, 'Y/c.2.0.0'))
        },
      })
      expect(await ended(submission.id)).toMatchObject({ complete: true, done: 10 })
      expect(told.trouble).toEqual([])
      expect(removed).toBe(true)
      expect(files('Y')).toEqual(await local(description))
    })

    it('that takes longer than the lock keeps it', async () => {
      newRoot()
      await makeArray('A', 'complex128', [3, 256, 256], 1)
      const job = await openJob(description, { root })
      const start = performance.now()
      await job.runChunk(0)
      await job.close()
      const each = (performance.now() - start) / 1000
      newRoot()
      // Long enough by what one matrix has taken, on one thread.
      const items = Math.ceil(2.5 / each)
      await makeArray('A', 'complex128', [2 * items, 256, 256], items)
      const { id } = await queue.submit(description, { root })
      const limits = { maxChunkBytes: 2 ** 34 }
      const told = [
        await work({ threads: 1, limits, concurrency: 1 }),
        await work({ threads: 1, limits, concurrency: 1 }),
      ]
      expect(await ended(id)).toMatchObject({ complete: true })
      const chunks = told.flatMap((each) => each.chunks)
      expect(chunks.map(({ done }) => done)).toEqual(['computed', 'computed'])
      for (const { seconds } of chunks) expect(seconds).toBeGreaterThan(1)
      expect(told.flatMap(({ trouble }) => trouble)).toEqual([])
    })

    it('is given back by a worker that must go, and done by another', async () => {
      newRoot()
      await makeArray('A', 'float64', [4, 300, 300], 4)
      const { id } = await queue.submit(description, { root })
      await work({ threads: 1, lock: 600 })
      while ((await queue.status(id)).active === 0) await sleep(5)
      await workers.splice(0)[0].abort()
      expect(await queue.status(id)).toMatchObject({ active: 0, waiting: 1, done: 0 })
      const told = await work({ lock: 600 })
      expect(await ended(id)).toMatchObject({ complete: true })
      expect(told.chunks).toHaveLength(1)
    })
  })

  it('a job that ends takes away what writers that were killed have left a day before', async () => {
    newRoot()
    await makeArray('A', 'float64', [8, 2, 2], 4)
    const description = { operation: 'expm', A: 'A', out: 'Y', options } as const
    const { id } = await queue.submit(description, { root })
    mkdirSync(join(root, 'Y/matfun/failures'), { recursive: true })
    const names = [
      'Y/.matfun-000000000000.tmp',
      'Y/matfun/failures/.matfun-111111111111.tmp',
      'Y/.matfun-other.tmp',
    ]
    for (const name of [...names, 'Y/.matfun-222222222222.tmp']) writeFileSync(join(root, name), '')
    for (const name of names) utimesSync(join(root, name), 0, Date.now() / 1000 - 86_401)
    await work()
    await ended(id)
    await workers.splice(0)[0].close()
    expect(readdirSync(join(root, 'Y')).filter((name) => name.startsWith('.'))).toEqual([
      '.matfun-222222222222.tmp',
      '.matfun-other.tmp',
    ])
    expect(readdirSync(join(root, 'Y/matfun/failures'))).toEqual([])
  })

  describe('a queue', () => {
    const description = { operation: 'expm', A: 'A', out: 'Y', options } as const

    it('with a record that no matfun has made tells of it, and goes on with the others', async () => {
      newRoot()
      await makeArray('A', 'float64', [40, 2, 2], 4)
      const { id } = await queue.submit(description, { root })
      await redis(async (client) => {
        await client.hset('matfun:job:ffffffffffffffff', { description: '{', chunks: 4e9 })
        await client.zadd('matfun:jobs', 1e15, 'ffffffffffffffff')
        for (const key of await client.keys('bull:matfun:*')) await client.del(key)
        await client.del('matfun:mending') // another worker's turn
      })
      await expect(queue.status('ffffffffffffffff')).rejects.toThrow(/record of job ffffffffffffffff/)
      const told = await work()
      expect(await ended(id)).toMatchObject({ complete: true })
      expect(told.trouble).toContainEqual(expect.stringMatching(/record of job ffffffffffffffff/))
      await redis(async (client) => await client.del('matfun:job:ffffffffffffffff'))
      expect(await queue.jobs()).not.toContain('ffffffffffffffff')
      for (const wrong of ['', 'x', `${id}:done`])
        await expect(queue.status(wrong)).rejects.toThrow(/expected a job's id/)
    })

    it.each(['', ':done'])(
      'with a key matfun:job:*%s of a wrong type tells of it, and goes on with the others',
      async (suffix) => {
        newRoot()
        await makeArray('A', 'float64', [4, 2, 2], 2)
        const { id } = await queue.submit(description, { root })
        const wrong = 'eeeeeeeeeeeeeeee'
        await redis(async (client) => {
          await client.hset(`matfun:job:${wrong}`, await client.hgetall(`matfun:job:${id}`))
          await client.del(`matfun:job:${wrong}${suffix}`)
          await client.lpush(`matfun:job:${wrong}${suffix}`, 'a list')
          await client.zadd('matfun:jobs', 1e15, wrong)
        })
        const message = `job ${wrong} cannot be read: one of its keys in Redis has a type that matfun does not write there`
        await expect(queue.status(wrong)).rejects.toThrow(new QueueError(message))
        const all = await runHere(['status', '--queue', server.url])
        expect(all).toMatchObject({ code: 0, stderr: `matfun: ${message}\n` })
        expect(all.stdout).toContain(`job ${id}: expm of A to Y`)
        const json = await runHere(['status', '--queue', server.url, '--json'])
        expect(JSON.parse(json.stdout).map((job: JobStatus) => job.id)).toContain(id)
        await expect(queue.cancel(wrong)).rejects.toThrow(message)
        const one = await runHere(['status', wrong, '--queue', server.url])
        expect(one).toEqual({ code: 2, stdout: '', stderr: `matfun: ${message}\n` })
        await redis(async (client) => await client.del(`matfun:job:${wrong}`, `matfun:job:${wrong}:done`))
        const told = await work()
        expect(await ended(id)).toMatchObject({ complete: true })
        expect(told.trouble).toEqual([])
      },
    )

    it('of which one worker does not see the storage is worked off by the others', async () => {
      newRoot()
      await makeArray('A', 'float64', [30, 2, 2], 1)
      const { id } = await queue.submit(description, { root })
      const elsewhere = at('elsewhere')
      mkdirSync(elsewhere, { recursive: true })
      const lost = await work({ root: elsewhere, concurrency: 1 })
      while ((await queue.status(id)).active === 0) await sleep(5)
      await work()
      const status = await ended(id)
      expect(status).toMatchObject({ complete: true, failed: 0 })
      expect(lost.chunks).toEqual([])
      expect(lost.trouble.length).toBeLessThan(5)
    })

    it('that has lost its chunks gets them again from a worker', async () => {
      newRoot()
      await makeArray('A', 'float64', [40, 2, 2], 4)
      const { id } = await queue.submit(description, { root })
      await redis(async (client) => {
        for (const key of await client.keys('bull:matfun:*')) await client.del(key)
        await client.del('matfun:mending') // another worker's turn
      })
      expect(await queue.status(id)).toMatchObject({ done: 0, waiting: 10 })
      await work()
      expect(await ended(id)).toMatchObject({ complete: true, done: 10 })
    })

    it('whose server is killed and comes again goes on', async () => {
      newRoot()
      await makeArray('A', 'float64', [400, 2, 2], 1)
      const { id } = await queue.submit(description, { root })
      const told = await work()
      setTimeout(() => server.crash(300), 150)
      expect(await ended(id)).toMatchObject({ complete: true, done: 400 })
      expect(told.trouble.length).toBeGreaterThan(0)
      expect(files('Y')).toEqual(await local(description))
    })
  })

  describe('what is known of a job', () => {
    const facts = {
      id: '0123456789abcdef',
      description: { operation: 'expm', A: 'A', out: 'Y', options },
      dtype: 'float64',
      n: 2,
      count: 20,
      chunks: 10,
    } as const
    const absent = (chunks: number[]) => ({ absent: chunks, failures: new Map<number, number>() })
    const all = Array.from({ length: 10 }, (_, k) => k)

    /** Does something with the ledger, and forgets the job after. */
    async function withLedger(step: (ledger: Ledger, client: Redis) => Promise<void>): Promise<void> {
      await redis(async (client) => {
        const ledger = new Ledger(client)
        await step(ledger, client)
        await ledger.forget(facts.id)
      })
    }

    it('is that it is finished only by the submission that was looked at, and with every chunk', async () => {
      await withLedger(async (ledger) => {
        const first = await ledger.enter(facts, absent(all), new Uint8Array())
        await ledger.finish(facts.id, first)
        expect(await ledger.read(facts.id)).toMatchObject({ done: 0, finished: undefined })
        for (const k of all) expect(await ledger.enterDone(facts.id, k, 0, 5)).toBe(k + 1)
        await sleep(5)
        const second = await ledger.enter(facts, absent([]), await ledger.doneBits(facts.id))
        expect(second).toBeGreaterThan(first)
        await ledger.finish(facts.id, first)
        expect((await ledger.read(facts.id))?.finished).toBeUndefined()
        await ledger.finish(facts.id, second)
        expect((await ledger.read(facts.id))?.finished).toBeGreaterThanOrEqual(second)
      })
    })

    it('counts a chunk and its failures once, however often it is entered, and takes them back', async () => {
      await withLedger(async (ledger) => {
        await ledger.enter(facts, absent(all), new Uint8Array())
        for (const failures of [3, 3, 2]) await ledger.enterDone(facts.id, 4, failures, 1)
        await ledger.enterDone(facts.id, 9, 5, 1)
        expect(await ledger.read(facts.id)).toMatchObject({ done: 2, failures: 7 })
        await ledger.removeDone(facts.id, [9])
        expect(await ledger.read(facts.id)).toMatchObject({ done: 1, failures: 2 })
        // A bit that was set before the storage was looked at, and finds no chunk there, is of one that was removed.
        await ledger.enter(facts, absent(all), await ledger.doneBits(facts.id))
        expect(await ledger.read(facts.id)).toMatchObject({ done: 0, failures: 0, present: 0 })
      })
    })

    it('is nothing once it is cancelled, whatever its workers still enter', async () => {
      await withLedger(async (ledger, client) => {
        const submitted = await ledger.enter(facts, absent(all), new Uint8Array())
        await ledger.forget(facts.id)
        expect(await ledger.enterDone(facts.id, 1, 2, 3)).toBe(0)
        await ledger.removeDone(facts.id, [1])
        await ledger.finish(facts.id, submitted)
        expect(await client.keys(`*${facts.id}*`)).toEqual([])
        expect(await ledger.ids()).not.toContain(facts.id)
      })
    })
  })

  describe('a worker', () => {
    /** Puts something into the queue, as whoever can write to Redis may. */
    async function forge(id: string, data: unknown): Promise<void> {
      await redis(async (client) => {
        client.options.maxRetriesPerRequest = null
        const forged = new Queue('matfun', { connection: client })
        await forged.add('expm', data, { jobId: id, attempts: 5 })
        await forged.close()
      })
    }

    async function reasonOf(id: string): Promise<string> {
      return await redis(async (client) => {
        for (;;) {
          const reason = await client.hget(`bull:matfun:${id}`, 'failedReason')
          if (reason !== null) return reason
          await sleep(20)
        }
      })
    }

    it('refuses what is no chunk of a job, and goes on', async () => {
      newRoot()
      mkdirSync(join(root, '../outside'), { recursive: true })
      await makeArray('A', 'float64', [8, 2, 2], 4)
      await makeArray('../outside/A', 'float64', [8, 2, 2], 4)
      const description = { operation: 'expm', A: 'A', out: 'Y', options }
      const { id } = await queue.submit(description as JobDescription, { root })
      const good = { version: 1, job: id, chunk: 0, description }
      const forgeries: [unknown, RegExp][] = [
        [null, /version 1/],
        [[], /version 1/],
        [{ ...good, version: 2 }, /version 1/],
        [{ ...good, job: '../../x' }, /16 hex digits/],
        [{ ...good, chunk: 2 }, /has 2 chunks/],
        [{ ...good, chunk: -1 }, /chunk's number/],
        [{ ...good, chunk: 1e300 }, /chunk's number/],
        [{ ...good, chunk: '0' }, /chunk's number/],
        [{ ...good, description: undefined }, /must be an object/],
        [{ ...good, description: { ...description, operation: 'exec' } }, /operation/],
        [{ ...good, description: { ...description, command: 'rm' } }, /command/],
        [{ ...good, description: { ...description, A: '../outside/A' } }, /relative path/],
        [{ ...good, description: { ...description, A: '/etc/passwd' } }, /relative path/],
        [{ ...good, description: { ...description, out: '../outside/Y' } }, /relative path/],
        [{ ...good, description: { ...description, out: 'Z' } }, /Z/],
        [{ ...good, description: { ...description, options: { ...options, out: 'x' } } }, /out/],
      ]
      const told = await work()
      for (const [k, [data, reason]] of forgeries.entries()) {
        await forge(`forged-${cases}-${k}`, data)
        expect(await reasonOf(`forged-${cases}-${k}`)).toMatch(reason)
      }
      expect(told.trouble.length).toBeGreaterThanOrEqual(forgeries.length)
      // A job that nobody knows may have been cancelled: its chunks are let go of.
      await forge(`unknown-${cases}`, { ...good, job: 'f'.repeat(16) })
      while (
        !(await redis(async (client) => await client.hexists(`bull:matfun:unknown-${cases}`, 'finishedOn')))
      )
        await sleep(20)
      expect(
        await redis(async (client) => await client.hget(`bull:matfun:unknown-${cases}`, 'failedReason')),
      ).toBeNull()
      expect(existsSync(join(root, '../outside/Y'))).toBe(false)
      expect(existsSync(join(root, 'Z'))).toBe(false)
      expect(await ended(id)).toMatchObject({ complete: true, done: 2 })
    })

    it.each([
      ['an order', { maxOrder: 7 }, /order/],
      ['chunks', { maxChunkBytes: 1000 }, /bytes/],
    ])('refuses %s beyond its limits', async (_, limits, reason) => {
      newRoot()
      await makeArray('A', 'float64', [8, 8, 8], 4)
      const { id } = await queue.submit({ operation: 'expm', A: 'A', out: 'Y', options }, { root })
      await work({ limits })
      const status = await ended(id)
      expect(status).toMatchObject({ failed: 2, done: 0 })
      expect(status.failedChunks[0].attempts).toBe(1)
      expect(status.failedChunks[0].reason).toMatch(reason)
      await queue.cancel(id)
    })

    it('holds no more jobs open than a few', async () => {
      newRoot()
      const ids: string[] = []
      for (let k = 0; k < 9; k++) {
        await makeArray(`A${k}`, 'float64', [6, 2, 2], 1)
        ids.push((await queue.submit({ operation: 'expm', A: `A${k}`, out: `Y${k}`, options }, { root })).id)
      }
      const told = await work({ concurrency: 3 })
      for (const id of ids) expect(await ended(id)).toMatchObject({ complete: true })
      expect(told.trouble).toEqual([])
      expect(told.chunks).toHaveLength(54)
    })
  })
})
