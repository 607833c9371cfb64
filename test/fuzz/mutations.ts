import type { Fields, Operand } from './forms.ts'
import { bufferOf, detach, type Memory, type Numbers, resize } from './memory.ts'
import type { Random } from './random.ts'
import { anything, numbers, thrower } from './values.ts'

/** What is to be expected of a call one of whose operands was mutated so. */
export type Effect = 'none' | 'refused' | 'any'

export interface Mutation {
  readonly name: string
  /** Changes `operand.input`; undefined where the operand has no such form. */
  readonly apply: (random: Random, operand: Operand, setting: Setting) => Effect | undefined
}

/** What else a mutation may reach. */
export interface Setting {
  readonly memory: Memory
  /** All operands of the call. */
  readonly operands: readonly Operand[]
}

const names = ['data', 'shape', 'dtype', 'strides', 'stride', 'offset', 'order', 'storage'] as const

/** Fields with a getter in place of one. */
function withGetter(operand: Operand, name: string, get: () => unknown): void {
  operand.input = Object.defineProperty({ ...operand.fields }, name, {
    get,
    enumerable: true,
    configurable: true,
  })
}

/** Something that happens to the memory of an operand while a call reads its arguments. */
function mishap(random: Random, { memory, operands }: Setting): () => void {
  const { data } = random.pick(operands)
  if (data === undefined) return () => {}
  const buffer = bufferOf(data)
  const kind = random.integer(0, 4)
  return () => {
    if (kind === 0) detach(buffer, memory)
    else if (kind === 1) resize(buffer, memory, -8)
    else if (kind === 2) resize(buffer, memory, -1e6)
    else if (kind === 3) resize(buffer, memory, 16)
    else if (buffer.byteLength > 0) {
      memory.forget(buffer)
      new Uint8Array(buffer).fill(0x11)
    }
  }
}

const lies: readonly ((data: Numbers) => void)[] = [
  (data) => lie(data, 'length', 1e9),
  (data) => lie(data, 'length', 0),
  (data) => lie(data, 'length', 4),
  (data) => lie(data, 'byteLength', 8),
  (data) => lie(data, 'byteOffset', 0),
  (data) => lie(data, 'BYTES_PER_ELEMENT', 1),
  (data) => lie(data, 'buffer', new ArrayBuffer(8)),
  (data) => lie(data, 'subarray', () => new Float64Array(1)),
  (data) => lie(data, 'subarray', thrower),
  (data) => lie(data, 'set', thrower),
  (data) => lie(data, 'values', thrower),
  (data) => lie(data, 'slice', thrower),
  (data) => lie(data, 'constructor', { [Symbol.species]: thrower, name: 'Complex128Array' }),
  (data) => lie(data, Symbol.iterator, thrower),
  (data) => lie(data, 'forEach', () => {}),
  (data) => lie(data, 'every', () => true),
  (data) => lie(data, 'map', () => []),
  (data) => Object.setPrototypeOf(data, null),
  (data) => Object.setPrototypeOf(data, Array.prototype),
]

function lie(data: Numbers, name: string | symbol, value: unknown): void {
  Object.defineProperty(data, name, { value, configurable: true })
}

