import { describe, expect, it } from 'vitest'
import { productsOf, productUnits } from '../scripts/bench/bounds.mjs'
import { chapters } from '../scripts/bench/chapters.mjs'
import { documentOf } from '../scripts/bench/document.mjs'
import { seedFor } from '../scripts/bench/inputs.mjs'
import { countOf, isMeasuredWith, keyOf, linesOf } from '../scripts/bench/lines.mjs'
import { MergeError, merged } from '../scripts/bench/merge.mjs'
import { isRelated } from '../scripts/bench/related.mjs'
import { checkReport, type LineReport, type Report, serialize } from '../scripts/bench/report.mjs'
import { suites } from '../scripts/bench/suites.mjs'
import { mostOf, targetOf } from '../scripts/bench/targets.mjs'
import { microseconds, timeTable } from '../scripts/bench/times.mjs'
import { fake, line, own, report } from './support/contenders.ts'

const one = { ...line, calls: 'one', batch: 64 } as const
const measured = { date: '2026-01-02T03:04:05.000Z', load: 0.5, seconds: 3 }

const bound = (name: string, seconds: number) => fake(name, [seconds], { role: 'bound' })
const related = (name: string, operation: string, seconds: number) =>
  fake(name, [seconds], { role: 'related', operation })

/** A line of one matrix in 2 us, whose value takes 1 us, eight cotangents 8 us, a kept derivative 1.5 us. */
function derivative(operation: 'jvp' | 'vjp' = 'vjp', order = 4) {
  const contenders = [
    own([2e-6]),
    bound('peak', 1e-5),
    bound('gemm', 1e-7),
    related('value', 'own-value', 1e-6),
    ...(operation === 'vjp' ? [related('eight', 'eight', 8e-6)] : []),
    related('kept', `kept-${operation}`, 1.5e-6),
    fake('A 1', [8e-6]),
  ]
  const circumstances = { measured, products: 15 }
  return report(contenders, { ...one, operation, order }, { suite: 'derivative', circumstances })
}

function cellsOf(lines: LineReport[], threads = 1) {
  const rows = (timeTable(lines, threads) ?? '').split('\n').map((row) => row.split('|').map((x) => x.trim()))
  return Object.fromEntries(rows[0].map((name, k) => [name, rows[2][k]]))
}

describe('the suites', () => {
  it('cover the orders that have targets', () => {
    for (const { calls, whole } of Object.values(suites))
      for (const order of [4, 16, 64])
        for (const operation of whole.operations.filter((each) => calls === 'one' || each !== 'jvp'))
          expect(
            targetOf({ ...line, calls, order, operation }),
            `${calls} ${order} ${operation}`,
          ).toBeGreaterThan(0)
  })

  it('have quick parts that are parts', () => {
    for (const { whole, quick } of Object.values(suites))
      for (const axis of ['orders', 'norms', 'threads', 'dtypes', 'operations'] as const)
        for (const one of quick[axis]) expect(whole[axis]).toContain(one)
  })
})

describe('calls of one matrix', () => {
  it('take some matrices in turn, which stay in the second cache', () => {
    expect(countOf('float64', 4)).toBe(64)
    expect(countOf('float64', 64)).toBe(8)
    expect(countOf('complex128', 128)).toBe(1)
    expect(countOf('float64', 1024)).toBe(1)
    expect(linesOf(suites.single.whole, 'one', 2 ** 23).map(({ batch }) => batch)).toContain(64)
  })

  it('are measured with several threads where the matrix is large, and stacks always', () => {
    expect(isMeasuredWith({ calls: 'one', order: 256 }, 2)).toBe(false)
    expect(isMeasuredWith({ calls: 'one', order: 512 }, 2)).toBe(true)
    expect(isMeasuredWith({ calls: 'one', order: 2 }, 1)).toBe(true)
    expect(isMeasuredWith({ calls: 'stack', order: 2 }, 2)).toBe(true)
  })
})

describe('the inputs of a line', () => {
  it('are the same whatever other lines are measured, and others for another line or seed', () => {
    expect(seedFor(5, 'float64 4 1')).toBe(seedFor(5, 'float64 4 1'))
    const seeds = [seedFor(5, 'float64 4 1'), seedFor(6, 'float64 4 1'), seedFor(5, 'float64 4 50')]
    expect(new Set(seeds).size).toBe(3)
    for (const seed of seeds) expect(seed).toBeLessThan(2 ** 32)
  })
})

