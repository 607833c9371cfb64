import { deepStrictEqual } from 'node:assert'
import { MatfunError } from '../../lib/errors.ts'
import type { NDArray } from '../../lib/ndarray.ts'
import { components, product } from '../../lib/ndarray.ts'
import type { Scene } from './scene.ts'
import { Thrown } from './values.ts'

const argumentCodes = new Set([
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_OPTION',
  'ERR_SHAPE',
  'ERR_STRIDES',
  'ERR_DTYPE',
  'ERR_DETACHED',
  'ERR_ALIASED_OUT',
  'ERR_TOO_LARGE',
  'ERR_OUT_OF_MEMORY',
  'ERR_DISPOSED',
])

/** What the fuzzer found wrong. */
export class Fault extends Error {}

/** What a call threw: of its arguments, of its matrices, of the fuzzer's own objects. Fault for all else. */
export function classify(error: unknown): 'argument' | 'matrix' | 'own' {
  if (error instanceof Thrown) return 'own'
  if (error instanceof MatfunError) {
    if (error.failures.length === 0 || error.code !== error.failures[0].code)
      throw new Fault(`a MatfunError with code ${error.code} that is not its first failure's`)
    return 'matrix'
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    const { code } = error as { code?: unknown }
    if (typeof code === 'string' && argumentCodes.has(code)) return 'argument'
    // What the engine itself says of a proxy that cannot be asked, and of a class that is called.
    if (error instanceof TypeError && /revoked|incompatible receiver|Class constructors/.test(error.message))
      return 'own'
  }
  throw new Fault(`an error that is not documented: ${String((error as Error)?.stack ?? error)}`)
}

/** Fault unless two results are the same, bit for bit (but for the bits of NaN). */
export function requireSame(what: string, came: NDArray, expected: NDArray): void {
  requireArray(what, came)
  if (came.dtype !== expected.dtype || came.shape.join() !== expected.shape.join())
    throw new Fault(
      `${what} is ${came.dtype} of shape [${came.shape}], expected ${expected.dtype} of [${expected.shape}]`,
    )
  requireSameNumbers(what, came.data, expected.data)
}

/** The same for numbers alone. */
export function requireSameNumbers(what: string, came: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (came.length !== expected.length)
    throw new Fault(`${what} has ${came.length} numbers, expected ${expected.length}`)
  for (let k = 0; k < expected.length; k++)
    if (!Object.is(came[k], expected[k]))
      throw new Fault(`${what} has ${came[k]} at ${k}, expected ${expected[k]}`)
}

/** Fault unless it is an array as every call returns it. */
export function requireArray(what: string, array: NDArray): void {
  const { dtype, shape, strides, data, offset } = array
  const kind = dtype === 'float64' || dtype === 'complex128' ? 'Float64Array' : 'Float32Array'
  const isRight =
    Object.prototype.toString.call(data) === `[object ${kind}]` &&
    strides.length === shape.length &&
    Number.isInteger(offset) &&
    array.order === 'row-major'
  if (!isRight) throw new Fault(`${what} is no array: ${dtype}, [${shape}], [${strides}], ${offset}`)
  if (product(shape) * components(dtype) > data.length)
    throw new Fault(`${what} of shape [${shape}] has but ${data.length} numbers`)
}

/** The result itself or its parts are arrays: each is new, or in the place that it was given. */
export function compareArrays(came: unknown, expected: unknown, scene?: Scene): void {
  const parts = (x: unknown) => ('data' in (x as object) ? { '': x } : x) as Readonly<Record<string, NDArray>>
  const [a, b] = [parts(came), parts(expected)]
  deepStrictEqual(Object.keys(a), Object.keys(b))
  for (const [name, array] of Object.entries(b)) {
    const out = scene?.outs.get(name)
    if (out && a[name].data !== out.data) throw new Fault(`${name} is not in the place that it was given`)
    const result = scene && out ? scene.shown(out, array) : a[name]
    requireSame(name || 'the result', result, array)
  }
}
