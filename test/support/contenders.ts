// Contenders and reports of the benchmarks without any measuring.
import type { Contender } from '../../scripts/bench/contender.mjs'
import type { Line } from '../../scripts/bench/lines.mjs'
import { measureLine } from '../../scripts/bench/measure.mjs'
import { type Circumstances, lineReport, type Report } from '../../scripts/bench/report.mjs'
import type { SuiteName } from '../../scripts/bench/suites.mjs'

export const line: Line = {
  operation: 'value',
  dtype: 'float64',
  order: 4,
  norm: 1,
  calls: 'stack',
  batch: 65536,
}
export const files = { A: 'A', direction: 'E' }

/** A contender that takes so many seconds a matrix, by round, or throws what it is given. */
export function fake(name: string, seconds: (number | Error)[], more: Partial<Contender> = {}): Contender {
  let round = 0
  return {
    name,
    role: 'peer',
    threads: 1,
    prepare: async () => ({ offers: true }),
    calibrate: async (available) => available,
    turn: async () => {
      const taken = seconds[round++ % seconds.length]
      if (taken instanceof Error) throw taken
      return { seconds: taken, processor: 0.9 }
    },
    close: () => {},
    ...more,
  }
}

export const own = (seconds: number[], threads = 1) =>
  fake('matfun 0.1.0', seconds, { role: 'matfun', threads })

/** Of one line, in which these contenders took part. */
export async function report(
  contenders: Contender[],
  changes: Partial<Line> = {},
  more: { suite?: SuiteName; circumstances?: Circumstances } = {},
): Promise<Report> {
  const changed = { ...line, ...changes }
  const measured = await measureLine(contenders, changed, files, 10)
  return {
    schema: 1,
    suite: more.suite ?? 'batch',
    date: '2026-01-02T03:04:05.000Z',
    name: 'some-machine',
    machine: {
      processor: 'Some Machine',
      cores: 2,
      caches: ['L1d 32K', 'L2 1024K'],
      memoryGiB: 8,
      system: 'linux-x64 6',
      node: '20.20.2',
      load: { before: 0.1, after: 1.1 },
    },
    matfun: { kernels: 'baseline', blas: { version: '0.3.21', core: 'SkylakeX' } },
    coreType: { value: 'SkylakeX', setBy: 'bench' },
    about: { 'SciPy 1.17.1': ['NumPy 2.4.6'] },
    absent: ['JAX'],
    without: [],
    settings: { seed: 7, secondsPerLine: 2, cpuTime: false, batchBytes: 2 ** 23, threads: [1, 2] },
    lines: [lineReport(changed, measured, new Map([[contenders[0], 0]]), more.circumstances)],
  }
}
