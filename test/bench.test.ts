import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expmVJP } from '../lib/index.ts'
import { readArguments, UsageError } from '../scripts/bench/arguments.mjs'
import { coreTypeFor, isGeneric } from '../scripts/bench/blas-core.mjs'
import { drawBatch } from '../scripts/bench/chapters.mjs'
import { ContenderError, ProcessContender } from '../scripts/bench/contender.mjs'
import { documentOf } from '../scripts/bench/document.mjs'
import { normalNumbers, oneNorm, randomStack } from '../scripts/bench/inputs.mjs'
import { batchOf, linesOf } from '../scripts/bench/lines.mjs'
import { cacheBytes, shortName } from '../scripts/bench/machine.mjs'
import { differences, measureLine, relativeDifference } from '../scripts/bench/measure.mjs'
import { checkReport, type Report, serialize } from '../scripts/bench/report.mjs'
import { ratioOf, spreadOf } from '../scripts/bench/statistics.mjs'
import { suites } from '../scripts/bench/suites.mjs'
import { lineTable, rate, sections } from '../scripts/bench/table.mjs'
import { targetOf } from '../scripts/bench/targets.mjs'
import { fake, files, line, own, report } from './support/contenders.ts'

const wholeGrid = suites.batch.whole

describe('the spread of samples', () => {
  it('is their quartiles, whatever their order', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ q1: 2, median: 3, q3: 4 })
  })

  it('lies between samples where none is in the middle', () => {
    expect(spreadOf([4, 1, 2, 3])).toEqual({ q1: 1.75, median: 2.5, q3: 3.25 })
    expect(spreadOf([7])).toEqual({ q1: 7, median: 7, q3: 7 })
  })

  it('does not exist without samples', () => {
    expect(() => spreadOf([])).toThrow(RangeError)
  })
})

describe('the ratio of two contenders', () => {
  it('is taken within rounds, so that a machine that slows down does not change it', () => {
    expect(ratioOf([8, 4, 2, 1], [4, 2, 1, 0.5])).toEqual({ q1: 2, median: 2, q3: 2 })
  })

  it('leaves out rounds that only one of them took part in', () => {
    expect(ratioOf([8, undefined, 6], [4, 1])).toEqual({ q1: 2, median: 2, q3: 2 })
    expect(ratioOf([undefined], [1])).toBeUndefined()
  })
})

describe('the inputs', () => {
  it('are the same for the same seed, and others for another', () => {
    const first = (seed: number) => Array.from({ length: 8 }, normalNumbers(seed))
    expect(first(12)).toEqual(first(12))
    expect(first(12)).not.toEqual(first(13))
    expect(first(0)).not.toEqual(first(2 ** 32 - 1))
  })

  it('have the moments of N(0, 1)', () => {
    const count = 40_000
    const numbers = Array.from({ length: count }, normalNumbers(99))
    const moment = (k: number) => numbers.reduce((sum, x) => sum + x ** k, 0) / count
    // Five standard deviations of each moment's own estimate: var(x^k) = 1, 2, 96.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / count))
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count))
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count))
  })

  it.each([
    ['float64', 2 ** -53],
    ['float32', 2 ** -24],
    ['complex128', 2 ** -53],
  ] as const)('have the wanted 1-norm to rounding: %s', (dtype, u) => {
    const [order, count, norm] = [5, 7, 50]
    const stack = randomStack(normalNumbers(3), { dtype, order, count }, norm)
    const length = stack.length / count
    expect(length).toBe(dtype === 'complex128' ? 50 : 25)
    for (let k = 0; k < count; k++) {
      const matrix = stack.subarray(k * length, (k + 1) * length)
      // Each entry is rounded twice, each sum once an entry.
      expect(Math.abs(oneNorm(matrix, order) / norm - 1)).toBeLessThan((order + 3) * u)
    }
  })
})

describe('the 1-norm of a matrix', () => {
  it('is the largest sum down a column', () => {
    expect(oneNorm(Float64Array.of(1, -5, 2, 3), 2)).toBe(8)
    expect(oneNorm(Float64Array.of(3, 4, 0, 1, 0, 0, 0, 0), 2)).toBe(5)
  })
})

