import type { Complex, Nested } from './input.ts'
import type { DType } from './ndarray.ts'

/** The inputs whose type tells that they are one matrix, not a stack. */
export type SingleMatrix = Float64Array | Float32Array | readonly (readonly (number | Complex)[])[]

type LeafOf<T> = Nested extends T ? number | Complex : T extends readonly (infer U)[] ? LeafOf<U> : T

/**
 * The element type of an input, as far as its TypeScript type tells: `float64` for a Float64Array and for nested numbers,
 * `complex128` for nested `{ re, im }`, the `dtype` that an object names, else what its data can hold.
 */
export type DTypeOf<A> = A extends Float64Array
  ? 'float64'
  : A extends Float32Array
    ? 'float32'
    : A extends readonly unknown[]
      ? LeafOf<A> extends infer Leaf
        ? Leaf extends number
          ? 'float64'
          : 'complex128'
        : never
      : A extends { readonly dtype: infer D extends DType }
        ? D
        : A extends { readonly data: infer Data }
          ? ElementsOf<Data, 'dtype' extends keyof A ? true : false>
          : DType

/** What data can hold; where a dtype of unknown name stands beside it, complex elements too. */
type ElementsOf<Data, Named extends boolean> = Data extends Float64Array
  ? 'float64' | (Named extends true ? 'complex128' : never)
  : Data extends Float32Array
    ? 'float32' | (Named extends true ? 'complex64' : never)
    : Data extends readonly number[]
      ? Named extends true
        ? DType
        : 'float64'
      : DType

/** The element type that A and its direction E are computed in: A's, or E's where A is of nested plain numbers. */
export type DTypeOfPair<A, E> = A extends readonly unknown[]
  ? DTypeOf<A> extends 'float64'
    ? Extract<DTypeOf<E>, 'float64' | 'complex128'>
    : DTypeOf<A>
  : DTypeOf<A>
