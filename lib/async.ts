import { AsyncResource } from 'node:async_hooks'
import { onAbort } from './abort.ts'
import { type Call, derivativeCall, expmCall } from './call.ts'
import type { DTypeOf, DTypeOfPair } from './dtypes.ts'
import { describe, typeError } from './errors.ts'
import type { ExpmJVP, ExpmVJP } from './expm.ts'
import type { MatrixInput } from './input.ts'
import { native } from './native.ts'
import type { NDArray } from './ndarray.ts'
import { type ComputeOptions, computeOptionNames, readSettings, type Settings } from './options.ts'

/** How far a call has come. */
export interface Progress {
  /** Results that are there: exponentials, or derivatives. */
  readonly done: number
  /** Results that there will be. */
  readonly total: number
}

/** Options of the calls that return promises. There is no `out`: results are allocated by the library. */
export interface AsyncOptions extends ComputeOptions {
  /** Aborting rejects with the signal's reason at once. What is running then is ended with the matrices at hand. */
  readonly signal?: AbortSignal
  /** Called by the event loop at most some 20 times a second, and at last with done = total. What it throws ends the call. */
  readonly onProgress?: (progress: Progress) => void
}

const asyncOptionNames = [...computeOptionNames, 'signal', 'onProgress']

/**
 * `expm` off the event loop: the same bits, computed by matfun's own threads (not those that files and DNS use).
 *
 * Inputs are taken as they are at the call: copied before it returns, to where the results will be, unless they are views
 * of a SharedArrayBuffer, which must not be written to until the promise settles. The process stays alive until then. Calls at once share the threads: a small one does not wait for a large one.
 *
 * @returns a promise of what `expm` returns. Errors of every kind are rejections, wrong arguments included, as in Node's own
 *   promise APIs; before any work these are a TypeError or RangeError with a `code`.
 * Memory: the result, a byte for each matrix or derivative, and a workspace a thread. Only where matrices meet directions
 * along a dimension to the left of their own are derivatives put in order at the end, in memory of their size once more.
 *
 * @example
 * const data = new Float64Array(new SharedArrayBuffer(8 * 16 * 100_000)).fill(0.1)
 * const P = await expmAsync({ data, shape: [100_000, 4, 4] }, { signal: AbortSignal.timeout(60_000) })
 * P.data[0]  // 1.122956...: exp of the matrix of 0.1s is I + (e^0.4 - 1) / 4
 */
export async function expmAsync<const A extends MatrixInput>(
  A: A,
  options: AsyncOptions = {},
): Promise<NDArray<DTypeOf<A>>> {
  const { settings, control } = readOptions(options)
  const value = await runLater(expmCall(A, settings), control)
  return value as NDArray<DTypeOf<A>>
}

/**
 * `expmJVP` off the event loop.
 * @returns a promise of what `expmJVP` returns; inputs, errors and memory as for {@link expmAsync}.
 *
 * @example
 * const { value, tangent } = await expmJVPAsync([[0, 1], [0, 0]], [[0, 0], [1, 0]])
 * tangent.data[0]  // 0.5: how the first entry of exp(A) = [1 1; 0 1] moves as the lower left entry of A does
 */
export async function expmJVPAsync<const A extends MatrixInput, const E extends MatrixInput>(
  A: A,
  E: E,
  options: AsyncOptions = {},
): Promise<ExpmJVP<DTypeOfPair<A, E>>> {
  const { settings, control } = readOptions(options)
  const { value, result } = await runLater(derivativeCall('jvp', A, E, settings), control)
  return { value, tangent: result } as ExpmJVP<DTypeOfPair<A, E>>
}

/**
 * `expmVJP` off the event loop.
 * @returns a promise of what `expmVJP` returns; inputs, errors and memory as for {@link expmAsync}.
 *
 * @example
 * const A = [[0, 1], [0, 0]]
 * const { cotangent } = await expmVJPAsync(A, [[1, 0], [0, 0]], { onProgress: ({ done, total }) => done / total })
 * cotangent.data[2]  // 0.5: the gradient of the first entry of exp(A) with respect to the lower left one of A
 */