describe('the lines', () => {
  it('are the whole table of the project', () => {
    expect(linesOf(wholeGrid, 'stack', 2 ** 23)).toHaveLength(11 * 3 * 3 * 3)
  })

  it('that need the same inputs follow one another', () => {
    const inputs = linesOf(wholeGrid, 'stack', 2 ** 23).map(
      ({ dtype, order, norm }) => `${dtype} ${order} ${norm}`,
    )
    const changes = inputs.filter((input, k) => input !== inputs[k - 1])
    expect(changes).toHaveLength(new Set(inputs).size)
  })

  it('have batches of the wanted size, in each dtype, and of 16 matrices at least', () => {
    expect(batchOf('float64', 4, 2 ** 23)).toBe(65536)
    expect(batchOf('float32', 4, 2 ** 23)).toBe(131072)
    expect(batchOf('complex128', 4, 2 ** 23)).toBe(32768)
    expect(batchOf('float64', 3, 2 ** 23) * 72).toBeGreaterThanOrEqual(2 ** 23)
    expect(batchOf('complex128', 1024, 2 ** 23)).toBe(16)
  })
})

describe('the command line', () => {
  it('measures the whole table where nothing is said', () => {
    const settings = readArguments([])
    const whole = { whole: true }
    expect(settings.plans).toMatchObject([
      { suite: 'single', grid: suites.single.whole, ...whole },
      { suite: 'derivative', grid: suites.derivative.whole, ...whole },
      { suite: 'batch', grid: wholeGrid, ...whole, seconds: 1 },
    ])
    expect(settings.peers).toBeUndefined()
    expect(settings.onto).toBeUndefined()
  })

  it('measures one suite where it is named, and nothing for the document', () => {
    expect(readArguments(['single']).plans.map(({ suite }) => suite)).toEqual(['single'])
    expect(readArguments(['document']).plans).toEqual([])
  })

  it('leaves out suites that have none of the operations', () => {
    const suitesOf = (list: string) =>
      readArguments(['--operations', list]).plans.map(({ suite, grid }) => [suite, ...grid.operations])
    expect(suitesOf('value')).toEqual([
      ['single', 'value'],
      ['batch', 'value'],
    ])
    expect(suitesOf('vjp,value')).toEqual([
      ['single', 'value'],
      ['derivative', 'vjp'],
      ['batch', 'vjp', 'value'],
    ])
  })

  it('takes a file to go on with', () => {
    expect(readArguments(['--merge']).onto).toBe('merge')
    expect(readArguments(['batch', '--resume']).onto).toBe('resume')
  })

  it('takes part of the table, which then is not the whole', () => {
    const settings = readArguments(['batch', '--orders', '2, 4', '--dtypes', 'float32', '--threads', '1'])
    const grid = { ...wholeGrid, orders: [2, 4], dtypes: ['float32'], threads: [1] }
    expect(settings.plans).toMatchObject([{ grid, whole: false }])
    expect(readArguments(['--quick']).plans.some(({ whole }) => whole)).toBe(false)
    expect(readArguments(['single', '--peers', 'none'])).toMatchObject({
      peers: [],
      plans: [{ whole: false }],
    })
    expect(readArguments(['--peers', 'Eigen,gsl']).peers).toEqual(['eigen', 'gsl'])
  })

  it.each([
    [['--orders', '4,x'], '--orders', '4,x'],
    [['--orders', '2,'], '--orders', '2,'],
    [['--norms=-1'], '--norms', '-1'],
    [['--threads', '0.5'], '--threads', '0.5'],
    [['--dtypes', 'float16'], '--dtypes', 'float16'],
    [['--operations', 'cond'], '--operations', 'cond'],
    [['--peers', 'numpy'], '--peers', 'numpy'],
    [['--seconds', 'much'], '--seconds', 'much'],
    [['--seed=-3'], '--seed', '-3'],
    [['--name', '../x'], '--name', '../x'],
    [['double'], 'suite', 'double'],
    [['single', '--operations', 'vjp'], '--operations', 'vjp'],
    [['--merge', '--resume'], '--merge', 'both'],
    [['batch', 'more'], 'suite', 'more'],
    [['--fast'], 'Unknown option', '--fast'],
  ])('refuses %j, naming what and what came', (args, name, got) => {
    const attempt = () => readArguments(args)
    expect(attempt).toThrow(UsageError)
    expect(attempt).toThrow(name)
    expect(attempt).toThrow(got)
  })
})

