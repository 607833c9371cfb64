import type { DataOf, DType } from './ndarray.ts'

// What JavaScript itself says of typed arrays: of those of any realm, whatever properties they have of their own.

type Numbers = DataOf<DType>

const typedArray = Object.getPrototypeOf(Float64Array.prototype)
const getter = (of: object, name: string | symbol) => Object.getOwnPropertyDescriptor(of, name)!.get!
const tag = getter(typedArray, Symbol.toStringTag) as (this: unknown) => string | undefined

/** To be called on a typed array: 0 where its buffer is detached, or has shrunk below it. */
export const lengthOf = getter(typedArray, 'length') as (this: Numbers) => number
export const byteOffsetOf = getter(typedArray, 'byteOffset') as (this: Numbers) => number
export const bufferOf = getter(typedArray, 'buffer') as (this: Numbers) => ArrayBufferLike
/** Copies all numbers of an array to the beginning of the one that it is called on. */
export const copyInto: (this: Numbers, from: Numbers) => void = typedArray.set
const iterate: (this: Numbers) => unknown = typedArray.values

const byteLengthOf = getter(ArrayBuffer.prototype, 'byteLength')
// Browsers have none on most pages.
const sharedByteLengthOf =
  typeof SharedArrayBuffer === 'undefined' ? byteLengthOf : getter(SharedArrayBuffer.prototype, 'byteLength')

/** 'Float64Array' and so on for typed arrays of any realm, undefined for all else; cannot be forged. */
export function typedArrayName(value: unknown): string | undefined {
  return tag.call(value)
}

/** True for a Float64Array or Float32Array of any realm. */
export function isFloatArray(value: unknown): value is Float64Array | Float32Array {
  const name = typedArrayName(value)
  return name === 'Float64Array' || name === 'Float32Array'
}

/** An array of no numbers whose buffer is detached, or has shrunk below it; false where it is simply empty. */
export function isGone(data: Numbers): boolean {
  if (lengthOf.call(data) > 0) return false
  try {
    iterate.call(data)
    return false
  } catch {
    return true
  }
}

/** True for an ArrayBuffer or SharedArrayBuffer of any realm. */
export function isBuffer(value: unknown): value is ArrayBufferLike {
  for (const length of [byteLengthOf, sharedByteLengthOf]) {
    try {
      length.call(value)
      return true
    } catch {
      // Not one of this kind.
    }
  }
  return false
}
