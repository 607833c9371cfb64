import { realpathSync, statSync } from 'node:fs'
import type { Progress } from '../async.ts'
import type { Failure } from '../errors.ts'
import { info } from '../info.ts'
import { type Chunk, compute, type Task } from '../job/compute.ts'
import type { Operation } from '../job/description.ts'
import { allocate, components, type DataOf, type DType, product } from '../ndarray.ts'
import { itemSize } from '../npy/header.ts'
import type { PlanOptions } from '../options.ts'
import { Attempt, type ResumeOptions } from './attempt.ts'
import type { JobFiles } from './continuation.ts'
import { CommandError, onFile } from './errors.ts'
import { type Matrices, openMatrices, placeOf, requireApart, showShape } from './files.ts'

type Numbers = DataOf<DType>

/** Bytes that the arrays of one chunk take together, whatever the files' sizes; one matrix may take more. */
export const chunkBudget = 32 * 2 ** 20

/** What a job does. */
export interface JobRequest extends ResumeOptions {
  readonly operation: Operation
  /** A, and for a derivative E or W. */
  readonly inputs: readonly string[]
  readonly out: string
  readonly value: string | undefined
  readonly options: Required<PlanOptions>
  /** As the functions' option; by default as many as theirs. */
  readonly threads?: number | undefined
}

/** How a job runs. */
export interface JobControl {
  /** In bytes; default {@link chunkBudget}. */
  readonly budget?: number | undefined
  /** When it aborts, the job throws its reason, having removed what it wrote unless `resume` was asked for. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (done: number, count: number) => void
  /** Where `resume` was asked for: before anything is computed, how many matrices are done, and why no more. */
  readonly onResume?: (done: number, story: string) => void
  /** When a job that fails or is aborted leaves so many matrices to be continued from. */
  readonly onKept?: (done: number, count: number) => void
  /** Milliseconds between checkpoints; default 1000. */
  readonly interval?: number | undefined
}

/** What any job did, of .npy files or Zarr arrays; method, shift and balance are what was asked for. */
export interface ResultSummary extends Required<PlanOptions> {
  readonly operation: Operation
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Of the result, the first of the outputs. */
  readonly shape: readonly number[]
  /** n of the matrices. */
  readonly order: number
  /** Of the inputs, and of every output but cond's, which is float64. */
  readonly dtype: DType
  readonly count: number
  /** What this run took, as matricesPerSecond is of those that it did. */
  readonly seconds: number
  readonly matricesPerSecond: number
  /** Every result that could not be done, by its place among all, row-major, those of earlier runs included. */
  readonly failures: readonly Failure[]
}

/** What a job of files did. */
export interface JobSummary extends ResultSummary {
  /** How many matrices an earlier run had done. */
  readonly resumed: number
}

/** The operands of a job, and how their leading dimensions meet. */
interface Operands {
  readonly A: Matrices
  readonly direction: Matrices | undefined
  readonly batch: readonly number[]
  readonly count: number
  readonly n: number
  readonly dtype: DType
}

/**
 * Runs expm, jvp, vjp or cond from files to files, chunk by chunk.
 * Errors: {@link CommandError} and NpyError for wrong files; then, and when aborted, no output appears.
 */
export async function runJob(request: JobRequest, control: JobControl = {}): Promise<JobSummary> {
  const start = performance.now()
  const { operation, inputs, out, value, options, resume = false } = request
  const opened: Matrices[] = []
  const outputs = [out, ...(value === undefined ? [] : [value])]
  let attempt: Attempt | undefined
  try {
    for (const path of inputs) opened.push(openMatrices(path))
    const operands = match(opened[0], opened.at(1))
    const { count, n, dtype } = operands
    requireApart(inputs, outputs)
    const job = describeFiles(request, operands)
    attempt = new Attempt(job, request, control.interval)
    const { resumed } = attempt
    if (resume) control.onResume?.(resumed, attempt.story)
    await work(request, control, operands, attempt)
    await attempt.finish()
    const seconds = (performance.now() - start) / 1000
    return {
      operation,
      inputs,
      outputs,
      shape: job.outputs[0].shape,
      order: n,
      dtype,
      ...options,
      count,
      resumed,
      seconds,
      matricesPerSecond: (count - resumed) / seconds,
      failures: attempt.failures,
    }
  } finally {
    for (const { reader } of opened) reader.close()
    const kept = (await attempt?.end(resume)) ?? 0
    if (kept > 0) control.onKept?.(kept, attempt!.count)
  }
}

/** What the job writes, and what that depends on. */
function describeFiles(
  { operation, inputs, out, value, options }: JobRequest,
  { A, direction, batch, count, n, dtype }: Operands,
): JobFiles {
  const operands = direction ? [A, direction] : [A]
  const isCond = operation === 'cond'
  const size = n * n * components(dtype)
  const result = isCond
    ? { path: out, dtype: 'float64' as const, shape: batch, lengthAt: (done: number) => done }
    : { path: out, dtype, shape: [...batch, n, n], lengthAt: (done: number) => done * size }
  const values = {
    path: value ?? '',
    dtype,
    shape: A.reader.shape,
    // All there is of a shared A is written with the first chunk.
    lengthAt: (done: number) => (done > 0 && isShared(A, count) ? 1 : done) * size,
  }
  const { version, platform, addon, blas } = info()
  return {
    identity: {
      operation,
      inputs: inputs.map((path) => realpathSync(path)),
      outputs: (value === undefined ? [out] : [out, value]).map(placeOf),
      options,
    },
    inputs,
    fingerprints: operands.map(({ reader }) => JSON.stringify(reader.fingerprint())),
    computedBy: {
      'matfun version': version,
      platform,
      kernels: addon.kernels,
      compiler: addon.compiler,
      'size of the addon': `${statSync(addon.path).size}`,
      OpenBLAS: blas.config,
      'its core': blas.core,
    },
    outputs: value === undefined ? [result] : [result, values],
    count,
  }
}

