// mathjs as a contender: one matrix after the other, already in its own form. It knows no threads.
import { fromMathjs, loadMathjs, toMathjs } from '../../peers/mathjs.mjs'
import { serve } from './serve.mjs'

/** One of twice the order takes more than a second. */
const largestOrder = 128

/** Its matrices are objects of objects, and it is slow: more of them would only cost memory. */
const limit = 1024

const mathjs = await loadMathjs()
if (mathjs)
  await serve({ version: mathjs.version }, ({ operation, dtype, n, count, A }) => {
    if (operation !== 'value') return 'it has the value alone'
    if (dtype === 'float32') return 'it computes in double precision'
    if (n > largestOrder) return `it takes seconds above order ${largestOrder}`
    const isComplex = dtype === 'complex128'
    const length = A.length / count
    const taken = Math.min(count, limit)
    const matrices = Array.from({ length: taken }, (_, k) =>
      toMathjs(mathjs, A.subarray(k * length, (k + 1) * length), n, isComplex),
    )
    /** @type {import('mathjs').Matrix[]} */
    const results = []
    return {
      limit: taken,
      compute: (some) => {
        for (let k = 0; k < some; k++) results[k] = mathjs.expm(matrices[k])
      },
      result: (some) =>
        Float64Array.from(results.slice(0, some).flatMap((X) => [...fromMathjs(X, isComplex)])),
    }
  })
else process.exitCode = 3
