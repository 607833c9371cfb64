import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { derivativeCall, expmCall, readDerivativeOut, runNow } from '../lib/call.ts'
import { readOnce } from '../lib/fields.ts'
import { expm, expmJVP, expmVJP } from '../lib/index.ts'
import type { MatrixInput } from '../lib/input.ts'
import { components, type DType, type NDArray, storageOf } from '../lib/ndarray.ts'
import { expmOfOne } from '../lib/one.ts'
import { computeOptionNames, readSettings } from '../lib/options.ts'
import { bitsOf } from './support/bits.ts'
import { dtypes, randomArray } from './support/dtypes.ts'

// One small matrix in a common form goes a shorter way than all else (lib/one.ts). Here both ways are gone, and nobody may
// be able to tell which.

const names = ['out', ...computeOptionNames]

interface Ways {
  readonly expm: (A: unknown, options: object) => unknown
  readonly jvp: (A: unknown, E: unknown, options: object) => unknown
  readonly vjp: (A: unknown, W: unknown, options: object) => unknown
}

const ours = { expm, jvp: expmJVP, vjp: expmVJP } as unknown as Ways

const read = (input: unknown) => readOnce(input) as MatrixInput

const derivative = (operation: 'jvp' | 'vjp') => (A: unknown, direction: unknown, options: object) => {
  const settings = readSettings<object>(options, names)
  const out = readDerivativeOut(operation, settings.out)
  const call = derivativeCall(operation, read(A), read(direction), settings, out)
  const { value, result } = runNow(call)
  return operation === 'jvp' ? { value, tangent: result } : { value, cotangent: result }
}

/** The calls by the way that takes every form. */
const general: Ways = {
  expm: (A, options) => {
    const settings = readSettings<unknown>(options, names)
    const a = read(A)
    return runNow(expmCall(a, settings, readOnce(settings.out)))
  },
  jvp: derivative('jvp'),
  vjp: derivative('vjp'),
}

/** What a call does: its result or its error, and what all arrays that it was given hold then. */
function outcome(call: () => unknown, memory: readonly unknown[]): unknown {
  let came: unknown
  try {
    came = { result: call() }
  } catch (error) {
    const { name, code, message, failures } = error as Error & { code?: string; failures?: unknown }
    came = { name, code, message, failures }
  }
  return bitsOf([came, memory])
}

type Numbers = Float64Array | Float32Array
type NumbersOver = new (buffer: ArrayBufferLike) => Numbers
/** Typed by hand: newer than the library that types are checked against. */
type Resizable = ArrayBuffer & { resize(bytes: number): void }

const detach = (data: Numbers) => {
  if (data.buffer.byteLength > 0) structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] })
  return data
}
const forged = (data: Numbers, property: string, value: unknown) =>
  Object.defineProperty(data, property, { value })

/** The same numbers over a buffer that then becomes so many bytes longer. */
function resizable(data: Numbers, bytes: number): Numbers & { readonly buffer: Resizable } {
  const ResizableBuffer = ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable
  const buffer = new ResizableBuffer(data.byteLength, { maxByteLength: data.byteLength + 64 })
  const view = over(data, buffer)
  buffer.resize(Math.max(0, data.byteLength + bytes))
  return view as Numbers & { readonly buffer: Resizable }
}

function over(data: Numbers, buffer: ArrayBufferLike): Numbers {
  const view = new (data.constructor as NumbersOver)(buffer)
  view.set(data)
  return view
}

/** A shape that does something when it is read. */
function shapeThat(does: () => void, { shape }: NDArray): number[] {
  const get = () => {
    does()
    return shape[1]
  }
  return Object.defineProperty([...shape], 1, { get })
}

class Own extends Float64Array {}

