import type * as Zarrita from 'zarrita'
import { rangeError } from '../errors.ts'
import { components, type DType, storageOf } from '../ndarray.ts'
import type { ByteCodec, Encoding } from './codecs.ts'
import { ZarrError } from './error.ts'

/** As much of zarrita as decodes: what a chunk that is not plain needs. */
export interface Decoder {
  /** Undoes a codec that zarrita has and Node has not. */
  bytes(codec: ByteCodec, bytes: Uint8Array): Promise<Uint8Array>
  /** The numbers of a chunk of this shape, and the strides, in numbers, that its axes have. Where it can it is a view of `bytes`. */
  numbers(dtype: DType, shape: readonly number[], encoding: Encoding, bytes: Uint8Array): Promise<Numbers>
}

/** Numbers as they lie, in either precision; of complex elements the real and imaginary parts are neighbours. */
export interface Numbers {
  readonly data: Float64Array | Float32Array
  /** Of each axis of the array, without that of real and imaginary part. */
  readonly strides: readonly number[]
}

/**
 * Loads zarrita, which need not be installed.
 * Errors: ZarrError that says how to install it.
 */
export async function loadDecoder(path: string): Promise<Decoder> {
  let zarrita: typeof Zarrita
  try {
    zarrita = await import('zarrita')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const problem = 'its chunks are encoded in a way that needs the package zarrita: npm install zarrita'
    throw new ZarrError(path, problem, { cause: error })
  }
  return {
    async bytes({ name, configuration }, bytes) {
      const Codec = await zarrita.registry.get(name)!()
      // The second argument is for codecs that know of the array.
      const codec = Codec.fromConfig(configuration, undefined as never)
      patience.require()
      try {
        return (await codec.decode(bytes)) as Uint8Array
      } catch (error) {
        patience.lose(error, bytes.length)
        throw error
      }
    },
    async numbers(dtype, shape, encoding, bytes) {
      const array = new zarrita.Array({ get: async () => bytes }, '/', present(dtype, shape, encoding))
      const { data, stride } = await array.getChunk(
        shape.map(() => 0).concat(axisOfParts(dtype).map(() => 0)),
      )
      return { data: data as Float64Array, strides: stride.slice(0, shape.length) }
    },
  }
}

/**
 * numcodecs 0.3.2 gives back neither the stack nor the copy of the bytes that zstd could not decode. After some 1900 such chunks, or
 * 2 GiB of them, nothing is decoded any more; well before that nothing is tried.
 */
class Patience {
  #failures = 0
  #bytes = 0

  /** Errors: ERR_OUT_OF_MEMORY where it has failed too often in this process. */
  require(): void {
    if (this.#failures >= 500 || this.#bytes >= 2 ** 30)
      throw rangeError(
        'ERR_OUT_OF_MEMORY',
        'zstd could not decode so many chunks that it has no memory left in this process',
      )
  }

  lose(error: unknown, bytes: number): void {
    this.#failures += String((error as Error)?.message).includes('zstd codec error')
      ? 1
      : Number.POSITIVE_INFINITY
    this.#bytes += bytes
  }
}

const patience = new Patience()

/** zarrita knows no complex numbers: to it these are pairs of real ones along an axis of their own, the last. */
function axisOfParts(dtype: DType): number[] {
  return components(dtype) === 2 ? [2] : []
}

/** The metadata of an array of one chunk, of numbers zarrita knows. */
function present(
  dtype: DType,
  chunkShape: readonly number[],
  { endian, order }: Encoding,
): Zarrita.ArrayMetadata<'float64' | 'float32'> {
  const shape = [...chunkShape, ...axisOfParts(dtype)]
  const transpose = {
    name: 'transpose',
    configuration: { order: [...(order ?? []), ...axisOfParts(dtype).map(() => chunkShape.length)] },
  }
  return {
    zarr_format: 3,
    node_type: 'array',
    shape,
    data_type: storageOf(dtype) === Float64Array ? 'float64' : 'float32',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: shape } },
    chunk_key_encoding: { name: 'default' },
    codecs: [...(order ? [transpose] : []), { name: 'bytes', configuration: { endian } }],
    fill_value: 0,
    attributes: {},
  }
}
