// scijs ndarrays go in as they are, views included, and one can be written into.
// run: node examples/interop/scijs.mjs

import { expm, expmVJP } from 'matfun'
import ndarray from 'ndarray'

const stack = ndarray(
  Float64Array.from({ length: 3 * 4 * 4 }, (_, k) => Math.cos(k)),
  [3, 4, 4],
)

// The middle matrix, transposed and without its border: nothing is copied on the way in.
const view = stack.pick(1, null, null).transpose(1, 0).lo(1, 1).hi(2, 2)
const value = expm(view)
console.log('shape:', value.shape, 'first entry:', value.data[0].toFixed(6))

// The results of a whole stack, written into memory of one's own.
const out = ndarray(new Float64Array(3 * 4 * 4), [3, 4, 4])
expm(stack, { out })

// The gradient of the trace of each exponential: exp(A) transposed.
const identity = ndarray(
  Float64Array.from({ length: 16 }, (_, k) => (k % 5 === 0 ? 1 : 0)),
  [4, 4],
)
const gradient = expmVJP(stack, identity).cotangent
const G = ndarray(gradient.data, gradient.shape)
let difference = 0
for (let m = 0; m < 3; m++)
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++) difference = Math.max(difference, Math.abs(G.get(m, i, j) - out.get(m, j, i)))
console.log('gradient of the trace minus the transposed exponential:', difference.toExponential(0))
if (!(difference < 1e-12)) throw new Error('they should agree')
