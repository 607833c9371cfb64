import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { components, type DType, type NDArray } from '../../lib/ndarray.ts'
import { numberBytes } from './npy-files.ts'

/** A zarr.json put together by hand from the specification, sharing no code with lib/zarr. */
export function zarrJson(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: [3, 2, 2],
    data_type: 'float64',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [2, 2, 2] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
    attributes: {},
    ...fields,
  }
}

/** Writes a folder of files: texts, bytes, or objects as JSON. */
export function writeFolder(path: string, files: Record<string, string | Uint8Array | object>): string {
  mkdirSync(path, { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    const isText = typeof content === 'string' || content instanceof Uint8Array
    writeFileSync(join(path, name), isText ? content : JSON.stringify(content))
  }
  return path
}

/** A chunk of matrices from `start` on as the codecs `transpose` and `bytes` have it, with zeros after the last matrix. */
export function chunkBytes(
  { dtype, shape, data }: NDArray,
  start: number,
  length: number,
  { endian = 'LE', order = [0, 1, 2] }: { endian?: 'LE' | 'BE'; order?: readonly number[] } = {},
): Buffer {
  const [count, n] = shape
  const parts = components(dtype)
  const size = dtype === 'float64' || dtype === 'complex128' ? 8 : 4
  const bytes: Buffer[] = []
  const extent = [length, n, n]
  const at = [0, 0, 0]
  // Axis order[0] of the array is the slowest of the bytes.
  for (at[order[0]] = 0; at[order[0]] < extent[order[0]]; at[order[0]]++)
    for (at[order[1]] = 0; at[order[1]] < extent[order[1]]; at[order[1]]++)
      for (at[order[2]] = 0; at[order[2]] < extent[order[2]]; at[order[2]]++)
        for (let part = 0; part < parts; part++) {
          const matrix = start + at[0]
          const place = ((matrix * n + at[1]) * n + at[2]) * parts + part
          bytes.push(numberBytes(matrix < count ? data[place] : 0, size, endian))
        }
  return Buffer.concat(bytes)
}

/** The name of a dtype's fill value of zero. */
export function zeroOf(dtype: DType): unknown {
  return components(dtype) === 2 ? [0, 0] : 0
}
