/** The calls that wait for a signal, and its one listener. */
interface Waiting {
  readonly calls: Set<() => void>
  readonly listener: () => void
}

const waiting = new WeakMap<AbortSignal, Waiting>()

/**
 * Calls `abort`, which must not throw, when the signal aborts, until what this returns is called; both may throw where a signal that is none
 * of Node's does. A signal has one listener, however many calls wait for it: of more than ten Node warns as of a leak.
 */
export function onAbort(signal: AbortSignal, abort: () => void): () => void {
  const { calls, listener } = waiting.get(signal) ?? listen(signal)
  calls.add(abort)
  return () => {
    if (!calls.delete(abort) || calls.size > 0) return
    waiting.delete(signal)
    signal.removeEventListener('abort', listener)
  }
}

function listen(signal: AbortSignal): Waiting {
  const calls = new Set<() => void>()
  const listener = (): void => {
    for (const abort of [...calls]) abort()
  }
  signal.addEventListener('abort', listener)
  const made = { calls, listener }
  waiting.set(signal, made)
  return made
}
