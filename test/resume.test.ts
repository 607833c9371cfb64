import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { runJob } from '../lib/cli/job.ts'
import { Journal, type JournalHead, parseJournal } from '../lib/cli/journal.ts'
import { writeNpy } from '../lib/npy/index.ts'
import { runHere } from './support/command-line.ts'
import { randomArray } from './support/dtypes.ts'
import { temporaryFolder } from './support/npy-files.ts'
import {
  interrupt,
  isDone,
  left,
  type PreparedJob,
  prepareJob,
  type ResumedJob,
} from './support/resumed-jobs.ts'

const at = temporaryFolder()
let folders = 0

const small: ResumedJob = { operation: 'expm', dtype: 'float64', counts: [60], n: 3 }

function prepare(job = small): Promise<PreparedJob> {
  const folder = at(`${++folders}`)
  mkdirSync(folder)
  return prepareJob(folder, job)
}

/** A job of which so many matrices are done. */
async function keep(after = 30, job = small): Promise<PreparedJob> {
  const prepared = await prepare(job)
  expect(await interrupt(prepared, after)).toBe(after)
  expect(left(prepared)).toHaveLength(1 + prepared.outputs.length)
  return prepared
}

/** Runs the job to its end, and gives what it says. */
async function resume(job: PreparedJob, ...args: string[]) {
  const { code, stdout, stderr } = await runHere([...job.args, '--resume', '--json', ...args])
  const summary = stdout === '' ? {} : JSON.parse(stdout)
  return { code, stderr, resumed: summary.resumed, failures: summary.failures }
}

/** Requires that a job says this, begins anew and ends as it should. */
async function requireFreshStart(job: PreparedJob, story: string): Promise<void> {
  const { failures } = job
  expect(await resume(job)).toEqual({
    code: 1,
    stderr: `matfun: ${story}: starting from the beginning\n`,
    resumed: 0,
    failures,
  })
  expect(isDone(job), String(left(job))).toBe(true)
}

/** Requires that --resume is refused with this and harms nothing, and that the job can be done without. */
async function requireRefusal(job: PreparedJob, message: RegExp, others = 0): Promise<void> {
  const before = left(job)
  const { code, stderr } = await resume(job)
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) })
  expect(left(job)).toEqual(before)
  expect((await runHere(job.args)).code).toBe(job.failures.length > 0 ? 1 : 0)
  expect(left(job)).toHaveLength(job.outputs.length + others)
}

function journalOf({ folder }: PreparedJob): string {
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.journal'))!)
}

function temporaryOf({ folder }: PreparedJob): string {
  return join(folder, readdirSync(folder).find((name) => /^\.matfun-[0-9a-f]+\.tmp$/.test(name))!)
}

/** Gives what a job left to another owner, by the parts of its name: machine, boot, pid namespace, pid, start. */
function giveAway(job: PreparedJob, change: (owner: string[]) => void): void {
  const path = journalOf(job)
  const parts = path.split('.')
  const owner = parts.at(-2)!.split('-')
  change(owner)
  parts[parts.length - 2] = owner.join('-')
  renameSync(path, parts.join('.'))
}

const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' } as const

const summary = {
  resumed: 30,
  code: 1,
  stderr: expect.stringMatching(/^matfun: continuing an earlier run: 30 of 60/),
}

