import { customGrad, type GradSaveFunc, type Tensor, tensor } from '@tensorflow/tfjs-core'
import { describe, rangeError, typeError } from '../errors.ts'
import { expmVJP, expm as exponential } from '../expm.ts'
import type { ComputeOptions } from '../options.ts'

/** Options of {@link expm}; they are those of matfun's `expm`, without `out`. */
export type TensorExpmOptions = ComputeOptions

/**
 * exp(x) of each matrix in a tensor, with its gradient: `tf.grad`, `tf.variableGrads` and optimizers go through it. Needs
 * the package `@tensorflow/tfjs`, or `@tensorflow/tfjs-core` (an optional peer dependency) with a backend and its gradients.
 *
 * @param x a float32 tensor of shape [..., n, n].
 * @returns a tensor of the same shape and dtype, computed in single precision by matfun's threads, on the processor: a backend
 *   on a graphics card is waited for (`dataSync`), and gets the result back.
 * @throws TypeError with ERR_INVALID_ARG_TYPE or ERR_DTYPE, RangeError with ERR_SHAPE, for what is no such tensor, and
 *   MatfunError for a matrix that cannot be done, as matfun's `expm`. The gradient is of first order: differentiating it
 *   again throws an Error.
 * Cost: that of `expm`, and three times that for the gradient; a copy each way where the backend is not the processor's.
 *
 * @example
 * import * as tf from '@tensorflow/tfjs'
 * import { expm } from 'matfun/tfjs'
 *
 * const rotation = (x) => expm(tf.sub(x, tf.transpose(x)))     // orthogonal, whatever x is
 * const gradient = tf.grad((x) => tf.sum(rotation(x)))
 * gradient(tf.tensor2d([[0, 1], [2, 0]])).dataSync()           // Float32Array [0, 1.68..., -1.68..., 0]
 */
export function expm(x: Tensor, options: TensorExpmOptions = {}): Tensor {
  requireMatrices(x)
  const operation = customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
    const [A, save] = inputs as [Tensor, GradSaveFunc]
    save([A])
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor => pullback(saved[0], dy, options)
    return { value: back(exponential(matrices(A), options).data, A), gradFunc }
  })
  return operation(x)
}

/** L(Aᵀ, W), an operation whose own gradient is refused rather than left out in silence. */
function pullback(A: Tensor, W: Tensor, options: TensorExpmOptions): Tensor {
  const operation = customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
    const [a, w] = inputs as Tensor[]
    const gradFunc = (): Tensor => {
      throw new Error(
        'the gradient of expm cannot be differentiated again: only first derivatives are provided',
      )
    }
    return { value: back(expmVJP(matrices(a), matrices(w), options).cotangent.data, a), gradFunc }
  })
  return operation(A, W)
}

function requireMatrices(x: Tensor): void {
  if (typeof x?.dataSync !== 'function')
    throw typeError('ERR_INVALID_ARG_TYPE', `x must be a tensor, got ${describe(x)}`)
  if (x.dtype !== 'float32') throw typeError('ERR_DTYPE', `x must have dtype float32, got ${x.dtype}`)
  const [rows, columns] = x.shape.slice(-2)
  if (x.rank < 2 || rows !== columns)
    throw rangeError('ERR_SHAPE', `x must have shape [..., n, n], got [${x.shape}]`)
}

function matrices(x: Tensor): { data: Float32Array; shape: number[] } {
  return { data: x.dataSync<'float32'>(), shape: x.shape }
}

function back(data: Float32Array | Float64Array, like: Tensor): Tensor {
  return tensor(data, like.shape, 'float32')
}
