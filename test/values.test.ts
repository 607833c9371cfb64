import { describe, expect, test } from 'vitest'
import { expm, expmJVP, expmVJP, type Method } from '../lib/index.ts'
import * as reference from '../lib/reference/index.ts'
import { conditionNumber, families, random, relativeError, u, withNorm } from './support/matrices.ts'

const methods: Method[] = ['polynomial', 'pade']
const orders = [1, 2, 3, 5, 8, 16]
/** One inside each rung of both ladders, and one that squares. */
const norms = [1e-17, 1e-9, 1e-4, 0.03, 0.5, 1.4, 4, 20]

/** A generator or a skew matrix of order 1 is zero, and has no norm to be scaled to. */
const isZero = (family: string, n: number) =>
  n === 1 && ['Markov generator', 'skew-symmetric'].includes(family)

for (const [family, make] of Object.entries(families))
  for (const n of orders.filter((order) => !isZero(family, order)))
    describe(`${family}, n = ${n}`, () => {
      const seed = 100 * n + family.length
      const E = random(n, seed + 1)
      for (const norm of norms) {
        const scaled = withNorm(make(n, seed), n, norm)
        const value = reference.expm(scaled).data
        const tangent = reference.expmJVP(scaled, E).tangent.data
        const cotangent = reference.expmVJP(scaled, E).cotangent.data
        const unit = Math.max(conditionNumber(scaled, n), 1) * u

        for (const method of methods)
          test(`value, tangent and cotangent agree with the reference at norm ${norm} by ${method}`, () => {
            const most = 10 * unit
            expect(relativeError(expm(scaled, { method }).data, value)).toBeLessThanOrEqual(most)
            const jvp = expmJVP(scaled, E, { method })
            expect(relativeError(jvp.value.data, value)).toBeLessThanOrEqual(most)
            expect(relativeError(jvp.tangent.data, tangent)).toBeLessThanOrEqual(most)
            const vjp = expmVJP(scaled, E, { method })
            expect(relativeError(vjp.cotangent.data, cotangent)).toBeLessThanOrEqual(most)
          })
      }
    })