/** Ways to give an array, of which the first ones are common and the others anything that somebody might do. */
const forms: Record<string, (x: NDArray) => unknown> = {
  bare: ({ data }) => data,
  'data and shape': ({ data, shape }) => ({ data, shape }),
  'with dtype': ({ data, shape, dtype }) => ({ data, shape, dtype }),
  NDArray: (x) => x,
  'order C': ({ data, shape, dtype }) => ({ data, shape, dtype, order: 'C' }),
  'order F': ({ data, shape, dtype }) => ({ data, shape, dtype, order: 'F' }),
  'unknown order': ({ data, shape, dtype }) => ({ data, shape, dtype, order: 1 }),
  'scijs names': ({ data, shape, dtype, strides }) => ({
    data,
    shape,
    dtype,
    stride: strides,
    order: [0, 1],
  }),
  transposed: (x) => ({ ...x, strides: [...x.strides].reverse() }),
  'wrong strides': (x) => ({ ...x, strides: [1] }),
  'null for what may be missing': ({ data, shape, dtype }) => ({
    data,
    shape,
    dtype,
    strides: null,
    offset: null,
  }),
  'null dtype': (x) => ({ ...x, dtype: null }),
  'another dtype': (x) => ({ ...x, dtype: x.dtype === 'float64' ? 'complex128' : 'float64' }),
  'a dtype of the prototype': (x) => ({ ...x, dtype: '__proto__' }),
  'an offset too large': (x) => ({ ...x, offset: 1 }),
  'offset in storage': ({ data, shape, dtype }) => ({ data, shape, dtype, storage: { offset: 0 } }),
  'a stack of one': (x) => ({ ...x, shape: [1, ...x.shape], strides: [0, ...x.strides] }),
  'shape as a typed array': (x) => ({ ...x, shape: Int32Array.from(x.shape) }),
  'a shape of text': (x) => ({ ...x, shape: x.shape.map(String) }),
  'a shape that is no square': (x) => ({ ...x, shape: [x.shape[0], x.shape[1] + 1] }),
  'a smaller shape': (x) => ({ ...x, shape: x.shape.map((d) => d - 1) }),
  nested: (x) =>
    Array.from({ length: x.shape[0] }, (_, i) =>
      Array.from(x.data.subarray(i * x.shape[0], (i + 1) * x.shape[0])),
    ),
  'plain data': (x) => ({ ...x, data: Array.from(x.data) }),
  'data of the other precision': (x) => ({
    ...x,
    data: (x.data instanceof Float64Array ? Float32Array : Float64Array).from(x.data),
  }),
  integers: (x) => ({ ...x, data: new Int32Array(x.data.length) }),
  'bare integers': (x) => new Int32Array(x.data.length),
  'a DataView': (x) => new DataView(x.data.buffer),
  'too little data': (x) => ({ ...x, data: x.data.subarray(1) }),
  'too little bare data': ({ data }) => data.subarray(1),
  'more data': (x) => ({ dtype: x.dtype, shape: x.shape, data: new (storageOf(x.dtype))(x.data.length + 1) }),
  'another realm': ({ data, ...x }) => ({
    ...x,
    data: runInNewContext(`${data.constructor.name}.from(data)`, { data }),
  }),
  'a subclass': ({ data }) => Own.from(data),
  shared: ({ data }) => over(data, new SharedArrayBuffer(data.byteLength)),
  grown: ({ data }) => resizable(data, 8),
  shrunk: ({ data }) => resizable(data, -8),
  detached: ({ data }) => detach(data.slice()),
  'detached in an object': (x) => ({ ...x, data: detach(x.data.slice()) }),
  'a forged tag': ({ data }) => forged(data.slice(), Symbol.toStringTag as never, 'Float32Array'),
  'a forged size': ({ data }) => forged(data.slice(), 'BYTES_PER_ELEMENT', 4),
  'an object with the prototype': () => Object.create(Float64Array.prototype),
  getters: (x) =>
    Object.defineProperties({}, Object.fromEntries(Object.entries(x).map(([k, v]) => [k, { get: () => v }]))),
  'a proxy': (x) => new Proxy(x, {}),
  'a proxy of data': (x) => ({ ...x, data: new Proxy(x.data, {}) }),
  'a proxy of a shape': (x) => ({ ...x, shape: new Proxy(x.shape, {}) }),
  'a getter that answers once': (x) => {
    let calls = 0
    return {
      ...x,
      get data() {
        return calls++ === 0 ? x.data : null
      },
    }
  },
  'a shape whose reading detaches': (x) => {
    const data = x.data.slice()
    return { ...x, data, shape: shapeThat(() => detach(data), x) }
  },
  'a shape whose reading shrinks': (x) => {
    const data = resizable(x.data, 0)
    return { ...x, data, shape: shapeThat(() => data.buffer.resize(8), x) }
  },
  'a getter that throws': (x) => ({
    ...x,
    get data() {
      throw new Error('mine')
    },
  }),
  undefined: () => undefined,
  null: () => null,
  'a number': () => 4,
  text: () => 'Float64Array',
}
const common = ['bare', 'data and shape', 'with dtype', 'NDArray', 'order C']

