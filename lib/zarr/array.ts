import { allocate, components, type DataOf, type DType, product, storageOf } from '../ndarray.ts'
import { isPlain } from './codecs.ts'
import { copyBlock, Damage, decodeChunk, type Target } from './decode.ts'
import { ZarrError } from './error.ts'
import type { Folder } from './folder.ts'
import { elementBytes, type ZarrMetadata } from './metadata.ts'
import { decodeShard } from './shard.ts'
import type { Decoder } from './zarrita.ts'

/** How a chunk is read. */
export interface ReadOptions {
  /** Where to: a typed array of the dtype's kind, of exactly the chunk's length. Default: a new one. */
  readonly into?: DataOf<DType>
  /** When it aborts, reading ends with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** What an array's zarr.json says, and what tells that file from a later one. */
export interface ReadMetadata {
  readonly metadata: ZarrMetadata
  readonly identity: string
}

/** An encoded chunk that is larger cannot be held in memory as a whole. */
const mostBytes = 2 ** 32

/**
 * A Zarr v3 array on disk: a stack of matrices of shape (count, n, n), or of numbers of shape (count), cut along the first axis
 * into chunks of `chunkLength` items, of which the last may hold fewer. Nothing is kept open, and nothing read is kept.
 */
export class ZarrArray {
  /** As it was given. */
  readonly path: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** How many items there are: matrices, or numbers. */
  readonly count: number
  /** The order of the matrices; undefined for an array of numbers. */
  readonly n: number | undefined
  /** How many items a chunk has, but for the last one. */
  readonly chunkLength: number
  /** How many chunks there are, missing ones included. */
  readonly chunks: number
  /** Names of the axes, where the array has any. */
  readonly dimensionNames: readonly (string | null)[] | undefined
  /** What else the array's zarr.json holds; from anyone, so to be looked at with care. */
  readonly attributes: Readonly<Record<string, unknown>>
  readonly #metadata: ZarrMetadata
  readonly #folder: Folder
  readonly #identity: string
  /** Undefined where chunks are plain, and need none. */
  readonly #decoder: Decoder | undefined

  /** Use {@link openZarr} or {@link createZarr}. */
  constructor(
    path: string,
    { metadata, identity }: ReadMetadata,
    folder: Folder,
    decoder: Decoder | undefined,
  ) {
    const { dtype, shape, chunkLength } = metadata
    this.path = path
    this.dtype = dtype
    this.shape = shape
    this.count = shape[0]
    this.n = shape.length === 1 ? undefined : shape[1]
    this.chunkLength = chunkLength
    this.chunks = Math.ceil(this.count / chunkLength)
    this.dimensionNames = metadata.dimensionNames
    this.attributes = metadata.attributes
    this.#metadata = metadata
    this.#folder = folder
    this.#identity = identity
    this.#decoder = decoder
  }

