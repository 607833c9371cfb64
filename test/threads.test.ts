import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { expm, expmCond, expmJVP, expmVJP, info, MatfunError } from '../lib/index.ts'
import { components, type NDArray } from '../lib/ndarray.ts'
import { bitsOf } from './support/bits.ts'
import { dtypes, randomArray } from './support/dtypes.ts'
import { runProgram } from './support/programs.ts'

/** Matrices of mixed norms, the k-th of which has a NaN. */
function mixed(x: NDArray, bad: readonly number[]): NDArray {
  const each = x.data.length / x.shape[0]
  const data = x.data.map((value, at) => value * 10 ** ((Math.floor(at / each) % 7) - 5))
  for (const k of bad) data[k * each] = Number.NaN
  return { ...x, data } as NDArray
}

describe.each(dtypes)('any number of threads gives the bits of one, in %s:', (dtype) => {
  // Large enough for several tiles, and for threads to be woken.
  it.each([
    [2, 5000],
    [9, 300],
    [40, 16],
  ])('order %i', (n, count) => {
    const A = mixed(randomArray(dtype, [count, n, n], n), [3, count - 1])
    const E = randomArray(dtype, [count, n, n], n + 1)
    const K = mixed(randomArray(dtype, [12, n, n], n + 2), [5])
    const all = (threads: number) => {
      const options = { threads, onFailure: 'nan' } as const
      const results = [expm(A, options), expmJVP(A, E, options), expmVJP(A, E, options), expmCond(K, options)]
      expect((results[0] as NDArray).data.filter(Number.isNaN)).toHaveLength(2 * n * n * components(dtype))
      return bitsOf(results)
    }
    const alone = all(1)
    for (const threads of [2, 5]) expect(all(threads)).toEqual(alone)
  })

  it('one matrix in many directions, of which one is bad', () => {
    const A = randomArray(dtype, [16, 16], 1)
    const E = mixed(randomArray(dtype, [700, 16, 16], 2), [690])
    for (const derive of [expmJVP, expmVJP]) {
      const [one, four] = [1, 4].map((threads) => derive(A, E, { threads, onFailure: 'nan' }))
      expect(bitsOf(four)).toEqual(bitsOf(one))
      let error: unknown
      try {
        derive(A, E, { threads: 4 })
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(MatfunError)
      expect((error as MatfunError).failures).toEqual([{ index: 690, code: 'ERR_NOT_FINITE' }])
    }
  })
})

it('failures are listed in order, whichever thread met them', () => {
  const bad = [0, 17, 2999, 8998]
  const A = mixed(randomArray('float64', [9000, 2, 2], 1), bad)
  const failures = bad.map((index) => ({ index, code: 'ERR_NOT_FINITE' }))
  expect(() => expm(A, { threads: 3 })).toThrow(expect.objectContaining({ failures }))
})

describe('the number of threads', () => {
  const print =
    "console.log(JSON.stringify([info().threads, (await import('node:os')).availableParallelism()]))"

  it('is told by info', () => {
    const expected = Number(process.env.MATFUN_NUM_THREADS) || Math.min(256, availableParallelism())
    expect(info().threads).toBe(expected)
  })

  it('is what the machine can run at once where nothing is said', () => {
    for (const none of [undefined, '']) {
      const { stdout } = runProgram(print, { MATFUN_NUM_THREADS: none })
      const [threads, parallelism] = JSON.parse(stdout)
      expect(threads).toBe(Math.min(256, parallelism))
    }
  })

  it('is MATFUN_NUM_THREADS', () => {
    expect(JSON.parse(runProgram(print, { MATFUN_NUM_THREADS: '3' }).stdout)[0]).toBe(3)
  })

  it.each(['0', '-2', '2.5', 'two', '257', '1e2', '0x10', ' 3', '3\n', '+3', '03', '3.0'])(
    'cannot be a MATFUN_NUM_THREADS of %j',
    (value) => {
      for (const text of ['expm([[1]])', 'info()']) {
        const { status, stderr } = runProgram(text, { MATFUN_NUM_THREADS: value })
        expect(status).toBe(1)
        expect(stderr).toContain(
          `the environment variable MATFUN_NUM_THREADS must be an integer from 1 to 256, got ${JSON.stringify(value)}`,
        )
      }
    },
  )
})

it('a process whose threads are idle exits by itself', () => {
  const { status, stdout } = runProgram(
    'expm({ data: new Float64Array(36e4), shape: [1e4, 6, 6] }, { threads: 4 })\n' +
      'expm([[1]])\nconsole.log("done")',
  )
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'done\n' })
})
