import { createContext, runInContext } from 'node:vm'
import { expect, test } from 'vitest'
import { expm, expmJVP, expmVJP } from '../lib/reference/index.ts'
import { bundle } from '../scripts/browser/bundle.mjs'

test('matfun/reference in one script, where there is nothing but JavaScript, gives the bits that it gives here', async () => {
  // No console, process, Buffer, URL or setTimeout: what V8 has by itself.
  const context = createContext({})
  runInContext(await bundle(), context)
  const { numbers, refusal } = JSON.parse(runInContext('proof', context))
  const A = [
    [0, 1, 0.5],
    [-1, 0.25, 2],
    [3, -0.5, 1],
  ]
  const W = { data: Float64Array.from({ length: 18 }, (_, k) => Math.sin(k)), shape: [2, 3, 3] }
  const C = { data: Float64Array.of(0, 1, 0.5, 0, 0, -2, 1, 1), shape: [2, 2], dtype: 'complex128' as const }
  const here = [expm(A), expmJVP(A, W).tangent, expmVJP(A, W).cotangent, expm(C)]
  expect(numbers).toEqual(here.map(({ data }) => [...data]))
  expect(refusal).toEqual(['MatfunError', 'ERR_NOT_FINITE'])
})
