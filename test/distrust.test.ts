// What the fuzzer (test/fuzz) found, one by one.
import { types } from 'node:util'
import { receiveMessageOnPort } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { expm, expmAsync, expmJVP, expmLinearize, expmPlan, expmVJP, MatfunError } from '../lib/index.ts'
import type { MatrixInput } from '../lib/input.ts'
import { native } from '../lib/native.ts'
import * as reference from '../lib/reference/index.ts'

const matrix = () => Float64Array.of(0, 1, -1, 0)
const rotation = expm(matrix()).data
const given = (x: unknown) => x as MatrixInput
const code = (call: () => unknown): unknown => {
  try {
    call()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
  return 'no error'
}

/** A list that answers by place as others do, and never ends when it is iterated over. */
const endless = <T>(list: T[]): T[] =>
  Object.assign(list, {
    *[Symbol.iterator]() {
      for (;;) yield list[0]
    },
  })

/** A shape that does something when it is read. */
const shapeThat = (does: () => void, shape: number[]): number[] =>
  Object.defineProperty([...shape], 1, {
    get() {
      does()
      return shape[1]
    },
  })

const detach = ({ buffer }: Float64Array) => {
  if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
}

/** Typed by hand: the types of Node have none of it. */
type SharedMemoryConstructor = new (
  sizes: Record<string, unknown>,
) => { readonly buffer: SharedArrayBuffer; grow(pages: number): void }

/** The same memory as another object. */
const twin = ({ buffer, byteOffset, length }: Float64Array): Float64Array => {
  if (!types.isSharedArrayBuffer(buffer)) throw new TypeError('must be shared')
  return new Float64Array(structuredClone(buffer), byteOffset, length)
}
const shared = (numbers: ArrayLike<number>) => {
  const data = new Float64Array(new SharedArrayBuffer(8 * numbers.length))
  data.set(numbers)
  return data
}

describe('lists are read by place', () => {
  it('not as they iterate, which need not end', () => {
    const A = { data: endless([0, 1, -1, 0]), shape: endless([2, 2]), strides: endless([2, 1]) }
    expect(expm(given(A)).data).toEqual(rotation)
  })

  it('and a long one of nothing takes no memory', () => {
    expect(code(() => expm(given({ data: new Array(1e9), shape: [2, 2] })))).toBe('ERR_INVALID_ARG_TYPE')
    expect(code(() => expm(given({ data: matrix(), shape: { length: 0.5, 0: 2 } })))).toBe('ERR_SHAPE')
  })
})

describe('nested arrays', () => {
  it('that hold themselves are refused', () => {
    const A: unknown[][] = [
      [1, 2],
      [3, 4],
    ]
    A[1][1] = A
    expect(code(() => expm(given(A)))).toBe('ERR_INVALID_ARG_TYPE')
  })

  it('of more numbers than there can be are refused at once', () => {
    let A: unknown = 1
    for (let k = 0; k < 44; k++) A = [A, A]
    expect(code(() => expm(given(A)))).toBe('ERR_OUT_OF_MEMORY')
    expect(code(() => expm(given({ data: matrix(), shape: [2, 2], dtype: A })))).toBe('ERR_DTYPE')
  })

  it('that grow while they are read are read to where they ended', () => {
    const A = [
      [0, 1],
      [-1, 0],
    ]
    Object.defineProperty(A[0], 0, {
      get() {
        A[0].push(1)
        return 0
      },
    })
    expect(code(() => expm(A))).toBe('ERR_SHAPE')
  })
})

describe('typed arrays are what they are', () => {
  const lies: [string, unknown][] = [
    ['length', 1e9],
    ['byteOffset', 8],
    ['buffer', new ArrayBuffer(8)],
    ['subarray', () => new Float64Array(1)],
    ['values', () => []],
    ['every', () => false],
    ['constructor', Float32Array],
  ]
  it.each(lies)('whatever they say of their own %s', (name, value) => {
    const lying = () => Object.defineProperty(matrix(), name, { value })
    const inAStack = { data: lying(), shape: [1, 2, 2] }
    expect(expm(lying()).data).toEqual(rotation)
    expect(expm(inAStack).data).toEqual(rotation)
    const transposed = { data: lying(), shape: [2, 2], strides: [1, 2] }
    expect(expm(transposed).data).toEqual(expm(Float64Array.of(0, -1, 1, 0)).data)
    expect(reference.expm(lying()).data).toEqual(reference.expm(matrix()).data)
  })

  it('and complex ones of an odd length hold no half element', () => {
    const data = new Float64Array(7)
    for (const strides of [
      [2, 1],
      [1, 2],
    ])
      expect(code(() => expm({ data, shape: [2, 2], strides, dtype: 'complex128' }))).toBe('ERR_STRIDES')
  })

  it('and complex arrays of other libraries are over buffers', () => {
    const numbers = {
      constructor: { name: 'Complex128Array' },
      buffer: endless([1]),
      byteOffset: 0,
      length: 1,
    }
    expect(code(() => expm(given({ data: numbers, shape: [1, 1] })))).toBe('ERR_INVALID_ARG_TYPE')
  })
})

describe('memory that goes while the arguments are read is missed', () => {
  const taken: [string, (A: Float64Array, E: MatrixInput) => unknown][] = [
    ['expmJVP', (A, E) => expmJVP({ data: A, shape: [1, 2, 2] }, E)],
    ['expmVJP', (A, E) => expmVJP({ data: A, shape: [1, 2, 2] }, E)],
    ['expmJVP of the reference', (A, E) => reference.expmJVP(A, E)],
    ['expm, by its out', (A, E) => expm({ data: A, shape: [1, 2, 2] }, { out: E as Float64Array })],
    [
      'expmLinearize, by its out',
      (A, E) => expmLinearize({ data: A, shape: [1, 2, 2] }, { out: E as Float64Array }),
    ],
    [
      'expmJVP, of its out',
      (A, E) =>
        expmJVP(
          given([
            [
              [0, 1],
              [-1, 0],
            ],
          ]),
          E,
          { out: { value: A } },
        ),
    ],
  ]
  it.each(taken)('by %s', (_, call) => {
    const A = matrix()
    const E = { data: matrix(), shape: shapeThat(() => detach(A), [1, 2, 2]) }
    expect(code(() => call(A, given(E)))).toBe('ERR_DETACHED')
  })

  it('by expmAsync, whose options are read first', async () => {
    const A = matrix()
    const signal = {
      get aborted() {
        detach(A)
        return false
      },
      addEventListener() {},
      removeEventListener() {},
    } as unknown as AbortSignal
    await expect(expmAsync(A, { signal })).rejects.toMatchObject({ code: 'ERR_DETACHED' })
  })
})

describe('a signal', () => {
  it('that cannot be let go of is refused', async () => {
    const signal = { aborted: false, addEventListener() {} } as unknown as AbortSignal
    await expect(expmAsync(matrix(), { signal })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  })

  it('that does not let go does not keep the result', async () => {
    const removeEventListener = () => {
      throw new Error('mine')
    }
    const signal = { aborted: false, addEventListener() {}, removeEventListener } as unknown as AbortSignal
    expect((await expmAsync(matrix(), { signal })).data).toEqual(rotation)
  })

  it('whose reason cannot be read when it aborts rejects with what it throws, and so do the other calls that wait for it', async () => {
    const listeners = new Set<() => void>()
    const signal = {
      aborted: false,
      addEventListener: (_: string, listener: () => void) => listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
      get reason() {
        throw new RangeError('no reason')
      },
    } as unknown as AbortSignal
    const calls = [1, 2, 3].map(() => expmAsync(matrix(), { signal }))
    expect(listeners.size).toBe(1)
    for (const listener of listeners) listener()
    for (const call of calls) await expect(call).rejects.toEqual(new RangeError('no reason'))
    expect(listeners.size).toBe(0)
    expect((await expmAsync(matrix(), { signal })).data).toEqual(rotation)
  })
})

describe('an output over the memory of an input', () => {
  it('is found where two SharedArrayBuffers are of the same memory', () => {
    const A = shared([0, 1, 2, 3, 4, 5, 6, 7])
    const first = { data: A.subarray(0, 4), shape: [1, 2, 2] }
    const moved = twin(A).subarray(1, 5)
    expect(code(() => expm(first, { out: moved }))).toBe('ERR_ALIASED_OUT')
    expect(code(() => expm(A.subarray(0, 4), { out: moved }))).toBe('ERR_ALIASED_OUT')
    expect(code(() => expmLinearize(first, { out: twin(A).subarray(0, 4) }))).toBe('ERR_ALIASED_OUT')
    using kept = expmLinearize(first)
    expect(code(() => kept.jvp(first, { out: moved }))).toBe('ERR_ALIASED_OUT')
    expect([...A]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  /** Two arrays of eight numbers over one memory, by every way to have two objects of it. */
  const twins: Record<string, () => readonly [Float64Array, Float64Array]> = {
    'a structuredClone': () => {
      const one = shared([0, 1, 2, 3, 4, 5, 6, 7])
      return [one, twin(one)]
    },
    'a message': () => {
      const one = shared([0, 1, 2, 3, 4, 5, 6, 7])
      const { port1, port2 } = new MessageChannel()
      port1.postMessage(one)
      const { message } = receiveMessageOnPort(port2)!
      port1.close()
      return [one, message]
    },
    WebAssembly: () => {
      const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: SharedMemoryConstructor } })
        .WebAssembly
      const memory = new Memory({ initial: 1, maximum: 3, shared: true })
      const one = new Float64Array(memory.buffer, 0, 8)
      one.set([0, 1, 2, 3, 4, 5, 6, 7])
      memory.grow(1)
      return [one, new Float64Array(memory.buffer, 0, 8)]
    },
  }
  /** Four numbers of an array from `at` on, as arrays that the results are brought to, or that they are computed in. */
  const forms = {
    contiguous: (data: Float64Array, at: number) => data.subarray(at, at + 4),
    'column-major': (data: Float64Array, at: number) => ({
      data: data.subarray(at, at + 4),
      shape: [2, 2],
      strides: [1, 2],
    }),
    'backward, with an offset': (data: Float64Array, at: number) => ({
      data,
      shape: [2, 2],
      strides: [-2, -1],
      offset: at + 3,
    }),
  }
  describe.each(Object.keys(twins))('whose memory is shared by %s', (way) => {
    describe.each(Object.entries(forms))('is refused where it is %s', (_, form) => {
      const apart = form(new Float64Array(8), 0)
      it('for an input, and nothing is written', () => {
        const [one, other] = twins[way]()
        for (const inputForm of Object.values(forms))
          for (const by of [-1, 0, 3]) {
            const A = inputForm(one, 1)
            const out = form(other, 1 + by)
            const refused = [
              () => expm(A, { out }),
              () => expmLinearize(A, { out }),
              () => expmJVP(A, apart, { out: { value: out } }),
              () => expmJVP(apart, A, { out: { value: out } }),
              () => expmJVP(A, apart, { out: { tangent: out } }),
              () => expmVJP(apart, A, { out: { cotangent: out } }),
              () => expmLinearize(apart).jvp(A, { out }),
              () => expmLinearize(apart).vjp(A, { out }),
            ]
            for (const call of refused)
              expect([by, `${call}`, code(call)]).toEqual([by, `${call}`, 'ERR_ALIASED_OUT'])
          }
        expect(() => expm(one.subarray(0, 4), { out: form(other, 0) })).toThrow(
          'out must not overlap A: it would be overwritten while in use',
        )
        expect([...one]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
      })

      it('for the other output, and nothing is written', () => {
        const [one, other] = twins[way]()
        for (const otherForm of Object.values(forms))
          for (const by of [-1, 0, 3]) {
            const [value, result] = [otherForm(one, 1), form(other, 1 + by)]
            expect(code(() => expmJVP(apart, apart, { out: { value, tangent: result } }))).toBe(
              'ERR_ALIASED_OUT',
            )
            expect(code(() => expmVJP(apart, apart, { out: { value, cotangent: result } }))).toBe(
              'ERR_ALIASED_OUT',
            )
          }
        expect([...one]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
      })

      it('but taken beside them', () => {
        const [one, other] = twins[way]()
        one.set([0, 1, -1, 0])
        expm(one.subarray(0, 4), { out: form(other, 4) })
        expect([...one]).toEqual([
          0,
          1,
          -1,
          0,
          ...(form === forms['column-major']
            ? [0, 2, 1, 3]
            : form === forms.contiguous
              ? [0, 1, 2, 3]
              : [3, 2, 1, 0]
          ).map((k) => rotation[k]),
        ])
      })
    })
  })
})

it('an input that was copied may lose its memory before outputs are looked at', () => {
  const data = Float64Array.of(0, 0, -1, 1, 0)
  const A = { data, shape: [2, 2], strides: [1, 2], offset: 1 }
  const out = { data: new Float64Array(4), shape: shapeThat(() => detach(data), [2, 2]), strides: [2, 1] }
  expect(expm(A, { out }).data).toEqual(rotation)
})

it('directions of which there are none may lose their memory', () => {
  const data = new Float32Array(4)
  const strides = shapeThat(() => structuredClone(data.buffer, { transfer: [data.buffer] }), [0, 4, 2, 1])
  const A = { data: new Float32Array(0), shape: [1, 0, 2, 2] }
  expect(expmJVP(A, { data, shape: [3, 0, 2, 2], strides }).tangent.shape).toEqual([3, 0, 2, 2])
})

it('matrices of order 0 may lose their memory', () => {
  const data = matrix()
  const A = { data, shape: [3, 0, 0], strides: shapeThat(() => detach(data), [0, 1, 1]) }
  expect(reference.expm(A).shape).toEqual([3, 0, 0])
  expect(expm({ ...A, data: matrix() }).shape).toEqual([3, 0, 0])
})

describe('counts of matrices', () => {
  const nothing = (...batch: number[]) => ({ data: new Float64Array(0), shape: [...batch, 0, 0] })

  it('that broadcast to more than can be counted are refused', async () => {
    const [A, E] = [nothing(2 ** 40, 1), nothing(1, 2 ** 40)]
    expect(code(() => expmJVP(A, E))).toBe('ERR_TOO_LARGE')
    expect(code(() => reference.expmVJP(A, E))).toBe('ERR_TOO_LARGE')
  })

  it('of which no list of plans can be are refused', () => {
    expect(code(() => expmPlan(nothing(2 ** 53 - 1)))).toBe('ERR_TOO_LARGE')
    expect(() => native.plan(0, 0, 2 ** 53 - 1, new Float64Array(0), new Float64Array(0))).toThrow(
      /count must be an integer/,
    )
  })

  it('that meet no direction have failures of their own', () => {
    const A = { data: Float64Array.of(1, Number.NaN), shape: [2, 1, 1] }
    const none = { data: new Float64Array(0), shape: [0, 1, 1, 1] }
    expect(() => expmJVP(A, none)).toThrow(MatfunError)
    expect(() =>
      expmVJP({ data: A.data, shape: [2, 1, 1, 1] }, { data: none.data, shape: [0, 1, 1] }),
    ).toThrow(expect.objectContaining({ failures: [{ index: 1, code: 'ERR_NOT_FINITE' }] }))
  })
})

describe('options', () => {
  it('that are an array by mistake are refused before their keys are listed', () => {
    expect(code(() => expm(matrix(), new Float64Array(5e7) as object))).toBe('ERR_INVALID_ARG_TYPE')
    expect(code(() => expmJVP(matrix(), matrix(), { out: [] as object }))).toBe('ERR_INVALID_ARG_TYPE')
  })

  it('whose class has no name are named somehow', () => {
    expect(code(() => expm(matrix(), { method: { constructor: { name: Symbol('s') } } as never }))).toBe(
      'ERR_INVALID_OPTION',
    )
  })
})

it('a number that is no id cancels nothing', () => {
  expect(() => native.cancel(1.5)).toThrow(/id must be an integer/)
  expect(() => native.cancel('1' as never)).toThrow(/id must be a number/)
})

it('a linearization of no matrices has no derivatives and no condition numbers', () => {
  const none = new Float64Array(0)
  const { id } = native.linearize(0, 2, 0, 0, 1, none, new Float64Array(0), {})
  expect(native.derive(id, 1, 3, 1, none, new Float64Array(0))).toBeUndefined()
  expect(native.conditions(id, 1, none)).toBeUndefined()
})