describe('the kernels of OpenBLAS', () => {
  it('are left alone where it knows the processor', () => {
    expect(coreTypeFor('SkylakeX', ['avx2', 'avx512f'], {})).toBeUndefined()
    expect(isGeneric('Zen')).toBe(false)
  })

  it('are chosen for everyone by the processor where it does not', () => {
    expect(isGeneric('Prescott')).toBe(true)
    expect(coreTypeFor('Prescott', ['avx2', 'avx512f'], {})).toEqual({ value: 'SkylakeX', setBy: 'bench' })
    expect(coreTypeFor('prescott', ['avx2', 'fma'], {})).toEqual({ value: 'Haswell', setBy: 'bench' })
    expect(coreTypeFor('Prescott', ['sse4.2'], {})).toBeUndefined()
  })

  it('are those that the user chose', () => {
    const env = { OPENBLAS_CORETYPE: 'Nehalem' }
    expect(coreTypeFor('Nehalem', ['avx2'], env)).toEqual({ value: 'Nehalem', setBy: 'user' })
  })
})

describe('the machine', () => {
  it('is named after its processor, without what all of them have', () => {
    expect(shortName('Intel(R) Xeon(R) Platinum 8488C CPU @ 2.40GHz')).toBe('intel-xeon-platinum-8488c')
    expect(shortName('AMD EPYC 9R14 96-Core Processor')).toBe('amd-epyc-9r14')
    expect(shortName('')).toBe('unknown')
  })

  it('tells the size of its caches where it knows them', () => {
    const caches = ['L1d 48K', 'L1i 32K', 'L2 2048K', 'L3 260M']
    expect(cacheBytes(caches, 'L2')).toBe(2 ** 21)
    expect(cacheBytes(caches, 'L1')).toBe(48 * 1024)
    expect(cacheBytes(caches, 'L3')).toBe(260 * 2 ** 20)
    expect(cacheBytes([], 'L2')).toBe(0)
  })
})

describe('the targets', () => {
  it('are set for double precision at a 1-norm of 1, value and VJP', () => {
    expect(targetOf(line)).toBe(35e6)
    expect(targetOf({ ...line, operation: 'vjp' })).toBe(13e6)
    expect(targetOf({ ...line, dtype: 'float32' })).toBe(60e6)
  })

  it('are not made up for other lines', () => {
    for (const changes of [
      { norm: 50 },
      { operation: 'jvp' as const },
      { dtype: 'complex128' as const },
      { order: 6 },
    ])
      expect(targetOf({ ...line, ...changes })).toBeUndefined()
  })
})

describe('the measurement of a line', () => {
  it('begins each round with another contender', async () => {
    const turns: string[] = []
    const contenders = ['a', 'b', 'c'].map((name) =>
      fake(name, [], {
        turn: async () => {
          turns.push(name)
          return { seconds: 1, processor: 1 }
        },
      }),
    )
    await measureLine(contenders, line, files, 10)
    expect(turns.slice(0, 9).join('')).toBe('abcbcacab')
    expect(turns).toHaveLength(75)
  })

  it('keeps each round in its place, so that rounds can be compared', async () => {
    const { parts } = await measureLine([fake('a', [0.5, 0.25]), fake('b', [1, 0.5])], line, files, 10)
    expect(parts.map(({ rates }) => rates.slice(0, 3))).toEqual([
      [2, 4, 2],
      [1, 2, 1],
    ])
  })

  it("counts one thread's own time where it is told to, and the clock's for more", async () => {
    const contenders = [fake('one', [1]), fake('two', [1], { threads: 2 })]
    const { parts } = await measureLine(contenders, line, files, 0.2, true)
    expect(parts.map(({ rates }) => rates[0])).toEqual([1 / 0.9, 1])
  })

  it('gives those few rounds that are slow, but one to everyone', async () => {
    const slow = fake('slow', [], {
      turn: () => new Promise((resolve) => setTimeout(resolve, 30, { seconds: 0.03, processor: 0 })),
    })
    const { parts } = await measureLine([slow, fake('quick', [1e-6])], line, files, 0.002)
    expect(parts.find(({ contender }) => contender === slow)?.rates).toHaveLength(1)
  })

  it('goes on without those that do not offer the line or fail in it, and tells why', async () => {
    const refusing = fake('refusing', [1], { prepare: async () => ({ offers: false, why: 'float64 alone' }) })
    const failing = fake('failing', [1, new ContenderError('it ended')])
    const { parts, without } = await measureLine([fake('a', [1]), refusing, failing], line, files, 10)
    expect(parts.map(({ contender }) => contender.name)).toEqual(['a'])
    expect(without.map(({ contender, why }) => `${contender.name}: ${why}`)).toEqual([
      'refusing: float64 alone',
      'failing: it ended',
    ])
  })

  it('gives a contender no more matrices than it takes', async () => {
    const some = fake('some', [1], { prepare: async () => ({ offers: true, limit: 30 }) })
    const { parts } = await measureLine([some, fake('all', [1])], line, files, 10)
    expect(parts.map(({ matrices }) => matrices)).toEqual([30, 65536])
  })
})