  /** Whether the array that is there is the one that was opened, and none that was made in its place since. */
  async isSame(): Promise<boolean> {
    try {
      return (await this.#folder.identityOf('zarr.json')) === this.#identity
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  /** How many items chunk k has: `chunkLength`, or what is left for the last one. RangeError where there is no chunk k. */
  itemsOf(k: number): number {
    if (!(Number.isSafeInteger(k) && 0 <= k && k < this.chunks))
      throw new RangeError(`${this.path} has ${this.chunks} chunks, counted from 0, got ${k}`)
    return Math.min(this.chunkLength, this.count - k * this.chunkLength)
  }

  /**
   * The items of chunk k, in C order; the array's fill value where the chunk is missing.
   * Takes the memory of the chunk; where it is encoded also that of its file and about twice as much to decode it.
   * Errors: ZarrError for a chunk that is damaged; ENOENT where the array itself is gone; RangeError where there is no chunk k or `into` has another length; errors
   * of the file system as Node has them.
   */
  async readChunk(k: number, { into, signal }: ReadOptions = {}): Promise<DataOf<DType>> {
    const { dtype } = this
    const items = this.itemsOf(k)
    const target = into ?? allocate(dtype, items * this.#itemElements)
    const length = items * this.#itemElements * components(dtype)
    if (!(target instanceof storageOf(dtype)) || target.length !== length)
      throw new RangeError(
        `into must be a ${storageOf(dtype).name} of length ${length} for chunk ${k}, got length ${target.length}`,
      )
    signal?.throwIfAborted()
    const decoder = this.#decoder
    const isThere = await (decoder === undefined
      ? this.#readPlain(k, target, signal)
      : this.#readEncoded(k, target, decoder, signal))
    // Where storage is unmounted nothing is there, which is not what missing chunks mean.
    if (!isThere) await this.#folder.requireArray()
    if (!isThere) this.#fill(target)
    return target
  }

  /** Whether chunk k is there; where chunks are not encoded, also whether its file has the length that it should have. */
  async hasChunk(k: number): Promise<boolean> {
    this.itemsOf(k)
    const opened = await this.#folder.open(this.#keyOf(k))
    await opened?.file.close()
    return opened !== undefined && (this.#decoder !== undefined || opened.size === this.#chunkBytes)
  }

  /** The chunks that {@link ZarrArray.hasChunk} finds there, in order. Lists the folder, and looks at each file. */
  async presentChunks(): Promise<number[]> {
    const { hasPrefix, separator } = this.#metadata
    const rest = separator === '/' ? '' : '(?:\\.0)*'
    const isListed = separator === '/' && hasPrefix
    const pattern = new RegExp(`^${hasPrefix && !isListed ? 'c\\.' : ''}(0|[1-9][0-9]*)${rest}$`)
    await this.#folder.requireArray() // storage that is away has no chunks, and misses none
    const listed = (await this.#folder.names(isListed ? 'c' : ''))
      .map((name) => Number(pattern.exec(name)?.[1] ?? -1))
      .filter((k) => k >= 0 && k < this.chunks)
      .sort((a, b) => a - b)
    const present: number[] = []
    for (let start = 0; start < listed.length; start += lookedAtOnce) {
      const some = listed.slice(start, start + lookedAtOnce)
      const found = await Promise.all(some.map((k) => this.hasChunk(k)))
      present.push(...some.filter((_, at) => found[at]))
    }
    return present
  }

  /**
   * Writes chunk k, whole or not at all, replacing what was there: `data` are its items in C order.
   * Errors: ZarrError for an array whose chunks are encoded, which is not written here; TypeError and RangeError for data
   * of another kind or length; errors of the file system as Node has them, after which the chunk is as it was.
   */
  async writeChunk(k: number, data: DataOf<DType>): Promise<void> {
    const length = this.itemsOf(k) * this.#itemElements * components(this.dtype)
    if (this.#decoder !== undefined)
      throw new ZarrError(this.path, 'is encoded by other codecs than bytes, so it cannot be written')
    if (!(data instanceof storageOf(this.dtype)))
      throw new TypeError(
        `data for ${this.path} must be a ${storageOf(this.dtype).name} for dtype ${this.dtype}`,
      )
    if (data.length !== length)
      throw new RangeError(`chunk ${k} of ${this.path} has ${length} numbers, got ${data.length}`)
    await this.#folder.write(this.#keyOf(k), this.#padded(bytesOf(data)))
  }

  /** Elements of one item. */
  get #itemElements(): number {
    return product(this.shape.slice(1))
  }

  /** Of a whole chunk, not encoded; the last one's file is as long as the others. */
  get #chunkBytes(): number {
    return this.chunkLength * this.#itemElements * elementBytes(this.dtype)
  }

  #keyOf(k: number): string {
    const { hasPrefix, separator } = this.#metadata
    return [...(hasPrefix ? ['c'] : []), k, ...this.shape.slice(1).map(() => 0)].join(separator)
  }

  async #readPlain(k: number, target: DataOf<DType>, signal: AbortSignal | undefined): Promise<boolean> {
    const key = this.#keyOf(k)
    const opened = await this.#folder.open(key)
    if (opened === undefined) return false
    try {
      if (opened.size !== this.#chunkBytes)
        throw new ZarrError(this.path, `${key} must have ${this.#chunkBytes} bytes, got ${opened.size}`)
      await this.#folder.fill(key, opened.file, bytesOf(target), signal)
      return true
    } finally {
      await opened.file.close()
    }
  }

  async #readEncoded(
    k: number,
    target: DataOf<DType>,
    decoder: Decoder,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const key = this.#keyOf(k)
    const expected = this.#chunkBytes
    if (expected > mostBytes)
      throw new ZarrError(
        this.path,
        `has chunks of ${expected} bytes: expected at most ${mostBytes} where encoded`,
      )
    // What does not compress grows a little, and a shard has an index of 16 bytes for each of its chunks.
    const bytes = await this.#folder.read(key, 3 * expected + 2 ** 16, signal)
    if (bytes === undefined) return false
    try {
      await this.#decode(bytes, target, decoder)
    } catch (error) {
      if (!(error instanceof Damage)) throw error
      throw new ZarrError(this.path, `${key} is damaged: ${error.message}`, { cause: error.cause })
    }
    signal?.throwIfAborted()
    return true
  }

  async #decode(bytes: Uint8Array, data: DataOf<DType>, decoder: Decoder): Promise<void> {
    const { dtype } = this
    const { codecs } = this.#metadata
    const itemShape = this.shape.slice(1)
    const shape = [this.chunkLength, ...itemShape]
    const items = data.length / (this.#itemElements * components(dtype))
    const target: Target = { data, dtype, shape: [items, ...itemShape] }
    if ('sharding' in codecs) {
      this.#fill(data)
      await decodeShard({ shape, sharding: codecs.sharding, target }, bytes, decoder)
    } else {
      const numbers = await decodeChunk({ dtype, shape, encoding: codecs.encoding }, bytes, decoder)
      copyBlock({ numbers, shape, at: shape.map(() => 0) }, target)
    }
  }

  #fill(target: DataOf<DType>): void {
    const { fill } = this.#metadata
    if (fill.length === 1 || Object.is(fill[0], fill[1])) target.fill(fill[0])
    else for (let k = 0; k < target.length; k++) target[k] = fill[k % 2]
  }

  /** The bytes of a chunk's items, and of fill values to the end of the last chunk. */
  *#padded(bytes: Uint8Array): Generator<Uint8Array> {
    yield bytes
    let missing = this.#chunkBytes - bytes.length
    const piece = new (storageOf(this.dtype))(
      Math.min(missing, 2 ** 20) / storageOf(this.dtype).BYTES_PER_ELEMENT,
    )
    this.#fill(piece)
    for (; missing > 0; missing -= piece.byteLength) yield bytesOf(piece).subarray(0, missing)
  }
}

/** Files that are looked at together: Node has four threads for that. */
const lookedAtOnce = 16

/** True where chunks of such an array are not encoded, and need no decoder. */
export function isUnencoded({ codecs }: ZarrMetadata): boolean {
  return 'encoding' in codecs && isPlain(codecs.encoding)
}

function bytesOf(data: DataOf<DType>): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
