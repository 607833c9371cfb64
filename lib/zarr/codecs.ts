import type { JsonNode } from './json.ts'

/** A codec from bytes to bytes. */
export interface ByteCodec {
  readonly name: 'gzip' | 'zstd' | 'blosc' | 'crc32c'
  readonly configuration: Readonly<Record<string, unknown>>
}

/** How a chunk's numbers become bytes. */
export interface Encoding {
  readonly endian: 'little' | 'big'
  /** The order in which the axes lie, the slowest first; undefined for that of the array. */
  readonly order: readonly number[] | undefined
  /** What is done with the bytes, in the order of writing. */
  readonly bytes: readonly ByteCodec[]
}

/** How a chunk holds smaller ones. */
export interface Sharding {
  /** Of the smaller ones. */
  readonly chunkShape: readonly number[]
  readonly encoding: Encoding
  readonly indexEndian: 'little' | 'big'
  readonly indexHasChecksum: boolean
  readonly indexLocation: 'start' | 'end'
}

/** A chunk is encoded as it is, or made of smaller ones. */
export type Codecs = { readonly encoding: Encoding } | { readonly sharding: Sharding }

/** True where a chunk's file is its numbers as they lie in memory here, and nothing else. */
export function isPlain(encoding: Encoding): boolean {
  return encoding.endian === 'little' && encoding.order === undefined && encoding.bytes.length === 0
}

/**
 * Reads a list of codecs (Zarr v3.1, section "Codecs") of chunks of this shape.
 * Errors: ZarrError for codecs that are not known, or not in an order that can be undone.
 */
export function readCodecs(list: JsonNode, chunkShape: readonly number[]): Codecs {
  const codecs = list.items().map(readExtension)
  const [first] = codecs
  if (codecs.length === 1 && first.name.value === 'sharding_indexed')
    return { sharding: readSharding(first.configuration, chunkShape) }
  return { encoding: readEncoding(list, codecs, chunkShape.length) }
}

interface Extension {
  readonly node: JsonNode
  readonly name: JsonNode
  readonly configuration: JsonNode
}

/** A codec is an object with a name, or where it needs no configuration the name alone. */
function readExtension(node: JsonNode): Extension {
  if (typeof node.value === 'string') return { node, name: node, configuration: emptyLike(node) }
  const configuration = node.member('configuration')
  const name = node.member('name')
  name.string()
  return { node, name, configuration: configuration.isMissing ? emptyLike(configuration) : configuration }
}

function emptyLike(node: JsonNode): JsonNode {
  return node.with({})
}

function readEncoding(list: JsonNode, codecs: readonly Extension[], rank: number): Encoding {
  const rest = [...codecs]
  const order = rest.at(0)?.name.value === 'transpose' ? readOrder(rest.shift()!, rank) : undefined
  const toBytes = rest.shift()
  if (toBytes?.name.value !== 'bytes')
    throw (toBytes?.name ?? list).unexpected(
      'transpose, if any, then bytes, then any of gzip, zstd, blosc and crc32c; or sharding_indexed alone',
    )
  const endian = toBytes.configuration.member('endian').oneOf('little', 'big')
  const bytes = rest.map(readByteCodec)
  // numcodecs 0.3.2 does not look whether c-blosc could decode: what comes then are numbers of another chunk, or any others.
  const blosc = bytes.findLastIndex(({ name }) => name === 'blosc')
  if (blosc >= 0 && !bytes.slice(blosc).some(({ name }) => name === 'crc32c'))
    throw list.unexpected('with crc32c after blosc, whose decoder does not tell damage')
  return { endian, order, bytes }
}

function readByteCodec({ name, configuration }: Extension): ByteCodec {
  configuration.keys() // an object it must be
  return {
    name: name.oneOf('gzip', 'zstd', 'blosc', 'crc32c'),
    configuration: configuration.value as Record<string, unknown>,
  }
}

function readOrder({ configuration }: Extension, rank: number): readonly number[] | undefined {
  const order = configuration.member('order')
  const axes = order.integers(0)
  if (axes.length !== rank || ![...axes].sort().every((axis, k) => axis === k))
    throw order.unexpected(`the axes 0 to ${rank - 1}, each once`)
  return axes.every((axis, k) => axis === k) ? undefined : axes
}

function readSharding(configuration: JsonNode, outer: readonly number[]): Sharding {
  const shape = configuration.member('chunk_shape')
  const chunkShape = shape.integers(1)
  if (chunkShape.length !== outer.length || !outer.every((d, k) => d % chunkShape[k] === 0))
    throw shape.unexpected(`numbers that divide the chunk's shape (${outer.join(', ')})`)
  const inner = readCodecs(configuration.member('codecs'), chunkShape)
  if ('sharding' in inner) throw configuration.member('codecs').unexpected('without sharding_indexed')
  const location = configuration.member('index_location')
  return {
    chunkShape,
    encoding: inner.encoding,
    ...readIndexCodecs(configuration.member('index_codecs')),
    indexLocation: location.isMissing ? 'end' : location.oneOf('start', 'end'),
  }
}

function readIndexCodecs(list: JsonNode): Pick<Sharding, 'indexEndian' | 'indexHasChecksum'> {
  const [toBytes, checksum, ...rest] = list.items().map(readExtension)
  if (toBytes?.name.value !== 'bytes' || rest.length > 0 || (checksum && checksum.name.value !== 'crc32c'))
    throw list.unexpected('bytes, and crc32c or nothing after it')
  return {
    indexEndian: toBytes.configuration.member('endian').oneOf('little', 'big'),
    indexHasChecksum: checksum !== undefined,
  }
}
