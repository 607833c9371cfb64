import { showCount, showSeconds } from './report.ts'
import type { Terminal } from './terminal.ts'

/** A progress bar on one line. */
export interface Progress {
  readonly update: (done: number, count: number) => void
  /** Says that so many were done before, which took no time of this run's. */
  readonly startAt: (done: number) => void
  /** Takes the bar away. */
  readonly end: () => void
}

const silent: Progress = { update: () => {}, startAt: () => {}, end: () => {} }
const millisecondsBetween = 100

/** A bar with share, count, rate and time left if `terminal` is one; nothing at all if it is not. */
export function showProgress(
  terminal: Terminal,
  label: string,
  now: () => number = () => performance.now(),
): Progress {
  if (!terminal.isTTY) return silent
  const start = now()
  let shown = Number.NEGATIVE_INFINITY
  let before = 0
  return {
    update(done, count) {
      const time = now()
      if (time - shown < millisecondsBetween && done < count) return
      shown = time
      const rate = time > start ? (done - before) / ((time - start) / 1000) : 0
      terminal.replaceLine(line(label, done, count, rate, terminal.columns ?? 80))
    },
    startAt(done) {
      before = done
    },
    end() {
      if (shown > Number.NEGATIVE_INFINITY) terminal.replaceLine('')
    },
  }
}

function line(label: string, done: number, count: number, rate: number, columns: number): string {
  const share = done / count
  const left = rate > 0 ? `${showSeconds((count - done) / rate)} left` : ''
  const facts = `${Math.floor(share * 100)}%  ${showCount(done)}/${showCount(count)}  ${showCount(rate)}/s  ${left}`
  // The last column stays free: some terminals would start a new line after it.
  const room = Math.min(30, columns - 1 - label.length - facts.length - 5)
  const full = Math.round(share * room)
  const bar = room >= 5 ? ` [${'#'.repeat(full)}${'-'.repeat(room - full)}] ` : ' '
  return `${label}${bar}${facts}`.slice(0, Math.max(0, columns - 1)).trimEnd()
}
