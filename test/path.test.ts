import { describe, expect, test } from 'vitest'
import { expm, expmPlan, type Plan } from '../lib/index.ts'
import { relativeError, u } from './support/matrices.ts'

/** diag-free symmetric [[0, x], [x, 0]]: both norms are exactly x. */
const swap = (x: number) => [
  [0, x],
  [x, 0],
]

const next = (x: number, direction: 1 | -1): number => {
  const bits = new BigInt64Array(new Float64Array([x]).buffer)
  bits[0] += BigInt(direction)
  return new Float64Array(bits.buffer)[0]
}

/** What every plan of these has in common: [[0, x], [x, 0]] is as normal as can be, and its square is x^2 I. */
const plain = { form: 'full', balanced: false, shift: 0 }

/** Where plans change, found by bisection over the public function alone: the greatest norm with the given plan. */
function lastNormWhere(holds: (plan: Plan) => boolean, options: object, low: number, high: number): number {
  while (next(low, 1) < high) {
    const middle = low + (high - low) / 2
    if (holds(expmPlan(swap(middle), options))) low = middle
    else high = middle
  }
  return low
}

// As published, with the digits of the papers: polynomials.json's sources are named in native/expm/coefficients.hpp.
const published = {
  polynomial: {
    degrees: [1, 2, 4, 8, 15, 21],
    products: [0, 1, 2, 3, 4, 5],
    value: [2.2e-16, 2.580957e-8, 3.397e-4, 4.991e-2, 0.6764, 1.6827],
    derivative: [1.1e-16, 1.49e-8, 2.272e-4, 3.796e-2, 0.5648, 1.4629],
  },
  pade: {
    degrees: [3, 5, 7, 9, 13],
    products: [2, 3, 4, 5, 6],
    value: [1.4956e-2, 0.25394, 0.95042, 2.0978, 5.3719],
    derivative: [1.0813e-2, 0.19981, 0.78346, 1.7824, 4.7403],
  },
} as const

describe.each(['polynomial', 'pade'] as const)('path of %s', (method) => {
  describe.each(['value', 'derivative'] as const)('for the %s', (purpose) => {
    const { degrees, products } = published[method]
    const bounds = published[method][purpose]

    test.each(degrees.map((degree, k) => [degree, k] as const))(
      'degree %i is used up to its published bound and not one ulp further',
      (degree, k) => {
        const options = { method, purpose }
        const lower = k === 0 ? 0 : bounds[k - 1] * 1.01
        const last = lastNormWhere(
          (plan) => plan.degree === degree && plan.squarings === 0,
          options,
          lower,
          bounds[k] * 2,
        )
        expect(Math.abs(last / bounds[k] - 1)).toBeLessThan(0.02)
        expect(expmPlan(swap(last), options)).toEqual({
          method,
          degree,
          products: products[k],
          squarings: 0,
          norm: last,
          alpha: last,
          ...plain,
        })
        const above = expmPlan(swap(next(last, 1)), options)
        if (k + 1 < degrees.length) expect(above).toMatchObject({ degree: degrees[k + 1], squarings: 0 })
        else expect(above).toMatchObject({ degree, squarings: 1 })
      },
    )

    test('each doubling of the norm beyond the last bound takes one squaring more, at exactly the doubled bound', () => {
      const options = { method, purpose }
      const top = degrees[degrees.length - 1]
      const last = lastNormWhere(
        (plan) => plan.squarings === 0,
        options,
        bounds[bounds.length - 1] * 0.98,
        100,
      )
      // From 2^43 on signs are looked at, and from 2^53 on nothing is certain.
      for (let s = 1; s < 40; s++) {
        expect(expmPlan(swap(last * 2 ** s), options)).toMatchObject({ degree: top, squarings: s })
        expect(expmPlan(swap(next(last * 2 ** s, 1)), options)).toMatchObject({
          degree: top,
          squarings: s + 1,
        })
      }
    })
  })
})

test('the value computed on each side of every threshold is right: no rung is used beyond what it can do', () => {
  for (const method of ['polynomial', 'pade'] as const)
    for (const bound of published[method].value)
      for (const x of [bound * 0.999, bound * 1.001]) {
        const exact = [Math.cosh(x), Math.sinh(x), Math.sinh(x), Math.cosh(x)]
        // 10 max(cond, 1) u with cond = x for a symmetric matrix; Padé 13 also solves with a condition of up to e^x.
        const most = (10 * Math.max(x, 1) + (method === 'pade' ? 2 * Math.exp(x) : 0)) * u
        expect(relativeError(expm(swap(x), { method }).data, exact)).toBeLessThanOrEqual(most)
      }
})

