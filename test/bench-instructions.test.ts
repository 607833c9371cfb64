import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { boundary, target, totalOf } from '../scripts/instructions/callgrind.mjs'
import {
  checkFigures,
  compare,
  comparisonTable,
  type Figures,
  tolerance,
} from '../scripts/instructions/comparison.mjs'

const before: Figures = {
  schema: 1,
  target,
  compiler: 'g++ 12.2.0',
  blas: 'OpenBLAS 0.3.21',
  cases: { small: 10_000, large: 4_000_000 },
  conditions: { small: 'Node 20' },
}
const now = (cases: Record<string, number>, changes: Partial<Figures> = {}) =>
  compare(before, { ...before, cases, ...changes })
const verdicts = ({ rows }: ReturnType<typeof now>) => rows.map(({ name, verdict }) => `${name}: ${verdict}`)

describe('counted instructions', () => {
  it('pass as they were, and up to the tolerance, inclusive', () => {
    for (const share of [1, 1 + tolerance, 1 - tolerance]) {
      const found = now({ small: 10_000 * share, large: 4_000_000 })
      expect(verdicts(found)).toEqual(['small: as before', 'large: as before'])
      expect(found.passed).toBe(true)
    }
  })

  it('do not pass where a case takes more, by one instruction beyond the tolerance', () => {
    const found = now({ small: 10_101, large: 4_000_000 })
    expect(verdicts(found)).toEqual(['small: MORE', 'large: as before'])
    expect(found.passed).toBe(false)
  })

  it('pass where a case takes fewer, which is said', () => {
    const found = now({ small: 9_899, large: 4_000_000 })
    expect(verdicts(found)[0]).toBe('small: fewer')
    expect(found.passed).toBe(true)
  })

  it('do not pass where the cases are others than the figures', () => {
    const added = now({ small: 10_000, large: 4_000_000, other: 5 })
    expect(verdicts(added)[2]).toBe('other: NEW')
    expect(added.passed).toBe(false)
    const removed = now({ small: 10_000 })
    expect(verdicts(removed)).toEqual(['small: as before', 'large: GONE'])
    expect(removed.passed).toBe(false)
  })

  it.each(['compiler', 'blas', 'target'] as const)('are shown and not judged with another %s', (key) => {
    const found = now({ small: 20_000, large: 4_000_000 }, { [key]: 'another' })
    expect(verdicts(found)).toEqual(['small: not judged', 'large: not judged'])
    expect(found.unlike).toEqual([`${key}: another now, ${before[key]} before`])
    expect(found.passed).toBe(true)
  })

  it('of one case are not judged where its own condition is another; the rest are', () => {
    const conditions = { small: 'Node 22' }
    const found = now({ small: 20_000, large: 5_000_000 }, { conditions })
    expect(verdicts(found)).toEqual(['small: not judged', 'large: MORE'])
    expect(found.unlike).toEqual(['small: Node 22 now, Node 20 before'])
    expect(found.passed).toBe(false)
  })

  it('are shown with their change', () => {
    const table = comparisonTable(now({ small: 10_150, large: 3_998_800, other: 7 }).rows)
    const rows = table.split('\n').map((row) => row.split('|').map((cell) => cell.trim()))
    expect(rows[2].slice(1, -1)).toEqual(['small', '10,000', '10,150', '+1.50 %', 'MORE'])
    expect(rows[3].slice(1, -1)).toEqual(['large', '4,000,000', '3,998,800', '-0.03 %', 'as before'])
    expect(rows[4].slice(1, -1)).toEqual(['other', '', '7', '', 'NEW'])
  })
})

describe("callgrind's file", () => {
  it('tells the total, and one of nothing is an error', () => {
    expect(totalOf('version: 1\nevents: Ir\nfn=(1) f\n3 14\n\ntotals: 127679\n')).toBe(127679)
    expect(() => totalOf('events: Ir\ntotals: 0\n')).toThrow('counted nothing')
    expect(() => totalOf('')).toThrow('counted nothing')
  })
})

describe('the committed figures', () => {
  const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
  const figures = JSON.parse(read('docs/benchmarks/instructions.json'))

  it('are those of the cases that there are', () => {
    const source = read('native/bench/instructions.cpp')
    const names = [...source.matchAll(/\{"([^"]+)", Operation::/g)].map(([, name]) => name)
    expect(names.length).toBeGreaterThanOrEqual(12)
    expect(Object.keys(checkFigures(figures, 'it').cases)).toEqual([boundary.name, ...names])
    expect(figures.target).toBe(target)
  })

  it.each([
    ['schema', 2, 'schema must be 1, got 2'],
    ['compiler', undefined, 'compiler must be a string, got undefined'],
    ['cases', null, 'cases must be an object, got null'],
    ['cases', { small: 1.5 }, "cases['small'] must be a whole number above 0, got 1.5"],
    ['conditions', undefined, 'conditions must be an object, got undefined'],
  ])('are refused with a wrong %s', (key, value, message) => {
    expect(() => checkFigures({ ...before, [key]: value }, 'some.json')).toThrow(`some.json: ${message}`)
  })
})
