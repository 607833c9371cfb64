import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { expmCond } from '../lib/index.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { Random } from './fuzz/random.ts'
import { main, matfun, runHere } from './support/command-line.ts'
import { random } from './support/matrices.ts'
import { npyBytes, temporaryFolder } from './support/npy-files.ts'
import {
  dying,
  holds,
  isDone,
  left,
  nameOf,
  type PreparedJob,
  prepareJob,
  resumedJobs,
} from './support/resumed-jobs.ts'

const at = temporaryFolder()

function folder(name: string): string {
  mkdirSync(at(name))
  return at(name)
}

/** Continues a job in this process; gives how many matrices were there already. */
async function finish(job: PreparedJob, from: string): Promise<number> {
  const { stdout, stderr, code } = await runHere([...job.args, '--resume', '--json'], { budget: job.budget })
  expect(code, `${from}: ${stderr}`).toBe(job.failures.length > 0 ? 1 : 0)
  const { failures, resumed, count } = JSON.parse(stdout)
  expect({ failures, count }, from).toEqual({ failures: job.failures, count: job.count })
  expect(isDone(job), `${from}: ${left(job)}`).toBe(true)
  return resumed
}

/** How many matrices the journal in a folder says are done. */
function checkpointOf(place: string): number {
  const name = readdirSync(place).find((file) => file.endsWith('.journal'))
  if (name === undefined) return 0
  let text = ''
  try {
    text = readFileSync(join(place, name), 'utf8')
  } catch {
    // It has another name by now.
  }
  const lines = text.split('\n')
  return Number(/^\{"done":([0-9]+)/.exec(lines.at(-2) ?? '')?.[1] ?? 0)
}

describe('a job that is killed', () => {
  it('at each of its calls that change a file, leaves no half output, and is continued to the same bytes', async () => {
    const shared = { operation: 'vjp', dtype: 'float64', counts: [1, 6], n: 2, withValue: true } as const
    const job = await prepareJob(folder('every'), shared)
    const resumed: number[] = []
    for (let fatal = 1; ; fatal++) {
      job.outputs.forEach((path) => {
        writeFileSync(path, 'before')
      })
      const args = [dying, `${job.budget}`, `${fatal}`, ...job.args]
      const { signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      if (signal === null) {
        expect(stderr).toMatch(/^calls [0-9]+\n$/)
        break
      }
      const isWhole = (path: string, k: number) =>
        readFileSync(path, 'latin1') === 'before' || holds(path, job.bytes[k])
      expect(job.outputs.every(isWhole), `call ${fatal}`).toBe(true)
      resumed.push(await finish(job, `call ${fatal}`))
    }
    // Two opened, written and synced files, a journal, two chunks, and every number of them to go on from.
    expect(resumed.length).toBeGreaterThan(25)
    expect([...new Set(resumed)].sort()).toEqual([0, 3, 6])
    // Some forty processes, one after the other: on a machine that is busy they take more than the usual minute.
  }, 240_000)

  it.each(resumedJobs.map((job) => [nameOf(job), job] as const))(
    'at random moments, again and again, has the bytes of one that is not: %s',
    async (name, description) => {
      const job = await prepareJob(folder(name), description)
      const draw = new Random(1, name.length)
      let killed = 0
      for (let round = 0, target = 0; round < 3; round++) {
        const child = spawn(process.execPath, [dying, `${job.budget}`, '0', ...job.args, '--resume'])
        const closed = once(child, 'close')
        // Moments are drawn by how far it has come, so that none depends on how fast the machine is.
        target += draw.integer(1, job.count / 4)
        while (checkpointOf(job.folder) < target && child.exitCode === null) await setTimeout(1)
        await setTimeout(draw.real(0, 3))
        child.kill('SIGKILL')
        const [code, signal] = await closed
        if (signal === null) expect(code).toBe(1)
        if (signal === null) break
        killed++
        expect(job.outputs.some((path) => existsSync(path))).toBe(false)
        target = checkpointOf(job.folder)
      }
      expect(killed).toBeGreaterThan(0)
      const isOver = job.outputs.every((path) => existsSync(path))
      if (!isOver) expect(await finish(job, name)).toBeGreaterThan(0)
      expect(isDone(job)).toBe(true)
    },
  )

  it('is continued by the command line as it is, which writes a line a second at most', async () => {
    const place = folder('real')
    // 64 matrices over and over, so that one short call says what all should be: five chunks, some four seconds.
    const [n, repeats] = [48, 130]
    const block = random(n, 1, 64)
    const data = Buffer.concat(Array.from({ length: repeats }, () => Buffer.from(block.buffer)))
    writeFileSync(join(place, 'A.npy'), npyBytes({ shape: [64 * repeats, n, n], data }))
    const args = ['cond', 'A.npy', '-o', 'K.npy']
    const began = performance.now()
    const child = spawn(process.execPath, [main, ...args, '--threads', '1'], { cwd: place })
    const closed = once(child, 'close')
    while (checkpointOf(place) === 0 && child.exitCode === null) await setTimeout(5)
    const seconds = (performance.now() - began) / 1000
    child.kill('SIGKILL')
    await closed
    const done = checkpointOf(place)
    expect(seconds).toBeGreaterThan(1)
    const { status, stdout, stderr } = matfun(place, ...args, '--resume', '--json')
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^matfun: continuing an/) })
    expect({ done, resumed: JSON.parse(stdout).resumed }).toEqual({ done, resumed: done })
    const numbers = expmCond({ data: block, shape: [64, n, n] }) as Float64Array
    const expected = Array.from({ length: repeats }, () => [...numbers]).flat()
    expect(readNpy(join(place, 'K.npy')).data).toEqual(Float64Array.from(expected))
  })
})

it('leftovers of a job that is killed are removed by the next run without --resume', async () => {
  const place = folder('leftovers')
  writeNpy(join(place, 'A.npy'), { data: new Float64Array(40), shape: [40, 1, 1] })
  const args = ['expm', join(place, 'A.npy'), '-o', join(place, 'Y.npy')]
  const { signal } = spawnSync(process.execPath, [dying, '100', '20', ...args])
  expect(signal).toBe('SIGKILL')
  expect(readdirSync(place)).toHaveLength(3)
  // Another job's run lets them be.
  expect((await runHere(['cond', args[1], '-o', args[3]])).code).toBe(0)
  expect(readdirSync(place)).toHaveLength(4)
  expect((await runHere(args)).code).toBe(0)
  expect(readdirSync(place)).toEqual(['A.npy', 'Y.npy'])
  rmSync(args[3])
})
