import { beforeAll, describe, expect, test } from 'vitest'
import { expmVJP, expm as exponential } from '../lib/index.ts'
import { ndarray } from '../lib/ndarray.ts'
import * as reference from '../lib/reference/index.ts'
import { expm } from '../lib/tfjs/index.ts'
import { randomArray } from './support/dtypes.ts'
import * as tf from './support/tensorflow.ts'

const u = 2 ** -24

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** The same numbers for matfun, and as a tensor. */
function random(shape: number[], seed: number) {
  const array = randomArray('float32', shape, seed)
  return { array, tensor: tf.tensor(array.data as Float32Array, shape) }
}

const exact = (x: tf.Tensor) => ndarray('float64', x.shape, Float64Array.from(x.dataSync()))
const norm = (x: ArrayLike<number>) => Math.hypot(...Array.from(x))

/** The product of two matrices in double precision. */
const multiply = (x: ArrayLike<number>, y: ArrayLike<number>, n: number) =>
  Float64Array.from({ length: n * n }, (_, k) => {
    let sum = 0
    for (let m = 0; m < n; m++) sum += x[Math.floor(k / n) * n + m] * y[m * n + (k % n)]
    return sum
  })

describe.each([[[3, 3]], [[5, 4, 4]], [[2, 3, 6, 6]], [[0, 2, 2]], [[1, 1]]])(
  'a tensor of shape %j',
  (shape) => {
    test('gives the bits that expm gives, in its shape and dtype', () => {
      const { array, tensor } = random(shape, 1)
      const y = expm(tensor)
      expect([y.shape, y.dtype]).toEqual([shape, 'float32'])
      expect(y.dataSync()).toEqual(exponential(array).data)
    })

    test('has the gradient of expmVJP, and leaves no tensor behind', () => {
      const A = random(shape, 2)
      const W = random(shape, 3)
      const before = tf.memory().numTensors
      const gradient = tf.grad((x) => tf.sum(tf.mul(expm(x), W.tensor)))(A.tensor)
      expect(gradient.shape).toEqual(shape)
      expect(gradient.dataSync()).toEqual(expmVJP(A.array, W.array).cotangent.data)
      gradient.dispose()
      expect(tf.memory().numTensors).toBe(before)
    })
  },
)

test('the gradient is right to single precision', () => {
  const n = 5
  const A = random([n, n], 4)
  const W = random([n, n], 5)
  const gradient = tf
    .grad((x) => tf.sum(tf.mul(expm(x), W.tensor)))(A.tensor)
    .dataSync()
  const truth = reference.expmVJP(exact(A.tensor), exact(W.tensor)).cotangent.data
  const error = norm(gradient.map((g, k) => g - truth[k])) / norm(truth)
  // Entries below 1: the condition number of L is at most some e^|A|, here below 30.
  expect(error).toBeLessThanOrEqual(30 * n * u)
})

test('options reach expm', () => {
  const overflowing = tf.tensor([200, 0, 0, 200], [2, 2])
  expect(() => expm(overflowing)).toThrow(expect.objectContaining({ code: 'ERR_OVERFLOW' }))
  expect(Array.from(expm(overflowing, { onFailure: 'nan' }).dataSync())).toEqual([NaN, NaN, NaN, NaN])
})

test.each([
  ['an array', [[1]], 'ERR_INVALID_ARG_TYPE', /x must be a tensor, got an array of length 1/],
  ['nothing', undefined, 'ERR_INVALID_ARG_TYPE', /x must be a tensor, got undefined/],
  ['integers', () => tf.tensor([1], [1, 1], 'int32'), 'ERR_DTYPE', /dtype float32, got int32/],
  ['a vector', () => tf.tensor([1, 2]), 'ERR_SHAPE', /shape \[..., n, n\], got \[2\]/],
  ['a rectangle', () => tf.zeros([2, 2, 3]), 'ERR_SHAPE', /shape \[..., n, n\], got \[2,2,3\]/],
])('%s is refused', (_, given, code, message) => {
  const call = () => expm((typeof given === 'function' ? given() : given) as tf.Tensor)
  expect(call).toThrow(message)
  expect(call).toThrow(expect.objectContaining({ code }))
})

test('a second derivative is refused, not left out', () => {
  const first = tf.grad((x) => tf.sum(expm(x)))
  expect(() => tf.grad((x) => tf.sum(first(x)))(tf.eye(2))).toThrow(/cannot be differentiated again/)
})

test('a small orthogonal layer learns a rotation, and stays orthogonal', () => {
  const n = 4
  const skew = (x: tf.Tensor) => tf.sub(x, tf.transpose(x)) as tf.Tensor
  const rotation = expm(skew(random([n, n], 6).tensor))
  const inputs = random([32, n], 7).tensor as tf.Tensor2D
  const outputs = tf.matMul(inputs, rotation as tf.Tensor2D)
  const weights = tf.variable(tf.zeros([n, n]))
  const layer = () => expm(skew(weights)) as tf.Tensor2D
  const loss = () => tf.mean(tf.squaredDifference(tf.matMul(inputs, layer()), outputs)) as tf.Scalar
  const optimizer = tf.train.adam(0.05)
  const before = loss().dataSync()[0]
  for (let step = 0; step < 300; step++) optimizer.minimize(loss)
  const after = loss().dataSync()[0]
  expect(after).toBeLessThan(1e-6 * before)
  const Q = layer().dataSync()
  const transposed = Q.map((_, k) => Q[(k % n) * n + Math.floor(k / n)])
  const product = multiply(transposed, Q, n)
  // Each entry of Q is right to some n u |Q| = n^1.5 u; the skew part's norm is below 4.
  for (let k = 0; k < n * n; k++)
    expect(Math.abs(product[k] - (k % (n + 1) === 0 ? 1 : 0))).toBeLessThanOrEqual(4 * n ** 1.5 * u)
})
