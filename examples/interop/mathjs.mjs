// mathjs with matfun's exponential in place of its own: `math.import` replaces expm wherever mathjs calls it, in expressions too.
// run: node examples/interop/mathjs.mjs

import { expm } from 'matfun'
import { all, create } from 'mathjs'

const math = create(all)

/** A dense matrix of mathjs for what matfun returns: real for float64, of mathjs's Complex for complex128. */
function toMathjs({ data, shape: [n], dtype }) {
  const entry = (k) => (dtype === 'float64' ? data[k] : math.complex(data[2 * k], data[2 * k + 1]))
  return math.matrix(
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => entry(i * n + j))),
  )
}

const fast = math.typed('expm', {
  Array: (A) => toMathjs(expm(A)),
  // Sparse matrices become dense ones, as their exponentials are.
  Matrix: (A) => toMathjs(expm(A.toArray())),
})
const slow = math.expm
math.import({ expm: fast }, { override: true })

const rotation = math.evaluate('expm([0, -pi / 6; pi / 6, 0])')
console.log('a rotation by 30 degrees:', math.format(rotation, 6))
console.log('i times a Pauli matrix:  ', math.format(math.evaluate('expm([0, i; i, 0])'), 6))

const A = math.matrix(
  Array.from({ length: 20 }, (_, i) => Array.from({ length: 20 }, (_, j) => Math.sin(i + 3 * j))),
)
const error = math.norm(math.subtract(math.expm(A), slow(A)), 'fro') / math.norm(slow(A), 'fro')
console.log(`relative difference from mathjs's own on a 20 x 20 matrix: ${error.toExponential(0)}`)
if (!(error < 1e-12)) throw new Error('they should agree')