describe('the bounds', () => {
  it('count three products for each of the plan where there is a derivative', () => {
    expect(productsOf({ operation: 'value' }, 5)).toBe(5)
    expect(productsOf({ operation: 'jvp' }, 5)).toBe(15)
  })

  it("count a product's operations, complex ones four times", () => {
    expect(productUnits({ order: 100, dtype: 'float32' })).toBe(2)
    expect(productUnits({ order: 100, dtype: 'complex128' })).toBe(8)
  })

  it("are compared with matfun's time round by round", async () => {
    const { lines } = await derivative()
    // 15 products of 128 operations in 2 us, where the peak is 10^6 in 10 us; and 15 products of 0.1 us.
    const [peak, gemm] = lines[0].shares ?? []
    expect(peak).toMatchObject({ name: 'peak', threads: 1 })
    expect(peak.median).toBeCloseTo((15 * 128) / 2 / 1e5, 5)
    expect(gemm.median).toBeCloseTo(0.75, 5)
  })

  it('are none where they were not measured', async () => {
    const circumstances = { measured, products: 5 }
    const { lines } = await report([own([1e-6])], one, { suite: 'single', circumstances })
    expect(lines[0].shares).toEqual([])
    expect(lines[0].relations).toEqual([])
  })
})

describe('a derivative', () => {
  it('is compared with the value, with eight at once, and with one from kept intermediates', async () => {
    const { lines } = await derivative()
    expect(lines[0].relations?.map(({ name, median }) => [name, median])).toEqual([
      ['of the value', 2],
      ['8 at once, of 8 calls', 0.5],
      ['kept, of the value', 1.5],
    ])
  })

  it('forward has no eight at once', async () => {
    const { lines } = await derivative('jvp')
    expect(lines[0].relations?.map(({ name }) => name)).toEqual(['of the value', 'kept, of the value'])
    expect(isRelated('jvp', 'eight')).toBe(false)
    expect(isRelated('vjp', 'eight')).toBe(true)
    expect(isRelated('vjp', 'kept-jvp')).toBe(false)
    expect(isRelated('vjp', undefined)).toBe(false)
  })

  it('should take no more than was set', () => {
    expect([8, 16, 96, 128].map((order) => mostOf('own-value', order))).toEqual([2.2, 2.9, 2.9, 3.05])
    expect([64, 128].map((order) => mostOf('eight', order))).toEqual([0.8, undefined])
    expect([32, 64].map((order) => mostOf('kept-vjp', order))).toEqual([undefined, 2])
  })
})

describe('the targets of one matrix', () => {
  it('are times, for the value and for both derivatives', () => {
    expect(targetOf(one)).toBeCloseTo(1e6 / 0.2)
    expect(targetOf({ ...one, operation: 'vjp' })).toBeCloseTo(1e6 / 0.35)
    expect(targetOf({ ...one, operation: 'jvp' })).toBeCloseTo(1e6 / 0.35)
  })

  it('are set for two threads and for a 1-norm of 50 at order 1024', () => {
    const large = { ...one, order: 1024 }
    expect(targetOf(large, 2)).toBeCloseTo(1e6 / 111000)
    expect(targetOf({ ...large, norm: 50 })).toBeCloseTo(1e6 / 345000)
    expect(targetOf({ ...large, norm: 50 }, 2)).toBeUndefined()
    expect(targetOf({ ...one, order: 512 }, 2)).toBeUndefined()
    expect(targetOf({ ...one, dtype: 'float32' })).toBeUndefined()
  })
})

describe('the tables of times', () => {
  it('give microseconds three digits', () => {
    expect([5e6, 1e6, 8123, 1001, 1e6 / 12345, 2.5].map(microseconds)).toEqual([
      '0.20',
      '1.00',
      '123',
      '999',
      '12300',
      '400000',
    ])
  })

  it('show matfun, its lead, shares and relations with what they should be, and no bound among the peers', async () => {
    const { lines } = await derivative()
    const cells = cellsOf(lines)
    expect(cells).toMatchObject({
      order: '4',
      matfun: '2.00',
      'best peer': 'A 1',
      'times it': '4.00',
      'of target': '18 %',
      products: '15.0',
      'of FMA peak': '1 %',
      'of gemm bound': '75 %',
      'of the value': '2.00 (≤ 2.2)',
      '8 at once, of 8 calls': '0.50 (≤ 0.8)',
      'kept, of the value': '1.50',
      'A 1': '8.00',
    })
    expect(Object.keys(cells)).not.toContain('gemm')
  })

  it('are left out for threads that were not measured', async () => {
    const { lines } = await derivative()
    expect(timeTable(lines, 2)).toBeUndefined()
  })
})

