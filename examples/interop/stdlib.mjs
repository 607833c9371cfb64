// stdlib's ndarrays go in as they are, complex ones too, and come out by the constructor that one has anyway.
// run: node examples/interop/stdlib.mjs

import Complex128Array from '@stdlib/array-complex128'
import Ndarray from '@stdlib/ndarray-base-ctor'
import { expm } from 'matfun'

// exp(-i H t) of a spin in a field: H = [1 0.5; 0.5 -1], t = 1, in column-major order.
const buffer = new Complex128Array([0, -1, 0, -0.5, 0, -0.5, 0, 1])
const A = new Ndarray('complex128', buffer, [2, 2], [1, 2], 0, 'column-major')

const { data, shape, strides, offset, order, dtype } = expm(A)
const U = new Ndarray(dtype, new Complex128Array(data), shape, strides, offset, order)
console.log('U[0, 0] =', U.get(0, 0).toString())

const [a, b] = [U.get(0, 0), U.get(1, 0)]
const norm = Math.hypot(a.re, a.im, b.re, b.im)
console.log('norm of the first column:', norm.toFixed(12))
if (!(Math.abs(norm - 1) < 1e-14)) throw new Error('U should be unitary')
