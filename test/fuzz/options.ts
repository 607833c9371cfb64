import { components, type DType, type NDArray, ndarray, product, storageOf } from '../../lib/ndarray.ts'
import type { ComputeOptions } from '../../lib/options.ts'
import { elementsOf, layout, type Operand } from './forms.ts'
import { bufferOf, detach, type Memory, type Numbers, type Precision, places, resize } from './memory.ts'
import type { Random } from './random.ts'
import { anything, thrower } from './values.ts'

/** Options that are right. */
export function rightOptions(random: Random): ComputeOptions {
  const options: Record<string, unknown> = {}
  if (random.chance(0.15)) options.method = random.pick(['auto', 'polynomial', 'pade'])
  if (random.chance(0.15)) options.shift = random.pick(['auto', true, false])
  if (random.chance(0.15)) options.balance = random.pick(['auto', true, false])
  if (random.chance(0.15)) options.structure = random.pick(['auto', 'general'])
  if (random.chance(0.3)) options.onFailure = random.pick(['throw', 'nan'])
  if (random.chance(0.2)) options.threads = random.integer(1, 4)
  return options
}

const names = [
  ...['method', 'shift', 'balance', 'structure'],
  ...['onFailure', 'threads', 'out', 'purpose', 'signal', 'onProgress'],
]

/** Options that are wrong, most of them. */
export function wrongOptions(
  random: Random,
  options: object,
  operands: readonly Operand[],
  memory: Memory,
): unknown {
  switch (random.integer(0, 5)) {
    case 0:
      return anything(random)
    case 1:
      return { ...options, [random.pick(['thread', 'Method', '', 'constructor', '__proto'])]: 1 }
    case 2:
      return Object.defineProperty({ ...options }, random.pick(names), { get: thrower, enumerable: true })
    case 3:
      return new Proxy(options, { get: thrower })
    case 4: {
      // An option that is right, but reading it does harm.
      const { data } = random.pick(operands)
      const by = random.pick([-1e6, -8, 16])
      const get = (): undefined => {
        if (data) random.chance(0.5) ? detach(bufferOf(data), memory) : resize(bufferOf(data), memory, by)
      }
      return Object.defineProperty({ ...options }, random.pick(names), { get, enumerable: true })
    }
    default:
      return { ...options, [random.pick(names)]: anything(random) }
  }
}

/** A place for a result. */
export interface Destination {
  readonly given: unknown
  /** Its numbers, and where the result's elements are to be, in row-major order. */
  readonly data: Numbers
  readonly places: readonly number[]
  readonly elementBytes: number
}

/** A place that is right for a result of this dtype and shape. */
export function destination(
  random: Random,
  dtype: DType,
  shape: readonly number[],
  memory: Memory,
): Destination {
  const kind = storageOf(dtype).name as Precision
  const c = components(dtype)
  const elementBytes = c * storageOf(dtype).BYTES_PER_ELEMENT
  const count = product(shape)
  const place = random.pick(places)
  if (random.chance(0.6)) {
    const data = memory.numbers(random, kind, count * c, place)
    const given = random.chance(0.5) ? data : { data, shape, dtype }
    return { given, data, places: Array.from({ length: count }, (_, k) => k), elementBytes }
  }
  const { strides, offset, length } = layout(random, shape)
  const data = memory.numbers(random, kind, length * c, place)
  const given = { data, shape, strides, offset, dtype }
  return { given, data, places: [...elementsOf(shape, strides, offset)], elementBytes }
}

/** A place that is wrong, or not there long enough. */
export function wrongDestination(
  random: Random,
  like: NDArray,
  operands: readonly Operand[],
  memory: Memory,
): unknown {
  const { dtype, shape } = like
  const { data } = random.pick(operands)
  switch (random.integer(0, 5)) {
    case 0:
      return anything(random)
    case 1:
      return data ?? anything(random)
    case 2:
      return random.pick(operands).input
    case 3: {
      // Other objects over the same shared memory.
      if (!data || !(bufferOf(data) instanceof SharedArrayBuffer)) return data
      const buffer = structuredClone(bufferOf(data)) as SharedArrayBuffer
      const Kind = data.constructor as new (buffer: SharedArrayBuffer, at: number, length: number) => Numbers
      return new Kind(buffer, data.byteOffset, data.length)
    }
    case 4: {
      if (data === undefined) return anything(random)
      // Reading its shape takes an operand's memory away.
      const spot = destination(random, dtype, shape, memory)
      const bad = Object.defineProperty([...shape], 0, {
        get() {
          random.chance(0.5) ? detach(bufferOf(data), memory) : resize(bufferOf(data), memory, -8)
          return shape[0]
        },
      })
      return { data: spot.data, shape: bad, dtype }
    }
    default: {
      const spot = destination(random, dtype, [...shape, random.integer(0, 2)], memory)
      return spot.given
    }
  }
}

/** What a view of numbers shows, as an array of its own. */
export function shown({ data, places: at }: Destination, dtype: DType, shape: readonly number[]): NDArray {
  const c = components(dtype)
  const numbers = new (storageOf(dtype))(at.length * c)
  let to = 0
  for (const place of at) for (let part = 0; part < c; part++) numbers[to++] = data[place * c + part]
  return ndarray(dtype, shape, numbers)
}