/** Whether a matrix or direction meets all of the other's: it is read once, and broadcast by the functions themselves. */
function isShared(matrices: Matrices, count: number): boolean {
  return matrices.count === 1 && count !== 1
}

/** Equal leading dimensions, or a single matrix on one side, whose own ones broadcast as NumPy's would. */
function match(A: Matrices, direction: Matrices | undefined): Operands {
  const { n, dtype } = A
  if (direction === undefined) return { A, direction, batch: A.batch, count: A.count, n, dtype }
  if (direction.dtype !== dtype)
    throw new CommandError(
      `expected the same dtype in both files, got ${dtype} in ${A.reader.path} and ` +
        `${direction.dtype} in ${direction.reader.path}`,
    )
  const isSingle = ({ batch }: Matrices): boolean => batch.every((d) => d === 1)
  const equal = String(A.batch) === String(direction.batch)
  if (direction.n !== n || !(equal || isSingle(A) || isSingle(direction)))
    throw new CommandError(
      `expected matrices of one order and equal leading dimensions, or a single matrix in one file, got ` +
        `shape ${showShape(A.reader.shape)} in ${A.reader.path} and ` +
        `${showShape(direction.reader.shape)} in ${direction.reader.path}`,
    )
  const longer = isSingle(A) ? direction.batch : A.batch
  const rank = Math.max(A.batch.length, direction.batch.length)
  const batch = [...new Array<number>(rank - longer.length).fill(1), ...longer]
  return { A, direction, batch, count: product(batch), n, dtype }
}

async function work(
  { operation, options, threads, value }: JobRequest,
  { budget = chunkBudget, signal, onProgress }: JobControl,
  { A, direction, count, n, dtype }: Operands,
  attempt: Attempt,
): Promise<void> {
  const isCond = operation === 'cond'
  if (n === 0 && !isCond) return
  const task: Task = {
    operation,
    options: threads === undefined ? options : { ...options, threads },
    dtype,
    n,
  }
  const size = n * n * components(dtype)
  const step = Math.min(count, chunkItems(task, budget))
  const room = (matrices: Matrices | undefined): Numbers =>
    allocate(dtype, matrices ? (isShared(matrices, count) ? 1 : step) * n * n : 0)
  const buffers = {
    A: room(A),
    direction: room(direction),
    value: room(isCond ? undefined : A),
    result: isCond ? new Float64Array(step) : allocate(dtype, direction ? step * n * n : 0),
  }
  const resultSize = isCond ? 1 : direction ? size : 0
  const operand = (matrices: Matrices, buffer: Numbers, start: number, end: number): Numbers => {
    const [from, to] = isShared(matrices, count) ? [0, 1] : [start, end]
    const part = buffer.subarray(0, (to - from) * size) as Numbers
    if (!isShared(matrices, count) || start === attempt.resumed) load(matrices, from, to, part)
    return part
  }
  // Once even where there are no directions, since the value is wanted.
  for (let start = attempt.resumed; start < count || count === 0; ) {
    const end = Math.min(count, start + step)
    const a = operand(A, buffers.A, start, end)
    const chunk: Chunk = {
      count: isShared(A, count) ? 1 : end - start,
      A: a,
      direction: direction ? operand(direction, buffers.direction, start, end) : buffers.direction,
      value: buffers.value.subarray(0, isCond ? 0 : a.length),
      result: buffers.result.subarray(0, (end - start) * resultSize),
    }
    const report = ({ done }: Progress): void => {
      if (start + done < end) onProgress?.(start + done, count) // the end is when it is written
    }
    const failures = await compute(task, chunk, { signal, onProgress: report })
    attempt.write(0, operation === 'expm' ? chunk.value : chunk.result)
    if (value !== undefined && (!isShared(A, count) || start === 0)) attempt.write(1, chunk.value)
    attempt.reached(
      end,
      failures.map(({ index, code }) => ({ index: start + index, code })),
    )
    onProgress?.(end, count)
    if (count === 0) return
    start = end
  }
}

/** Matrices that fit the budget together with their results; at least one. */
function chunkItems({ operation, dtype, n }: Task, budget: number): number {
  const arrays = { expm: 2, jvp: 4, vjp: 4, cond: 1 }[operation]
  // Reading in Fortran order takes 16 bytes for each matrix besides, which counts where matrices are tiny.
  return Math.max(1, Math.floor(budget / (arrays * (n * n * itemSize(dtype) + 16))))
}

function load({ reader }: Matrices, start: number, end: number, into: Numbers): void {
  onFile('read', reader.path, () => reader.read(start, end, into))
}
