import { truncateSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DType } from '../lib/ndarray.ts'
import { formatHeader, readHeader } from '../lib/npy/header.ts'
import { NpyError, openNpy, readNpy } from '../lib/npy/index.ts'
import { type HandMade, npyBytes, temporaryFolder, writeHandMade } from './support/npy-files.ts'

const at = temporaryFolder()

/** Reads a hand-made header from memory. */
function read(parts: HandMade, native: 'LE' | 'BE' = 'LE') {
  return readBytes(npyBytes(parts), native)
}

function readBytes(bytes: Uint8Array, native: 'LE' | 'BE' = 'LE', size = bytes.length) {
  return readHeader(
    'A.npy',
    { size, bytes: (position, length) => bytes.subarray(position, position + length) },
    native,
  )
}

const dtypes: [string, DType, number][] = [
  ['f8', 'float64', 8],
  ['f4', 'float32', 4],
  ['c16', 'complex128', 16],
  ['c8', 'complex64', 8],
]

describe('a header', () => {
  it.each([
    [[1, 0], 10],
    [[2, 0], 12],
    [[3, 0], 12],
  ] as const)('of version %j is read', (version, prefix) => {
    const header = read({
      version,
      descr: '>f8',
      fortranOrder: true,
      shape: [2, 3],
      data: new Uint8Array(48),
    })
    expect(header).toEqual({
      dtype: 'float64',
      endianness: 'BE',
      fortranOrder: true,
      shape: [2, 3],
      dataOffset: prefix + 118,
    })
  })

  it.each(dtypes)(
    'of dtype %s in every byte order is read, "=", "|" and none being the machine’s',
    (code, dtype, size) => {
      const data = new Uint8Array(size)
      for (const native of ['LE', 'BE'] as const) {
        const orders = { '<': 'LE', '>': 'BE', '=': native, '|': native, '': native }
        for (const [sign, endianness] of Object.entries(orders))
          expect(read({ descr: sign + code, shape: [1], data }, native)).toMatchObject({ dtype, endianness })
      }
    },
  )

  it('may have its keys in any order, double quotes, blanks, no last commas, and the long integers of Python 2', () => {
    const text = '  {"shape":(2L,3L),\n "descr" : "<f8" ,"fortran_order":False}\n'
    expect(read({ text, data: new Uint8Array(48) })).toMatchObject({ shape: [2, 3], fortranOrder: false })
  })

  it('longer than 65535 bytes is read in version 2.0', () => {
    const text = "{'descr': '<f8', 'fortran_order': False, 'shape': (), }".padEnd(70_000)
    expect(read({ version: [2, 0], text, data: new Uint8Array(8) }).dataOffset).toBe(70_012)
  })

  it('written for any shape is read back, aligned to 64 bytes', () => {
    const anyShape = fc.oneof(
      fc.array(fc.nat(2 ** 20), { maxLength: 2 }),
      fc.array(fc.nat(2), { maxLength: 40 }),
      fc.array(fc.nat(1), { minLength: 41, maxLength: 64 }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...dtypes), anyShape, ([, dtype, size], shape) => {
        const header = formatHeader(dtype, shape)
        expect(header.length % 64).toBe(0)
        const elements = shape.filter((d) => d > 0).reduce((product, d) => product * d, 1)
        const bytes = shape.includes(0) ? 0 : elements * size
        const found = readBytes(header, 'BE', header.length + bytes)
        expect(found).toEqual({
          dtype,
          endianness: 'LE',
          fortranOrder: false,
          shape,
          dataOffset: header.length,
        })
      }),
    )
  })

  it('of any bytes at all gives a header or an NpyError, nothing else', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'binary-ascii', maxLength: 80 }).map((text) => npyBytes({ text })),
      fc.tuple(fc.nat(127), fc.nat(255)).map(([place, byte]) => {
        const damaged = npyBytes({ shape: [1], data: new Uint8Array(8) })
        damaged[place] = byte
        return damaged
      }),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          readBytes(input)
        } catch (error) {
          expect(error).toBeInstanceOf(NpyError)
          expect((error as NpyError).message).toMatch(/^A\.npy: /)
        }
      }),
      { numRuns: 500 },
    )
  })
})

const dictionary = (shape: string) => `{'descr': '<f8', 'fortran_order': False, 'shape': ${shape}, }`
const descr = (value: string) => `{'descr': ${value}, 'fortran_order': False, 'shape': (1,), }`