/** Ways to spoil an operand, or to make it only look spoilt. */
export const mutations: readonly Mutation[] = [
  {
    name: 'another thing',
    apply(random, operand) {
      operand.input = anything(random)
      return 'any'
    },
  },
  {
    name: 'another thing in a field',
    apply(random, operand) {
      if (!operand.fields) return undefined
      operand.input = { ...operand.fields, [random.pick(names)]: anything(random) }
      return 'any'
    },
  },
  {
    name: 'another number in shape or strides',
    apply(random, operand) {
      if (!operand.fields) return undefined
      const name = random.pick(['shape', 'strides', 'stride'])
      const list = Array.from((operand.fields[name] as ArrayLike<unknown> | undefined) ?? [1, 1])
      list[random.integer(0, list.length)] = random.pick(numbers)
      operand.input = { ...operand.fields, [name]: list }
      return 'any'
    },
  },
  {
    name: 'a getter that throws',
    apply(random, operand) {
      if (!operand.fields) return undefined
      withGetter(operand, random.pick(names), thrower)
      return 'any'
    },
  },
  {
    name: 'a getter that answers the first reader alone',
    apply(random, operand) {
      if (!operand.fields) return undefined
      const name = random.pick(Object.keys(operand.fields))
      const other = anything(random)
      let reads = 0
      const value = operand.fields[name]
      withGetter(operand, name, () => (reads++ === 0 ? value : other))
      return 'none'
    },
  },
  {
    name: 'a mishap while a field is read',
    apply(random, operand, setting) {
      if (!operand.fields) return undefined
      const name = random.pick(['data', 'shape', 'dtype', 'strides', 'offset'])
      const happen = mishap(random, setting)
      const value = operand.fields[name]
      withGetter(operand, name, () => {
        happen()
        return value
      })
      return 'any'
    },
  },
  {
    name: 'a mishap while shape or strides are read',
    apply(random, operand, setting) {
      const name = random.pick(['shape', 'strides'])
      const list = operand.fields?.[name]
      if (!Array.isArray(list) || list.length === 0) return undefined
      const happen = mishap(random, setting)
      const at = random.integer(0, list.length - 1)
      const value = list[at]
      const copy = Object.defineProperty([...list], at, {
        get() {
          happen()
          return value
        },
      })
      operand.input = { ...operand.fields, [name]: copy }
      return 'any'
    },
  },
  {
    name: 'a mishap while a dtype prints itself',
    apply(random, operand, setting) {
      if (!operand.fields) return undefined
      const happen = mishap(random, setting)
      const print = () => {
        happen()
        return operand.clean.dtype
      }
      operand.input = { ...operand.fields, dtype: { toString: print } }
      return 'any'
    },
  },
  {
    name: 'a mishap while a nested number is read',
    apply(random, operand, setting) {
      const rows = operand.input as number[][]
      // What another mutation has put there is not looked into.
      if (operand.fields || operand.data || operand.input !== operand.nested) return undefined
      if (!Array.isArray(rows[0]) || rows[0].length === 0) return undefined
      const happen = mishap(random, setting)
      const value = rows[0][0]
      Object.defineProperty(rows[0], 0, {
        get() {
          happen()
          if (random.chance(0.5)) rows[0].push(1)
          if (random.chance(0.5)) rows.push([])
          return random.chance(0.5) ? value : anything(random)
        },
      })
      return 'any'
    },
  },
  {
    name: 'a detached buffer',
    apply(_, operand, { memory }) {
      if (!operand.data || bufferOf(operand.data) instanceof SharedArrayBuffer) return undefined
      detach(bufferOf(operand.data), memory)
      return operand.clean.data.length > 0 ? 'refused' : 'any'
    },
  },
  {
    name: 'a buffer of another size',
    apply(random, operand, { memory }) {
      if (!operand.data) return undefined
      resize(bufferOf(operand.data), memory, random.pick([-1e6, -64, -16, -8, -4, 8, 16, 1e6]))
      return 'any'
    },
  },
  {
    name: 'a typed array that lies about itself',
    apply(random, operand) {
      if (!operand.data) return undefined
      random.pick(lies)(operand.data)
      return 'none'
    },
  },
  {
    name: 'lists that iterate otherwise',
    apply(random, operand) {
      if (!operand.fields) return undefined
      const copy = { ...operand.fields }
      for (const name of ['shape', 'strides', 'stride', 'data'])
        if (Array.isArray(copy[name]))
          copy[name] = Object.assign([...(copy[name] as unknown[])], {
            *[Symbol.iterator]() {
              for (;;) yield random.integer(0, 3)
            },
          })
      operand.input = copy
      return 'none'
    },
  },
  {
    name: 'a proxy of an array object',
    apply(_, operand) {
      if (!operand.fields) return undefined
      operand.input = new Proxy(operand.fields, {})
      return 'none'
    },
  },
  {
    name: 'an array object by inheritance',
    apply(_, operand) {
      if (!operand.fields) return undefined
      operand.input = Object.create(operand.fields) as Fields
      return 'none'
    },
  },
  {
    name: 'proxies of lists',
    apply(_, operand) {
      if (operand.nested) {
        operand.input = new Proxy(operand.nested, {})
        return 'none'
      }
      const shape = operand.fields?.shape
      if (!Array.isArray(shape)) return undefined
      operand.input = { ...operand.fields, shape: new Proxy(shape, {}) }
      return 'none'
    },
  },
  {
    name: 'huge counts of nothing',
    apply(random, operand) {
      const { dtype } = operand.clean
      const data = dtype === 'float64' || dtype === 'complex128' ? new Float64Array(0) : new Float32Array(0)
      const rest = random.pick([
        [0, 0],
        [0, 3, 3],
      ])
      const count = random.pick([2 ** 30, 2 ** 40, 2 ** 53 - 1, 2 ** 52])
      operand.input = { data, shape: [count, ...(random.chance(0.3) ? [1] : []), ...rest], dtype }
      return 'any'
    },
  },
]