describe('the difference of results', () => {
  it('is relative, and infinite for what cannot be compared', () => {
    expect(relativeDifference([3, 4.5], [3, 4])).toBeCloseTo(0.1, 15)
    expect(relativeDifference([1, 2], [1, 2])).toBe(0)
    expect(relativeDifference([1], [1, 2])).toBe(Infinity)
    expect(relativeDifference([Number.NaN, 2], [1, 2])).toBe(Infinity)
  })

  it('is of the numbers that were written, in whichever dtype a contender says', async () => {
    const writing = (name: string, numbers: Float32Array | Float64Array, dtype?: string) =>
      fake(name, [1], {
        result: async (_, path) => {
          writeFileSync(path, numbers)
          return dtype
        },
      })
    const contenders = [
      writing('single', Float32Array.of(1, 2)),
      writing('double', Float64Array.of(1, 2), 'float64'),
      writing('double and silent', Float64Array.of(1, 2)),
      fake('ending', [1], {
        result: async () => {
          throw new ContenderError('it ended')
        },
      }),
    ]
    const single = { ...line, dtype: 'float32' as const }
    const measured = await measureLine(contenders, single, files, 10)
    const folder = mkdtempSync(join(tmpdir(), 'matfun-bench-test-'))
    const found = await differences(measured, single, folder)
    rmSync(folder, { recursive: true })
    expect(contenders.map((contender) => found.get(contender))).toEqual([0, 0, Infinity, Infinity])
  })
})