describe('a wrong header is refused with what was expected and what came:', () => {
  it.each<[string, HandMade, RegExp]>([
    ['an unknown version', { version: [4, 0] }, /expected .npy version 1.0, 2.0 or 3.0, got 4.0/],
    ['version 1.1', { version: [1, 1] }, /got 1.1/],
    [
      'a header longer than the file',
      { headerLength: 60_000 },
      /header should end at byte 60010, but the file has 128/,
    ],
    [
      'a header of 4 GiB',
      { version: [2, 0], headerLength: 0xffffffff },
      /header should end at byte 4294967307/,
    ],
    [
      'invalid UTF-8',
      { version: [3, 0], text: '', headerLength: 1, data: Uint8Array.of(0xff) },
      /not valid UTF-8/,
    ],
    ['no dictionary', { text: '[1, 2]' }, /expected '{' at character 0, got "\[1, 2\]"/],
    ['an empty header', { text: '' }, /expected '{' at character 0, got its end/],
    ['an unclosed dictionary', { text: "{'descr': '<f8'" }, /expected '}' at character 15, got its end/],
    [
      'text after the dictionary',
      { text: `${dictionary('(0,)')} x` },
      /expected nothing after the dictionary/,
    ],
    ['an expression', { text: dictionary('(1+1,)') }, /expected ',' or '\)' at character/],
    ['a call', { text: dictionary('tuple()') }, /expected a string, True, False, a number/],
    ['an escape', { text: descr("'<f\\x38'") }, /expected a string/],
    ['deep nesting', { text: dictionary('('.repeat(1000)) }, /nested more than 16 deep/],
    ['a key given twice', { text: "{'shape': (), 'shape': ()}" }, /key 'shape' comes twice/],
    ['a key that is a number', { text: '{1: 2}' }, /a key must be a string, got 1/],
    [
      'a missing key',
      { text: "{'descr': '<f8', 'shape': ()}" },
      /keys descr, fortran_order and shape, got descr, shape/,
    ],
    ['no key', { text: '{}' }, /got none/],
    ['an unknown key', { text: "{'descr': '<f8', 'fortran_order': True, 'shape': (), 'x': 1}" }, /shape, x/],
    [
      'an order that is no truth value',
      { text: "{'descr': '<f8', 'fortran_order': 1, 'shape': ()}" },
      /True or False, got 1/,
    ],
    ['a shape that is a number', { text: dictionary('(3)') }, /shape must be a tuple of integers, got 3/],
    ['a shape that is a list', { text: dictionary('[3]') }, /shape must be a tuple of integers, got \[3\]/],
    ['a negative dimension', { text: dictionary('(-1, 2)') }, /non-negative integers, got \(-1, 2\)/],
    ['a fraction', { text: dictionary('(1.5,)') }, /non-negative integers, got \(1.5,\)/],
    ['an exponent', { text: dictionary('(1e3,)') }, /non-negative integers, got \(1e3,\)/],
    ['a hexadecimal', { text: dictionary('(0x3,)') }, /non-negative integers/],
    ['a string in the shape', { text: dictionary("('3',)") }, /non-negative integers/],
    ['a dimension above 2^53', { text: dictionary('(9007199254740992,)') }, /integers below 2\^53/],
    ['a dimension of 400 digits', { text: dictionary(`(${'9'.repeat(400)},)`) }, /integers below 2\^53/],
    [
      'an overflowing product',
      { text: dictionary('(4294967296, 4294967296)') },
      /overflows: expected less than 2\^53/,
    ],
    ['an overflow behind a zero', { text: dictionary('(0, 4294967296, 4294967296)') }, /overflows/],
    ['65 dimensions', { shape: new Array(65).fill(1) }, /at most 64 entries, got 65/],
    ['integers', { descr: '<i8' }, /has dtype '<i8', which cannot be read; expected f8, f4, c16 or c8/],
    ['Python objects', { descr: '|O' }, /holds Python objects \(dtype '\|O'\), which are never read/],
    [
      'a structured type',
      { text: descr("[('a', '<f8'), ('b', '<f8')]") },
      /dtype \[\('a', '<f8'\), \('b', '<f8'\)\]/,
    ],
    ['long doubles', { descr: '<f16' }, /has dtype '<f16'/],
    ['a repeated sign', { descr: '<<f8' }, /has dtype '<<f8'/],
  ])('%s', (_, parts, message) => {
    expect(() => read(parts)).toThrow(message)
    expect(() => read(parts)).toThrow(NpyError)
  })
})

describe('a file that does not hold what its header says', () => {
  it('is refused by its name where it ends early, at every length', () => {
    const whole = npyBytes({ shape: [2, 1], data: new Uint8Array(16) })
    const path = at('cut.npy')
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole)
      truncateSync(path, length)
      expect(() => readNpy(path)).toThrow(
        length < 6 ? /cut\.npy: is not a \.npy file/ : /cut\.npy: is truncated/,
      )
    }
  })

  it('is refused before any memory is taken for its elements, with both sizes', () => {
    const shape = [2 ** 20, 2 ** 12, 2 ** 12]
    const path = writeHandMade(at('lying.npy'), { shape, data: new Uint8Array(8) })
    const before = process.memoryUsage().arrayBuffers
    expect(() => openNpy(path)).toThrow(
      /lying\.npy: is truncated: shape \(1048576, 4096, 4096\) of float64 needs 140737488355328 bytes, but 8 follow/,
    )
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  })

  it('is refused where anything comes after the array', () => {
    const path = writeHandMade(at('long.npy'), { shape: [1], data: new Uint8Array(9) })
    expect(() => readNpy(path)).toThrow(
      /needs 8 bytes, but 9 follow the header: nothing may come after the array/,
    )
    expect(() => readNpy(writeHandMade(at('long0.npy'), { data: new Uint8Array(1) }))).toThrow(
      /needs 0 bytes, but 1/,
    )
  })

  it('is refused where it is no .npy file or no file', () => {
    writeFileSync(at('text.npy'), 'row,column\n1,2\n')
    expect(() => readNpy(at('text.npy'))).toThrow(/text\.npy: is not a \.npy file: expected its first bytes/)
    expect(() => readNpy(at('.'))).toThrow(/is not a regular file/)
    expect(() => readNpy(at('absent.npy'))).toThrow(/ENOENT/)
  })
})
