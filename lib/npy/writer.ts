import {
  closeSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { syncFolder, temporaryBeside } from '../beside.ts'
import { describe } from '../errors.ts'
import { components, type DataOf, type DType, product } from '../ndarray.ts'
import { native, swapBytes, writeBytes } from './bytes.ts'
import { NpyError } from './error.ts'
import { formatHeader, isDType, itemSize } from './header.ts'

/**
 * A temporary file that its owner keeps, to go on with it another time: errors do not remove it.
 * @internal
 */
export interface KeptFile {
  /** Beside the place of the output, so that it can be renamed to there. */
  readonly temporary: string
  /** Numbers that it holds already, behind which it is cut off; undefined where it is to be created. */
  readonly written: number | undefined
}

/**
 * A `.npy` file being written, from its first element to its last. It grows under a hidden name beside its place
 * (`.matfun-<random>.tmp`) and takes its own name, replacing what stood there, only in {@link NpyWriter.finish}: under
 * its name there is never half a file, however the process ends. Little-endian, C order, version 1.0.
 */
export class NpyWriter {
  readonly path: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly #target: string
  readonly #temporary: string
  readonly #length: number
  readonly #dataOffset: number
  readonly #isKept: boolean
  #written: number
  #fd: number | undefined

  constructor(path: string, dtype: DType, shape: readonly number[])
  /** @internal */
  constructor(path: string, dtype: DType, shape: readonly number[], kept: KeptFile | undefined)
  constructor(path: string, dtype: DType, shape: readonly number[], kept?: KeptFile) {
    this.path = path
    this.dtype = dtype
    this.shape = [...shape]
    this.#length = lengthOf(path, dtype, shape)
    this.#target = resolveTarget(path)
    this.#temporary = kept?.temporary ?? temporaryBeside(this.#target)
    this.#isKept = kept !== undefined
    this.#written = kept?.written ?? 0
    const header = formatHeader(dtype, shape)
    this.#dataOffset = header.length
    this.#fd = openSync(this.#temporary, kept?.written === undefined ? 'wx' : 'r+')
    this.#orDiscard((fd) => {
      if (kept?.written === undefined) writeBytes(fd, 0, header)
      else ftruncateSync(fd, this.#position)
    })
  }

  /** Bytes that are written. */
  get #position(): number {
    return this.#dataOffset + this.#written * (itemSize(this.dtype) / components(this.dtype))
  }

  /**
   * Appends elements, in row-major order. `data` is not modified.
   * Errors: TypeError for the wrong kind of typed array; NpyError for more elements than the shape has room for.
   * Where writing fails (a full disk, say) the temporary file is removed and the error thrown.
   */
  write(data: DataOf<DType>): void {
    const kind = this.dtype === 'float64' || this.dtype === 'complex128' ? Float64Array : Float32Array
    if (!(data instanceof kind))
      throw new TypeError(`data for ${this.path} must be a ${kind.name} for dtype ${this.dtype}`)
    if (data.length > this.#length - this.#written)
      throw new NpyError(
        this.path,
        `shape (${this.shape.join(', ')}) has room for ${this.#length - this.#written} more numbers, got ${data.length}`,
      )
    this.#orDiscard((fd) => writeBytes(fd, this.#position, littleEndian(data)))
    this.#written += data.length
  }

  /**
   * Brings the file to the disk, still under its temporary name; for whoever finishes several files together.
   * Errors: as for {@link NpyWriter.finish}.
   */
  flush(): void {
    this.#orDiscard((fd) => {
      if (this.#written < this.#length)
        throw new NpyError(
          this.path,
          `shape (${this.shape.join(', ')}) needs ${this.#length} numbers, got ${this.#written}`,
        )
      fsyncSync(fd)
    })
  }

  /**
   * Brings the file to the disk and then to its name.
   * Errors: NpyError where elements are missing, with the temporary file removed; those of the file system.
   */
  finish(): void {
    this.flush()
    const fd = this.#fd!
    this.#fd = undefined
    try {
      closeSync(fd)
      renameSync(this.#temporary, this.#target)
    } catch (error) {
      if (!this.#isKept) rmSync(this.#temporary, { force: true })
      throw error
    }
    syncFolder(dirname(this.#target))
  }

  /** Gives up: removes the temporary file. Does nothing after {@link NpyWriter.finish}, or when called again. */
  discard(): void {
    if (this.#fd === undefined) return
    this.close()
    rmSync(this.#temporary, { force: true })
  }

  /**
   * Brings what is written so far to the disk, off the event loop; the file must stay open meanwhile.
   * @internal
   */
  sync(): Promise<void> {
    return promisify(fsync)(this.#fd!)
  }

  /**
   * Closes the file and leaves it under its temporary name.
   * @internal
   */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #orDiscard(step: (fd: number) => void): void {
    if (this.#fd === undefined) throw new NpyError(this.path, 'was finished or discarded already')
    try {
      step(this.#fd)
    } catch (error) {
      if (!this.#isKept) this.discard()
      throw error
    }
  }
}

/**
 * Creates a `.npy` file of a known shape, to be written in chunks.
 *
 * @returns a {@link NpyWriter}; the file appears under its name when that is finished.
 * @throws {@link NpyError} where the path is something that is not a regular file, RangeError for a shape that is none;
 *   errors of the file system as Node has them.
 *
 * @example
 * const writer = createNpy('rotations.npy', 'float64', [90, 2, 2])
 * for (let degrees = 0; degrees < 90; degrees++) {
 *   const angle = (degrees * Math.PI) / 180
 *   writer.write(expm([[0, -angle], [angle, 0]]).data)
 * }
 * writer.finish()
 */
export function createNpy(path: string, dtype: DType, shape: readonly number[]): NpyWriter {
  return new NpyWriter(path, dtype, shape)
}

function lengthOf(path: string, dtype: DType, shape: readonly number[]): number {
  if (!isDType(dtype))
    throw new TypeError(
      `dtype for ${path} must be float64, float32, complex128 or complex64, got ${describe(dtype)}`,
    )
  const length = product(shape.filter((d) => d !== 0)) * components(dtype)
  if (shape.length > 64 || !shape.every((d) => Number.isSafeInteger(d) && d >= 0) || length > 2 ** 50)
    throw new RangeError(
      `shape for ${path} must be at most 64 non-negative integers for at most 2^50 numbers, got [${shape}]`,
    )
  return shape.includes(0) ? 0 : length
}

/** The file that a path names, through symbolic links: renaming onto a link, or a device, would replace it. */
export function resolveTarget(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return path
  if (!status.isFile()) throw new NpyError(path, 'is not a regular file, so it cannot be written as .npy')
  // The other one would take `link/..` for the folder that holds the link.
  return realpathSync.native(path)
}

function littleEndian(data: DataOf<DType>): DataOf<DType> {
  if (native === 'LE') return data
  const copy = data.slice()
  swapBytes(copy)
  return copy
}
