/// <reference lib="esnext.disposable" preserve="true" />
import { inDTypeOf, pair } from './broadcast.ts'
import { derivativeNames, readMatrices } from './call.ts'
import { destination, requireSafe, type Target } from './destination.ts'
import type { DTypeOf, SingleMatrix } from './dtypes.ts'
import { MatfunError, typeError } from './errors.ts'
import type { ExpmOptions } from './expm.ts'
import { failuresOf } from './failures.ts'
import { readOnce } from './fields.ts'
import type { MatrixInput, Stack } from './input.ts'
import { jobCode, native, operationCodes } from './native.ts'
import { allocate, type DType, type NDArray } from './ndarray.ts'
import { computeOptionNames, type Out, readSettings, requireKnown, type Settings } from './options.ts'
import { lengthOf } from './typed-array.ts'

/** Options of {@link expmLinearize}. `onFailure` and `threads` are those of its derivatives, too. */
export type ExpmLinearizeOptions<D extends DType = DType> = ExpmOptions<D>

/** Options of a linearization's derivatives. */
export interface LinearizedOptions<D extends DType = DType> {
  /** Where to write the derivative, of the broadcast shape and A's dtype; must not overlap the direction. */
  readonly out?: Out<D>
}

/**
 * exp(A) with what its derivatives need, kept in native memory. That goes with `dispose()`, at the end of the block of a
 * `using` declaration, or when the linearization is collected as garbage.
 * D: A's dtype. C: number for one matrix, Float64Array for a stack.
 */
export interface ExpmLinearization<
  D extends DType = DType,
  C extends number | Float64Array = number | Float64Array,
> {
  /** exp(A), the caller's to overwrite. */
  readonly value: NDArray<D>
  /**
   * L(A, E), with the bits that `expmJVP` gives.
   * @param E as for `expmJVP`, of A's dtype; leading dimensions broadcast with A's.
   * @throws as `expmJVP`, and a TypeError with code ERR_DISPOSED after `dispose()`.
   * Cost: 2 (products + squarings) products for each direction; for orders up to 8 that of `expmJVP`.
   */
  jvp(E: MatrixInput, options?: LinearizedOptions<D>): NDArray<D>
  /** L(Aᴴ, W), with the bits that `expmVJP` gives. Errors and cost as for `jvp`, and two transpositions. */
  vjp(W: MatrixInput, options?: LinearizedOptions<D>): NDArray<D>
  /**
   * The relative condition number of exp at A in the 1-norm, as `expmCond` estimates it: a number for one matrix, a
   * Float64Array for a stack; NaN for matrices that could not be done.
   * Above order 8 from what was kept, so with the plan of derivatives, where `expmCond` may balance besides.
   * @throws a TypeError with code ERR_DISPOSED after `dispose()`.
   * Cost: that of four to twenty derivatives.
   */
  conditionNumber(): C
  /** Frees the memory at once. `value` stays; all else throws from now on. Again: nothing. */
  dispose(): void
  /** `dispose()`, at the end of the block of a `using` declaration. */
  [Symbol.dispose](): void
}

const optionNames = ['out', ...computeOptionNames]

/**
 * exp(A), and what its derivatives need is kept, so that each later one costs two thirds of what it costs anew. For gradients of
 * several functions of one exponential, Jacobians, Newton's and Krylov methods.
 *
 * @param A shape [..., n, n], as for `expm`. Read before this returns, and not referred to afterwards.
 * @returns an {@link ExpmLinearization}: `value` with the bits that `expmJVP` gives, which may differ from `expm`'s in the last.
 * @throws as `expm`. With `onFailure: 'nan'` derivatives of matrices that cannot be done are NaN, too.
 *
 * Memory: at most 2 products + squarings matrices (as `expmPlan` tells them for derivatives); complex ones in Schur form. Up to order 8 A alone.
 * Cost: that of the value, and copies.
 *
 * @example
 * const L = expmLinearize([[-0.3, 0.3], [0.1, -0.1]])
 * const gradients = [[[1, 0], [0, 0]], [[0, 1], [0, 0]]].map((W) => L.vjp(W))
 * L.dispose()   // or `using L = ...`, where the language has it
 */
