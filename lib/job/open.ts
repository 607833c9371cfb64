import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type Failure } from '../errors.ts'
import { allocate, type DataOf, type DType } from '../ndarray.ts'
import { findClash } from '../places.ts'
import type { ZarrArray } from '../zarr/index.ts'
import { type Chunk, compute, type Task } from './compute.ts'
import { type JobDescription, jobId, parseDescription } from './description.ts'
import { ChunkError, JobError } from './error.ts'
import type { ChunkControl, ChunkResult, Job, JobPlace } from './job.ts'
import { type Outputs, openOutputs } from './outputs.ts'
import { defaultLimits, planWork, type WorkPlan } from './plan.ts'
import { openSource, type Source } from './source.ts'
import { onChunk, onPath } from './storage.ts'

type Numbers = DataOf<DType>

/**
 * Opens a job: its inputs, and its outputs, which are made where they are not there. A description from elsewhere must have been
 * through {@link parseDescription}; so it is here once more.
 *
 * Errors: {@link JobError} for inputs that cannot be read or do not fit each other or the limits, and for outputs that belong
 * to another job.
 */
export async function openJob(given: JobDescription, place: JobPlace): Promise<Job> {
  const description = parseDescription(given)
  const { limits, threads, create = true } = place
  const root = await onPath('read', place.root, () => realpath(place.root))
  requireRealApart(root, description)
  const sources: Source[] = []
  try {
    sources.push(await openSource(root, description.A))
    if (description.direction !== undefined) sources.push(await openSource(root, description.direction))
    const [A, direction] = sources
    const plan = planWork(description, A, direction, { ...defaultLimits, ...limits })
    const id = jobId(description, plan)
    const outputs = await openOutputs({ root, id, description, plan, create })
    return new OpenJob(id, description, { A, direction, plan, outputs, threads })
  } catch (error) {
    for (const source of sources) source.close()
    throw error
  }
}

/** Refuses outputs that links lead to the place of another array; by their letters {@link parseDescription} has compared them. */
function requireRealApart(root: string, { A, direction, out, value }: JobDescription): void {
  const placesOf = (paths: Readonly<Record<string, string | undefined>>) =>
    Object.entries(paths).flatMap(([name, path]) =>
      path === undefined ? [] : [{ name: `${name} ${describe(path)}`, path: join(root, path) }],
    )
  const clash = findClash(placesOf({ A, direction }), placesOf({ out, value }))
  if (clash)
    throw new JobError(`${clash.output.name} lies in the same place as ${clash.other.name}: expected another`)
}

/** In milliseconds: longer than any chunk takes to write, and than clocks differ. */
const day = 86_400_000

/** What an open job works with. */
interface Parts {
  readonly A: Source
  readonly direction: Source | undefined
  readonly plan: WorkPlan
  readonly outputs: Outputs
  readonly threads: number | undefined
}

/** Memory of one running chunk. */
interface Buffers {
  readonly A: Numbers
  readonly direction: Numbers
  readonly value: Numbers
  readonly result: Numbers
}

class OpenJob implements Job {
  readonly id: string
  readonly description: JobDescription
  readonly dtype: DType
  readonly n: number
  readonly count: number
  readonly chunkLength: number
  readonly chunks: number
  readonly chunkBytes: number
  readonly #parts: Parts
  readonly #task: Task
  /** Of chunks that have run, for those that will: at most as many as ran at once. */
  readonly #free: Buffers[] = []
  #isClosed = false

  constructor(id: string, description: JobDescription, parts: Parts) {
    const { dtype, n, count, chunkLength, chunks, chunkBytes } = parts.plan
    const { operation, options } = description
    this.id = id
    this.description = description
    this.dtype = dtype
    this.n = n
    this.count = count
    this.chunkLength = chunkLength
    this.chunks = chunks
    this.chunkBytes = chunkBytes
    this.#parts = parts
    const { threads } = parts
    this.#task = { operation, options: threads === undefined ? options : { ...options, threads }, dtype, n }
  }

