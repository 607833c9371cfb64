import { native } from '../../lib/native.ts'
import { isFloatArray as isNumbers } from '../../lib/typed-array.ts'
import { bufferOf, detach, Memory, type Numbers, resize } from './memory.ts'
import type { Random } from './random.ts'
import { type RawCall, type RawEntry, rawEntries, runArguments, Sizes } from './raw-calls.ts'
import { anything, numbers } from './values.ts'
import { Fault, requireSameNumbers } from './verdict.ts'

const codes = ['ERR_MATFUN_ADDON', 'ERR_ALIASED_OUT', 'ERR_OUT_OF_MEMORY']

/** Spoils some of a call's arguments; false where it left them as they are. */
function spoil(random: Random, { args }: RawCall, { arrays, memory }: Sizes): boolean {
  if (random.chance(0.3)) return false
  for (let k = random.pick([1, 1, 2, 3]); k > 0; k--) {
    const at = random.integer(0, args.length)
    const given = args[at]
    switch (random.integer(0, 5)) {
      case 0:
        args[at] = anything(random)
        break
      case 1:
        args[at] = random.pick(numbers)
        break
      case 2:
        if (arrays.length > 0) args[at] = random.pick(arrays)
        break
      case 3:
        if (random.chance(0.5)) args.splice(at, 1)
        else args.splice(at, 0, anything(random))
        break
      default:
        if (isNumbers(given)) args[at] = another(random, given, memory)
        else if (typeof given === 'number') args[at] = given + random.pick([-1, 1, 0.5, 2 ** 32])
    }
  }
  return true
}

/** A part of an array, the array with other memory, or another array over its memory. */
function another(random: Random, data: Numbers, memory: Memory): unknown {
  if (data.length === 0) return new Float64Array(1) // maybe detached
  switch (random.integer(0, 5)) {
    case 0:
      return data.subarray(random.integer(0, data.length))
    case 1:
      return data.subarray(0, -1)
    case 2:
      detach(bufferOf(data), memory)
      return data
    case 3:
      resize(bufferOf(data), memory, random.pick([-8, 8, -1e6]))
      return data
    case 4: {
      // Moved by one number, so that it may overlap the others.
      const at = data.byteOffset - data.BYTES_PER_ELEMENT
      const Kind = data.BYTES_PER_ELEMENT === 8 ? Float64Array : Float32Array
      return at < 0 ? data : new Kind(bufferOf(data) as ArrayBuffer, at, data.length)
    }
    default:
      return new DataView(bufferOf(data))
  }
}

function requireDocumented(error: unknown): void {
  const { code } = error as { code?: string }
  const isKnown = error instanceof TypeError || error instanceof RangeError
  if (!isKnown || code === undefined || !codes.includes(code))
    throw new Fault(`an error that is not documented: ${String((error as Error)?.stack ?? error)}`)
}

/** What a call writes to may change, all else may not. */
function free({ args, outputs }: RawCall, name: string, memory: Memory): void {
  for (const at of outputs) if (ArrayBuffer.isView(args[at])) memory.freeAll(args[at])
  if (name === 'runOne') freeOne(args as [number, number, ArrayBuffer], memory)
}

/** The second and the fourth array of the memory that `runOne` was given. */
function freeOne([code, n, buffer]: [number, number, ArrayBuffer], memory: Memory): void {
  const each = n * n * [8, 4, 16, 8][(code >> 2) & 3]
  memory.freeAll(new Uint8Array(buffer, each, each))
  if ((code & 3) !== 0) memory.freeAll(new Uint8Array(buffer, 3 * each, each))
}

function requireUnchanged(memory: Memory): void {
  const changed = memory.changed()
  if (changed !== undefined) throw new Fault(changed)
}

/** One call of a raw function of the addon. */
export async function rawCall(random: Random): Promise<string> {
  const sizes = new Sizes(random, new Memory())
  // `start` is made of the arguments of `run`.
  const entry = random.weighted(rawEntries, 6)
  const name = entry?.name ?? 'start'
  const story = `${name} of the addon: ${sizes.dtype} n=${sizes.n} count=${sizes.count}`
  try {
    if (entry) callNow(random, entry, sizes)
    else await callLater(random, sizes)
  } catch (fault) {
    throw new Fault(`${story}\n${(fault as Error).stack}`)
  }
  return story
}

function callNow(random: Random, entry: RawEntry, sizes: Sizes): void {
  const call = entry.make(sizes)
  const wanted = entry.name === 'run' ? apart(call) : undefined
  const isSpoilt = spoil(random, call, sizes)
  sizes.memory.watch()
  let came: unknown
  try {
    came = (native[entry.name] as (...args: unknown[]) => unknown)(...call.args)
  } catch (error) {
    requireDocumented(error)
    requireUnchanged(sizes.memory)
    return
  }
  free(call, entry.name, sizes.memory)
  requireUnchanged(sizes.memory)
  if (isSpoilt) return
  call.check?.(came)
  if (wanted) requireAlike(call, wanted())
}

/** The same call with arrays of its own, none of them in place. */
function apart({ args }: RawCall): () => unknown[] {
  const copies = args.map((x) => (isNumbers(x) ? Array.from(x) : x))
  return () => {
    const kind = ((args[0] as number) >> 2) & 1 ? Float32Array : Float64Array
    const own = copies.map((x, k) =>
      Array.isArray(x) ? new (((args[0] as number) & 3) === 3 && k === 6 ? Float64Array : kind)(x) : x,
    )
    own[4] = 1
    native.run(...(own as unknown as Parameters<typeof native.run>))
    return own
  }
}

function requireAlike({ args }: RawCall, own: readonly unknown[]): void {
  for (const at of [6, 8])
    if (isNumbers(args[at])) requireSameNumbers(`argument ${at}`, args[at], own[at] as Numbers)
}

/** `start`, with `cancel` now and then. */
async function callLater(random: Random, sizes: Sizes): Promise<void> {
  const call = runArguments(sizes)
  const wanted = apart(call)
  const { args } = call
  while (args.length < 9) args.push(undefined)
  const operation = (args[0] as number) & 3
  const copies = operation === 3 ? 0 : random.integer(0, 3)
  let end = (_: unknown): void => {}
  const ended = new Promise((resolve) => {
    end = resolve
  })
  args.push(copies, (_: unknown, error: unknown) => end(error), random.chance(0.5) ? () => {} : undefined)
  const isSpoilt = spoil(random, call, sizes)
  // Callbacks must not throw, which some functions do that take their places, a class called without new for one.
  for (const at of [10, 11]) if (typeof args[at] === 'function') args[at] = safe(args[at] as Callback)
  sizes.memory.watch()
  let id: number
  try {
    id = native.start(...(args as unknown as Parameters<typeof native.start>))
  } catch (error) {
    requireDocumented(error)
    requireUnchanged(sizes.memory)
    return
  }
  const isCancelled = random.chance(0.2)
  if (isCancelled) native.cancel(id)
  if (random.chance(0.2))
    try {
      native.cancel(anything(random) as number)
    } catch (error) {
      requireDocumented(error)
    }
  // Where another function has taken its place, nobody says when it has ended; its arrays are then let go of by the addon.
  if (isSpoilt && typeof args[10] === 'function') await Promise.race([ended, after(20)])
  else await ended
  free(call, 'start', sizes.memory)
  requireUnchanged(sizes.memory)
  if (!isSpoilt && !isCancelled) requireAlike(call, wanted())
}

type Callback = (...given: unknown[]) => unknown

function safe(callback: Callback): Callback {
  return (...given) => {
    try {
      return callback(...given)
    } catch {}
  }
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
