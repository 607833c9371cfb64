import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkTables } from '../scripts/tables/checks.mjs'

const script = fileURLToPath(new URL('../scripts/check-tables.mjs', import.meta.url))
const header = readFileSync(new URL('../native/expm/coefficients.hpp', import.meta.url), 'utf8')

/** Where a table's text opens, and what the check calls its entries. */
interface Table {
  readonly name: string
  readonly opening: string
  readonly entries: readonly string[]
}

const numbered = (letter: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${letter}${from + i}`)

const coefficients: readonly Table[] = [
  { name: 'T8', opening: 'struct T8 {', entries: ['x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7', 'y2'] },
  { name: 'kFifteenPlus', opening: 'kFifteenPlus =', entries: numbered('c', 0, 14) },
  { name: 'kTwentyOnePlus', opening: 'kTwentyOnePlus =', entries: numbered('c', 0, 20) },
  ...[3, 5, 7, 9, 13].map((m) => ({
    name: `kPade<R, ${m}>`,
    opening: `kPade<R, ${m}> =`,
    entries: numbered('b', 0, m),
  })),
]

const thresholds: readonly Table[] = [
  ['kPolynomialThresholds<double>', [1, 2, 4, 8, 15, 21]] as const,
  ['kPolynomialThresholds<float>', [1, 2, 4, 8, 15]] as const,
  ['kPadeThresholds<double>', [3, 5, 7, 9, 13]] as const,
  ['kPadeThresholds<float>', [3, 5, 7, 9, 13]] as const,
].map(([name, degrees]) => ({
  name,
  opening: `${name} =`,
  entries: degrees.flatMap((degree) => [`row ${degree}`, `degree ${degree} theta`, `degree ${degree} ell`]),
}))

/** The header with one entry of a table rewritten; `entry` counts the numbers that the table's text holds. */
function plant(table: Table, entry: number, change: (literal: string) => string): string {
  const start = header.indexOf(table.opening) + table.opening.length
  const end = header.indexOf(';\n\n', start)
  const found = [...header.slice(start, end).matchAll(/(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])/g)]
  expect(found).toHaveLength(table.entries.length)
  const literal = found[entry][0]
  const at = start + found[entry].index
  const changed = change(literal)
  expect(changed).not.toBe(literal)
  return header.slice(0, at) + changed + header.slice(at + literal.length)
}

/** Rewrites the digit at a place of a literal's mantissa: place 0 is its first digit that is not 0, -1 its last. */
function changeDigit(literal: string, place: 0 | -1, by: 1 | -1): string {
  const [mantissa, exponent] = literal.split('e')
  const at = place === 0 ? Math.max(mantissa.search(/[1-9]/), 0) : mantissa.length - 1
  const digit = (Number(mantissa[at]) + by + 10) % 10
  return `${mantissa.slice(0, at)}${digit}${mantissa.slice(at + 1)}${exponent ? `e${exponent}` : ''}`
}

/** A threshold a relative 2e-7 off, which is twice what the check lets pass. */
const nudge = (literal: string, factor: number) => (Number(literal) * factor).toExponential(9)

const errorsIn = (text: string) => checkTables(text).flatMap(({ errors }) => errors)
const culprits = (text: string) =>
  checkTables(text)
    .filter(({ errors }) => errors.length > 0)
    .map(({ table }) => table)

describe('the check of the numeric tables', () => {
  it('finds every table of the header right', () => {
    const findings = checkTables(header)
    expect(findings.map(({ table }) => table)).toEqual(
      [...coefficients, ...thresholds].map(({ name }) => name),
    )
    expect(findings.flatMap(({ errors }) => errors)).toEqual([])
  })

  for (const table of coefficients) {
    it(`names any coefficient of ${table.name} whose last digit is one off`, () => {
      table.entries.forEach((entry, i) => {
        for (const by of [1, -1] as const) {
          const text = plant(table, i, (literal) => changeDigit(literal, -1, by))
          expect(errorsIn(text)[0]).toContain(`${table.name} ${entry} = `)
          expect(culprits(text)).toEqual([table.name])
        }
      })
    })

    it(`names any coefficient of ${table.name} whose first digit is one off`, () => {
      table.entries.forEach((entry, i) => {
        const text = plant(table, i, (literal) => changeDigit(literal, 0, 1))
        expect(errorsIn(text)[0]).toContain(`${table.name} ${entry} = `)
      })
    })

    it(`says so when ${table.name} is missing`, () => {
      const text = header.replace(table.opening, table.opening.replace(table.name, 'Other'))
      expect(errorsIn(text)).toEqual([expect.stringContaining(`${table.name} not found`)])
    })
  }

  for (const table of thresholds) {
    it(`names any bound of ${table.name} that is too large or too small`, () => {
      table.entries.forEach((entry, i) => {
        if (entry.startsWith('row')) return
        const above = plant(table, i, (literal) => nudge(literal, 1 + 2e-7))
        expect(errorsIn(above)).toEqual([expect.stringMatching(`^${table.name} ${entry} = .* is too large`)])
        const below = plant(table, i, (literal) => nudge(literal, 1 - 2e-7))
        expect(errorsIn(below)).toEqual([expect.stringMatching(`^${table.name} ${entry} = .* is too small`)])
      })
    })

    it(`refuses a wrong degree in ${table.name}, and says so when it is missing`, () => {
      const text = plant(table, 3, () => '6')
      expect(errorsIn(text)).toEqual([expect.stringContaining(`${table.name}: degree 6 stands where`)])
      const missing = header.replace(table.opening, 'other =')
      expect(errorsIn(missing)).toEqual([expect.stringContaining(`${table.name} not found`)])
    })
  }

  it('sees a sign, a lost digit, a lost entry, two members swapped and a table commented out', () => {
    const [t8, fifteen] = coefficients
    const sign = plant(fifteen, 3, (literal) => literal.slice(1))
    expect(errorsIn(sign)[0]).toContain('kFifteenPlus c3 = 8.709066576837676e-3')
    const shortened = plant(t8, 0, (literal) => literal.slice(0, -4))
    expect(errorsIn(shortened)).toEqual([expect.stringContaining('T8 x1 = 0.108364656785227808')])
    expect(errorsIn(header.replace('2.338576034271299e-2,', ''))).toEqual([
      expect.stringContaining('kFifteenPlus has 14 entries instead of 15'),
    ])
    expect(errorsIn(header.replace('R x4 =', 'R x5 ='))).toEqual([
      expect.stringContaining('x5 stands where x4'),
    ])
    expect(errorsIn(header.replace('inline constexpr std::array<R, 4>', '//$&'))).toEqual([
      expect.stringContaining('kPade<R, 3> not found'),
    ])
  })

  it('refuses an expression or a macro in the place of a literal', () => {
    const expression = plant(coefficients[1], 2, () => '2.0 / 679')
    expect(errorsIn(expression)).toEqual([
      expect.stringContaining('kFifteenPlus: entry 2 is not of the expected'),
    ])
    const infinite = plant(coefficients[1], 2, () => '2.945531440279683e400')
    expect(culprits(infinite)).toEqual(['kFifteenPlus'])
  })
})

describe('scripts/check-tables.mjs', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'matfun-tables-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })

  it('prints one line per table and exits with 0', () => {
    const { status, stdout, stderr } = run()
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(coefficients.length + thresholds.length)
  })

  it('exits with 1 and names the coefficient when a given file has it wrong', () => {
    const file = join(folder, 'wrong.hpp')
    writeFileSync(
      file,
      plant(coefficients[2], 7, (literal) => changeDigit(literal, -1, 1)),
    )
    const { status, stdout, stderr } = run(file)
    expect(status).toBe(1)
    expect(stderr).toContain('kTwentyOnePlus c7 = 2.852960512714316e-3 should be 2.852960512714315e-3')
    expect(stdout).toContain('kFifteenPlus:')
  })

  it('exits with 1 when the file is not there', () => {
    const { status, stderr } = run(join(folder, 'none.hpp'))
    expect(status).toBe(1)
    expect(stderr).toContain('none.hpp')
  })
})
