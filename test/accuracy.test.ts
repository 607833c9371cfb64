import { describe, expect, it } from 'vitest'
import { expm, expmCond, expmJVP, expmVJP } from '../lib/index.ts'
import type { DType } from '../lib/ndarray.ts'
import { median, relativeError, unitRoundoff } from '../scripts/accuracy/measure.mjs'
import { remarks } from '../scripts/accuracy/remarks.mjs'
import { type FixtureCase, fixtures } from './support/fixtures.ts'

// The promise: at most 10 max(condition, 1) u for every case, and a median below 1 for each dtype and quantity.
const bound = 10
const boundOfMedian = 1

const quantities = ['value', 'tangent', 'cotangent', "the JVP's value", "the VJP's value"] as const
type Quantity = (typeof quantities)[number]

const dtypes: readonly DType[] = ['float64', 'float32', 'complex128', 'complex64']
const all = fixtures()

/** In units of max(condition, 1) u; Infinity for a case that fails, so that one that throws hides no other. */
type Errors = Readonly<Record<Quantity, number>>

const measured = new Map<FixtureCase, Errors>()

function errorsOf(fixture: FixtureCase): Errors {
  let errors = measured.get(fixture)
  if (!errors) {
    errors = measure(fixture)
    measured.set(fixture, errors)
  }
  return errors
}

function measure(fixture: FixtureCase): Errors {
  const { dtype, n, condition } = fixture
  const unit = Math.max(condition, 1) * unitRoundoff(dtype)
  const [A, E, W] = [fixture.A, fixture.E, fixture.W].map((data) => ({ data, shape: [n, n], dtype }))
  const nan = { onFailure: 'nan' } as const
  const jvp = expmJVP(A, E, nan)
  const vjp = expmVJP(A, W, nan)
  const inUnits = (computed: { data: ArrayLike<number> }, truth: Float64Array) => {
    const error = relativeError(computed.data, truth) / unit
    return Number.isNaN(error) ? Infinity : error
  }
  return {
    value: inUnits(expm(A, nan), fixture.value),
    tangent: inUnits(jvp.tangent, fixture.tangent),
    cotangent: inUnits(vjp.cotangent, fixture.cotangent),
    "the JVP's value": inUnits(jvp.value, fixture.value),
    "the VJP's value": inUnits(vjp.value, fixture.value),
  }
}

/** The results that docs/accuracy.md lists as not held, each with its reason, and what they may reach. */
function isNotHeld({ name }: FixtureCase, quantity: string): boolean {
  return remarks[name]?.quantities.includes(quantity) ?? false
}

/** Refused with ERR_UNCERTAIN: rounding x changes every digit but those of what underflows. */
const isRefused = ({ name }: FixtureCase): boolean => name.startsWith('[-x 1; 1 0], x = ')

describe('the fixtures that are refused', () => {
  const refused = all.filter(isRefused)

  it('are one of each dtype', () => {
    expect(refused.map(({ dtype }) => dtype).sort()).toEqual([...dtypes].sort())
  })

  it.each(refused.map((fixture) => [fixture.name, fixture] as const))('are uncertain: %s', (_, fixture) => {
    const { dtype, n, condition } = fixture
    expect(condition * unitRoundoff(dtype)).toBeGreaterThan(1)
    const [A, E] = [fixture.A, fixture.E].map((data) => ({ data, shape: [n, n], dtype }))
    for (const call of [() => expm(A), () => expmJVP(A, E), () => expmVJP(A, E), () => expmCond(A)])
      expect(call).toThrow(/no digit of its exponential is certain/)
    for (const error of Object.values(errorsOf(fixture))) expect(error).toBe(Infinity)
  })
})

