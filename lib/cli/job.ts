import { setImmediate } from 'node:timers/promises'
import type { Failure } from '../errors.ts'
import { allocate, product } from '../ndarray.ts'
import type { NpyWriter } from '../npy/index.ts'
import type { Method } from '../options.ts'
import type { Operation } from './arguments.ts'
import { type Chunk, compute } from './compute.ts'
import { CommandError, onFile } from './errors.ts'
import { createOutput, type Matrices, openMatrices, refuseSameFile, showShape } from './files.ts'

/** Bytes that the arrays of one chunk take together, whatever the files' sizes; one matrix may take more. */
export const chunkBudget = 32 * 2 ** 20

/** What a job does. */
export interface JobRequest {
  readonly operation: Operation
  /** A, and for a derivative E or W. */
  readonly inputs: readonly string[]
  readonly out: string
  readonly value: string | undefined
  readonly method: Method
}

/** How a job runs. */
export interface JobControl {
  /** In bytes; default {@link chunkBudget}. */
  readonly budget?: number
  /** Looked at between chunks; when aborted the job throws its reason, having removed what it wrote. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (done: number, count: number) => void
}

/** What a job did. */
export interface JobSummary {
  readonly operation: Operation
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Of the result, the first of the outputs. */
  readonly shape: readonly number[]
  readonly dtype: 'float64'
  readonly method: Method
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
}

interface Outputs {
  readonly result: NpyWriter
  readonly value: NpyWriter | undefined
}

/**
 * Runs expm, jvp or vjp from files to files, chunk by chunk.
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
    const shape = [...operands.batch, operands.n, operands.n]
    created.push(createOutput(request.out, shape))
    if (request.value !== undefined) created.push(createOutput(request.value, opened[0].reader.shape))
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
      dtype: 'float64',
      method: request.method,
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
  const { n } = A
  if (direction === undefined) return { A, direction, batch: A.batch, count: A.count, n }
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
  return { A, direction, batch, count: product(batch), n }
}

async function work(
  { operation, method }: JobRequest,
  { budget = chunkBudget, signal, onProgress }: JobControl,
  { A, direction, count, n }: Operands,
  outputs: Outputs,
): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  if (n === 0) return failures
  // A matrix that meets several directions has its value written once, and is copied beside each of them: as one wide
  // product they would be up to 1.5 times faster, but then one that is not finite would spoil the others in its chunk,
  // and the last bits would depend on where a chunk ends.
  const isShared = A.count === 1 && count !== 1
  if (isShared && outputs.value) {
    const failed = writeSharedValue(operation, method, A, outputs.value)
    if (count === 0) return failed
  }
  const size = n * n
  const step = Math.min(count, chunkItems(operation, n, budget))
  const buffers = allocateChunk(operation, step * size)
  if (isShared) repeat(A, step, buffers.A)
  if (direction?.count === 1 && count !== 1) repeat(direction, step, buffers.direction)
  for (let start = 0; start < count; start += step) {
    await setImmediate()
    signal?.throwIfAborted()
    const end = Math.min(count, start + step)
    const chunk = firstItems(buffers, (end - start) * size)
    if (A.count === count) load(A, start, end, chunk.A)
    if (direction?.count === count) load(direction, start, end, chunk.direction)
    for (const { index, code } of compute(operation, method, end - start, n, chunk))
      failures.push({ index: start + index, code })
    const result = operation === 'expm' ? chunk.value : chunk.result
    onFile('write', outputs.result.path, () => outputs.result.write(result))
    const { value } = outputs
    if (value && !isShared) onFile('write', value.path, () => value.write(chunk.value))
    onProgress?.(end, count)
  }
  return failures
}

/** Matrices that fit the budget together with their results; at least one. */
function chunkItems(operation: Operation, n: number, budget: number): number {
  const arrays = operation === 'expm' ? 2 : 4
  // Reading in Fortran order takes 16 bytes for each matrix besides, which counts where matrices are tiny.
  return Math.max(1, Math.floor(budget / (arrays * (n * n * 8 + 16))))
}

function allocateChunk(operation: Operation, length: number): Chunk {
  const other = operation === 'expm' ? 0 : length
  return {
    A: allocate('float64', length),
    direction: allocate('float64', other),
    value: allocate('float64', length),
    result: allocate('float64', other),
  }
}

function firstItems({ A, direction, value, result }: Chunk, length: number): Chunk {
  return {
    A: A.subarray(0, length),
    direction: direction.subarray(0, length),
    value: value.subarray(0, length),
    result: result.subarray(0, length),
  }
}

function load({ reader }: Matrices, start: number, end: number, into: Float64Array): void {
  onFile('read', reader.path, () => reader.read(start, end, into))
}

/** Reads the one matrix and copies it to the first `times` places. */
function repeat(matrices: Matrices, times: number, into: Float64Array): void {
  if (times === 0) return
  const size = matrices.n ** 2
  load(matrices, 0, 1, into.subarray(0, size))
  for (let k = 1; k < times; k++) into.copyWithin(k * size, 0, size)
}

/** exp(A) as the derivative has it, in the direction 0, so that no other direction has a say in it. */
function writeSharedValue(
  operation: Operation,
  method: Method,
  A: Matrices,
  writer: NpyWriter,
): readonly Failure[] {
  const chunk = allocateChunk(operation, A.n ** 2)
  load(A, 0, 1, chunk.A)
  const failed = compute(operation, method, 1, A.n, chunk)
  onFile('write', writer.path, () => writer.write(chunk.value))
  return failed
}
