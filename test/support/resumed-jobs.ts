import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runJob } from '../../lib/cli/job.ts'
import { type DType, writeNpy } from '../../lib/npy/index.ts'
import { runHere } from './command-line.ts'
import { randomArray } from './dtypes.ts'

/** A program; see there. */
export const dying = fileURLToPath(new URL('dying-command-line.mjs', import.meta.url))

/** A job on files of a folder. */
export interface ResumedJob {
  readonly operation: 'expm' | 'jvp' | 'vjp' | 'cond'
  readonly dtype: DType
  /** Matrices of A, and of the other input where the operation has one. */
  readonly counts: readonly number[]
  readonly n: number
  readonly withValue?: boolean
}

/** Every operation, dtype and pairing. */
export const resumedJobs: readonly ResumedJob[] = [
  { operation: 'expm', dtype: 'float64', counts: [300], n: 3 },
  { operation: 'expm', dtype: 'complex64', counts: [300], n: 2 },
  { operation: 'cond', dtype: 'complex128', counts: [300], n: 3 },
  { operation: 'cond', dtype: 'float32', counts: [300], n: 5 },
  { operation: 'jvp', dtype: 'float32', counts: [300, 300], n: 3 },
  { operation: 'vjp', dtype: 'complex128', counts: [300, 300], n: 2, withValue: true },
  { operation: 'jvp', dtype: 'complex64', counts: [1, 300], n: 3, withValue: true },
  { operation: 'vjp', dtype: 'float64', counts: [300, 1], n: 3, withValue: true },
]

/** What a job is called. */
export function nameOf({ operation, dtype, counts, withValue }: ResumedJob): string {
  return `${operation} of ${dtype}, ${counts.join(' with ')}${withValue ? ', with values' : ''}`
}

/** A job whose inputs are written, and what it gives where nothing ends it. */
export interface PreparedJob {
  readonly folder: string
  readonly operation: ResumedJob['operation']
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Command line. */
  readonly args: readonly string[]
  /** Of a chunk of three matrices. */
  readonly budget: number
  readonly count: number
  readonly bytes: readonly Buffer[]
  readonly failures: readonly unknown[]
}

/** Writes A.npy and E.npy, some of whose matrices cannot be done, and does the job into Y.npy and V.npy once. */
export async function prepareJob(folder: string, job: ResumedJob): Promise<PreparedJob> {
  const { operation, dtype, counts, n } = job
  const inputs = counts.map((count, k) => {
    const stack = randomArray(dtype, [count, n, n], k + 1)
    const size = stack.data.length / count
    if (count > 1) stack.data[5 * size] = Number.NaN
    if (count > 1 && k === 0) stack.data.fill(1e4, 40 * size, 41 * size)
    const path = join(folder, `${'AE'[k]}.npy`)
    writeNpy(path, stack)
    return path
  })
  const outputs = [join(folder, 'Y.npy'), ...(job.withValue ? [join(folder, 'V.npy')] : [])]
  const args = [operation, ...inputs, '-o', outputs[0], ...(job.withValue ? ['--value', outputs[1]] : [])]
  const arrays = { expm: 2, jvp: 4, vjp: 4, cond: 1 }[operation]
  const item = { float64: 8, float32: 4, complex128: 16, complex64: 8 }[dtype]
  const { stdout } = await runHere([...args, '--json'])
  const { failures, count } = JSON.parse(stdout)
  const bytes = outputs.map((path) => readFileSync(path))
  for (const path of outputs) rmSync(path)
  const budget = 3 * arrays * (n * n * item + 16)
  return { folder, operation, inputs, outputs, args, budget, count, bytes, failures }
}

/** Names in a job's folder that are no inputs. */
export function left({ folder, inputs }: PreparedJob): string[] {
  return readdirSync(folder).filter((name) => !inputs.includes(join(folder, name)))
}

/** Whether the outputs, and nothing else, are there, with the bytes that they should have. */
export function isDone(job: PreparedJob): boolean {
  return left(job).length === job.outputs.length && job.outputs.every((path, k) => holds(path, job.bytes[k]))
}

/** Whether a file holds these bytes. */
export function holds(path: string, bytes: Buffer): boolean {
  return readFileSync(path).equals(bytes)
}

/** Runs a job in this process with a checkpoint after each chunk until so many matrices are done, and keeps these. */
export async function interrupt(job: PreparedJob, after: number, resume = true): Promise<number> {
  const controller = new AbortController()
  let kept = 0
  const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' } as const
  const [out, value] = job.outputs
  await runJob(
    { operation: job.operation, inputs: job.inputs, out, value, options, resume },
    {
      budget: job.budget,
      interval: 0,
      signal: controller.signal,
      onProgress: (done) => {
        if (done >= after) controller.abort('enough')
      },
      onKept: (done) => {
        kept = done
      },
    },
  ).catch((reason) => {
    if (reason !== 'enough') throw reason
  })
  return kept
}
