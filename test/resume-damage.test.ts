import fs, {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, join } from 'node:path'
import { expect, it, test } from 'vitest'
import { Random } from './fuzz/random.ts'
import { runHere } from './support/command-line.ts'
import { temporaryFolder } from './support/npy-files.ts'
import { holds, interrupt, isDone, left, type PreparedJob, prepareJob } from './support/resumed-jobs.ts'
import { drawSeed } from './support/seed.ts'

const at = temporaryFolder()

function folder(name: string): string {
  mkdirSync(at(name))
  return at(name)
}

const changing = [
  'openSync',
  'writeSync',
  'ftruncateSync',
  'fsyncSync',
  'fsync',
  'fdatasync',
  'renameSync',
] as const
type Call = (...args: unknown[]) => unknown

/** Does something while calls of the file system are replaced. */
async function withCalls(
  replace: (name: (typeof changing)[number], original: Call) => Call,
  step: () => Promise<void>,
): Promise<void> {
  const functions = fs as unknown as Record<string, Call>
  const originals = changing.map((name) => functions[name])
  changing.forEach((name, j) => {
    functions[name] = replace(name, originals[j])
  })
  syncBuiltinESMExports()
  try {
    await step()
  } finally {
    changing.forEach((name, j) => {
      functions[name] = originals[j]
    })
    syncBuiltinESMExports()
  }
}

/** Calls that answer at once, in the place of those that wait for the disk: no power is cut here. */
function quick(name: string, original: Call): Call {
  if (name === 'fsyncSync') return () => {}
  return name.endsWith('sync') ? (_, done) => (done as () => void)() : original
}

/** Does something while the k-th call that changes a file fails; gives the calls that there were. */
async function withFault(k: number, code: string, step: () => Promise<void>): Promise<number> {
  let calls = 0
  const failing = (name: string, original: Call): Call => {
    return (...args) => {
      const changes = name !== 'openSync' || args[1] === 'wx' || args[1] === 'r+'
      if (!changes || ++calls !== k) return quick(name, original)(...args)
      const error = Object.assign(new Error(`${code}: as if, ${name}`), { code, syscall: name })
      const done = args.at(-1)
      if (typeof done !== 'function') throw error
      done(error)
    }
  }
  await withCalls(failing, step)
  return calls
}

/** One of many ways in which a journal may be damaged. `other` is one of another run of the same job. */
function damage(journal: Buffer, other: Buffer, random: Random): Buffer {
  const lines = journal.toString('latin1').split('\n').slice(0, -1)
  const others = other.toString('latin1').split('\n').slice(0, -1)
  const place = random.integer(0, lines.length - 1)
  const foreign = random.pick(others)
  const changes: (() => void)[] = [
    () => lines.splice(place, 1),
    () => lines.splice(place, 0, random.pick(lines)),
    () => lines.splice(place, 0, foreign),
    () => lines.splice(place, 1, foreign),
    () => lines.push(...others.slice(1)),
    () => lines.reverse(),
    () => {
      lines[place] = lines[place].replace(/"done":\d/, `"done":${random.integer(0, 99)}`)
    },
    () => {
      lines[place] = lines[place].replace(/"index":\d+,/, `"index":${random.integer(-1, 60)},`)
    },
    () => {
      lines[place] = random.pick(['', '{}', 'null\t', '[]', '{"done":60,"failures":[]}', '\0'.repeat(64)])
    },
  ]
  random.pick(changes)()
  const bytes = Buffer.from(`${lines.join('\n')}\n`, 'latin1')
  if (random.chance(0.5)) return bytes
  const torn = random.chance(0.5) ? bytes : bytes.subarray(0, random.integer(0, bytes.length))
  if (torn.length > 0) torn[random.integer(0, torn.length - 1)] ^= 1 << random.integer(0, 7)
  return random.chance(0.5) ? torn : Buffer.concat([torn, Buffer.from([random.integer(0, 255)])])
}

const seed = drawSeed('damaged journals')

test('500 damaged journals give right bytes or a refusal, whatever stands behind what they vouch for', async () => {
  const shared = { operation: 'vjp', dtype: 'float64', counts: [1, 60], n: 2, withValue: true } as const
  const job = await prepareJob(folder('journals'), shared)
  for (const after of [24, 36]) {
    for (const step of [6, 9, 15, after]) await interrupt(job, step)
    for (const name of left(job)) renameSync(join(job.folder, name), at(`${after} ${name}`))
  }
  const find = (start: string, end: RegExp) =>
    at(readdirSync(at('.')).find((n) => n.startsWith(start) && end.test(n))!)
  const journals = [find('24 ', /journal$/), find('36 ', /journal$/)]
  const contents = journals.map((path) => readFileSync(path))
  const files = [find('36 ', /[0-9a-f]{12}\.tmp$/), find('36 ', /value\.tmp$/)]
  const lengths = [128 + 36 * 32, 128 + 32]
  const checkpoints = [
    0,
    ...Array.from(contents[1].toString().matchAll(/"done":([0-9]+)/g), ([, done]) => Number(done)),
  ]
  const outcomes = { continued: 0, fresh: 0, refused: 0 }
  const round = async (k: number): Promise<void> => {
    const random = new Random(seed, k)
    // The files that the journal knows, with what was never vouched for being wrong.
    files.forEach((path, j) => {
      const whole = Buffer.alloc(job.bytes[j].length + random.integer(0, 64), 0x3f)
      job.bytes[j].copy(whole, 0, 0, lengths[j])
      writeFileSync(path, whole)
      linkSync(path, join(job.folder, basename(path).slice(3)))
    })
    writeFileSync(join(job.folder, basename(journals[1]).slice(3)), damage(contents[1], contents[0], random))
    const { code, stdout, stderr } = await runHere([...job.args, '--resume', '--json'], {
      budget: job.budget,
    })
    const from = `journal ${k} of seed ${seed}: ${stderr}`
    if (code === 2) {
      expect(stderr, from).toMatch(/^matfun: [^\n]+\n$/)
      outcomes.refused++
      for (const name of left(job)) rmSync(join(job.folder, name))
      return
    }
    const { failures, resumed } = JSON.parse(stdout)
    expect({ code, failures }, from).toEqual({ code: 1, failures: job.failures })
    expect(isDone(job), `${from}${left(job)}`).toBe(true)
    expect(checkpoints, from).toContain(resumed)
    outcomes[resumed > 0 ? 'continued' : 'fresh']++
    for (const path of job.outputs) rmSync(path)
  }
  await withCalls(quick, async () => {
    for (let k = 0; k < 500; k++) await round(k)
  })
  expect(Math.min(outcomes.continued, outcomes.fresh)).toBeGreaterThan(30)
})

