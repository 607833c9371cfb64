import { MatfunError } from '../../lib/errors.ts'
import type { Operand } from './forms.ts'
import { bufferOf, detach } from './memory.ts'
import { type Entry, entries } from './public-calls.ts'
import type { Random } from './random.ts'
import { type Scene, scene } from './scene.ts'
import { classify, Fault } from './verdict.ts'

/** What the same call, plainly given, throws instead of a result. */
export class Failed {
  readonly error: MatfunError

  constructor(error: MatfunError) {
    this.error = error
  }
}

/** What the entry has to give, or how it has to fail. */
export function expectedOf(entry: Entry, scene: Scene): unknown {
  try {
    return entry.expected(scene, { ...scene.right, threads: 1 })
  } catch (error) {
    if (error instanceof MatfunError) return new Failed(error)
    throw error
  }
}

/** A result, or what was thrown in its place. */
export type Outcome = { readonly result: unknown } | { readonly error: unknown }

/** Judges what a call did; Fault where it should not have. */
export function judge(
  entry: Pick<Entry, 'name' | 'compare'>,
  given: Scene,
  outcome: Outcome,
  expected: () => unknown,
): void {
  const { memory, outs, effect } = given
  let mayWrite = true
  if ('error' in outcome) {
    const kind = classify(outcome.error)
    mayWrite = kind === 'matrix'
    if (mayWrite) freeOuts(given)
    if (effect === 'none') {
      const wanted = expected()
      const isSame = wanted instanceof Failed && kind === 'matrix'
      if (!isSame || JSON.stringify(wanted.error) !== JSON.stringify(outcome.error))
        throw new Fault(`threw although nothing is wrong: ${(outcome.error as Error)?.stack}`)
    }
  } else {
    freeOuts(given)
    if (effect === 'refused') throw new Fault('gave a result although it had to be refused')
    if (effect === 'none') {
      const wanted = expected()
      if (wanted instanceof Failed) throw new Fault(`gave a result, expected ${wanted.error}`)
      entry.compare(outcome.result, wanted, given)
    }
  }
  // Where something else was given as `out`, only the call itself can know what it may write.
  const changed = memory.changed()
  if (changed !== undefined && !(mayWrite && effect === 'any' && hasUnknownOut(given)))
    throw new Fault(`${changed} (${outs.size} outs)`)
}

function hasUnknownOut({ story }: Scene): boolean {
  return /out|options/.test(story)
}

function freeOuts({ memory, outs }: Scene): void {
  for (const { data, places, elementBytes } of outs.values()) memory.free(data, places, elementBytes)
}

/** What is done to an input once a promise has been given. */
function tamper({ data }: Operand, { random, memory }: Scene): void {
  if (data === undefined || bufferOf(data) instanceof SharedArrayBuffer || !random.chance(0.5)) return
  memory.forget(bufferOf(data))
  if (random.chance(0.5)) new Uint8Array(bufferOf(data)).fill(0xff)
  else detach(bufferOf(data), memory)
}

/** One call of a public function. */
export async function publicCall(random: Random): Promise<string> {
  const entry = random.weighted(entries)!
  const given = scene(random, entry)
  const text = `${entry.name}: ${given.story}`
  try {
    let outcome: Outcome
    try {
      const pending = entry.call(given)
      if (entry.isAsync && given.effect === 'none') for (const x of [given.A, given.E]) tamper(x, given)
      outcome = { result: await pending }
    } catch (error) {
      outcome = { error }
    }
    judge(entry, given, outcome, () => expectedOf(entry, given))
  } catch (fault) {
    throw new Fault(`${text}\n${(fault as Error).stack}`)
  }
  return text
}
