import { npyBytes } from '../support/npy-files.ts'
import type { Random } from './random.ts'

const descriptions = ['<f8', '>f8', '=f8', 'f8', '<f4', '>f4', '<c16', '>c16', '<c8', '>c8']
const wrong = [
  '<i8',
  '|O',
  'O',
  '<f2',
  '<f16',
  '|S4',
  '',
  '<f8,',
  '<>f8',
  'f8f8',
  "f8'",
  '[(a, f8)]',
  '<c32',
  '|b1',
]
const dimensions = [
  '-1',
  '1.5',
  '1e3',
  '0x2',
  '2L',
  '007',
  '9007199254740993',
  '1048576',
  '4294967297',
  'None',
  '"2"',
]

const sizeOf = (descr: string): number =>
  ({ f8: 8, f4: 4, c16: 16, c8: 8 })[descr.replace(/^[<>=|]/, '')] ?? 8

function header(descr: string, fortran: string, shape: string): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`
}

const tuple = (entries: readonly (string | number)[]): string => `(${entries.map((d) => `${d},`).join(' ')})`

/** A file that is right: of small square matrices, mostly. */
function right(random: Random): Buffer {
  const shape = Array.from({ length: random.integer(0, 3) }, () => random.integer(0, 3))
  const n = random.integer(0, 4)
  if (random.chance(0.8)) shape.push(n, n)
  const descr = random.pick(descriptions)
  const data = Buffer.alloc(shape.reduce((a, b) => a * b, 1) * sizeOf(descr))
  for (let k = 0; k < data.length; k++) data[k] = random.integer(0, 255)
  const version = [random.integer(1, 3), 0] as const
  return npyBytes({ version, text: header(descr, random.pick(['True', 'False']), tuple(shape)), data })
}

/** A header of which something is not so, before some bytes. */
function lying(random: Random): Buffer {
  const shape: (string | number)[] = [2, 3, 3]
  const size = { descr: '<f8', fortran: 'False', data: 144 }
  let text: string | undefined
  let headerLength: number | undefined
  switch (random.integer(0, 8)) {
    case 0:
      shape[random.integer(0, 2)] = random.pick(dimensions)
      break
    case 1:
      shape.push(...Array.from({ length: random.integer(1, 80) }, () => random.pick([0, 1, 2, 2 ** 31])))
      break
    case 2:
      size.descr = random.pick(wrong)
      break
    case 3:
      size.fortran = random.pick(['true', '1', 'None', "'True'", '(True)', 'Truely'])
      break
    case 4:
      headerLength = random.pick([0, 1, 9, 50, 200, 4096, 65535])
      break
    case 5:
      text = '('.repeat(random.pick([10, 100, 60000]))
      break
    case 6:
      text = `{${"'a': 1, ".repeat(random.integer(0, 50))}`
      break
    case 7:
      size.data = random.integer(0, 300)
      break
    default:
      text = header(
        size.descr,
        size.fortran,
        random.pick(['3', '(3)', '[2, 3, 3]', '()', '(,)', '(2 3 3)', '(2,,3)']),
      )
  }
  const data = Buffer.alloc(size.data, 1)
  const version = [random.pick([1, 1, 2, 3, 0, 4, 255]), random.pick([0, 0, 0, 1])] as const
  text ??= header(size.descr, size.fortran, tuple(shape))
  return npyBytes({ version, text, data, ...(headerLength === undefined ? {} : { headerLength }) })
}

/** Bytes changed, gone, or come. */
function damaged(random: Random): Buffer {
  const bytes = right(random)
  const at = random.integer(0, Math.min(bytes.length - 1, random.chance(0.8) ? 140 : bytes.length - 1))
  switch (random.integer(0, 4)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      bytes[at] ^= 1 << random.integer(0, 7)
      return bytes
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.integer(1, 9))])
    case 3:
      return Buffer.concat([bytes, Buffer.alloc(random.integer(1, 40))])
    default:
      bytes[at] = random.integer(0, 255)
      return bytes
  }
}

/** The bytes of what may be a .npy file. */
export function maybeNpy(random: Random): Buffer {
  return random.pick([right, lying, damaged, damaged])(random)
}

/** What a file holds that is certainly right; undefined where this has no opinion. Shares nothing with lib/npy. */
export function decode(bytes: Buffer): { shape: number[]; numbers: number[] } | undefined {
  const wide = bytes[6] === 1 ? 2 : 4
  if (bytes.length < 8 + wide || ![1, 2, 3].includes(bytes[6]) || bytes[7] !== 0) return undefined
  const start = 8 + wide + bytes.readUIntLE(8, wide)
  const pattern =
    /^\{'descr': '([<>]?)([fc])(4|8|16)', 'fortran_order': (True|False), 'shape': \(((?:(?:0|[1-9]\d?), ?)*)\), \}\n$/
  const found = pattern.exec(bytes.toString('latin1', 8 + wide, start))
  if (!found || bytes.toString('latin1', 0, 6) !== '\x93NUMPY') return undefined
  const [, order, kind, digits, fortran, list] = found
  const parts = kind === 'c' ? 2 : 1
  const size = Number(digits) / parts
  if (size !== 4 && size !== 8) return undefined
  const shape = list.split(',').slice(0, -1).map(Number)
  const count = shape.reduce((a, b) => a * b, 1)
  if (bytes.length !== start + count * parts * size) return undefined
  const numbers: number[] = []
  for (let k = 0; k < count; k++)
    for (let part = 0; part < parts; part++) {
      const at = start + ((fortran === 'True' ? fortranPlace(k, shape) : k) * parts + part) * size
      const name = size === 8 ? ('Double' as const) : ('Float' as const)
      numbers.push(order === '>' ? bytes[`read${name}BE`](at) : bytes[`read${name}LE`](at))
    }
  return { shape, numbers }
}

function fortranPlace(rowMajor: number, shape: readonly number[]): number {
  let rest = rowMajor
  const index = shape.map(() => 0)
  for (let k = shape.length - 1; k >= 0; k--) {
    index[k] = rest % shape[k]
    rest = Math.floor(rest / shape[k])
  }
  let place = 0
  for (let k = shape.length - 1; k >= 0; k--) place = place * shape[k] + index[k]
  return place
}