/** Half of the time one of the common forms, so that two or three of them meet often enough. */
const formNames = fc.oneof(fc.constantFrom(...common), fc.constantFrom(...Object.keys(forms)))

const optionValues = fc.record(
  {
    method: fc.constantFrom('auto', 'polynomial', 'pade', undefined, 'x'),
    shift: fc.constantFrom('auto', true, false, undefined, 1),
    balance: fc.constantFrom('auto', true, false, undefined),
    onFailure: fc.constantFrom('throw', 'nan', 'nan', undefined, 'x'),
    threads: fc.constantFrom(1, 2, 0),
    metod: fc.constant('pade'),
  },
  { requiredKeys: [] },
)

/** Any call, by numbers and names alone, so that it can be made twice. */
const calls = fc.record({
  operation: fc.constantFrom('expm' as const, 'jvp' as const, 'vjp' as const),
  dtype: fc.constantFrom(...dtypes),
  outType: fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...dtypes) },
  ),
  n: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 1, max: 5 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 8, 15, 16, 17, 20) },
  ),
  seed: fc.nat(1000),
  special: fc.constantFrom(0, 0, 0, 0, Number.NaN, 1e5),
  A: formNames,
  direction: formNames,
  value: fc.option(formNames, { nil: undefined }),
  result: fc.option(formNames, { nil: undefined }),
  /** Where the arrays begin in one memory, in elements; undefined where each has its own. */
  places: fc.option(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 4, maxLength: 4 }), {
    nil: undefined,
  }),
  options: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: optionValues }),
})
type CallOf<T> = T extends fc.Arbitrary<infer U> ? U : never

/** Makes the call with arrays of its own, one way or the other. */
function make(how: Ways, c: CallOf<typeof calls>): unknown {
  const shape = [c.n, c.n]
  const outType = c.outType ?? c.dtype
  const kinds: DType[] = [c.dtype, c.dtype, outType, outType]
  const all = new ArrayBuffer(16 * (41 + c.n * c.n))
  const arrays = kinds.map((dtype, k) => {
    const own = randomArray(dtype, shape, c.seed + k)
    if (k === 0 && c.special !== 0) own.data[own.data.length - 1] = c.special
    if (!c.places) return own
    const { BYTES_PER_ELEMENT, length } = own.data
    const at = c.places[k] * BYTES_PER_ELEMENT * components(dtype)
    const data = new (storageOf(dtype))(all, at, length) as typeof own.data
    data.set(own.data)
    return { ...own, data }
  })
  const [A, direction, value, result] = [c.A, c.direction, c.value, c.result].map(
    (form, k) => form && forms[form](arrays[k]),
  )
  const written = [...arrays.map(({ data }) => data), new Uint8Array(all)]
  if (c.operation === 'expm') {
    const options = value === undefined ? c.options : { ...c.options, out: value }
    return outcome(() => how.expm(A, options), written)
  }
  const name = c.operation === 'jvp' ? 'tangent' : 'cotangent'
  const out = {
    ...(value === undefined ? {} : { value }),
    ...(result === undefined ? {} : { [name]: result }),
  }
  return outcome(() => how[c.operation as 'jvp'](A, direction, { ...c.options, out }), written)
}

