/**
 * A case of which matfun does not hold some results.
 *
 * @typedef {object} Remark
 * @property {readonly string[]} quantities `value`, `tangent` or `cotangent`
 * @property {number} units what they may reach, in max(condition, 1) u
 * @property {string} why
 */

/**
 * Results that matfun does not hold, by the case's name. A case above the bound is never taken out of the set, nor the bound
 * loosened: `test/accuracy.test.ts` asks that the quantities named here are above the bound, lest a remark outlive its
 * reason, and at most at `units`, and holds every other quantity to the promise.
 *
 * @type {Record<string, Remark>}
 */
export const remarks = {
  'rotated [1-b/2 b/2; -b^4/2 1+b/2], b = 1e2, float64': {
    quantities: ['tangent', 'cotangent'],
    units: 1000,
    why: rotated(209),
  },
  'rotated [1-b/2 b/2; -b^4/2 1+b/2], b = 1e2, complex128': {
    quantities: ['tangent', 'cotangent'],
    units: 1000,
    why: rotated(324),
  },
}

/** @param {number} units measured in 150-digit arithmetic over 12 random perturbations of at most half a unit in the last place */
function rotated(units) {
  return (
    'The eigenvalues are 1 ± 49999.975 i, and exp(A) is nearly stationary in that frequency, so that cond is small; the ' +
    'derivative is not. Moving the entries of A by up to half a unit in the last place, which leaves exp(A) within .7 ' +
    `units, moves the exact derivative by up to ${units} units. No method that rounds anything of the size of A can hold this.`
  )
}
