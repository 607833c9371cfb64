// Two jobs on three workers, all of them processes, while workers, server and submitter are killed at random moments. One round here;
// MATFUN_KILL_ROUNDS=10 npx vitest run test/queue-kills.test.ts for more.
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { allocate, components, type DType } from '../lib/ndarray.ts'
import { openQueue } from '../lib/queue/index.ts'
import { createZarr } from '../lib/zarr/index.ts'
import { redisIsMissing, type Server, startRedis } from '../scripts/queue/redis.mjs'
import { main, matfun } from './support/command-line.ts'
import { uniform } from './support/matrices.ts'
import { temporaryFolder } from './support/npy-files.ts'

const rounds = Number(process.env.MATFUN_KILL_ROUNDS ?? 1)
const seed = Number(process.env.MATFUN_KILL_SEED ?? Date.now() % 2 ** 31)

const jobs = [
  { name: '2 million 4 x 4', operation: 'expm', n: 4, count: 2_000_000, chunk: 2_000, more: [] },
  { name: '2000 of order 64', operation: 'vjp', n: 64, count: 2_000, chunk: 4, more: ['--value', 'V'] },
] as const

/** A stack of random matrices, some of which cannot be done. */
async function makeArray(
  path: string,
  dtype: DType,
  n: number,
  count: number,
  chunk: number,
  from: number,
): Promise<void> {
  const array = await createZarr(path, { dtype, shape: [count, n, n], chunkLength: chunk })
  const next = uniform(from)
  for (let k = 0; k < array.chunks; k++) {
    const data = allocate(dtype, Math.min(chunk, count - k * chunk) * n * n)
    for (let i = 0; i < data.length; i++) data[i] = (2 * next() - 1) / n
    if (k % 3 === 0) data[(k % 7) * n * n * components(dtype)] = Number.NaN
    await array.writeChunk(k, data)
  }
}

/**
 * Every file of an array but its description, which names the job: path and digest. Hidden ones are those of killed writers, which are
 * removed when they are a day old.
 */
function contents(array: string): Map<string, string> {
  const files = readdirSync(array, { recursive: true, encoding: 'utf8' }).sort()
  return new Map(
    files
      .filter(
        (file) =>
          file !== 'zarr.json' &&
          !basename(file).startsWith('.matfun-') &&
          statSync(join(array, file)).isFile(),
      )
      .map((file) => [
        file,
        createHash('sha1')
          .update(readFileSync(join(array, file)))
          .digest('hex'),
      ]),
  )
}

function start(folder: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { cwd: folder, stdio: 'ignore' })
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

/** Kills workers, and the server now and then, until the job ends; how often. */
async function haunt(
  folder: string,
  server: Server,
  random: () => number,
  hasEnded: () => Promise<boolean>,
): Promise<{ workers: number; servers: number }> {
  const startWorker = (): ChildProcess =>
    start(folder, 'worker', '--queue', server.url, '--lock', '1', '--threads', '1', '--concurrency', '1')
  const workers = [startWorker(), startWorker(), startWorker()]
  const killed = { workers: 0, servers: 0 }
  try {
    while (!(await hasEnded())) {
      await sleep(50 + 450 * random())
      // Each at least once, and then as it comes.
      const isServer = killed.servers === 0 ? killed.workers > 0 : random() < 0.25
      if (isServer) {
        await server.crash(300 * random())
        killed.servers++
      } else {
        const victim = Math.floor(3 * random())
        await kill(workers[victim])
        workers[victim] = startWorker()
        killed.workers++
      }
    }
    return killed
  } finally {
    await Promise.all(workers.map(kill))
  }
}

describe.skipIf(redisIsMissing)(
  `a job on a queue${redisIsMissing ? ` (left out: ${redisIsMissing})` : ''}`,
  () => {
    const at = temporaryFolder()

    it.each(jobs)(
      'of $name has the bytes of a local run, whoever is killed',
      async ({ operation, n, count, chunk, more }) => {
        const folder = at('.')
        const inputs = operation === 'expm' ? ['A'] : ['A', 'E']
        for (const [k, name] of inputs.entries())
          await makeArray(at(`${name}${n}.zarr`), 'float64', n, count, chunk, k + 1)
        const described = (name: string): string[] => [
          'run',
          operation,
          ...['--a', `A${n}.zarr`],
          ...(operation === 'expm' ? [] : ['--direction', `E${n}.zarr`]),
          ...['-o', `${name}.zarr`],
          ...more.map((word) => (word === 'V' ? `${name}-value.zarr` : word)),
        ]
        expect(matfun(folder, ...described(`local${n}`)).status).toBe(1) // some cannot be done
        const random = uniform(seed + n)
        for (let round = 0; round < rounds; round++) {
          const name = `round${n}-${round}`
          const server = await startRedis()
          onTestFinished(() => server.end())
          const submit = [...described(name), '--queue', server.url]
          // Once it has begun to write, and then at any time.
          for (let tries = 0; tries < 3; tries++) {
            const submitter = start(folder, ...submit)
            if (tries === 0) while (!existsSync(at(`${name}.zarr`))) await sleep(1)
            await sleep((tries === 0 ? 50 : 600) * random())
            await kill(submitter)
          }
          const submitted = matfun(folder, ...submit, '--json')
          expect(submitted.stderr).toBe('')
          const { id } = JSON.parse(submitted.stdout)
          const queue = await openQueue({ url: server.url })
          const killed = await haunt(folder, server, random, async () => {
            const { complete, failedChunks } = await queue.status(id)
            expect(failedChunks).toEqual([])
            return complete
          })
          await queue.close()
          expect(Math.min(killed.workers, killed.servers)).toBeGreaterThan(0)
          expect(contents(at(`${name}.zarr`))).toEqual(contents(at(`local${n}.zarr`)))
          for (const word of more)
            if (word === 'V')
              expect(contents(at(`${name}-value.zarr`))).toEqual(contents(at(`local${n}-value.zarr`)))
          if (process.env.MATFUN_KILL_ROUNDS)
            console.log(`seed ${seed}, round ${round}, order ${n}: killed`, killed)
        }
      },
      120_000 * rounds,
    )
  },
)
