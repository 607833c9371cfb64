import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A `.npy` file put together by hand, sharing no code with lib/npy. */
export interface HandMade {
  readonly version?: readonly [number, number]
  /** The whole header text; overrides descr, fortranOrder and shape. */
  readonly text?: string
  readonly descr?: string
  readonly fortranOrder?: boolean
  readonly shape?: readonly number[]
  /** What the length field says; default: the truth. */
  readonly headerLength?: number
  readonly data?: Uint8Array
}

/** The bytes of a hand-made file: float64, C order, shape (0,) and version 1.0 unless said otherwise. */
export function npyBytes(parts: HandMade = {}): Buffer {
  const {
    version = [1, 0],
    descr = '<f8',
    fortranOrder = false,
    shape = [0],
    data = new Uint8Array(0),
  } = parts
  const tuple = `(${shape.map((d) => `${d},`).join(' ')})`
  const order = fortranOrder ? 'True' : 'False'
  const dictionary = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${tuple}, }`
  const text = parts.text ?? `${dictionary.padEnd(117)}\n`
  const body = Buffer.from(text, version[0] === 3 ? 'utf8' : 'latin1')
  const length = Buffer.alloc(version[0] === 1 ? 2 : 4)
  length.writeUIntLE(parts.headerLength ?? body.length, 0, length.length)
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.from(version), length, body, data])
}

/** One number in its bytes. */
export function numberBytes(value: number, size: 4 | 8, order: 'LE' | 'BE'): Buffer {
  const bytes = Buffer.alloc(size)
  if (size === 8) bytes[`writeDouble${order}`](value)
  else bytes[`writeFloat${order}`](value)
  return bytes
}

/** Every index of a shape, in row-major order. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  if (shape.includes(0)) return
  const index = shape.map(() => 0)
  for (;;) {
    yield [...index]
    let k = shape.length - 1
    while (k >= 0 && ++index[k] === shape[k]) index[k--] = 0
    if (k < 0) return
  }
}

/** A folder of this test file's own, gone after its tests; gives the path of a name in it. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'matfun-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return (name) => join(folder, name)
}

/** Writes a hand-made file and returns its path. */
export function writeHandMade(path: string, parts: HandMade = {}): string {
  writeFileSync(path, npyBytes(parts))
  return path
}