describe('a contender', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'matfun-bench-test-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const open = (command: string, args: string[]) =>
    ProcessContender.open({
      name: (version) => `some ${version}`,
      role: 'peer',
      threads: 1,
      command,
      args,
      env: process.env,
    })
  const inNode = (code: string) => open(process.execPath, ['-e', code])
  const hello = `console.log(JSON.stringify({ version: '1.2' }));`

  it('that is not installed is none', async () => {
    expect(await open('no-such-command-of-any-peer', [])).toBeUndefined()
    expect(await inNode('process.exit(3)')).toBeUndefined()
  })

  it('that is installed and does not run says so, with what it printed', async () => {
    await expect(inNode(`console.error('no such symbol'); process.exit(1)`)).rejects.toThrow('no such symbol')
  })

  it('that ends or errs in a line is an error of that contender alone', async () => {
    const erring = await inNode(
      `${hello} process.stdin.on('data', () => console.log('{"error":"out of memory"}'))`,
    )
    await expect(erring?.prepare(line, files)).rejects.toThrow('some 1.2: out of memory')
    erring?.close()
    const ending = await inNode(`${hello} process.stdin.once('data', () => process.exit(1))`)
    await expect(ending?.prepare(line, files)).rejects.toThrow(ContenderError)
  })

  it('is given the whole batch where it is fast, and less where it is slow', async () => {
    const taking = (seconds: number) =>
      inNode(`${hello} process.stdin.on('data', (x) => {
        const [, count, passes] = String(x).split('\\t').map(Number)
        const seconds = count * passes * ${seconds}
        console.log(JSON.stringify({ seconds, processor: seconds / 2 }))
      })`)
    const [fast, slow] = [await taking(1e-9), await taking(1e-3)]
    expect(await fast?.calibrate(65536, 0.01)).toBe(65536)
    expect(await slow?.calibrate(65536, 0.01)).toBeLessThanOrEqual(32)
    const turn = await slow?.turn()
    expect(turn?.seconds).toBeCloseTo(1e-3, 12)
    expect(turn?.processor).toBeCloseTo(0.5, 12)
    expect(await slow?.calibrate(300, 0.01, true)).toBe(300)
    fast?.close()
    slow?.close()
  })

  it('of matfun computes what matfun computes', async () => {
    const [n, count] = [3, 16]
    const size = { dtype: 'complex128', order: n, count } as const
    const [A, W] = [randomStack(normalNumbers(1), size, 1), randomStack(normalNumbers(2), size)]
    const paths = { A: join(folder, 'A'), direction: join(folder, 'W') }
    writeFileSync(paths.A, A)
    writeFileSync(paths.direction, W)
    const script = fileURLToPath(new URL('../scripts/bench/contenders/matfun.mjs', import.meta.url))
    const contender = await open(process.execPath, [script, '1'])
    const wanted = { ...line, operation: 'vjp', dtype: 'complex128', order: n, batch: count } as const
    expect(await contender?.prepare(wanted, paths)).toMatchObject({ offers: true })
    await contender?.result(5, join(folder, 'G'))
    contender?.close()
    const shape = [count, n, n]
    const truth = expmVJP(
      { data: A, shape, dtype: 'complex128' },
      { data: W, shape, dtype: 'complex128' },
    ).cotangent
    const { buffer } = new Uint8Array(readFileSync(join(folder, 'G')))
    expect(new Float64Array(buffer)).toEqual(truth.data.slice(0, 5 * 2 * n * n))
  })

  it('of matfun is measured by the script, whatever peers there are', () => {
    const script = fileURLToPath(new URL('../scripts/bench.mjs', import.meta.url))
    const part = ['--orders', '2', '--dtypes', 'float64', '--norms', '1', '--threads', '1', '--peers', 'none']
    const args = [
      script,
      'batch',
      ...part,
      '--seconds',
      '0.01',
      '--seed',
      '5',
      '--name',
      'here',
      '--output',
      folder,
    ]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(stderr).toContain('value, float64, order 2')
    expect(status).toBe(0)
    expect(stdout).toContain('exp(A) and L(Aᴴ, W), float64, 1-norm 1, 1 thread: matrices per second')
    expect(readdirSync(folder)).toEqual(['batch-here.json'])
    const told = checkReport(JSON.parse(readFileSync(join(folder, 'batch-here.json'), 'utf8')), 'it')
    expect(told.settings.seed).toBe(5)
    expect(told.lines.map(({ operation }) => operation)).toEqual(['value', 'jvp', 'vjp'])
    const wrong = spawnSync(process.execPath, [script, '--orders', 'all'], { encoding: 'utf8' })
    expect(wrong.status).toBe(2)
    expect(wrong.stderr).toContain('got all')
  })
})

describe('a report', () => {
  it('compares matfun with the fastest peer of as many threads or fewer', async () => {
    const two = fake('B 1', [0.1], { threads: 2 })
    const { lines } = await report([own([0.25]), own([0.125], 2), fake('A 1', [0.5]), two])
    const leads = lines[0].leads.map(({ threads, peer, peerThreads, median }) => [
      threads,
      peer,
      peerThreads,
      median,
    ])
    expect(leads).toEqual([
      [1, 'A 1', 1, 2],
      [2, 'B 1', 2, 0.8],
    ])
  })

  it('has no lead where there is no peer', async () => {
    const { lines } = await report([own([0.25]), fake('core', [0.2], { role: 'core' })])
    expect(lines[0].leads).toEqual([])
    expect(lines[0].results[0]).toMatchObject({
      role: 'matfun',
      median: 4,
      rounds: 25,
      processors: 0.9,
      difference: 0,
    })
  })

  it('is read back as it was written', async () => {
    const written = await report([own([0.25]), fake('A 1', [0.5])])
    expect(checkReport(JSON.parse(serialize(written)), 'file')).toEqual(written)
  })

  it('that is not one is refused, naming the file and what is wrong', async () => {
    const good = await report([own([0.25]), fake('A 1', [0.5])])
    const refused = (change: (told: Report) => void) => {
      const told = JSON.parse(serialize(good))
      change(told)
      return () => checkReport(told, 'some.json')
    }
    expect(refused((told) => Object.assign(told, { schema: 2 }))).toThrow(
      'some.json: schema must be 1, got 2',
    )
    expect(refused((told) => Reflect.deleteProperty(told, 'machine'))).toThrow(
      'machine must be an object, got undefined',
    )
    expect(refused((told) => Object.assign(told, { lines: {} }))).toThrow('lines must be an array')
    expect(refused((told) => Reflect.deleteProperty(told.lines[0], 'order'))).toThrow(
      'lines[0].order must be a number',
    )
    expect(refused((told) => Object.assign(told.lines[0].results[1], { median: '2' }))).toThrow(
      'lines[0].results[1].median must be a number, got 2',
    )
    expect(refused((told) => Reflect.deleteProperty(told.lines[0].leads[0], 'peer'))).toThrow(
      'leads[0].peer must be a string',
    )
  })
})

