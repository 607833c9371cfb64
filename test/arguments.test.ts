import { describe, expect, test } from 'vitest'
import { expm, expmCond, expmJVP, expmPlan, expmVJP } from '../lib/index.ts'

const ok = [
  [1, 2],
  [3, 4],
]
const zeros = (length: number) => new Float64Array(length)

interface Wrong {
  readonly what: string
  readonly call: () => unknown
  readonly type: typeof TypeError | typeof RangeError
  readonly code: string
  readonly message: RegExp
}

function detached(): Float64Array {
  const data = zeros(4)
  structuredClone(data.buffer, { transfer: [data.buffer] })
  return data
}

function shrunk(): Float64Array {
  // Typed by hand: the option is newer than the library that types are checked against.
  const buffer = new (
    ArrayBuffer as unknown as new (
      length: number,
      options: object,
    ) => ArrayBuffer & {
      resize(length: number): void
    }
  )(32, { maxByteLength: 64 })
  const data = new Float64Array(buffer, 0, 4)
  buffer.resize(16)
  return data
}

/** As much of stdlib's class as is read. */
class Complex128Array {
  readonly buffer: ArrayBufferLike
  readonly byteOffset = 0
  readonly length: number
  constructor(buffer: ArrayBufferLike, length = buffer.byteLength / 16) {
    this.buffer = buffer
    this.length = length
  }
}

const buffer = zeros(12)
const call = (A: unknown, options?: unknown) => expm(A as never, options as never)
const jvp = (A: unknown, E: unknown, options?: unknown) => expmJVP(A as never, E as never, options as never)
const vjp = (A: unknown, W: unknown, options?: unknown) => expmVJP(A as never, W as never, options as never)

