import { mkdir, realpath } from 'node:fs/promises'
import { endianness } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe } from '../errors.ts'
import type { DType } from '../ndarray.ts'
import { isUnencoded, type ReadMetadata, ZarrArray } from './array.ts'
import { ZarrError } from './error.ts'
import { Folder, requireBelow } from './folder.ts'
import { elementBytes, formatMetadata, readMetadata } from './metadata.ts'
import { loadDecoder } from './zarrita.ts'

/** Where an array may lie. */
export interface ZarrPlace {
  /** A folder outside which nothing is read or written, also where symbolic links lead there. Default: no such bound. */
  readonly root?: string
}

/** What an array will be. */
export interface ZarrSpec {
  readonly dtype: DType
  /** [count, n, n], or [count] for an array of numbers. */
  readonly shape: readonly number[]
  /** How many items a chunk has; the last one may have fewer. */
  readonly chunkLength: number
  /** To be kept with the array, as JSON has it. Default: none. */
  readonly attributes?: Readonly<Record<string, unknown>>
}

/** A zarr.json holds attributes besides: more than this is none. */
const longestMetadata = 2 ** 22

/**
 * Opens a Zarr v3 array: float64, float32, complex128 or complex64, of shape (count, n, n) and cut along the first axis, or of shape
 * (count); of any codecs among bytes, transpose, gzip, zstd, blosc, crc32c and sharding_indexed. What is encoded by others than
 * bytes (little-endian) needs the package zarrita.
 *
 * @throws ZarrError (as a rejection) for anything else, saying what was expected and what came; its code is ENOENT
 *   for a folder without a zarr.json. Errors of the file system as Node has them.
 *
 * @example
 * const A = await createZarr('B.zarr', { dtype: 'float64', shape: [3, 2, 2], chunkLength: 2 })
 * await A.writeChunk(0, new Float64Array(8))
 * const again = await openZarr('B.zarr')
 * console.log(again.chunks, await again.presentChunks())  // 2 [ 0 ]
 * const { data } = expm({ data: await again.readChunk(0), shape: [2, 2, 2] })
 * console.log(data[0])  // 1
 */
export async function openZarr(path: string, { root }: ZarrPlace = {}): Promise<ZarrArray> {
  requirePath(path)
  const folder = new Folder(path, root === undefined ? undefined : await realpath(root))
  const metadata = await readFrom(path, folder)
  if (metadata !== undefined) return arrayOf(path, metadata, folder)
  for (const key of ['.zarray', '.zgroup']) {
    const old = await folder.open(key)
    await old?.file.close()
    if (old !== undefined)
      throw new ZarrError(path, `expected an array of Zarr version 3, got version 2 (${key})`)
  }
  await folder.requireArray()
  return openZarr(path, root === undefined ? {} : { root }) // It has come meanwhile.
}

/**
 * Creates a Zarr v3 array without codecs, all of whose chunks are missing, and therefore NaN. The folder it lies in must be there.
 * Where there is the same array already, of the same attributes, that is opened; several processes may create it at once.
 *
 * @throws ZarrError (as a rejection) where there is something else; TypeError or RangeError for a dtype, shape or
 *   chunk length that is none; errors of the file system as Node has them.
 *
 * @example
 * const Y = await createZarr('rotation.zarr', { dtype: 'float64', shape: [1, 2, 2], chunkLength: 1 })
 * await Y.writeChunk(0, expm([[0, 1], [-1, 0]]).data)
 */
export async function createZarr(path: string, spec: ZarrSpec, { root }: ZarrPlace = {}): Promise<ZarrArray> {
  requirePath(path)
  requireSpec(path, spec)
  const { dtype, shape, chunkLength, attributes = {} } = spec
  const text = formatMetadata(dtype, shape, chunkLength, attributes)
  const realRoot = root === undefined ? undefined : await realpath(root)
  await makeFolder(path, realRoot)
  const folder = new Folder(path, realRoot)
  const names = await folder.names('')
  if (!names.includes('zarr.json')) {
    const other = names.find((name) => !name.startsWith('.matfun-'))
    if (other !== undefined)
      throw new ZarrError(
        path,
        `expected a new place or an empty folder, got one that holds ${describe(other)}`,
      )
    await folder.write('zarr.json', [Buffer.from(text)], true)
  }
  const found = await readFrom(path, folder)
  if (found === undefined || !isDeepSame(found.metadata, readMetadata(path, text)))
    throw new ZarrError(path, 'is there already, and another array: remove it, or name another place')
  return arrayOf(path, found, folder)
}

async function readFrom(path: string, folder: Folder): Promise<ReadMetadata | undefined> {
  const identity = await folder.identityOf('zarr.json').catch(() => undefined)
  const bytes = await folder.read('zarr.json', longestMetadata)
  if (bytes === undefined || identity === undefined) return undefined
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ZarrError(path, 'zarr.json is not valid UTF-8')
  }
  return { metadata: readMetadata(path, text), identity }
}

async function arrayOf(path: string, read: ReadMetadata, folder: Folder): Promise<ZarrArray> {
  if (endianness() === 'BE') throw new ZarrError(path, 'cannot be used on a big-endian machine yet')
  return new ZarrArray(path, read, folder, isUnencoded(read.metadata) ? undefined : await loadDecoder(path))
}

async function makeFolder(path: string, root: string | undefined): Promise<void> {
  if (root !== undefined) {
    const place = join(await realpath(dirname(path)), basename(path))
    requireBelow(root, place, path)
  }
  try {
    await mkdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function requirePath(path: unknown): void {
  if (typeof path !== 'string')
    throw Object.assign(new TypeError(`path must be a string, got ${describe(path)}`), {
      code: 'ERR_INVALID_ARG_TYPE',
    })
}

function requireSpec(path: string, { dtype, shape, chunkLength, attributes }: ZarrSpec): void {
  if (!['float64', 'float32', 'complex128', 'complex64'].includes(dtype))
    throw new TypeError(
      `dtype for ${path} must be float64, float32, complex128 or complex64, got ${describe(dtype)}`,
    )
  const isSize = (d: number, least: number): boolean => Number.isSafeInteger(d) && d >= least
  const isShape =
    Array.isArray(shape) &&
    (shape.length === 1 || (shape.length === 3 && shape[1] === shape[2] && isSize(shape[1], 1))) &&
    isSize(shape[0], 0)
  if (!isShape) throw new RangeError(`shape for ${path} must be [count, n, n] or [count], got [${shape}]`)
  const item = (shape[1] ?? 1) ** 2 * elementBytes(dtype)
  if (!isSize(chunkLength, 1) || !Number.isSafeInteger(Math.max(chunkLength, shape[0]) * item))
    throw new RangeError(
      `chunkLength for ${path} must be a positive integer, and array and chunk less than 2^53 bytes, ` +
        `got ${describe(chunkLength)} for shape [${shape}]`,
    )
  if (
    attributes !== undefined &&
    (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes))
  )
    throw new TypeError(`attributes for ${path} must be an object, got ${describe(attributes)}`)
}

/** Equality of what JSON can hold, whatever the order of keys. */
function isDeepSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  const [one, other] = [Object.keys(a).sort(), Object.keys(b).sort()]
  return (
    Array.isArray(a) === Array.isArray(b) &&
    one.join('\0') === other.join('\0') &&
    one.every((key) => isDeepSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  )
}
