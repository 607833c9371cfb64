import { components, type DType, product, storageOf } from '../ndarray.ts'
import { type Codecs, readCodecs } from './codecs.ts'
import { ZarrError } from './error.ts'
import { JsonNode } from './json.ts'

// The format: zarr-specs.readthedocs.io/en/latest/v3/core/, version 3.1.
const dtypes: readonly DType[] = ['float64', 'float32', 'complex128', 'complex64']
const known = [
  'zarr_format',
  'node_type',
  'shape',
  'data_type',
  'chunk_grid',
  'chunk_key_encoding',
  'fill_value',
  'codecs',
  'attributes',
  'dimension_names',
  'storage_transformers',
]

/** What a zarr.json says of an array of matrices, or of numbers. */
export interface ZarrMetadata {
  readonly dtype: DType
  /** [count, n, n], or [count] for an array of numbers. */
  readonly shape: readonly number[]
  /** How many items, matrices or numbers, a chunk has room for. */
  readonly chunkLength: number
  /** What fills a chunk that is not there: a number, or two for complex. */
  readonly fill: readonly number[]
  readonly codecs: Codecs
  readonly separator: '/' | '.'
  /** Whether a chunk's key begins with c. */
  readonly hasPrefix: boolean
  readonly dimensionNames: readonly (string | null)[] | undefined
  readonly attributes: Readonly<Record<string, unknown>>
}

/** Bytes of one element. */
export function elementBytes(dtype: DType): number {
  return storageOf(dtype).BYTES_PER_ELEMENT * components(dtype)
}

/**
 * Reads the text of a zarr.json.
 * Errors: ZarrError for anything but a Zarr v3 array of shape (count, n, n) or (count), of float64, float32, complex128 or complex64,
 * cut along the first axis only, with codecs that are known.
 */