test('no call can tell which way it went: the same bits, the same errors, the same memory', () => {
  fc.assert(
    fc.property(calls, (c) => {
      expect(make(ours, c)).toEqual(make(general, c))
    }),
    { numRuns: 3000, seed: 20261125 },
  )
})

describe.each(dtypes)('in %s', (dtype) => {
  const x = randomArray(dtype, [4, 4], 1)
  const settings = readSettings({}, names)

  test.each(common.filter((form) => components(dtype) === 1 || !['bare', 'data and shape'].includes(form)))(
    'what is given as %s goes the short way',
    (form) => {
      const goes = (y: NDArray, out?: unknown) =>
        expmOfOne(readOnce(forms[form](y)), settings, readOnce(out)) !== undefined
      for (let n = 1; n <= 16; n++) expect(goes(randomArray(dtype, [n, n], n))).toBe(true)
      expect(goes(x, forms[form]({ ...x, data: x.data.slice() } as NDArray))).toBe(true)
      expect(goes(randomArray(dtype, [17, 17], 1))).toBe(false)
    },
  )

  test('an out that has a number in common with A is refused, at whatever distance, and no other is', () => {
    // All numbers alike, so that none of them tells two places apart.
    const parts = components(dtype)
    const memory = new (storageOf(dtype))(48 * parts).fill(0.25)
    const at = (k: number) => ({
      ...x,
      data: memory.subarray(k * parts, (k + 16) * parts) as typeof x.data,
    })
    const expected = bitsOf(expm({ ...x, data: memory.slice(0, 16 * parts) as typeof x.data }))
    for (let k = 0; k <= 32; k++) {
      const call = () => expm(at(16), { out: at(k) })
      if (k === 0 || k === 32) {
        expect(bitsOf(call())).toEqual(expected)
        memory.fill(0.25)
      } else expect(call).toThrow(expect.objectContaining({ code: 'ERR_ALIASED_OUT' }))
    }
  })

  test('each result has memory of its own', () => {
    const y = randomArray(dtype, [4, 4], 2)
    const first = expm(x)
    const before = first.data.slice()
    expect(expm(y).data).not.toEqual(before)
    expect(expmVJP(y, x).value.data).not.toEqual(before)
    expect(first.data).toEqual(before)
    expect(first.data.buffer.byteLength).toBe(first.data.byteLength)
  })
})

test('each property of an array object is read once, and each element of options', () => {
  const reads: Record<string, number> = {}
  const counted = (name: string, object: object) =>
    new Proxy(object, {
      get(target, key, receiver) {
        if (typeof key === 'string') reads[`${name}.${key}`] = (reads[`${name}.${key}`] ?? 0) + 1
        return Reflect.get(target, key, receiver)
      },
    })
  const x = randomArray('float64', [2, 2], 1)
  const place = () => counted('out', { ...x, data: new Float64Array(4) })
  for (const A of [x, { ...x, strides: [1, 2] }]) {
    for (const key of Object.keys(reads)) delete reads[key]
    expm(counted('A', A) as typeof x, counted('options', { out: place() }))
    expmVJP(x, x, counted('options', { out: counted('both', { value: place() }) }))
    const { 'A.data': data, 'A.shape': shape, 'A.strides': strides, 'A.offset': offset } = reads
    expect({ data, shape, strides, offset }).toEqual({ data: 1, shape: 1, strides: 1, offset: 1 })
    // Two calls each.
    expect([reads['options.out'], reads['out.data'], reads['out.shape']]).toEqual([2, 2, 2])
    expect(reads['both.value']).toBe(1)
  }
})

test('an array that lies about its length is taken as what it is', () => {
  const data = randomArray('float64', [4, 4], 1).data
  const lying = Object.defineProperty(data.slice(), 'length', { value: 4 })
  expect(bitsOf(expm(lying))).toEqual(bitsOf(expm(data)))
})