describe('--resume', () => {
  it('begins where there is nothing to continue, and says so', async () => {
    await requireFreshStart(await prepare(), 'there is nothing to continue')
  })

  it('continues, says so, and counts the failures of the earlier run too', async () => {
    const job = await keep(45)
    const { code, stdout, stderr } = await runHere([...job.args, '--resume'])
    expect(code).toBe(1)
    expect(stderr).toBe('matfun: continuing an earlier run: 45 of 60 matrices are done\n')
    expect(stdout).toMatch(
      /^expm: 60 matrices of order 3, 45 of them by an earlier run, the others in [\d.]+ s, /,
    )
    expect(stdout).toContain('  ERR_NOT_FINITE: 5\n  ERR_OVERFLOW: 40\n')
    expect(isDone(job)).toBe(true)
    await requireFreshStart(job, 'there is nothing to continue')
  })

  it.each([
    { operation: 'vjp', dtype: 'complex64', counts: [60, 60], n: 2, withValue: true },
    { operation: 'jvp', dtype: 'float32', counts: [1, 60], n: 3, withValue: true },
    { operation: 'jvp', dtype: 'float64', counts: [60, 1], n: 3 },
    { operation: 'cond', dtype: 'complex128', counts: [60], n: 3 },
  ] as const)(
    'continues a job that is aborted again and again: $operation of $dtype, $counts',
    async (description) => {
      const job = await prepare(description)
      for (const after of [3, 9, 12, 48]) expect(await interrupt(job, after)).toBe(after)
      const { failures } = job
      expect(await resume(job)).toMatchObject({ code: failures.length > 0 ? 1 : 0, resumed: 48, failures })
      expect(isDone(job)).toBe(true)
    },
  )

  it('keeps what an earlier run did, too, where it is aborted before it did anything itself', async () => {
    const job = await keep(30)
    const signal = AbortSignal.abort()
    const { code, stderr } = await runHere([...job.args, '--resume'], { signal, budget: job.budget })
    expect(code).toBe('interrupted')
    expect(stderr).toMatch(
      /\nmatfun: interrupted, 30 of 60 matrices are kept, and --resume continues there\n$/,
    )
    expect(await resume(job)).toMatchObject(summary)
  })

  it('keeps nothing where nothing is done', async () => {
    const job = await prepare()
    const { code, stderr } = await runHere([...job.args, '--resume'], { signal: AbortSignal.abort() })
    expect({ code, stderr }).toEqual({
      code: 'interrupted',
      stderr: expect.stringMatching(/beginning\nmatfun: interrupted, nothing was written\n$/),
    })
    expect(left(job)).toEqual([])
  })

  it('is not needed for a job to be continued, but for it to be kept where it is aborted', async () => {
    const job = await prepare()
    expect(await interrupt(job, 30, false)).toBe(0)
    expect(left(job)).toEqual([])
  })

  it('does not need the file of the command line to be named in the same way', async () => {
    const job = await keep()
    symlinkSync(job.folder, at('link'))
    const { code, stdout } = await runHere([
      'expm',
      at('link/A.npy'),
      '-o',
      at('link/Y.npy'),
      '--resume',
      '--json',
    ])
    expect({ code, resumed: JSON.parse(stdout).resumed }).toEqual({ code: 1, resumed: 30 })
    expect(isDone(job)).toBe(true)
  })

  it('does not continue another job: other options, another output, another operation', async () => {
    const job = await keep()
    const [, input] = job.args
    for (const args of [
      [...job.args, '--method', 'pade'],
      ['expm', input, '-o', join(job.folder, 'X.npy')],
      ['cond', input, '-o', job.outputs[0]],
    ]) {
      const { stderr } = await runHere([...args, '--resume'])
      expect(stderr).toBe('matfun: there is nothing to continue: starting from the beginning\n')
    }
    expect(await resume(job, '--threads', '1')).toMatchObject(summary)
  })

  it('takes the run that did most where there are several, and removes the others', async () => {
    const job = await keep(30)
    const hidden = join(job.folder, 'hidden')
    const first = journalOf(job)
    renameSync(first, hidden)
    await interrupt(job, 12)
    renameSync(hidden, first)
    expect(left(job)).toHaveLength(4)
    expect(await resume(job)).toMatchObject(summary)
    expect(isDone(job)).toBe(true)
  })
})

