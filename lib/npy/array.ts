import { describe, rangeError, typeError } from '../errors.ts'
import {
  components,
  contiguous,
  type DataOf,
  type DType,
  gather,
  type NDArray,
  ndarray,
  product,
  reach,
  rowMajorStrides,
} from '../ndarray.ts'
import { openNpy } from './reader.ts'
import { createNpy } from './writer.ts'

/**
 * Reads a whole `.npy` file of float64, float32, complex128 or complex64, of any rank, byte order and memory order.
 *
 * @returns the array in C order; of shape [] for a file with a single number.
 * @throws NpyError for a file that is not wholly such an array (the message says what was expected and what came),
 *   before its elements are read and memory is taken for them; errors of the file system as Node has them.
 *
 * @example
 * expm(readNpy('A.npy'))
 */
export function readNpy(path: string): NDArray {
  const reader = openNpy(path)
  try {
    return ndarray(reader.dtype, reader.shape, reader.read())
  } finally {
    reader.close()
  }
}

/** What {@link writeNpy} takes: an {@link NDArray}, or as much of one as is needed. */
export interface NpyArray {
  readonly data: Float64Array | Float32Array
  readonly shape: readonly number[]
  /** Default: float64 or float32 after the kind of `data`. Complex data is interleaved re, im. */
  readonly dtype?: DType
  /** In elements; default: those of C order. */
  readonly strides?: readonly number[]
  /** In elements; default 0. */
  readonly offset?: number
}

/**
 * Writes an array of any rank as a `.npy` file (little-endian, C order), whole or not at all: see NpyWriter.
 *
 * @throws RangeError where shape, strides and offset do not lie within `data`; TypeError for a `data` of the wrong kind
 *   for `dtype`; NpyError where the path is not a regular file; errors of the file system as Node has them.
 *
 * @example
 * writeNpy('Y.npy', expm(readNpy('A.npy')))
 */
export function writeNpy(path: string, array: NpyArray): void {
  if (typeof path !== 'string')
    throw typeError('ERR_INVALID_ARG_TYPE', `path must be a string, got ${describe(path)}`)
  const elements = readRowMajor(array)
  const writer = createNpy(path, elements.dtype, elements.shape)
  try {
    writer.write(elements.data)
    writer.finish()
  } finally {
    writer.discard()
  }
}

function readRowMajor(array: NpyArray): NDArray {
  const { data, shape, offset = 0 } = array
  if (!(data instanceof Float64Array || data instanceof Float32Array))
    throw typeError(
      'ERR_INVALID_ARG_TYPE',
      `array.data must be a Float64Array or a Float32Array, got ${describe(data)}`,
    )
  const dtype = array.dtype ?? (data instanceof Float64Array ? 'float64' : 'float32')
  const strides = array.strides ?? rowMajorStrides(shape)
  const view: NDArray = { dtype, shape, data: data as DataOf<DType>, strides, offset, order: 'row-major' }
  if (product(shape) === 0) return ndarray(dtype, shape, data.subarray(0, 0) as DataOf<DType>)
  const [lowest, highest] = reach(shape, strides, offset)
  const whole = strides.length === shape.length && [offset, ...strides].every(Number.isInteger)
  if (!whole || !(lowest >= 0 && highest < data.length / components(dtype)))
    throw rangeError(
      'ERR_STRIDES',
      `array of shape [${shape}], strides [${strides}] and offset ${offset} does not lie within its ${data.length} numbers`,
    )
  return ndarray(dtype, shape, contiguous(view) ?? gather(view))
}