  async runChunk(k: number, control: ChunkControl = {}): Promise<ChunkResult> {
    this.#requireChunk(k)
    control.signal?.throwIfAborted()
    const { failures } = this.#parts.outputs
    const { out } = this.description
    if (await onChunk(k, 'read', out, () => this.#isThere(k))) {
      const known = await onChunk(k, 'read', out, () => failures.read(k))
      return { done: 'present', failures: known.length }
    }
    const buffers = this.#free.pop() ?? (await onChunk(k, 'read', this.description.A, () => this.#allocate()))
    // Not given back where the chunk fails: aborted work may go on with them for a while.
    const done = await this.#compute(k, buffers, control)
    await this.#write(k, done.chunk, done.failures)
    this.#free.push(buffers)
    return { done: 'computed', failures: done.failures.length }
  }

  async missingChunks(): Promise<number[]> {
    const { result, value } = this.#parts.outputs
    const there = new Set(await onPath('read', this.description.out, () => result.presentChunks()))
    const values =
      value && new Set(await onPath('read', this.description.value!, () => value.presentChunks()))
    const missing: number[] = []
    for (let k = 0; k < this.chunks; k++)
      if (!there.has(k) || (values !== undefined && !values.has(this.#valueOf(k)))) missing.push(k)
    return missing
  }

  async *failures(): AsyncGenerator<Failure, void, undefined> {
    const { failures } = this.#parts.outputs
    const { out } = this.description
    for (const k of await onPath('read', out, () => failures.chunks()))
      if (k < this.chunks && (await onPath('read', out, () => this.#isThere(k))))
        yield* await onPath('read', out, () => failures.read(k))
  }

  async removeAbandoned(): Promise<void> {
    for (const folder of this.#parts.outputs.folders)
      await onPath('write', this.description.out, () => folder.removeAbandoned(day))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#free.length = 0
    this.#parts.A.close()
    this.#parts.direction?.close()
  }

  /** A chunk of the result is written last, but anyone may have removed the value's. */
  async #isThere(k: number): Promise<boolean> {
    const { result, value } = this.#parts.outputs
    return (await result.hasChunk(k)) && (value === undefined || (await value.hasChunk(this.#valueOf(k))))
  }

  /** The chunk of the value that belongs to chunk k: all results of one matrix have one. */
  #valueOf(k: number): number {
    return this.#parts.plan.sharesA ? 0 : k
  }

  async #compute(
    k: number,
    buffers: Buffers,
    { signal, onProgress }: ChunkControl,
  ): Promise<{ chunk: Chunk; failures: readonly Failure[] }> {
    const { A, direction, plan } = this.#parts
    const start = k * this.chunkLength
    const items = Math.min(this.chunkLength, this.count - start)
    const chunk = this.#cut(buffers, items)
    const load = async (source: Source, isShared: boolean, into: Numbers): Promise<void> => {
      await onChunk(k, 'read', source.path, () => source.read(isShared ? 0 : start, into, signal))
    }
    await load(A, plan.sharesA, chunk.A)
    if (direction) await load(direction, plan.sharesDirection, chunk.direction)
    const progress = onProgress && (({ done }: { done: number }): void => onProgress(done, items))
    const failures = await compute(this.#task, chunk, { signal, onProgress: progress })
    return { chunk, failures: failures.map(({ index, code }) => ({ index: start + index, code })) }
  }

  async #write(k: number, chunk: Chunk, failed: readonly Failure[]): Promise<void> {
    const { result, value, failures } = this.#parts.outputs
    const { operation, out } = this.description
    if (value !== undefined && !(this.#parts.plan.sharesA && (await this.#hasValue(k)))) {
      const path = this.description.value!
      await onChunk(k, 'write', path, () => requireSame(value, path))
      await onChunk(k, 'write', path, () => value.writeChunk(this.#valueOf(k), chunk.value))
    }
    await onChunk(k, 'write', out, () => requireSame(result, out))
    await onChunk(k, 'write', out, () => failures.write(k, failed))
    await onChunk(k, 'write', out, () =>
      result.writeChunk(k, operation === 'expm' ? chunk.value : chunk.result),
    )
  }

  async #hasValue(k: number): Promise<boolean> {
    return onChunk(k, 'read', this.description.value!, () => this.#parts.outputs.value!.hasChunk(0))
  }

  #allocate(): Buffers {
    const { dtype, n, chunkLength } = this
    const { direction, plan } = this.#parts
    const room = (matrices: number): Numbers => allocate(dtype, matrices * n * n)
    const ofA = plan.sharesA ? 1 : chunkLength
    const isCond = this.description.operation === 'cond'
    return {
      A: room(ofA),
      direction: room(direction ? (plan.sharesDirection ? 1 : chunkLength) : 0),
      value: room(isCond ? 0 : ofA),
      result: isCond ? allocate('float64', chunkLength) : room(direction ? chunkLength : 0),
    }
  }

  /** As much of the buffers as a chunk with so many results needs. */
  #cut({ A, direction, value, result }: Buffers, items: number): Chunk {
    const { plan } = this.#parts
    const part = (buffer: Numbers, isShared: boolean): Numbers =>
      (isShared ? buffer : buffer.subarray(0, (buffer.length / this.chunkLength) * items)) as Numbers
    return {
      count: plan.sharesA ? 1 : items,
      A: part(A, plan.sharesA),
      direction: part(direction, plan.sharesDirection),
      value: part(value, plan.sharesA),
      result: part(result, false),
    }
  }

  #requireChunk(k: number): void {
    if (this.#isClosed) throw new JobError(`job ${this.id} was closed`)
    if (!(Number.isSafeInteger(k) && 0 <= k && k < this.chunks))
      throw new ChunkError(k, `expected a chunk from 0 to ${this.chunks - 1}`)
  }
}

/** What was computed may be of other numbers, or another job's, than what an output that was made anew is for. */
async function requireSame(array: ZarrArray, path: string): Promise<void> {
  if (await array.isSame()) return
  throw new JobError(`${path} was removed or made anew while the chunk was computed`, { retryable: true })
}