describe('a run of the same job that still runs', () => {
  it('is not disturbed by another one, and cannot be continued', async () => {
    const job = await prepare({ operation: 'vjp', dtype: 'float64', counts: [60, 60], n: 3, withValue: true })
    const [out, value] = job.outputs
    const request = { operation: job.operation, inputs: job.inputs, out, value, options }
    const first = runJob(request, { budget: job.budget, interval: 0 })
    const { code, stderr } = await resume(job)
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `matfun: process ${process.pid} is doing this job: wait for it, or end it and try again\n`,
    })
    const [second, third] = [runJob(request, { budget: job.budget }), runJob(request)]
    for (const { failures } of await Promise.all([first, second, third]))
      expect(failures).toEqual(job.failures)
    expect(isDone(job)).toBe(true)
  })

  it('is found by its process, also where that is another one', async () => {
    const job = await keep()
    const start = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ')[1].split(' ')[19]
    giveAway(job, (owner) => owner.splice(3, 2, `${process.ppid}`, start))
    await requireRefusal(job, RegExp(`^matfun: process ${process.ppid} is doing this job`), 2)
  })

  it('is not another process that has its number by now', async () => {
    const job = await keep()
    giveAway(job, (owner) => owner.splice(3, 2, `${process.ppid}`, '1'))
    expect(await resume(job)).toMatchObject(summary)
  })

  it('is not one that is over, and waits for its parent to take note', async () => {
    const job = await keep()
    // What the shell starts is a child of what it then becomes, which asks after no children.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'])
    const [text] = await once(parent.stdout, 'data')
    const pid = Number(text)
    const fields = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    while (fields()[0] !== 'Z') await setTimeout(1)
    giveAway(job, (owner) => owner.splice(3, 2, `${pid}`, fields()[19]))
    expect(await resume(job)).toMatchObject(summary)
    parent.kill()
  })

  it('is not one from before the machine was started', async () => {
    const job = await keep()
    giveAway(job, (owner) => owner.splice(1, 1, '00000000'))
    expect(await resume(job)).toMatchObject(summary)
  })

  it.each([
    ['machine', 0],
    ['container', 2],
  ])('could be one of another %s, so that --take-over is wanted', async (_, part) => {
    const job = await keep()
    giveAway(job, (owner) => owner.splice(part, 1, '00000000'))
    const before = left(job)
    const { code, stderr } = await resume(job)
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/another machine or container \(.+\), .* add --take-over\n$/),
    })
    // A run that begins anew has files of its own.
    expect((await runHere(job.args)).code).toBe(1)
    expect(left(job)).toEqual([...before, 'Y.npy'])
    expect(await resume(job, '--take-over')).toMatchObject(summary)
    expect(isDone(job)).toBe(true)
  })
})

/** Writes a journal anew, as a matfun would that says this. */
function rewrite(path: string, change: (head: JournalHead) => JournalHead): void {
  const { head, done, failures } = parseJournal(readFileSync(path))!
  rmSync(path)
  const journal = new Journal(path)
  journal.append(change(head))
  journal.append({ done, failures })
  journal.close()
}

describe('a run that is taken over though it lives', () => {
  const description = { operation: 'vjp', dtype: 'float64', counts: [60, 60], n: 3, withValue: true } as const

  /** A run that another one takes over after its tenth chunk; gives what became of both. */
  async function takeOver(job: PreparedJob, isAborted = false) {
    const controller = new AbortController()
    const [out, value] = job.outputs
    const request = { operation: job.operation, inputs: job.inputs, out, value, options, resume: true }
    let other: ReturnType<typeof resume> | undefined
    const first = runJob(request, {
      budget: job.budget,
      interval: 0,
      signal: controller.signal,
      onProgress: (done) => {
        if (done < 30 || other !== undefined) return
        giveAway(job, (owner) => owner.splice(0, 1, '00000000'))
        other = resume(job, '--take-over')
        if (isAborted) controller.abort()
      },
    })
    const outcome = await first.catch((error: Error) => error)
    return { outcome, other: await other! }
  }

  it('ends with an error, and the other one as it should', async () => {
    const job = await prepare(description)
    const { outcome, other } = await takeOver(job)
    expect(outcome).toMatchObject({ message: 'another process has taken this job over, and will end it' })
    expect(other).toMatchObject({ code: 1, failures: job.failures })
    expect(isDone(job), String(left(job))).toBe(true)
  })

  it('leaves the files to the other one where it is aborted', async () => {
    const job = await prepare(description)
    const { outcome, other } = await takeOver(job, true)
    expect(outcome).toMatchObject({ name: 'AbortError' })
    expect(other).toMatchObject({ code: 1, failures: job.failures })
    expect(isDone(job), String(left(job))).toBe(true)
  })
})