it.each(['ENOSPC', 'EIO'])(
  'a job one of whose calls fails with %s leaves nothing, and with --resume what can be continued to the same bytes',
  async (error) => {
    const shared = { operation: 'jvp', dtype: 'complex64', counts: [1, 9], n: 2, withValue: true } as const
    const job = await prepareJob(folder(error), shared)
    const resumed = new Set<number>()
    for (const options of [[], ['--resume']])
      for (let k = 1; ; k++) {
        for (const path of job.outputs) rmSync(path, { force: true })
        const calls = await withFault(k, error, () => failOnce(job, options, `call ${k}, ${options}`))
        if (calls < k) break
        const { code, stdout, stderr } = await runHere([...job.args, '--resume', '--json'])
        expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^matfun: [^\n]*\n$/) })
        const summary = JSON.parse(stdout)
        expect(summary.failures).toEqual(job.failures)
        if (options.length === 0) expect(summary.resumed).toBe(0)
        resumed.add(summary.resumed)
        expect(isDone(job)).toBe(true)
      }
    expect([...resumed].sort()).toEqual([0, 3, 6, 9])
  },
)

/** Runs a job that fails in one call. It may be done in spite of that, where the call was none that it needs. */
async function failOnce(job: PreparedJob, options: readonly string[], from: string): Promise<void> {
  const { code, stderr } = await runHere([...job.args, ...options], { budget: job.budget, interval: 0 })
  if (code !== 2) {
    expect({ code, done: isDone(job) }, from).toEqual({ code: 1, done: true })
    return
  }
  expect(stderr, from).toMatch(
    /^(matfun: there is nothing [^\n]*\n)?matfun: cannot (read|write) [^\n]*E[A-Z]+: as if\n/,
  )
  const kept = /\nmatfun: ([0-9]) of 9 matrices are kept, and --resume continues there\n$/.exec(stderr)
  // The second of two outputs may fail to take its name when the first has its own.
  const others = left(job).filter((name) => name !== 'Y.npy' || !holds(job.outputs[0], job.bytes[0]))
  expect(others.length, `${from}: ${others}`).toBe(kept ? 3 : 0)
  if (options.length === 0) expect(kept, from).toBe(null)
}

it('a checkpoint is written when all that it vouches for is on the disk', async () => {
  const description = {
    operation: 'vjp',
    dtype: 'float64',
    counts: [300, 300],
    n: 2,
    withValue: true,
  } as const
  const job = await prepareJob(folder('order'), description)
  const written = new Map<unknown, number>()
  const synced = new Map<unknown, number>()
  const vouched: { done: number; bytes: number[] }[] = []
  const observe = (name: string, original: Call): Call => {
    if (name === 'writeSync')
      return (fd, piece, ...rest) => {
        const line = /^\{"done":([0-9]+)/.exec((piece as Buffer).toString('latin1'))
        if (line) vouched.push({ done: Number(line[1]), bytes: [...synced.values()] })
        const count = original(fd, piece, ...rest) as number
        written.set(fd, (rest[2] as number) + count)
        return count
      }
    if (name !== 'fsync') return original
    return (fd, done) => {
      const before = written.get(fd)!
      return original(fd, (error: unknown) => {
        synced.set(fd, before)
        ;(done as (error: unknown) => void)(error)
      })
    }
  }
  await withCalls(observe, async () => {
    await runHere(job.args, { budget: job.budget, interval: 0 })
  })
  expect(vouched.length).toBeGreaterThan(0)
  for (const { done, bytes } of vouched) {
    expect(bytes).toHaveLength(2)
    expect(Math.min(...bytes)).toBeGreaterThanOrEqual(128 + done * 32)
  }
})

it('after a disk that failed no checkpoint follows, though it would succeed', async () => {
  const description = { operation: 'vjp', dtype: 'float64', counts: [9, 9], n: 2, withValue: true } as const
  const job = await prepareJob(folder('failed'), description)
  let calls = 0
  const failing = (name: string, original: Call): Call => {
    if (name !== 'fsync') return quick(name, original)
    const error = Object.assign(new Error('EIO: as if, fsync'), { code: 'EIO', syscall: 'fsync' })
    // The first of the second checkpoint: the system may have dropped what it was to write, and say so only once.
    return (_, done) => (done as (error: unknown) => void)(++calls === 3 ? error : null)
  }
  await withCalls(failing, async () => {
    const { code, stderr } = await runHere([...job.args, '--resume'], { budget: job.budget, interval: 0 })
    expect(code).toBe(2)
    expect(stderr).toMatch(/EIO: as if\nmatfun: 3 of 9 matrices are kept, and --resume continues there\n$/)
  })
  expect((await runHere([...job.args, '--resume'])).code).toBe(1)
  expect(isDone(job)).toBe(true)
})