for (const dtype of dtypes) {
  const cases = all.filter((fixture) => fixture.dtype === dtype && !isRefused(fixture))

  describe(`the fixtures of ${dtype}`, () => {
    for (const family of new Set(cases.map((fixture) => fixture.family))) {
      it(`hold value, tangent and cotangent to ${bound} max(condition, 1) u: ${family}`, () => {
        const tooLarge = cases
          .filter((fixture) => fixture.family === family)
          .flatMap((fixture) =>
            Object.entries(errorsOf(fixture))
              .filter(([quantity, error]) => !isNotHeld(fixture, quantity) && !(error <= bound))
              .map(([quantity, error]) => `${fixture.name}: ${quantity} ${error.toPrecision(3)}`),
          )
        expect(tooLarge, tooLarge.join('\n')).toEqual([])
      })
    }

    for (const quantity of quantities) {
      it(`have a median error below ${boundOfMedian} max(condition, 1) u: ${quantity}`, () => {
        expect(median(cases.map((fixture) => errorsOf(fixture)[quantity]))).toBeLessThan(boundOfMedian)
      })
    }

    it('have their 1-norm condition number estimated within a factor of 3 from below', () => {
      const wrong = cases.flatMap(({ name, n, A: data, condition, oneNormCondition: exact }) => {
        if (exact === null) return []
        const estimate = Number(expmCond({ data, shape: [n, n] as const, dtype }, { onFailure: 'nan' }))
        // It is a lower bound but for the three digits that cases.json keeps, and for the rounding of the derivatives that it is made
        // of, which comes near 1 with cond u.
        const rounding = condition * unitRoundoff(dtype)
        return estimate <= exact * (1.01 + rounding) && estimate >= exact / (3 + rounding)
          ? []
          : [`${name}: ${estimate.toPrecision(3)} for ${exact}`]
      })
      expect(wrong, wrong.join('\n')).toEqual([])
    })
  })
}

describe('the results that are listed as not held', () => {
  it.each(Object.entries(remarks))('are above the bound, and no further than said: %s', (name, remark) => {
    const fixture = all.find((candidate) => candidate.name === name)!
    for (const quantity of remark.quantities) {
      const error = errorsOf(fixture)[quantity as Quantity]
      expect(error).toBeGreaterThan(bound)
      expect(error).toBeLessThanOrEqual(remark.units)
    }
  })
})

describe('the set of fixtures', () => {
  it('has at least 300 cases, and 100 of each dtype', () => {
    expect(all.length).toBeGreaterThanOrEqual(300)
    for (const dtype of dtypes)
      expect(all.filter((fixture) => fixture.dtype === dtype).length).toBeGreaterThanOrEqual(100)
  })
})

describe('the error by which results are judged', () => {
  it('is the distance relative to the truth, in the Frobenius norm', () => {
    expect(relativeError([3, 4, 0, 1], [3, 4, 0, 0])).toBeCloseTo(0.2, 15)
  })

  it('neither overflows nor underflows', () => {
    for (const scale of [1, 2 ** 1020, 2 ** -1060]) {
      const [X, truth] = [
        [3, 4, 0, 1],
        [3, 4, 0, 0],
      ].map((matrix) => matrix.map((x) => x * scale))
      expect(relativeError(X, truth)).toBeCloseTo(0.2, 15)
    }
    expect(relativeError([-1.7e308], [1.7e308])).toBe(2)
    expect(relativeError([1e-300, 1e300], [0, 1e300])).toBe(0)
  })

  it('is 0 for what is right, zeros included, and infinite for anything beside a truth of zeros', () => {
    expect(relativeError([1, -2], [1, -2])).toBe(0)
    expect(relativeError([0, 0], [0, -0])).toBe(0)
    expect(relativeError([0, 5e-324], [0, 0])).toBe(Infinity)
  })

  it('is not finite where the result is not', () => {
    for (const bad of [NaN, Infinity, -Infinity])
      expect(relativeError([1, bad, 1], [1, 1, 1])).not.toBeLessThan(1e300)
  })

  it('refuses a result of another length than the truth', () => {
    expect(() => relativeError([1, 2], [1, 2, 3])).toThrow(RangeError)
  })
})
