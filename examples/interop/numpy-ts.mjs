// numpy-ts arrays go in as they are, slices included; results become numpy-ts arrays by np.array or through `out`.
// run: node examples/interop/numpy-ts.mjs

import { expm } from 'matfun'
import * as np from 'numpy-ts'

const A = np.arange(36).reshape([6, 6]).multiply(0.01)
const corner = A.slice('1:5', '1:5')

const out = np.zeros([4, 4], 'float64')
expm(corner, { out })
console.log('exp of the slice, row 0:', out.slice('0').toArray())

const inverse = np.zeros([4, 4], 'float64')
expm(corner.multiply(-1), { out: inverse })
const product = np.matmul(out, inverse)
const error = np.max(np.absolute(product.subtract(np.eye(4))))
console.log('exp(A) exp(-A) - I:', Number(error).toExponential(0))
if (!(error < 1e-13)) throw new Error('they should be inverse')
