import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { temporaryBeside } from '../beside.ts'
import { chunkLengthFor } from '../job/index.ts'
import { onPath } from '../job/storage.ts'
import { allocate, components, type DataOf, type DType, product } from '../ndarray.ts'
import { createNpy, openNpy } from '../npy/index.ts'
import { createZarr, openZarr, type ZarrArray } from '../zarr/index.ts'
import { CommandError, UsageError } from './errors.ts'
import { requireApart } from './files.ts'
import type { JobControl } from './job.ts'

/** What `matfun convert` did. */
export interface ConvertSummary {
  readonly operation: 'convert'
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly dtype: DType
  /** Of the output. */
  readonly shape: readonly number[]
  readonly count: number
  /** Matrices, or numbers, of a chunk of the Zarr array. */
  readonly chunkLength: number
  readonly chunks: number
  readonly seconds: number
}

/** What to convert. */
export interface ConvertRequest {
  readonly from: string
  readonly to: string
  /** Matrices of a chunk; only to Zarr. */
  readonly chunk: number | undefined
}

/**
 * Copies a .npy file to a Zarr array, its leading dimensions made one, or a Zarr array to a .npy file, chunk by chunk.
 * Errors: {@link UsageError} where not exactly one of the names ends in .npy; NpyError, ZarrError and JobError for what
 * cannot be read or written, and {@link CommandError} for an unfinished output of a job. Then no output appears.
 */
export async function convert(request: ConvertRequest, control: JobControl = {}): Promise<ConvertSummary> {
  const start = performance.now()
  const { from, to, chunk } = request
  if (isNpy(from) === isNpy(to))
    throw new UsageError(`convert expects one name that ends in .npy, got ${from} and ${to}`)
  if (isNpy(to) && chunk !== undefined)
    throw new UsageError('--chunk is for Zarr arrays, and there are no chunks in a .npy file')
  requireApart([from], [to])
  const array = await (isNpy(from) ? toZarr(request, control) : toNpy(request, control))
  const { dtype, shape, count, chunkLength, chunks } = array
  const seconds = (performance.now() - start) / 1000
  const names = { inputs: [from], outputs: [to] }
  return { operation: 'convert', ...names, dtype, shape, count, chunkLength, chunks, seconds }
}

function isNpy(path: string): boolean {
  return /\.npy$/i.test(path)
}

async function toZarr({ from, to, chunk }: ConvertRequest, control: JobControl): Promise<ZarrArray> {
  if (existsSync(to)) throw new CommandError(`${to} is there already: remove it, or name another place`)
  const reader = await onPath('read', from, () => openNpy(from))
  // The array takes its name only when it is whole.
  const temporary = temporaryBeside(to)
  try {
    const { dtype, shape } = reader
    const item = shape.length < 2 ? [] : shape.slice(-2)
    if (shape.length === 0 || item[0] !== item[1] || item[0] === 0)
      throw new CommandError(
        `${from}: expected shape (..., n, n) with n of at least 1, or (count), got (${shape.join(', ')})`,
      )
    const count = shape.length === 1 ? shape[0] : product(shape.slice(0, -2))
    const chunkLength = chunk ?? Math.max(1, Math.min(count, chunkLengthFor(item[0] ?? 1, dtype, 'expm')))
    const array = await onPath('write', to, () =>
      createZarr(temporary, { dtype, shape: [count, ...item], chunkLength }),
    )
    const whole = shape.length === 1 ? reader.read() : undefined
    const size = product(item) * components(dtype)
    await forEachChunk(array, control, async (k, first, buffer) => {
      const numbers = whole?.subarray(first * size, first * size + buffer.length) as DataOf<DType> | undefined
      await onPath('read', from, () => numbers ?? reader.read(first, first + buffer.length / size, buffer))
      await onPath('write', to, () => array.writeChunk(k, numbers ?? buffer))
    })
    await onPath('write', to, () => rename(temporary, to))
    return array
  } finally {
    reader.close()
    await rm(temporary, { recursive: true, force: true })
  }
}

async function toNpy({ from, to }: ConvertRequest, control: JobControl): Promise<ZarrArray> {
  const array = await onPath('read', from, () => openZarr(from))
  if (Object.hasOwn(array.attributes, 'matfun')) await requireWhole(array)
  const writer = await onPath('write', to, () => createNpy(to, array.dtype, array.shape))
  try {
    await forEachChunk(array, control, async (k, _, buffer) => {
      await onPath('read', from, () => array.readChunk(k, { into: buffer, signal: control.signal }))
      await onPath('write', to, () => writer.write(buffer))
    })
    await onPath('write', to, () => writer.finish())
    return array
  } finally {
    writer.discard()
  }
}

/** The missing chunks of a job's output are not of their fill value: they are not done. */
async function requireWhole(array: ZarrArray): Promise<void> {
  const present = (await onPath('read', array.path, () => array.presentChunks())).length
  if (present < array.chunks)
    throw new CommandError(
      `${array.path}: expected a job's whole output, got ${present} of ${array.chunks} chunks: run the job again`,
    )
}

/** Calls `step` with each chunk, its first item, and memory of its length, the same each time. */
async function forEachChunk(
  array: ZarrArray,
  { signal, onProgress }: JobControl,
  step: (k: number, first: number, buffer: DataOf<DType>) => Promise<void>,
): Promise<void> {
  const { dtype, shape, count, chunkLength } = array
  const item = product(shape.slice(1))
  const buffer = allocate(dtype, Math.min(chunkLength, count) * item)
  for (let k = 0; k < array.chunks; k++) {
    signal?.throwIfAborted()
    const length = array.itemsOf(k) * item * components(dtype)
    await step(k, k * chunkLength, buffer.subarray(0, length) as DataOf<DType>)
    onProgress?.(k * chunkLength + array.itemsOf(k), count)
  }
}