const wrong: Wrong[] = [
  // what is no matrix at all
  {
    what: 'nothing',
    call: () => call(undefined),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A must be .*got undefined$/,
  },
  {
    what: 'null',
    call: () => call(null),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /got null$/,
  },
  {
    what: 'a number',
    call: () => call(3),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /got number 3$/,
  },
  {
    what: 'a string',
    call: () => call('abc'),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /got "abc"$/,
  },
  {
    what: 'an object without shape',
    call: () => call({ data: zeros(4) }),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A\.shape must be an array of integers, got undefined/,
  },
  {
    what: 'an object without data',
    call: () => call({ shape: [2, 2] }),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A\.data must be a typed array, got undefined/,
  },
  {
    what: 'text among numbers',
    call: () =>
      call([
        [1, 'x'],
        [2, 3],
      ]),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A\[0\]\[1\] must be a number, got "x"/,
  },
  {
    what: 'text in plain data',
    call: () => call({ data: [1, 2, '3', 4], shape: [2, 2] }),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A\.data\[2\] must be a number/,
  },
  // dtypes
  {
    what: 'integers',
    call: () => call({ data: new Int32Array(4), shape: [2, 2] }),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /got a Int32Array/,
  },
  {
    what: 'a direction of another dtype',
    call: () => jvp(new Float32Array(4), zeros(4)),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /^E must have dtype float32 like A, got float64$/,
  },
  {
    what: 'nested numbers beside float32',
    call: () => vjp(new Float32Array(4), ok),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /^W must have dtype float32 like A, got float64; nested arrays are float64, or complex128 where/,
  },
  {
    what: 'nested complex numbers beside a typed array of real ones',
    call: () => jvp(zeros(1), [[{ re: 1, im: 2 }]]),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /^E must have dtype float64 like A, got complex128; nested arrays are/,
  },
  {
    what: 'a complex number without its imaginary part',
    call: () => call([[{ re: 1 }]]),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A\[0\]\[0\]\.im must be a number, got undefined/,
  },
  {
    what: 'a complex array whose dtype says otherwise',
    call: () => call({ data: new Complex128Array(zeros(2).buffer), shape: [1, 1], dtype: 'complex64' }),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /^A\.data holds complex128, but its dtype is complex64/,
  },
  {
    what: 'a complex array on a detached buffer',
    call: () => call({ data: new Complex128Array(detached().buffer, 1), shape: [1, 1] }),
    type: TypeError,
    code: 'ERR_DETACHED',
    message: /^A\.data is backed by an ArrayBuffer that is detached/,
  },
  {
    what: 'a complex array on no buffer at all',
    call: () => call({ data: new Complex128Array([1, 2] as never, 1), shape: [1, 1] }),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A\.data must be a Complex128Array over an ArrayBuffer/,
  },
  {
    what: 'an unknown dtype',
    call: () => call({ data: zeros(4), shape: [2, 2], dtype: 'int8' }),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /got "int8"/,
  },
  {
    what: 'a dtype that is not its data',
    call: () => call({ data: zeros(4), shape: [2, 2], dtype: 'float32' }),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /must be a Float32Array for dtype float32, got a Float64Array/,
  },
  // shapes
  {
    what: 'a bare array of no square length',
    call: () => call(zeros(5)),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /length must be n\*n, got 5/,
  },
  {
    what: 'a rectangle',
    call: () =>
      call([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /must have shape \[\.\.\., n, n\], got \[2,3\]/,
  },
  {
    what: 'a vector',
    call: () => call([1, 2, 3]),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /got \[3\]/,
  },
  {
    what: 'ragged rows',
    call: () => call([[1, 2], [3]]),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /^A\[1\] must be an array of length 2, got an array of length 1/,
  },
  {
    what: 'a negative dimension',
    call: () => call({ data: zeros(4), shape: [-2, -2] }),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /non-negative integers, got number -2/,
  },
  {
    what: 'a fractional dimension',
    call: () => call({ data: zeros(4), shape: [1.5, 1.5] }),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /got number 1\.5/,
  },
  {
    what: 'a direction of another order',
    call: () => jvp(ok, [[1]]),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /^E must have matrices of order 2 like A, got order 1/,
  },
  {
    what: 'a cotangent of another order',
    call: () => vjp(ok, [[1]]),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /^W must have matrices of order 2/,
  },
  {
    what: 'stacks that do not broadcast',
    call: () => jvp([ok, ok], [ok, ok, ok]),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /E's leading dimensions \[3\] do not broadcast with A's \[2\]/,
  },
  // strides
  {
    what: 'too little data',
    call: () => call({ data: zeros(3), shape: [2, 2] }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /reaches elements 0 to 3, but its data holds 3/,
  },
  {
    what: 'strides beyond the data',
    call: () => call({ data: zeros(4), shape: [2, 2], strides: [3, 2] }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /reaches elements 0 to 5/,
  },
  {
    what: 'strides before the data',
    call: () => call({ data: zeros(4), shape: [2, 2], strides: [-2, 1] }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /reaches elements -2 to 1/,
  },
  {
    what: 'too few strides',
    call: () => call({ data: zeros(4), shape: [2, 2], strides: [1] }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /must have 2 entries/,
  },
  {
    what: 'a fractional stride',
    call: () => call({ data: zeros(4), shape: [2, 2], strides: [1.5, 1] }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /got number 1\.5/,
  },
  {
    what: 'a negative offset',
    call: () => call({ data: zeros(4), shape: [2, 2], offset: -1 }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /^A\.offset must be/,
  },
  {
    what: 'a NaN offset',
    call: () => call({ data: zeros(4), shape: [2, 2], offset: Number.NaN }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /got number NaN/,
  },
  {
    what: 'an unknown order',
    call: () => call({ data: zeros(4), shape: [2, 2], order: 'diagonal' }),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A\.order must be/,
  },
  {
    what: 'a detached buffer',
    call: () => call(detached()),
    type: TypeError,
    code: 'ERR_DETACHED',
    message: /^A is backed by an ArrayBuffer that is detached/,
  },
  {
    what: 'a detached buffer in an object',
    call: () => call({ data: detached(), shape: [2, 2] }),
    type: TypeError,
    code: 'ERR_DETACHED',
    message: /^A\.data is backed by an ArrayBuffer that is detached/,
  },
  // sizes
  {
    what: 'an order beyond 32-bit integers',
    call: () => call({ data: zeros(1), shape: [46341, 46341], strides: [0, 0] }),
    type: RangeError,
    code: 'ERR_TOO_LARGE',
    message: /^A has order 46341/,
  },
  {
    what: 'an empty stack of such orders',
    call: () => call({ data: zeros(0), shape: [0, 46341, 46341] }),
    type: RangeError,
    code: 'ERR_TOO_LARGE',
    message: /order 46341; OpenBLAS's integers reach to 46340/,
  },
  // out
  {
    what: 'an out that is text',
    call: () => call(ok, { out: 'x' }),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^out must be a Float64Array or/,
  },
  {
    what: 'an out of nested arrays',
    call: () =>
      call(ok, {
        out: [
          [0, 0],
          [0, 0],
        ],
      }),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^out must be/,
  },
  {
    what: 'an out too short',
    call: () => call(ok, { out: zeros(3) }),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /out must hold 4 numbers for shape \[2,2\], got 3/,
  },
  {
    what: 'an out of another shape',
    call: () => call(ok, { out: { data: zeros(4), shape: [1, 2, 2] } }),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /out must have shape \[2,2\], got \[1,2,2\]/,
  },
  {
    what: 'an out of another dtype',
    call: () => call(ok, { out: new Float32Array(4) }),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /^out must be a Float64Array for dtype float64/,
  },
  {
    what: 'an out with stride 0',
    call: () => call(ok, { out: { data: zeros(4), shape: [2, 2], strides: [0, 1] } }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /overwrite one another/,
  },
  {
    what: 'an out that is the input',
    call: () => call(buffer.subarray(0, 4), { out: buffer.subarray(0, 4) }),
    type: RangeError,
    code: 'ERR_ALIASED_OUT',
    message: /^out must not overlap A/,
  },
  {
    what: 'an out that overlaps the input by one element',
    call: () => call(buffer.subarray(0, 4), { out: buffer.subarray(3, 7) }),
    type: RangeError,
    code: 'ERR_ALIASED_OUT',
    message: /^out must not overlap A/,
  },
  {
    what: 'an out that overlaps a strided input',
    call: () => call({ data: buffer, shape: [2, 2], strides: [1, 4] }, { out: buffer.subarray(4, 8) }),
    type: RangeError,
    code: 'ERR_ALIASED_OUT',
    message: /^out must not overlap A/,
  },
  {
    what: 'a tangent that overlaps the direction',
    call: () => jvp(ok, buffer.subarray(0, 4), { out: { tangent: buffer.subarray(2, 6) } }),
    type: RangeError,
    code: 'ERR_ALIASED_OUT',
    message: /^out\.tangent must not overlap E/,
  },
  {
    what: 'a cotangent that overlaps the value',
    call: () => vjp(ok, ok, { out: { value: buffer.subarray(0, 4), cotangent: buffer.subarray(2, 6) } }),
    type: RangeError,
    code: 'ERR_ALIASED_OUT',
    message: /^out\.value must not overlap out\.cotangent/,
  },
  {
    what: 'an out whose elements overwrite one another',
    call: () => call(ok, { out: { data: zeros(3), shape: [2, 2], strides: [1, 1] } }),
    type: RangeError,
    code: 'ERR_STRIDES',
    message: /strides \[1,1\] has elements that overwrite one another/,
  },
  {
    what: 'an out whose data is a plain array',
    call: () => call(ok, { out: { data: [0, 0, 0, 0], shape: [2, 2] } }),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^out must be a Float64Array or .*, got one whose data is a plain array/,
  },
  {
    what: 'a buffer shrunk below its view',
    call: () => call(shrunk()),
    type: TypeError,
    code: 'ERR_DETACHED',
    message: /^A is backed by an ArrayBuffer that is detached, or shrunk/,
  },
  {
    what: 'a dtype that cannot be printed',
    call: () => call({ data: zeros(4), shape: [2, 2], dtype: Object.create(null) }),
    type: TypeError,
    code: 'ERR_DTYPE',
    message: /got an object of type unknown/,
  },
  {
    what: 'more matrices than can be counted',
    call: () => call({ data: zeros(0), shape: [2 ** 52, 4, 0, 0] }),
    type: RangeError,
    code: 'ERR_TOO_LARGE',
    message: /more matrices than can be counted/,
  },
  {
    what: 'more data than the shape takes',
    call: () => call({ data: zeros(12), shape: [2, 2, 2] }),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /^A\.data holds 12 numbers, but shape \[2,2,2\] takes 8/,
  },
  {
    what: 'rows that are typed arrays',
    call: () => call([zeros(2), zeros(2)]),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^A\[0\] must be an array or a number, got an object of type Float64Array/,
  },
  // options
  {
    what: 'options that are text',
    call: () => call(ok, 'pade'),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^options must be an object, got "pade"/,
  },
  {
    what: 'null options',
    call: () => call(ok, null),
    type: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: /^options must be an object, got null/,
  },
  {
    what: 'a mistyped option',
    call: () => call(ok, { metod: 'pade' }),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message:
      /options\.metod is not known; expected one of out, method, shift, balance, structure, onFailure, threads$/,
  },
  {
    what: 'a mistyped result',
    call: () => jvp(ok, ok, { out: { cotangent: zeros(4) } }),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message: /options\.out\.cotangent is not known; expected one of value, tangent/,
  },
  {
    what: 'an unknown method',
    call: () => call(ok, { method: 'schur' }),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message: /got "schur"/,
  },
  {
    what: 'a method from the prototype',
    call: () => call(ok, { method: 'toString' }),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message: /options\.method/,
  },
  {
    what: 'an unknown onFailure',
    call: () => call(ok, { onFailure: 'zero' }),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message: /options\.onFailure/,
  },
  {
    what: 'a shift that is a number',
    call: () => call(ok, { shift: 1 }),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message: /^options\.shift must be 'auto', true or false, got number 1$/,
  },
  {
    what: 'a balance that is text',
    call: () => expmPlan(ok, { balance: 'on' as never }),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message: /^options\.balance must be 'auto', true or false, got "on"$/,
  },
  ...[0, -1, 1.5, Number.NaN, 257, '2', null].map((threads) => ({
    what: `${JSON.stringify(threads)} threads`,
    call: () => jvp(ok, ok, { threads }),
    type: RangeError,
    code: 'ERR_INVALID_OPTION',
    message: /^options\.threads must be an integer from 1 to 256, got /,
  })),
  {
    what: 'an out for condition numbers',
    call: () => expmCond(ok, { out: zeros(1) } as never),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message:
      /^options\.out is not known; expected one of method, shift, balance, structure, onFailure, threads$/,
  },
  {
    what: 'a vector to expmCond',
    call: () => expmCond([1, 2]),
    type: RangeError,
    code: 'ERR_SHAPE',
    message: /^A must have shape/,
  },
  {
    what: 'an unknown purpose',
    call: () => expmPlan(ok, { purpose: 'x' as never }),
    type: TypeError,
    code: 'ERR_INVALID_OPTION',
    message: /options\.purpose/,
  },
]

describe('wrong use throws at once', () => {
  test.each(wrong.map((each) => [each.what, each] as const))('%s', (_, { call, type, code, message }) => {
    let error: unknown
    try {
      call()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(type)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

test('wrong use writes nothing into out', () => {
  const value = zeros(4).fill(7)
  expect(() => expmJVP(ok, [[1]], { out: { value } })).toThrow(RangeError)
  expect(value.every((x) => x === 7)).toBe(true)
})
