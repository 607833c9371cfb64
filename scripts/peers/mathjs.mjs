/** mathjs and its matrices. */

/** @typedef {typeof import('mathjs')} Mathjs */

/** @returns {Promise<Mathjs | undefined>} undefined where it is not installed */
export async function loadMathjs() {
  try {
    return await import('mathjs')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/**
 * @param {Mathjs} mathjs
 * @param {Float64Array | Float32Array} A row-major, interleaved re, im where it is complex
 * @param {number} n
 * @param {boolean} isComplex
 */
export function toMathjs(mathjs, A, n, isComplex) {
  const order = Array.from({ length: n }, (_, i) => i)
  const rows = order.map((i) =>
    order.map((j) => {
      const k = i * n + j
      return isComplex ? mathjs.complex(A[2 * k], A[2 * k + 1]) : A[k]
    }),
  )
  return mathjs.matrix(rows)
}

/**
 * @param {import('mathjs').Matrix} X
 * @param {boolean} isComplex
 * @returns {Float64Array} row-major, interleaved re, im where it is complex
 */
export function fromMathjs(X, isComplex) {
  const parts = X.toArray()
    .flat()
    .flatMap((/** @type {any} */ x) => {
      const { re, im } = typeof x === 'number' ? { re: x, im: 0 } : x
      return isComplex ? [re, im] : [re]
    })
  return Float64Array.from(parts)
}