export async function expmVJPAsync<const A extends MatrixInput, const W extends MatrixInput>(
  A: A,
  W: W,
  options: AsyncOptions = {},
): Promise<ExpmVJP<DTypeOfPair<A, W>>> {
  const { settings, control } = readOptions(options)
  const { value, result } = await runLater(derivativeCall('vjp', A, W, settings), control)
  return { value, cotangent: result } as ExpmVJP<DTypeOfPair<A, W>>
}

/** What watches over a call. */
export interface Control {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** What the signal said, where it has been asked already. */
  readonly isAborted?: boolean
}

/**
 * Does a call on the pool's threads. copies: which inputs are copied to where their results will be first, 1 for A and 2 for
 * the direction; by default those that the caller could change.
 */
export async function runLater<R>(
  call: Call<R>,
  control: Control,
  copies: number = call.borrowed,
): Promise<R> {
  const { signal, onProgress } = control
  if (control.isAborted ?? signal?.aborted) throw signal?.reason
  const total = call.results
  return new Promise((resolve, reject) => {
    let last = -1
    let isOver = false
    let letGo: (() => void) | undefined
    const over = (): void => {
      isOver = true
      try {
        letGo?.()
      } catch {
        // A signal that is none of Node's: what it throws has nowhere to go, and nothing more comes of it.
      }
    }
    const stop = (reason: unknown): void => {
      over()
      native.cancel(id)
      reject(reason)
    }
    const abort = (): void => {
      try {
        stop(signal?.reason)
      } catch (error) {
        stop(error) // what a signal that is none of Node's throws in its reason's place
      }
    }
    const report = (done: number): void => {
      if (isOver || onProgress === undefined || done === last) return
      last = done
      try {
        onProgress({ done, total })
      } catch (error) {
        stop(error)
      }
    }
    const ended = (statuses: Uint8Array | undefined, error: Error | undefined): void => {
      if (error === undefined) report(total)
      if (isOver) return
      over()
      try {
        if (error) throw error
        resolve(call.finish(statuses))
      } catch (failure) {
        reject(failure)
      }
    }
    // A share of whole results comes back whole, in spite of rounding.
    const progress = onProgress && ((share: number): void => report(Math.floor(share * total + 1e-6)))
    const [code, n, count, directions, threads, A, value, direction, result] = call.arguments
    const arrays = [A, value, direction, result] as const
    const id = native.start(code, n, count, directions, threads, ...arrays, copies, ended, progress)
    if (signal) letGo = onAbort(signal, abort)
  })
}

/** The options of a call, before its arguments: reading them can run code of the caller's. */
function readOptions(options: AsyncOptions): { settings: Settings; control: Control } {
  refuseOut(options)
  return { settings: readSettings(options, asyncOptionNames), control: checked(options) }
}

/** Whether a signal is aborted; undefined where it does not look like one. There are those of other realms and of polyfills. */
function abortedOf(signal: AbortSignal | null): boolean | undefined {
  const isAborted = signal?.aborted
  const listens =
    typeof signal?.addEventListener === 'function' && typeof signal.removeEventListener === 'function'
  return typeof isAborted === 'boolean' && listens ? isAborted : undefined
}

/** Control whose callback runs in the context of the call, as for AsyncLocalStorage. */
function checked({ signal, onProgress }: Control): Control {
  const isAborted = signal === undefined ? false : abortedOf(signal)
  if (isAborted === undefined)
    throw typeError('ERR_INVALID_OPTION', `options.signal must be an AbortSignal, got ${describe(signal)}`)
  if (onProgress === undefined) return { signal, onProgress, isAborted }
  if (typeof onProgress !== 'function')
    throw typeError(
      'ERR_INVALID_OPTION',
      `options.onProgress must be a function, got ${describe(onProgress)}`,
    )
  return { signal, onProgress: AsyncResource.bind(onProgress), isAborted }
}

/** Says why there is none, which the list of known options would not. */
function refuseOut(options: object): void {
  if (typeof options === 'object' && options !== null && 'out' in options)
    throw typeError(
      'ERR_INVALID_OPTION',
      'options.out is not taken by calls that return promises: their results are allocated by the library, so that ' +
        'nothing that happens to a buffer meanwhile can corrupt them',
    )
}
