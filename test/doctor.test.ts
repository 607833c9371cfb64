import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import { advise, selfCheck } from '../lib/cli/doctor.ts'
import { reportHealth } from '../lib/cli/report.ts'
import { expm, expmVJP, type Info, info, type NDArray } from '../lib/index.ts'

describe('the self-check', () => {
  test('passes here, on every path, well within its bound', () => {
    const { passed, results } = selfCheck()
    expect(passed).toBe(true)
    expect(results.length).toBeGreaterThanOrEqual(8)
    for (const { value, gradient } of results) {
      expect(value).toBeLessThan(5)
      expect(gradient).toBeLessThan(5)
    }
    expect(results.some(({ value }) => value > 0)).toBe(true)
  })

  /** As a broken kernel would: one entry off by some hundred units of the dtype's last place. */
  const spoil = <T extends NDArray>(X: T): T => {
    const u = X.data instanceof Float32Array ? 2 ** -24 : 2 ** -53
    const greatest = Math.max(...Array.from(X.data, Math.abs))
    // The worst condition number of the cases is that of the one in Schur form, about 1e11.
    X.data[1] += greatest * (X.shape[1] === 2 ? 1e-2 : 1e6 * u)
    return X
  }

  test.each([
    ['values', { expm: (...args: Parameters<typeof expm>) => spoil(expm(...args)), expmVJP }],
    [
      'gradients',
      {
        expm,
        expmVJP: (...args: Parameters<typeof expmVJP>) => {
          const result = expmVJP(...args)
          return { ...result, cotangent: spoil(result.cotangent) }
        },
      },
    ],
  ])('fails in every case where %s are wrong, and says where', (_, functions) => {
    const check = selfCheck(functions as Parameters<typeof selfCheck>[0])
    expect(check.passed).toBe(false)
    for (const { name, passed } of check.results) expect([name, passed]).toEqual([name, false])
    const text = reportHealth(check, [])
    expect(text).toMatch(/self-check: FAILED/)
    expect(text.match(/WRONG$/gm)).toHaveLength(check.results.length)
  })

  test('fails where a function throws', () => {
    const expmVJP = () => {
      throw new Error('broken')
    }
    const { passed, results } = selfCheck({ expm, expmVJP } as never)
    expect(passed).toBe(false)
    expect(results.every((result) => Number.isNaN(result.value))).toBe(true)
  })
})

describe('advice', () => {
  const facts = info()
  /** A machine on which nothing is wrong, but for what is said. */
  const machine = (blas: Partial<Info['blas']>, rest: Partial<Info> = {}): Info => ({
    ...facts,
    addon: { ...facts.addon, kernels: 'x86-64-v4' },
    cpu: { features: ['sse4.2', 'avx', 'avx2', 'fma', 'avx512f'] },
    threads: 1,
    ...rest,
    blas: { ...facts.blas, core: 'SkylakeX', locked: false, ...blas },
  })

  test('is not given where all is well', () => {
    expect(advise(machine({}), {})).toEqual([])
    expect(advise(machine({ core: 'Zen' }, { cpu: { features: ['avx2'] } }), {})).toEqual([])
  })

  test.each([
    ['an old core', machine({ core: 'Prescott' }), {}, /for a Prescott: set OPENBLAS_CORETYPE=SkylakeX/],
    [
      'an old core with AVX2 alone',
      machine({ core: 'Core2' }, { cpu: { features: ['avx2'] } }),
      {},
      /OPENBLAS_CORETYPE=Haswell/,
    ],
    ['a core below AVX-512', machine({ core: 'Zen' }), {}, /for a Zen: set OPENBLAS_CORETYPE=SkylakeX/],
    [
      'a core that the environment names',
      machine({ core: 'Haswell' }),
      { OPENBLAS_CORETYPE: 'Haswell' },
      /OPENBLAS_CORETYPE=Haswell keeps OpenBLAS from/,
    ],
    ['a locked OpenBLAS', machine({ locked: true }), {}, /wait for one another: install the pthread variant/],
    [
      'a processor without SSE4.2',
      machine({}, { addon: { ...facts.addon, kernels: 'baseline' }, cpu: { features: ['avx'] } }),
      {},
      /no SSE4\.2/,
    ],
    [
      'a processor that is not x86-64',
      machine({}, { addon: { ...facts.addon, kernels: 'baseline' }, cpu: { features: [] } }),
      {},
      /no kernels for this processor's vector instructions/,
    ],
    [
      'more threads than can run',
      machine({}, { threads: 256 }),
      {},
      RegExp(`MATFUN_NUM_THREADS=256 is more than the ${availableParallelism()} threads`),
    ],
  ])('is given for %s', (_, told, environment, message) => {
    const advice = advise(told, environment)
    expect(advice).toHaveLength(1)
    expect(advice[0]).toMatch(message)
    expect(reportHealth(selfCheck(), advice)).toContain(`advice: ${advice[0]}\n`)
  })
})
