import {
  allocate,
  components,
  type DType,
  type NDArray,
  ndarray,
  product,
  rowMajorStrides,
  storageOf,
} from '../../lib/ndarray.ts'
import { indices } from '../support/npy-files.ts'
import { type Memory, type Numbers, type Place, type Precision, places } from './memory.ts'
import type { Random } from './random.ts'

export type Fields = Record<string, unknown>

/** A matrix or stack as it is given to a call. */
export interface Operand {
  /** Its elements, contiguous, in memory that no call is given. */
  readonly clean: NDArray
  input: unknown
  /** The memory behind `input`, where it is a typed array. */
  readonly data: Numbers | undefined
  /** `input` itself, where it is an array object of our own. */
  readonly fields: Fields | undefined
  /** `input` itself, where it is nested arrays. */
  readonly nested?: unknown[]
}

/** Random elements, now and then hard or impossible ones. */
export function matrices<D extends DType>(random: Random, dtype: D, shape: readonly number[]): NDArray<D> {
  const data = allocate(dtype, product(shape))
  const size = random.pick([1, 1, 1, 1e-3, 6, 0])
  for (let k = 0; k < data.length; k++) data[k] = random.real(-size, size)
  if (data.length > 0 && random.chance(0.06)) {
    const bad = random.pick([Number.NaN, Number.POSITIVE_INFINITY, 1e5, 3e38, -1e300, 5e-324])
    data[random.integer(0, data.length - 1)] = bad
  }
  return ndarray(dtype, shape, data)
}

/** Strides, in elements, that show every element in a place of its own, and the least offset and length for them. */
export interface Layout {
  readonly strides: number[]
  readonly offset: number
  readonly length: number
}

export function layout(random: Random, shape: readonly number[]): Layout {
  const strides = new Array<number>(shape.length).fill(0)
  let reach = 1
  let offset = random.integer(0, 3)
  const order = random.chance(0.3)
    ? shape.map((_, k) => shape.length - 1 - k)
    : random.shuffled(shape.map((_, k) => k))
  for (const k of order) {
    const step = reach * (random.chance(0.3) ? 2 : 1)
    const isBackwards = random.chance(0.25)
    strides[k] = isBackwards ? -step : step
    const span = step * Math.max(0, shape[k] - 1)
    if (isBackwards) offset += span
    reach += span
  }
  return { strides, offset, length: offset + reach + random.integer(0, 3) }
}

/** The places, in elements, that a view shows, in row-major order. */
export function* elementsOf(
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): Generator<number> {
  for (const index of indices(shape)) yield index.reduce((at, i, k) => at + i * strides[k], offset)
}

type Maker = (random: Random, clean: NDArray, memory: Memory) => Operand | undefined

const kindOf = (dtype: DType) => storageOf(dtype).name as Precision

function contiguousIn(place: Place, random: Random, { dtype, data }: NDArray, memory: Memory): Numbers {
  const given = memory.numbers(random, kindOf(dtype), data.length, place)
  given.set(data)
  return given
}

function ofFields(clean: NDArray, data: Numbers | undefined, fields: Fields): Operand {
  return { clean, data, fields, input: fields }
}

const makers: readonly Maker[] = [
  function bare(random, clean, memory) {
    if (clean.shape.length > 2 || components(clean.dtype) === 2) return undefined
    const data = contiguousIn(random.pick(places), random, clean, memory)
    return { clean, data, fields: undefined, input: data }
  },
  function plain(random, clean, memory) {
    const data = contiguousIn(random.pick(places), random, clean, memory)
    return ofFields(clean, data, { data, shape: [...clean.shape], dtype: clean.dtype })
  },
  function whole(random, clean, memory) {
    const data = contiguousIn(random.pick(places), random, clean, memory)
    return ofFields(clean, data, { ...clean, data })
  },
  function strided(random, clean, memory) {
    const { dtype, shape } = clean
    const { strides, offset, length } = layout(random, shape)
    const c = components(dtype)
    const data = memory.numbers(random, kindOf(dtype), length * c, random.pick(places))
    let from = 0
    for (const at of elementsOf(shape, strides, offset))
      for (let part = 0; part < c; part++) data[at * c + part] = clean.data[from++]
    const named = random.chance(0.5) ? { strides } : { stride: strides }
    const from0 = random.chance(0.5) ? { offset } : { storage: { offset } }
    return ofFields(clean, data, { data, shape: Int32Array.from(shape), dtype, ...named, ...from0 })
  },
  function fortran(random, clean, memory) {
    const { dtype, shape } = clean
    const c = components(dtype)
    const data = memory.numbers(random, kindOf(dtype), clean.data.length, random.pick(places))
    const strides = rowMajorStrides(shape.toReversed()).reverse()
    let from = 0
    for (const at of elementsOf(shape, strides, 0))
      for (let part = 0; part < c; part++) data[at * c + part] = clean.data[from++]
    return ofFields(clean, data, { data, shape: { ...shape, length: shape.length }, dtype, order: 'F' })
  },
  function nested(_, clean) {
    const { dtype, shape, data } = clean
    if (dtype !== 'float64' && dtype !== 'complex128') return undefined
    // [[], []] tells no order.
    if (shape.slice(0, -1).includes(0)) return undefined
    let from = 0
    const leaf = () => (dtype === 'float64' ? data[from++] : { re: data[from++], im: data[from++] })
    const nest = (depth: number): unknown =>
      depth === shape.length ? leaf() : Array.from({ length: shape[depth] }, () => nest(depth + 1))
    const input = nest(0) as unknown[]
    return { clean, data: undefined, fields: undefined, nested: input, input }
  },
  function list(_, clean) {
    const { dtype, shape, data } = clean
    return ofFields(clean, undefined, { data: [...data], shape: [...shape], dtype })
  },
  function complexArray(random, clean, memory) {
    if (components(clean.dtype) === 1) return undefined
    const data = contiguousIn(random.pick(places), random, clean, memory)
    const name = clean.dtype === 'complex128' ? 'Complex128Array' : 'Complex64Array'
    const { buffer, byteOffset } = data
    const numbers = { constructor: { name }, buffer, byteOffset, length: data.length / 2 }
    return ofFields(clean, data, { data: numbers, shape: [...clean.shape] })
  },
]

/** An operand in one of the forms that are accepted. */
export function operand(random: Random, clean: NDArray, memory: Memory): Operand {
  for (;;) {
    const made = random.pick(makers)(random, clean, memory)
    if (made !== undefined) return made
  }
}