describe('the tables', () => {
  it('give rates three digits and a unit', () => {
    expect([35.24e6, 9.996e6, 1.0e6, 999_600, 12_345, 999.6, 71.25, 0.0123].map(rate)).toEqual([
      '35.2 M',
      '10.0 M',
      '1.00 M',
      '1.00 M',
      '12.3 k',
      '1.00 k',
      '71.3',
      '0.012',
    ])
  })

  it("show matfun, its lead, its share of the target, and what the core's time leaves to the binding", async () => {
    const core = fake('core', [1 / 70e6], { role: 'core' })
    const { lines } = await report([own([1 / 35e6]), core, fake('A 1', [1 / 3.5e6])])
    const rows = (lineTable(lines, 1) ?? '').split('\n').map((row) => row.split('|').map((x) => x.trim()))
    const cells = Object.fromEntries(rows[0].map((name, k) => [name, rows[2][k]]))
    expect(cells).toMatchObject({
      order: '4',
      matfun: '35.0 M',
      spread: '±0 %',
      cpu: '90 %',
      'best peer': 'A 1',
      'times it': '10.0',
      'of target': '100 %',
      "matfun's core": '70.0 M',
      binding: '50 %',
      'A 1': '3.50 M',
    })
  })

  it('show what the second thread brings, and name a best peer that is faster with one', async () => {
    const { lines } = await report([own([0.25]), own([0.125], 2), fake('A 1', [0.5])])
    const table = lineTable(lines, 2) ?? ''
    expect(table).toContain('of 1 thread')
    expect(table).toContain('| A 1 (1)')
    expect(table).toContain('2.00')
    expect(table).not.toContain('target')
  })

  it('are left out for threads that were not measured', async () => {
    const { lines } = await report([own([0.25]), fake('A 1', [0.5])])
    expect(sections(lines, [1, 2]).map(({ title }) => title)).toEqual([
      'exp(A), float64, 1-norm 1, 1 thread: matrices per second',
    ])
  })
})

describe('the document', () => {
  it('says how to measure before anything was', () => {
    const text = documentOf([])
    expect(text).toContain('No figures yet.')
    expect(text).toContain('npm run bench')
  })

  it('describes the machine, and names the lines in which matfun does not lead', async () => {
    const text = documentOf([await report([own([0.25]), fake('A 1', [0.125])])])
    expect(text).toContain('OPENBLAS_CORETYPE=SkylakeX, set by the benchmark')
    expect(text).toContain('Not found there: JAX.')
    expect(text).toContain('- value, float64, order 4, 1-norm 1, threads 1: 0.50 times A 1')
    const leading = documentOf([await report([own([0.25]), fake('A 1', [0.5])])])
    expect(leading).toContain('There is no line in which matfun does not lead.')
  })

  it('draws every contender but the core, value and gradient beside each other', async () => {
    const contenders = () => [own([1e-6]), fake('core', [1e-7], { role: 'core' }), fake('A 1', [1e-5])]
    const all = await Promise.all(
      (['value', 'vjp'] as const).flatMap((operation) =>
        [2, 4, 8].map((order) => report(contenders(), { operation, order })),
      ),
    )
    const svg = await drawBatch({ ...all[0], lines: all.flatMap(({ lines }) => lines) })
    expect(svg).toMatch(/^<svg/)
    for (const text of ['matfun 0.1.0', 'A 1', 'exp(A)', 'Order n']) expect(svg).toContain(text)
    expect(svg).not.toContain('core')
  })
})
