import { describe, expect, test } from 'vitest'
import { expm, expmCond, expmJVP, expmPlan, expmVJP, type NDArray } from '../lib/index.ts'
import { relativeError } from '../scripts/accuracy/measure.mjs'
import { fixtures, unitRoundoff } from './support/fixtures.ts'
import { inner, random, u } from './support/matrices.ts'

// Faults that other libraries have, or had for years, each by name. What they get wrong is in the comments; the fixtures
// hold these families as a whole (accuracy.test.ts).

const single = unitRoundoff('float32')
const all = fixtures()

/** The fixture of this name, as an input. */
function fixture(name: string) {
  const found = all.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no fixture is called ${name}`)
  const { dtype, n } = found
  const input = (data: Float64Array | Float32Array) => ({ data, shape: [n, n] as const, dtype })
  return { ...found, A: input(found.A), E: input(found.E), W: input(found.W) }
}

/** Errors of value, tangent and cotangent in units of max(condition, 1) u. */
function errorsInUnits(name: string) {
  const { A, E, W, dtype, condition, value, tangent, cotangent } = fixture(name)
  const unit = Math.max(condition, 1) * unitRoundoff(dtype)
  return [
    relativeError(expm(A).data, value),
    relativeError(expmJVP(A, E).tangent.data, tangent),
    relativeError(expmVJP(A, W).cotangent.data, cotangent),
  ].map((error) => error / unit)
}

const expectHeld = (name: string) => {
  for (const error of errorsInUnits(name)) expect(error).toBeLessThanOrEqual(10)
}

const hyperbolic = (b: number) => [Math.cosh(b), Math.sinh(b), Math.sinh(b), Math.cosh(b)]

describe('trap 1: squarings rounded down', () => {
  test('exp of [0 b; b 0] at b = 10.7 is right in double precision (1.6e-7 in two libraries)', () => {
    const X = expm([
      [0, 10.7],
      [10.7, 0],
    ])
    expect(relativeError(X.data, hyperbolic(10.7))).toBeLessThanOrEqual(10 * 10.7 * u)
  })

  test('and at b = 7.8 in single precision (1.5 % there)', () => {
    const b = Math.fround(7.8)
    const X = expm(new Float32Array([0, b, b, 0]))
    expect(relativeError(X.data, hyperbolic(b))).toBeLessThanOrEqual(10 * b * single)
  })
})

describe('trap 2: overscaling', () => {
  const exact = (b: number) => [Math.E, (b * (Math.E - 1 / Math.E)) / 2, 0, 1 / Math.E]

  test.each([1e3, 1e6, 1e8])('exp of [1 b; 0 -1] is right to a few u in every entry: b = %f', (b) => {
    const X = expm([
      [1, b],
      [0, -1],
    ]).data
    for (const [k, x] of exact(b).entries())
      expect(Math.abs(X[k] - x)).toBeLessThanOrEqual(4 * u * Math.abs(x))
  })

  test.each(['float64', 'float32', 'complex128', 'complex64'])(
    'the two with b/2 are held, also rotated: %s',
    (dtype) => {
      for (const name of [
        '[1-b/2 b/2; -b/2 1+b/2], b = 1e4',
        '[1-b/2 b/2; -b^4/2 1+b/2], b = 1e2',
        'rotated [1-b/2 b/2; -b/2 1+b/2], b = 1e4',
      ])
        if (all.some((candidate) => candidate.name === `${name}, ${dtype}`)) expectHeld(`${name}, ${dtype}`)
    },
  )

  test.each(['float64', 'complex128'])('rotated [1 b; 0 -1] are held: %s', (dtype) => {
    for (const b of ['1e+6', '1e+8']) expectHeld(`rotated [1 b; 0 -1], b = ${b}, ${dtype}`)
  })
})

describe('trap 3: state of one item reaching the next', () => {
  test('matrices of very different plans in one stack get the bits that they get alone (300 % error in a library)', () => {
    const kinds = [
      [0, 0, 0, 0],
      [0, 6, 0, 0],
      [-50, 1, 2, -50],
      [1, 1e6, 0, -1],
      [1e-9, 2e-9, 3e-9, 4e-9],
      [1 - 5e3, 5e3, -5e3, 1 + 5e3],
      [1, 1e4, 1e-4, 2],
      [0.1, 0.2, 0.3, 0.4],
      [30, 20, 10, -40],
    ]
    const order = [0, 4, 1, 7, 2, 8, 3, 6, 5, 0, 8, 8, 1, 5, 2, 3, 7]
    const stack = { data: Float64Array.from(order.flatMap((k) => kinds[k])), shape: [order.length, 2, 2] }
    const together = expm(stack).data
    const E = random(2, 7)
    const tangents = expmJVP(stack, E).tangent.data
    for (const [at, k] of order.entries()) {
      const A = Float64Array.from(kinds[k])
      expect(together.slice(4 * at, 4 * at + 4)).toEqual(expm(A).data)
      expect(tangents.slice(4 * at, 4 * at + 4)).toEqual(expmJVP(A, E).tangent.data)
    }
  })
})

describe('trap 4: a 1-norm summed along the wrong axis', () => {
  test('a matrix and its transpose have one plan and transposed exponentials, whatever their columns sum to', () => {
    for (const scale of [0.01, 1, 30, 300]) {
      const A = random(5, 3).map((x, k) => (x * scale) / (k % 5 === 2 ? 1 : 30))
      const At = A.map((_, k) => A[(k % 5) * 5 + Math.floor(k / 5)])
      const { norm, squarings, degree } = expmPlan(A)
      expect(expmPlan(At)).toMatchObject({ norm, squarings, degree })
      const Xt = expm(At).data
      const X = expm(A).data.map((_, k, all) => all[(k % 5) * 5 + Math.floor(k / 5)])
      expect(relativeError(Xt, X)).toBeLessThanOrEqual(10 * Math.max(expmCond(A), expmCond(At), 1) * u)
    }
  })

  test('the condition number is that of the 1-norm, which a transpose changes', () => {
    const A = [
      [0, 0],
      [9, 0],
    ]
    // K of a nilpotent matrix of order 2: L(A, E) = E + (AE + EA)/2 + AEA/6, so |K|_1 = 1 + 9 + 81/6, |A|_1 = 9, |exp A|_1 = 10.
    expect(expmCond(A)).toBeCloseTo(((1 + 9 + 81 / 6) * 9) / 10, 12)
    const row = [
      [1, 2],
      [0, 0],
    ]
    const column = [
      [1, 0],
      [2, 0],
    ]
    expect(expmCond(row)).not.toBeCloseTo(expmCond(column), 3)
  })
})

describe('trap 5: one mistyped coefficient', () => {
  test('T8 is right to rounding at its bound (8e-11 for six years in a library)', () => {
    for (const x of [0.02, 0.03, 0.0499]) {
      const A = [
        [0, x],
        [x, 0],
      ]
      expect(expmPlan(A).degree).toBe(8)
      expect(relativeError(expm(A).data, hyperbolic(x))).toBeLessThanOrEqual(4 * u)
    }
  })
})

describe('trap 6: a saved intermediate that is also the output', () => {
  test('1000 random 3 x 3 gradients satisfy <W, L(A, E)> = <L(A^T, W), E> (773 wrong in a library)', () => {
    const count = 1000
    const stack = (seed: number, scale: number) => ({
      data: random(3, seed, count).map((x) => scale * x),
      shape: [count, 3, 3],
    })
    const [A, E, W] = [stack(1, 3), stack(2, 1), stack(3, 1)]
    const { tangent } = expmJVP(A, E)
    const { cotangent } = expmVJP(A, W)
    let worst = 0
    for (let k = 0; k < count; k++) {
      const item = (array: { data: Float64Array }) => array.data.subarray(9 * k, 9 * k + 9)
      const difference = inner(item(W), item(tangent)) - inner(item(cotangent), item(E))
      const size = Math.hypot(...item(W)) * Math.hypot(...item(tangent))
      worst = Math.max(worst, Math.abs(difference) / size)
    }
    expect(worst).toBeLessThanOrEqual(1000 * u)
  })
})

describe('trap 7: an input changed in place', () => {
  test('A, E and W are what they were, in every form of evaluation and dtype', () => {
    for (const { A, E, W } of all.filter(({ n }) => n <= 4)) {
      const before = [A, E, W].map((data) => data.slice())
      const found = all.find((candidate) => candidate.A === A)!
      const input = (data: typeof A) => ({ data, shape: [found.n, found.n] as const, dtype: found.dtype })
      expm(input(A), { onFailure: 'nan' })
      expmJVP(input(A), input(E), { onFailure: 'nan' })
      expmVJP(input(A), input(W), { onFailure: 'nan' })
      expmCond(input(A), { onFailure: 'nan' })
      expect([A, E, W]).toEqual(before)
    }
  })
})

describe('trap 8: exponentials near the end of the range', () => {
  const b = 500

  test('exp(500 I + ones) is finite and right, and so are its derivatives (NaN or an exception in two libraries)', () => {
    const A = [
      [b + 1, 1],
      [1, b + 1],
    ]
    const value = [(Math.E ** 2 + 1) / 2, (Math.E ** 2 - 1) / 2]
    const shrink = (X: NDArray<'float64'>) => X.data.map((x) => x / Math.exp(b))
    const I = new Float64Array([1, 0, 0, 1])
    const exact = [value[0], value[1], value[1], value[0]]
    const most = 10 * (b + 2) * u
    expect(relativeError(shrink(expm(A)), exact)).toBeLessThanOrEqual(most)
    expect(relativeError(shrink(expmJVP(A, I).tangent), exact)).toBeLessThanOrEqual(most)
    expect(relativeError(shrink(expmVJP(A, I).cotangent), exact)).toBeLessThanOrEqual(most)
  })

  test('more than 16 squarings are done (NaN in a library)', () => {
    const A = [
      [-3e5, 2e5],
      [1e5, -4e5],
    ]
    const X = expm([
      [0, 3e5],
      [-3e5, 0],
    ])
    expect(
      expmPlan([
        [0, 3e5],
        [-3e5, 0],
      ]).squarings,
    ).toBeGreaterThan(16)
    const exact = [Math.cos(3e5), Math.sin(3e5), -Math.sin(3e5), Math.cos(3e5)]
    expect(relativeError(X.data, exact)).toBeLessThanOrEqual(10 * 3e5 * u)
    expect(expm(A).data).toEqual(new Float64Array(4))
  })
})

describe('trap 9: the ends of the range', () => {
  test('the zero matrix gives exactly I and L(0, E) exactly E', () => {
    const E = random(4, 1)
    const { value, tangent } = expmJVP(new Float64Array(16), E)
    expect([...value.data]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
    expect(tangent.data).toEqual(E)
  })

  test.each([5e-324, 1e-310, 1e-300, 1e-30])('norms of %f give I + A', (x) => {
    expect([
      ...expm([
        [0, x],
        [-x, 0],
      ]).data,
    ]).toEqual([1, x, -x, 1])
  })

  test('a matrix of 1e300 is done where its exponential is in range', () => {
    const b = 1e300
    expect([
      ...expm([
        [0, b],
        [0, 0],
      ]).data,
    ]).toEqual([1, b, 0, 1])
    const X = expm([
      [1, b],
      [0, -1],
    ]).data
    expect(Math.abs(X[1] / b / Math.sinh(1) - 1)).toBeLessThanOrEqual(4 * u)
    expect([X[0], X[3]]).toEqual([Math.exp(1), Math.exp(-1)])
    expect([
      ...expm([
        [-b, 0],
        [0, 1],
      ]).data,
    ]).toEqual([0, 0, 0, Math.exp(1)])
    // The derivative of [0 b; 0 0] in the direction of its own upper entry, and in one that its square does not reach.
    const { tangent } = expmJVP(
      [
        [0, b],
        [0, 0],
      ],
      [
        [1, 1],
        [0, 1],
      ],
    )
    expect([...tangent.data]).toEqual([1, b, 0, 1].map((x, k) => (k === 1 ? b + 1 : x)))
  })

  test('single precision does the same at 1e37', () => {
    const b = Math.fround(1e37)
    expect([...expm(new Float32Array([0, b, 0, 0])).data]).toEqual([1, b, 0, 1])
    expect(expmCond(new Float32Array([0, b, 0, 0]))).toBeCloseTo(b ** 2 / 6, -70)
  })

  test("nilpotent 6 on the superdiagonal, and forsythe(10, 1e-10, 0), which is Ward's fourth test, are held", () => {
    const names = all
      .map(({ name }) => name)
      .filter((name) => /^6 times the superdiagonal|^Ward's test 4/.test(name))
    for (const name of names) expectHeld(name)
    expect(names.length).toBeGreaterThanOrEqual(8)
  })

  test('what overflows is told, and nothing else fails with it', () => {
    const stack = { data: new Float64Array([710, 0, 0, 710, 1, 0, 0, 1]), shape: [2, 2, 2] }
    expect(() => expm(stack)).toThrow(
      expect.objectContaining({ code: 'ERR_OVERFLOW', failures: [{ index: 0, code: 'ERR_OVERFLOW' }] }),
    )
    const X = expm(stack, { onFailure: 'nan' }).data
    expect([...X.slice(0, 4)]).toEqual([NaN, NaN, NaN, NaN])
    expect(relativeError(X.slice(4), [Math.E, 0, 0, Math.E])).toBeLessThanOrEqual(2 * u)
  })
})

describe('trap 10: rotations, whose squarings amplify', () => {
  test('a rotation by 100 is orthogonal and right', () => {
    const X = expm([
      [0, 100],
      [-100, 0],
    ]).data
    const exact = [Math.cos(100), Math.sin(100), -Math.sin(100), Math.cos(100)]
    expect(relativeError(X, exact)).toBeLessThanOrEqual(10 * 100 * u)
  })
})

describe('what reductions are for', () => {
  test('-50 I + N in single precision keeps its digits (9e-5 without a shift)', () => {
    const n = 4
    const A = new Float32Array(n * n).map((_, k) => (k % (n + 1) === 0 ? -50 : k % n > k / n ? 1 : 0.5))
    const value = expm(Float64Array.from(A)).data
    expect(relativeError(expm(A).data, value)).toBeLessThanOrEqual(10 * 50 * single)
    expect(relativeError(expm(A).data, value)).toBeLessThanOrEqual(3e-6)
    expect(expmPlan(A).shift).toBe(-50)
  })

  test('a badly balanced matrix is balanced for its value (8e16 relative error without)', () => {
    expectHeld('[0 e 0; -(a+b) -d a; c 0 -c], float64')
    const { A, value } = fixture('[0 e 0; -(a+b) -d a; c 0 -c], float64')
    expect(relativeError(expm(A).data, value)).toBeLessThanOrEqual(1e-12)
    expect(relativeError(expm(A, { balance: false }).data, value)).toBeGreaterThan(1e-12)
  })

  test('eigenvalues 1e-9 apart in a triangular matrix lose nothing (1e-9 by the plain quotient)', () => {
    const X = expm([
      [5, 7],
      [0, 5 + 1e-9],
    ]).data
    const h = (5 + 1e-9 - 5) / 2
    const exact = 7 * Math.exp((5 + (5 + 1e-9)) / 2) * (1 + (h * h) / 6)
    expect(Math.abs(X[1] / exact - 1)).toBeLessThanOrEqual(10 * u)
  })

  test('the scaling never depends on the size of a direction (1e-9 lost in the 2n block)', () => {
    const A = random(4, 9).map((x) => 5 * x)
    const E = random(4, 10)
    const L = expmJVP(A, E).tangent.data
    for (const k of [-900, -40, 20, 900])
      expect(
        expmJVP(
          A,
          E.map((x) => x * 2 ** k),
        ).tangent.data,
      ).toEqual(L.map((x) => x * 2 ** k))
  })
})

describe('what a search for failures found', () => {
  test('a non-normal block beside a larger eigenvalue is done again in Schur form (2160 units without)', () => {
    for (const c of [1e4, 1e5, 1e6]) {
      const A = [
        [-c, 0, 0],
        [0, 1 - c, c],
        [0, 2 - c, c - 1],
      ]
      const M = [1 - c, c, 2 - c, c - 1]
      const exact = M.map((m, k) => Math.sinh(1) * m + (k % 3 === 0 ? Math.cosh(1) : 0))
      const X = expm(A).data
      const block = [X[4], X[5], X[7], X[8]]
      expect(relativeError(block, exact)).toBeLessThanOrEqual(10 * 0.63 * c * c * u)
      expect(expmCond(A)).toBeLessThanOrEqual(10 * c * c)
    }
  })

  test.each([1.6, 0.9, 0.5])('-%f I is as exact as its entries (29 units without a shift)', (x) => {
    const X = expm([
      [-x, 0],
      [0, -x],
    ]).data
    expect(Math.abs(X[0] / Math.exp(-x) - 1)).toBeLessThanOrEqual(4 * u)
    const y = Math.fround(-1.4 * x)
    const Y = expm(new Float32Array([y, 0, 0, y])).data
    expect(Math.abs(Y[0] / Math.exp(y) - 1)).toBeLessThanOrEqual(4 * single)
  })

  test('small strongly non-normal matrices are not rotated: exp(A) = I + A for A^2 = 0 (10 units in Schur form)', () => {
    const n = 32
    const sign = random(n, 3).map(Math.sign)
    const A = Float64Array.from({ length: n * n }, (_, k) => {
      const [i, j] = [Math.floor(k / n), k % n]
      return (sign[i] * sign[n + j] * (j % 2 === 0 ? sign[j] * sign[n + j] : -sign[j] * sign[n + j])) / 16
    })
    // Columns come in pairs of opposite sign relative to the rows, so that A^2 = 0 exactly.
    const square = Float64Array.from({ length: n * n }, (_, k) => {
      let sum = 0
      for (let l = 0; l < n; l++) sum += A[Math.floor(k / n) * n + l] * A[l * n + (k % n)]
      return sum
    })
    expect(square.every((x) => x === 0)).toBe(true)
    const exact = A.map((x, k) => x + (k % (n + 1) === 0 ? 1 : 0))
    expect(relativeError(expm(A).data, exact)).toBeLessThanOrEqual(2 * u)
  })

  test('one huge entry far from the diagonal is kept', () => {
    const A = new Float64Array(64)
    A[7] = 2 ** 300
    expect(expm(A).data[7]).toBe(2 ** 300)
    const B = new Float32Array(64)
    B[7] = 2 ** 30
    expect(expm(B).data[7]).toBe(2 ** 30)
  })

  test('complex entries whose modulus overflows are finite all the same', () => {
    const z = { re: 1.7e308, im: 1.7e308 }
    const X = expm([
      [{ re: 0, im: 0 }, z],
      [0, 0],
    ]).data
    expect([...X]).toEqual([1, 0, 1.7e308, 1.7e308, 0, 0, 1, 0])
  })
})

describe('a huge entry far from the diagonal of a triangular matrix', () => {
  // A = a e1 en^T is nilpotent: exp(A) = I + A, and L(A, E) = E + (AE + EA) / 2 + AEA / 6.
  test.each([2, 3, 4, 5, 8, 9, 17])(
    'keeps the terms that a direction below it makes great, at order %i',
    (n) => {
      for (const lower of [false, true])
        for (const exponent of [30, 110, 210, 400, 500]) {
          const a = 2 ** exponent
          const [far, back] = lower ? [(n - 1) * n, n - 1] : [n - 1, (n - 1) * n]
          const A = { data: new Float64Array(n * n), shape: [n, n] }
          const E = { data: new Float64Array(n * n), shape: [n, n] }
          A.data[far] = a
          E.data[back] = 1
          const expected = new Float64Array(n * n)
          expected[back] = 1
          expected[0] = a / 2
          expected[n * n - 1] = a / 2
          expected[far] = (a * a) / 6
          const { value, tangent } = expmJVP(A, E)
          expect(value.data[far]).toBe(a)
          for (const [k, entry] of expected.entries())
            expect(Math.abs(tangent.data[k] - entry)).toBeLessThanOrEqual(20 * u * Math.abs(entry))
          // The gradient of the far entry of exp, whose adjoint is the same with E and A transposed.
          const W = { data: E.data.toReversed(), shape: [n, n] }
          const { cotangent } = expmVJP(A, W)
          expect(Math.abs(cotangent.data[back] - (a * a) / 6)).toBeLessThanOrEqual(20 * u * ((a * a) / 6))
        }
    },
  )
})