describe('results of several runs', () => {
  const single = (seconds: number, order: number, changes: Partial<Report> = {}) =>
    report(
      [own([seconds]), fake('A 1', [8e-6])],
      { ...one, order },
      {
        suite: 'single',
        circumstances: { measured, products: 5 },
      },
    ).then((told) => ({ ...told, ...changes }))

  it('are joined, a line that was measured again taking its place', async () => {
    const older = { ...(await single(1e-6, 2)), lines: [] as LineReport[] }
    for (const order of [2, 4]) older.lines.push(...(await single(1e-6, order)).lines)
    const newer = await single(5e-7, 2)
    newer.lines.push(...(await single(1e-6, 8)).lines)
    const { lines } = merged(older, newer)
    expect(lines.map(({ order }) => order)).toEqual([2, 4, 8])
    expect(lines[0].results[0].median).toBeCloseTo(2e6)
    expect(new Set(lines.map(keyOf)).size).toBe(3)
  })

  it('count who did not take part once for each line, replaced ones left out', async () => {
    const refusing = () =>
      fake('B 1', [1], { prepare: async () => ({ offers: false, why: 'float64 alone' }) })
    const circumstances = { measured, products: 5 }
    const of = (order: number) =>
      report([own([1e-6]), refusing()], { ...one, order }, { suite: 'single', circumstances })
    const told = merged(merged(await of(2), await of(4)), await of(2))
    expect(told.lines).toHaveLength(2)
    expect(told.without).toEqual([{ contender: 'B 1, threads 1', why: 'float64 alone', lines: 2 }])
  })

  it('are not joined where machine, matfun, suite or inputs differ, and say which', async () => {
    const good = await single(1e-6, 2)
    const refused = (changes: Partial<Report>) => () => merged(good, { ...good, ...changes })
    expect(refused({})).not.toThrow()
    expect(refused({ machine: { ...good.machine, load: { before: 9, after: 9 } } })).not.toThrow()
    expect(refused({ machine: { ...good.machine, processor: 'Other' } })).toThrow(MergeError)
    expect(refused({ machine: { ...good.machine, processor: 'Other' } })).toThrow('another machine')
    expect(refused({ matfun: { kernels: 'other' } })).toThrow('another matfun')
    expect(refused({ coreType: null })).toThrow('another OPENBLAS_CORETYPE')
    expect(refused({ suite: 'batch' })).toThrow('another suite')
    expect(refused({ settings: { ...good.settings, seed: 8 } })).toThrow('another seed')
  })
})

describe('a report of one matrix', () => {
  it('is read back as it was written', async () => {
    const written = await derivative()
    expect(checkReport(JSON.parse(serialize(written)), 'file')).toEqual(written)
  })

  it('is refused without its products and shares', async () => {
    const good = await derivative()
    const refused = (key: 'products' | 'shares') => () => {
      const told = JSON.parse(serialize(good))
      delete told.lines[0][key]
      return checkReport(told, 'some.json')
    }
    expect(refused('products')).toThrow('some.json: lines[0].products must be a number, got undefined')
    expect(refused('shares')).toThrow('lines[0].shares must be an array')
  })
})

describe('the document of all suites', () => {
  it('has a chapter for each, with the command that measures it again', async () => {
    const batch = await report([own([0.25]), fake('A 1', [0.5])], {}, { circumstances: { measured } })
    const text = documentOf([await derivative(), batch])
    for (const { title } of chapters) expect(text).toContain(`## ${title}`)
    expect(text).toContain('npm run bench -- derivative --seed 7')
    expect(text).toContain('npm run bench -- batch --seed 7')
    expect(text.match(/No figures yet/g)).toHaveLength(1)
    // 10^6 operations in 10 us.
    expect(text).toMatch(/multiply-adds +\| 100 GFLOP\/s of one thread/)
  })

  it('names the lines in which matfun does not lead, of each suite', async () => {
    const slow = await report([own([8e-6]), fake('A 1', [2e-6])], one, {
      suite: 'single',
      circumstances: { measured, products: 5 },
    })
    expect(documentOf([slow])).toContain('- value, float64, order 4, 1-norm 1, threads 1: 0.25 times A 1')
  })

  it("draws everyone's time over matfun's, and neither bounds nor relations", async () => {
    const [chapter] = chapters.filter(({ suite }) => suite === 'derivative')
    const all = await Promise.all([4, 16].map((order) => derivative('vjp', order)))
    const svg = await chapter.draw({ ...all[0], lines: all.flatMap(({ lines }) => lines) })
    for (const text of ['Time, matfun = 1', 'A 1', 'matfun 0.1.0']) expect(svg).toContain(text)
    for (const text of ['gemm', 'peak', 'eight', 'kept']) expect(svg).not.toContain(`>${text}<`)
  })
})