test('squarings are rounded up: the norm 10.7 takes three, and its exponential is right', () => {
  expect(expmPlan(swap(10.7))).toEqual({
    method: 'polynomial',
    degree: 21,
    products: 5,
    squarings: 3,
    norm: 10.7,
    alpha: 10.7,
    ...plain,
  })
  const exact = [Math.cosh(10.7), Math.sinh(10.7), Math.sinh(10.7), Math.cosh(10.7)]
  expect(relativeError(expm(swap(10.7)).data, exact)).toBeLessThanOrEqual(10 * 10.7 * u)
})

test('the plan comes from the smaller of the 1-norm and the infinity norm, for A as for its transpose', () => {
  // Columns sum to 5, rows to 3; the plan must not depend on which is summed first.
  const A = [
    [1, 1, 1],
    [2, 1, 0],
    [2, 0, 1],
  ]
  const At = A.map((_, i) => A.map((row) => row[i]))
  for (const matrix of [A, At]) {
    const { norm, alpha } = expmPlan(matrix)
    expect(norm).toBe(3)
    expect(alpha).toBeLessThanOrEqual(3)
  }
  expect(expmPlan(A)).toEqual(expmPlan(At))
})

test('squarings follow from what the powers of A ask for, not from its norm', () => {
  // The square of [[1, b], [0, -1]] is I.
  for (const b of [1e3, 1e6]) {
    const overscaled = [
      [1, b],
      [0, -1],
    ]
    const plan = expmPlan(overscaled)
    expect(plan.norm).toBe(1 + b)
    expect(plan.alpha).toBeLessThan(2)
    expect(plan.squarings).toBeLessThanOrEqual(1)
    expect(plan.form).toBe('triangular')
    expect(expmPlan(overscaled, { purpose: 'derivative' }).squarings).toBeLessThanOrEqual(2)
  }
})

test('a shift is made where it halves the norm, and can be forbidden and demanded', () => {
  const A = [
    [-50, 1],
    [2, -50],
  ]
  expect(expmPlan(A)).toMatchObject({ shift: -50, norm: 2 })
  expect(expmPlan(A, { shift: false })).toMatchObject({ shift: 0, norm: 52 })
  const B = [
    [3, 4],
    [-4, 1],
  ]
  expect(expmPlan(B)).toMatchObject({ shift: 0 })
  expect(expmPlan(B, { shift: true })).toMatchObject({ shift: 2 })
  const complex = [
    [{ re: 0, im: 40 }, 1],
    [1, { re: 0, im: 40 }],
  ]
  expect(expmPlan(complex)).toMatchObject({ shift: { re: 0, im: 40 }, norm: 1 })
})

test('plans come from balanced norms where that halves the norm, and can be forbidden and demanded', () => {
  const A = [
    [1, 1e4],
    [1e-4, 2],
  ]
  expect(expmPlan(A)).toMatchObject({ balanced: true })
  expect(expmPlan(A).norm).toBeLessThan(10)
  expect(expmPlan(A, { balance: false })).toMatchObject({ balanced: false })
  expect(expmPlan(A, { purpose: 'derivative' })).toMatchObject({ balanced: true })
  expect(expmPlan(A, { purpose: 'derivative', balance: false })).toMatchObject({ balanced: false })
  expect(expmPlan(A, { purpose: 'derivative', balance: true })).toMatchObject({ balanced: true })
})

test('strongly non-normal matrices go to Schur form, triangular ones as they are', () => {
  const rotated = (b: number) => {
    const [c, s] = [0.8, 0.6]
    return [
      [c * c - s * s - c * s * b, -2 * c * s + c * c * b],
      [-2 * c * s - s * s * b, s * s - c * c + c * s * b],
    ]
  }
  expect(expmPlan(rotated(1e6), { balance: false }).form).toBe('schur')
  expect(expmPlan(rotated(10)).form).toBe('full')
  for (const triangular of [
    [
      [5, 9],
      [0, -7],
    ],
    [
      [5, 0],
      [9, -7],
    ],
    [
      [5, 0],
      [0, -7],
    ],
  ])
    expect(expmPlan(triangular)).toMatchObject({ form: 'triangular' })
})

test('a stack gives a list of plans, a single matrix one, and 1 x 1 is scalar', () => {
  const plans = expmPlan([swap(1e-5), swap(0.01), swap(100)]) as Plan[]
  expect(plans.map((plan) => [plan.degree, plan.squarings])).toEqual([
    [4, 0],
    [8, 0],
    [21, 6],
  ])
  expect(expmPlan([[5]])).toEqual({
    method: 'scalar',
    degree: 0,
    products: 0,
    squarings: 0,
    norm: 5,
    alpha: 5,
    ...plain,
  })
  expect(expmPlan({ data: new Float64Array(0), shape: [0, 3, 3] })).toEqual([])
})

test('the derivative squares once more where only its own stricter bound asks for it', () => {
  expect(expmPlan(swap(1.6))).toMatchObject({ degree: 21, squarings: 0 })
  expect(expmPlan(swap(1.6), { purpose: 'derivative' })).toMatchObject({ degree: 21, squarings: 1 })
})
