import type { Progress } from '../async.ts'
import type { Failure } from '../errors.ts'
import { allocate, components, type DataOf, type DType, product } from '../ndarray.ts'
import { itemSize } from '../npy/header.ts'
import type { NpyWriter } from '../npy/index.ts'
import type { PlanOptions } from '../options.ts'
import type { Operation } from './arguments.ts'
import { type Chunk, compute, type Task } from './compute.ts'
import { CommandError, onFile } from './errors.ts'
import { createOutput, type Matrices, openMatrices, refuseSameFile, showShape } from './files.ts'

type Numbers = DataOf<DType>

/** Bytes that the arrays of one chunk take together, whatever the files' sizes; one matrix may take more. */
export const chunkBudget = 32 * 2 ** 20

/** What a job does. */
export interface JobRequest {
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
  readonly budget?: number
  /** When it aborts, the job throws its reason, having removed what it wrote. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (done: number, count: number) => void
}

/** What a job did; method, shift and balance are what was asked for. */
export interface JobSummary extends Required<PlanOptions> {
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
  readonly seconds: number
  readonly matricesPerSecond: number
  /** Every matrix that could not be done, by its place in the result's leading dimensions, row-major. */
  readonly failures: readonly Failure[]
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

interface Outputs {
  readonly result: NpyWriter
  readonly value: NpyWriter | undefined
}

/**
 * Runs expm, jvp, vjp or cond from files to files, chunk by chunk.
 * Errors: {@link CommandError} and NpyError for wrong files; then, and when aborted, no output appears.
 */
export async function runJob(request: JobRequest, control: JobControl = {}): Promise<JobSummary> {
  const start = performance.now()
  const opened: Matrices[] = []
  const created: NpyWriter[] = []
  const outputs = [request.out, ...(request.value === undefined ? [] : [request.value])]
  try {
    for (const path of request.inputs) opened.push(openMatrices(path))
    const operands = match(opened[0], opened.at(1))
    refuseSameFile(request.inputs, outputs)
    const { batch, n, dtype } = operands
    const isCond = request.operation === 'cond'
    const shape = isCond ? batch : [...batch, n, n]
    created.push(createOutput(request.out, isCond ? 'float64' : dtype, shape))
    if (request.value !== undefined) created.push(createOutput(request.value, dtype, opened[0].reader.shape))
    const failures = await work(request, control, operands, { result: created[0], value: created.at(1) })
    // All that can well fail comes before the first output takes its name.
    for (const writer of created) onFile('write', writer.path, () => writer.flush())
    for (const writer of created) onFile('write', writer.path, () => writer.finish())
    const seconds = (performance.now() - start) / 1000
    return {
      operation: request.operation,
      inputs: request.inputs,
      outputs,
      shape,
      order: n,
      dtype,
      ...request.options,
      count: operands.count,
      seconds,
      matricesPerSecond: operands.count / seconds,
      failures,
    }
  } finally {
    for (const { reader } of opened) reader.close()
    for (const writer of created) writer.discard()
  }
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
  { operation, options, threads }: JobRequest,
  { budget = chunkBudget, signal, onProgress }: JobControl,
  { A, direction, count, n, dtype }: Operands,
  outputs: Outputs,
): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  const isCond = operation === 'cond'
  if (n === 0 && !isCond) return failures
  const task: Task = {
    operation,
    options: threads === undefined ? options : { ...options, threads },
    dtype,
    n,
  }
  const size = n * n * components(dtype)
  const step = Math.min(count, chunkItems(task, budget))
  // A matrix or direction that meets all of the other's is read once, and broadcast by the functions themselves.
  const isShared = (matrices: Matrices): boolean => matrices.count === 1 && count !== 1
  const room = (matrices: Matrices | undefined): Numbers =>
    allocate(dtype, matrices ? (isShared(matrices) ? 1 : step) * n * n : 0)
  const buffers = {
    A: room(A),
    direction: room(direction),
    value: room(isCond ? undefined : A),
    result: isCond ? new Float64Array(step) : allocate(dtype, direction ? step * n * n : 0),
  }
  const resultSize = isCond ? 1 : direction ? size : 0
  const operand = (matrices: Matrices, buffer: Numbers, start: number, end: number): Numbers => {
    const [from, to] = isShared(matrices) ? [0, 1] : [start, end]
    const part = buffer.subarray(0, (to - from) * size) as Numbers
    if (!isShared(matrices) || start === 0) load(matrices, from, to, part)
    return part
  }
  let start = 0
  do {
    // Once even where there are no directions, since the value is wanted.
    const end = Math.min(count, start + step)
    const a = operand(A, buffers.A, start, end)
    const chunk: Chunk = {
      count: isShared(A) ? 1 : end - start,
      A: a,
      direction: direction ? operand(direction, buffers.direction, start, end) : buffers.direction,
      value: buffers.value.subarray(0, isCond ? 0 : a.length),
      result: buffers.result.subarray(0, (end - start) * resultSize),
    }
    const report = ({ done }: Progress): void => {
      if (start + done < end) onProgress?.(start + done, count) // the end is when it is written
    }
    for (const { index, code } of await compute(task, chunk, { signal, onProgress: report }))
      failures.push({ index: start + index, code })
    const result = operation === 'expm' ? chunk.value : chunk.result
    onFile('write', outputs.result.path, () => outputs.result.write(result))
    const { value } = outputs
    if (value && (!isShared(A) || start === 0)) onFile('write', value.path, () => value.write(chunk.value))
    onProgress?.(end, count)
    start = end
  } while (start < count)
  return failures
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
