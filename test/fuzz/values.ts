import type { Random } from './random.ts'

/** What the fuzzer's own getters throw: it has to come out of a call as it went in. */
export class Thrown extends Error {}

export function thrower(): never {
  throw new Thrown('of the fuzzer')
}

/** Numbers that are no good size, and some that are. */
export const numbers: readonly unknown[] = [
  ...[
    -1,
    -0,
    0,
    1,
    2,
    3,
    0.5,
    1.5,
    -2.5,
    1e-300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 32 + 2, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64, 1e300],
  ...[46340, 46341, 65536, -(2 ** 31), -(2 ** 53), 255, 256, 257, 1023, 1024],
]

const things: readonly ((random: Random) => unknown)[] = [
  () => undefined,
  () => null,
  () => true,
  () => '2',
  () => '',
  () => 'float64',
  () => 'complex128',
  () => 'column-major',
  () => 2n,
  () => Symbol('s'),
  () => ({}),
  () => [],
  () => [[]],
  () => [[], []],
  () => [1],
  () => [[1]],
  () => [[1, 2], [3]],
  () => [
    [1, { re: 1 }],
    [null, 3],
  ],
  () => Object.create(null),
  () => () => 2,
  () => class {},
  () => new Date(0),
  () => /x/,
  () => new Map(),
  () => new Number(2),
  () => new String('float64'),
  () => new Boolean(true),
  () => Promise.resolve(),
  () => new Error('e'),
  () => ({ valueOf: () => 2 }),
  () => ({ [Symbol.toPrimitive]: () => 2 }),
  () => ({ [Symbol.toPrimitive]: thrower, toString: thrower, valueOf: thrower }),
  () => ({ toString: () => 'float64' }),
  () => ({ length: 2, 0: 2, 1: 2 }),
  () => ({ length: -1 }),
  () => ({ length: 0.5, 0: 2 }),
  () => ({ length: Number.NaN }),
  () => ({ length: 1e9 }),
  () => ({ constructor: { name: Symbol('n') } }),
  () => ({ constructor: null }),
  () => ({ constructor: { name: 'Complex128Array' }, buffer: 4, byteOffset: 0, length: 1 }),
  () => ({ constructor: { name: 'Complex64Array' }, buffer: endless(), byteOffset: 0, length: 1 }),
  () => ({
    constructor: { name: 'Complex128Array' },
    buffer: new ArrayBuffer(64),
    byteOffset: { valueOf: thrower },
    length: 4,
  }),
  () => ({
    constructor: { name: 'Complex128Array' },
    buffer: new ArrayBuffer(64),
    byteOffset: 3,
    length: 1e9,
  }),
  () => new ArrayBuffer(32),
  () => new SharedArrayBuffer(32),
  () => new DataView(new ArrayBuffer(32)),
  () => new Uint8Array(4),
  () => new Int32Array([2, 2]),
  () => new BigInt64Array(4),
  () => new Float64Array(0),
  () => new Float64Array(3),
  () => new Float64Array(4),
  () => new Float32Array(4),
  () => new Float64Array(9),
  () => Buffer.alloc(32),
  () => new Array(4),
  () => new Array(1e9),
  () => cyclic(),
  () => deep(80),
  () => doubled(44),
  () => revoked(),
  () => new Proxy([], { get: thrower }),
  () => new Proxy({}, { get: thrower, ownKeys: thrower, has: thrower, getPrototypeOf: thrower }),
  () => new Proxy(new Float64Array(4), {}),
  () => endless(),
  () => Object.assign([2, 2], { [Symbol.iterator]: endless()[Symbol.iterator] }),
]

/** Anything but what is asked for. */
export function anything(random: Random): unknown {
  return random.chance(0.4) ? random.pick(numbers) : random.pick(things)(random)
}

/** Never ends when it is iterated over. */
function endless() {
  return {
    length: 2,
    0: 2,
    1: 2,
    *[Symbol.iterator]() {
      for (;;) yield 2
    },
  }
}

function cyclic(): unknown {
  const A: unknown[][] = [
    [1, 2],
    [3, 4],
  ]
  A[1][1] = A
  return A
}

function deep(levels: number): unknown {
  let A: unknown = 1
  for (let k = 0; k < levels; k++) A = [A]
  return A
}

/** 2^levels numbers in little memory. */
function doubled(levels: number): unknown {
  let A: unknown = 1
  for (let k = 0; k < levels; k++) A = [A, A]
  return A
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  return proxy
}
