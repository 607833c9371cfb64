import { describe, expect, it } from 'vitest'
import { showProgress } from '../lib/cli/progress.ts'
import { Terminal } from '../lib/cli/terminal.ts'
import { writeNpy } from '../lib/npy/index.ts'
import { runHere } from './support/command-line.ts'
import { temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()
const clearLine = '\r\u001b[K'

/** Updates a bar of the given width every millisecond, and gives the lines that it showed. */
function show(columns: number, count: number): string[] {
  const written: string[] = []
  let time = 0
  const stream = { isTTY: true, columns, write: (text: string) => written.push(text) }
  const progress = showProgress(new Terminal(stream), 'expm', () => time)
  for (time = 1; time <= count; time++) progress.update(time, count)
  progress.end()
  expect(written.pop()).toBe(clearLine)
  return written.map((text) => {
    expect(text.startsWith(clearLine)).toBe(true)
    return text.slice(clearLine.length)
  })
}

describe('the progress bar', () => {
  it('is shown on stderr where that is a terminal, and gone at the end', async () => {
    writeNpy(at('A.npy'), { data: new Float64Array(24), shape: [6, 2, 2] })
    for (const args of [
      ['plan', at('A.npy')],
      ['expm', at('A.npy'), '-o', at('Y.npy')],
    ]) {
      const { code, stderr, stdout } = await runHere(args, { isTTY: true, budget: 1 })
      expect(code).toBe(0)
      const lines = stderr.split(clearLine)
      expect(lines[0]).toBe('')
      expect(lines[1]).toMatch(/^(plan|expm) \[#+-+\] 16% {2}1\/6 {2}[\d,]+\/s {2}[\d.]+ s left$/)
      expect(lines.at(-2)).toMatch(/^(plan|expm) \[#+\] 100% {2}6\/6 /)
      expect(lines.at(-1)).toBe('')
      expect(stdout).not.toContain(clearLine)
    }
  })

  it('is not there where stderr is no terminal', () => {
    const written: string[] = []
    const progress = showProgress(new Terminal({ write: (text) => written.push(text) }), 'expm')
    progress.update(1, 2)
    progress.end()
    expect(written).toEqual([])
  })

  it('shows share, count, rate and time left, ten times a second', () => {
    const lines = show(70, 4000)
    expect(lines).toHaveLength(41)
    expect(lines[10]).toBe('expm [######----------------] 25%  1,001/4,000  1,000/s  3.00 s left')
    expect(lines[40]).toMatch(/^expm \[#+\] 100% {2}4,000\/4,000 {2}1,000\/s {2}0\.00 s left$/)
  })

  it('leaves what an earlier run did out of its rate', () => {
    const written: string[] = []
    let time = 0
    const stream = { isTTY: true, columns: 70, write: (text: string) => written.push(text) }
    const progress = showProgress(new Terminal(stream), 'expm', () => time)
    progress.startAt(3000)
    time = 500
    progress.update(3500, 4000)
    expect(written).toEqual([
      `${clearLine}expm [###################---] 87%  3,500/4,000  1,000/s  0.50 s left`,
    ])
  })

  it.each([1, 10, 40, 55, 80, 200])('stays within a terminal of %i columns', (columns) => {
    for (const line of show(columns, 500)) expect(line.length).toBeLessThan(columns)
  })

  it('takes a terminal of unknown width to have 80 columns', () => {
    expect(show(0, 500)).toEqual(show(80, 500))
  })
})