export function expmLinearize<const A extends SingleMatrix>(
  A: A,
  options?: ExpmLinearizeOptions<DTypeOf<A>>,
): ExpmLinearization<DTypeOf<A>, number>
export function expmLinearize<const A extends MatrixInput>(
  A: A,
  options?: ExpmLinearizeOptions<DTypeOf<A>>,
): ExpmLinearization<DTypeOf<A>>
export function expmLinearize(A: MatrixInput, options: ExpmLinearizeOptions = {}): ExpmLinearization {
  const settings = readSettings(options, optionNames)
  const a = readMatrices('A', readOnce(A) as MatrixInput)
  const value = destination('out', readOnce(settings.out), a.dtype, [...a.batch, a.n, a.n])
  requireSafe([['A', a]], [['out', value]])
  return new Linearization(a, value, settings)
}

class Linearization implements ExpmLinearization {
  readonly value: NDArray
  /** Of A what directions have to fit; not its memory. */
  readonly #a: Pick<Stack, 'dtype' | 'batch' | 'n' | 'count'> & { readonly isNested: boolean }
  readonly #settings: Settings
  /** What the addon knows it by; 0 where there is nothing to compute, undefined when it has been disposed of. */
  #id: number | undefined = 0

  constructor(a: Stack, value: Target, settings: Settings) {
    const { dtype, batch, n, count, view, data } = a
    this.#a = { dtype, batch, n, count, isNested: view === undefined }
    this.#settings = settings
    const code = jobCode(operationCodes.expm, dtype, settings.plan)
    let statuses: Uint8Array | undefined
    if (lengthOf.call(data) > 0) {
      const kept = native.linearize(code, n, count, 0, settings.threads, data, value.data, this)
      this.#id = kept.id
      statuses = kept.statuses
    }
    this.value = value.finish()
    try {
      this.#refuse('value', statuses)
    } catch (failure) {
      this.dispose()
      throw failure
    }
  }

  jvp(E: MatrixInput, options?: LinearizedOptions): NDArray {
    return this.#derive('jvp', E, options)
  }

  vjp(W: MatrixInput, options?: LinearizedOptions): NDArray {
    return this.#derive('vjp', W, options)
  }

  conditionNumber(): number | Float64Array {
    const id = this.#kept()
    const { batch, count } = this.#a
    const values = allocate('float64', count)
    if (id > 0) native.conditions(id, this.#settings.threads, values)
    return batch.length === 0 ? values[0] : values
  }

  dispose(): void {
    if (this.#id !== undefined && this.#id > 0) native.release(this.#id)
    this.#id = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #derive(operation: 'jvp' | 'vjp', direction: MatrixInput, options: LinearizedOptions = {}): NDArray {
    this.#kept()
    requireKnown('options', options, ['out'])
    const out = readOnce(options.out)
    const name = derivativeNames[operation].direction
    const { dtype, n, isNested } = this.#a
    const read = readMatrices(name, readOnce(direction) as MatrixInput)
    const e = inDTypeOf(dtype, isNested, name, read)
    const { batch, directionsPerMatrix, directions, resultStrides } = pair(this.#a, name, e)
    const result = destination('out', out, dtype, [...batch, n, n], undefined, resultStrides)
    requireSafe([[name, e]], [['out', result]])
    // Only now, since reading the caller's objects may run code that disposes of this.
    const id = this.#kept()
    const { threads } = this.#settings
    const statuses =
      id > 0
        ? native.derive(id, operationCodes[operation], directionsPerMatrix, threads, directions, result.data)
        : undefined
    const derivative = result.finish()
    this.#refuse('derivative', statuses, batch, resultStrides)
    return derivative
  }

  #kept(): number {
    if (this.#id === undefined)
      throw typeError('ERR_DISPOSED', 'this linearization has been disposed of; its value alone is left')
    return this.#id
  }

  #refuse(
    of: 'value' | 'derivative',
    statuses: Uint8Array | undefined,
    batch?: readonly number[],
    strides?: readonly number[],
  ): void {
    if (statuses && !this.#settings.nan) throw new MatfunError(failuresOf(statuses, batch, strides), of)
  }
}