describe('an earlier run is not continued', () => {
  it.each<[string, (input: string) => void]>([
    ['has been written to', (input) => writeFileSync(input, readFileSync(input))],
    ['has another time', (input) => utimesSync(input, 1, 1)],
    [
      'is another file of the same size and time',
      (input) => {
        const copy = `${input}.copy`
        cpSync(input, copy, { preserveTimestamps: true })
        renameSync(copy, input)
      },
    ],
    ['has more matrices', (input) => writeNpy(input, { data: new Float64Array(900), shape: [100, 3, 3] })],
    ['has fewer matrices', (input) => writeNpy(input, { data: new Float64Array(90), shape: [10, 3, 3] })],
    ['is of another dtype', (input) => writeNpy(input, { data: new Float32Array(540), shape: [60, 3, 3] })],
  ])('where its input %s, but refused', async (_, change) => {
    const job = await keep()
    const [input] = job.inputs
    change(input)
    const before = left(job)
    const { code, stderr } = await resume(job)
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^matfun: .*A\.npy has changed since the earlier run, which did 30 of \d+ matrices: start over, without --resume\n$/,
      ),
    })
    expect(left(job)).toEqual(before)
    await runHere(job.args)
    expect(left(job)).toEqual(['Y.npy'])
  })

  it('where its results could have other last bits, but refused', async () => {
    const job = await keep()
    rewrite(journalOf(job), (head) => ({ ...head, computedBy: { ...head.computedBy, kernels: 'baseline' } }))
    await requireRefusal(
      job,
      /^matfun: the earlier run, which did 30 of 60 matrices, had kernels baseline, and here it is \S+, which may change last bits: continue where it began, or start over, without --resume\n$/,
    )
  })

  const because = 'an earlier run cannot be continued, because'
  const damaged = `${because} its journal is damaged, or of another user`
  const missing = `${because} a file of it is missing, or not the one that it wrote`

  it.each<[string, string, (job: PreparedJob) => void]>([
    ['its journal is empty', damaged, (job) => truncateSync(journalOf(job))],
    [
      'it has no checkpoint',
      `${because} it ended before its first checkpoint`,
      (job) => truncateSync(journalOf(job), readFileSync(journalOf(job)).indexOf('\n') + 1),
    ],
    [
      'its journal is of another format',
      damaged,
      (job) => rewrite(journalOf(job), (head) => ({ ...head, format: 2 }) as unknown as JournalHead),
    ],
    [
      'its journal is of another job',
      `${because} its journal is of another job`,
      (job) => rewrite(journalOf(job), (head) => ({ ...head, job: { ...head.job, operation: 'cond' } })),
    ],
    [
      'its journal is a link',
      damaged,
      (job) => {
        const elsewhere = at(`journal${folders}`)
        const journal = journalOf(job)
        renameSync(journal, elsewhere)
        symlinkSync(elsewhere, journal)
      },
    ],
    ['its file is missing', missing, (job) => rmSync(temporaryOf(job))],
    ['its file is too short', missing, (job) => truncateSync(temporaryOf(job), 128 + 30 * 72 - 1)],
    [
      'its file is another one with the same in it',
      missing,
      (job) => {
        const file = temporaryOf(job)
        copyFileSync(file, `${file}.copy`)
        renameSync(`${file}.copy`, file)
      },
    ],
    [
      'its file is of another shape',
      missing,
      (job) => {
        const { data } = randomArray('float64', [30, 6, 6], 1)
        writeNpy(at('other.npy'), { data, shape: [30, 6, 6] })
        writeFileSync(temporaryOf(job), readFileSync(at('other.npy')))
      },
    ],
  ])('where %s: the job starts over', async (_, story, damage) => {
    const job = await keep()
    damage(job)
    await requireFreshStart(job, story)
  })

  it('where a link stands in the place of its file, whose target is not touched', async () => {
    const job = await keep()
    const [file, target] = [temporaryOf(job), at('target.npy')]
    renameSync(file, target)
    symlinkSync(target, file)
    const before = readFileSync(target)
    await requireFreshStart(job, missing)
    expect(readFileSync(target).equals(before)).toBe(true)
  })

  it('where it is of another user', async () => {
    const job = await keep()
    const uid = vi.spyOn(process, 'getuid').mockReturnValue(process.getuid!() + 1)
    try {
      await requireFreshStart(job, damaged)
    } finally {
      uid.mockRestore()
    }
  })
})

it('a job of less than a second has no checkpoint', async () => {
  const job = await prepare()
  const [out, value] = job.outputs
  const lines: number[] = []
  await runJob(
    { operation: job.operation, inputs: job.inputs, out, value, options },
    {
      budget: job.budget,
      onProgress: () => lines.push(readFileSync(journalOf(job), 'utf8').split('\n').length),
    },
  )
  expect(new Set(lines)).toEqual(new Set([2]))
})