export function readMetadata(path: string, text: string): ZarrMetadata {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ZarrError(path, `zarr.json is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  const root = new JsonNode(path, 'zarr.json', value)
  const format = root.member('zarr_format')
  if (format.value !== 3) throw format.unexpected('3')
  const kind = root.member('node_type')
  if (kind.value === 'group')
    throw new ZarrError(path, 'is a group: expected an array, such as one of those within it')
  kind.oneOf('array')
  refuseUnknown(root)
  const dtype = readType(root.member('data_type'))
  const shape = readShape(root.member('shape'))
  const chunkShape = readChunkShape(root.member('chunk_grid'), shape, dtype)
  return {
    dtype,
    shape,
    chunkLength: chunkShape[0],
    fill: readFill(root.member('fill_value'), dtype),
    codecs: readCodecs(root.member('codecs'), chunkShape),
    ...readKeyEncoding(root.member('chunk_key_encoding')),
    dimensionNames: readNames(root.member('dimension_names'), shape.length),
    attributes: readAttributes(root.member('attributes')),
  }
}

/** The zarr.json of an array without codecs, whose missing chunks are NaN. */
export function formatMetadata(
  dtype: DType,
  shape: readonly number[],
  chunkLength: number,
  attributes: Readonly<Record<string, unknown>>,
): string {
  const metadata = {
    zarr_format: 3,
    node_type: 'array',
    shape,
    data_type: dtype,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [chunkLength, ...shape.slice(1)] } },
    // One folder for all chunks: with slashes each would have two of its own, to be made and brought to the disk.
    chunk_key_encoding: { name: 'default', configuration: { separator: '.' } },
    fill_value: components(dtype) === 2 ? ['NaN', 'NaN'] : 'NaN',
    codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
    attributes,
  }
  return `${JSON.stringify(metadata, undefined, 2)}\n`
}

/** What is not known may be passed over only where the file says so. */
function refuseUnknown(root: JsonNode): void {
  for (const key of root.keys()) {
    if (known.includes(key)) continue
    const { value } = root.member(key)
    const isOptional =
      typeof value === 'object' &&
      value !== null &&
      Object.hasOwn(value, 'must_understand') &&
      (value as { must_understand: unknown }).must_understand === false
    if (!isOptional)
      throw new ZarrError(root.path, `zarr.json has ${JSON.stringify(key.slice(0, 40))}, which is not known`)
  }
  const transformers = root.member('storage_transformers')
  if (!transformers.isMissing && transformers.items().length > 0)
    throw transformers.unexpected('empty: storage transformers are not known')
}

function readType(node: JsonNode): DType {
  const found = dtypes.find((dtype) => dtype === node.value)
  if (found === undefined) throw node.unexpected('float64, float32, complex128 or complex64')
  return found
}

function readShape(node: JsonNode): number[] {
  const shape = node.integers(0)
  const [, rows, columns] = shape
  if (shape.length === 1 || (shape.length === 3 && rows === columns && rows > 0)) return shape
  throw new ZarrError(
    node.path,
    `expected shape (count, n, n), or (count) for numbers, got (${shape.join(', ')})`,
  )
}

function readChunkShape(grid: JsonNode, shape: readonly number[], dtype: DType): number[] {
  grid.member('name').oneOf('regular')
  const chunkShape = grid.member('configuration').member('chunk_shape').integers(1)
  if (chunkShape.length !== shape.length || !shape.every((d, k) => k === 0 || d === chunkShape[k]))
    throw new ZarrError(
      grid.path,
      `expected chunks of whole matrices, (c, ${shape.slice(1).join(', ')}), got (${chunkShape.join(', ')})`,
    )
  for (const [what, whole] of [
    ['the array', shape],
    ['a chunk', chunkShape],
  ] as const)
    if (!Number.isSafeInteger(product(whole) * elementBytes(dtype)))
      throw new ZarrError(
        grid.path,
        `${what} of shape (${whole.join(', ')}) overflows: expected less than 2^53 bytes`,
      )
  return chunkShape
}

function readKeyEncoding(node: JsonNode): Pick<ZarrMetadata, 'separator' | 'hasPrefix'> {
  const hasPrefix = node.member('name').oneOf('default', 'v2') === 'default'
  const configuration = node.member('configuration')
  const separator = configuration.isMissing ? configuration : configuration.member('separator')
  return { hasPrefix, separator: separator.isMissing ? (hasPrefix ? '/' : '.') : separator.oneOf('/', '.') }
}

function readFill(node: JsonNode, dtype: DType): number[] {
  if (components(dtype) === 1) return [readNumber(node, dtype)]
  const parts = node.items()
  if (parts.length !== 2) throw node.unexpected('two numbers, the real and the imaginary part')
  return parts.map((part) => readNumber(part, dtype))
}

/** A float of a zarr.json: a number, a name for what JSON has no number for, or its bits in hexadecimal. */
function readNumber(node: JsonNode, dtype: DType): number {
  const { value } = node
  const digits = 2 * storageOf(dtype).BYTES_PER_ELEMENT
  if (typeof value === 'number') return value
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  if (typeof value === 'string' && new RegExp(`^0x[0-9a-fA-F]{${digits}}$`).test(value)) {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, BigInt(value))
    return digits === 16 ? view.getFloat64(0) : view.getFloat32(4)
  }
  throw node.unexpected(`a number, "NaN", "Infinity", "-Infinity" or "0x" and ${digits} hexadecimal digits`)
}

function readNames(node: JsonNode, rank: number): (string | null)[] | undefined {
  if (node.isMissing) return undefined
  const names = node.items()
  if (names.length !== rank) throw node.unexpected(`a list of ${rank} names`)
  return names.map((name) => (name.value === null ? null : name.string()))
}

function readAttributes(node: JsonNode): Readonly<Record<string, unknown>> {
  if (node.isMissing) return {}
  node.keys()
  return node.value as Record<string, unknown>
}
