import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Whether the owner of a file still runs; `unknown` where it runs, or ran, out of sight. */
export type Liveness = 'alive' | 'dead' | 'unknown'

/**
 * Whose a file is: a use of it by one process, in a text of hexadecimal and decimal numbers that fits into a file's name:
 * `<machine>-<boot>-<pid namespace>-<pid>-<start>-<use>`.
 */
export type Owner = string

/** What an {@link Owner} looks like, for regular expressions. */
export const ownerPattern = '[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9]+-[0-9]+-[0-9a-f]{6}'

/** Those of this process that are over. */
const ended = new Set<Owner>()

/** A new owner: this process, until {@link endOwner}. */
export function createOwner(): Owner {
  const { machine, boot, namespace } = here()
  const start = startOf(process.pid) ?? '0'
  return [machine, boot, namespace, process.pid, start, randomBytes(3).toString('hex')].join('-')
}

/** Says that one of this process's owners uses nothing any more, though the process lives on. */
export function endOwner(owner: Owner): void {
  ended.add(owner)
}

/** The process of an owner, as its machine numbers them. */
export function processOf(owner: Owner): number {
  return Number(owner.split('-')[3])
}

/**
 * Whether an owner still runs. Where there is no /proc to tell when a process started, another one that got its number
 * since passes for it: a dead owner may be taken for alive, never the other way round.
 */
export function livenessOf(owner: Owner): Liveness {
  const [machine, boot, namespace, , start] = owner.split('-')
  const now = here()
  if (machine !== now.machine) return 'unknown'
  if (boot !== now.boot) return 'dead'
  if (namespace !== now.namespace) return 'unknown' // another container, perhaps
  if (ended.has(owner)) return 'dead'
  return isRunning(processOf(owner), start) ? 'alive' : 'dead'
}

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM says that it is there, and another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const found = startOf(pid)
  return found === undefined || (found !== 'gone' && (found === start || start === '0'))
}

/** When a process started, in ticks since boot; `gone` where it only waits to be reaped, undefined where none can say. */
function startOf(pid: number): string | undefined {
  const status = readOr(`/proc/${pid}/stat`)
  if (status === undefined) return undefined
  // The second field is the program's name in parentheses, which may hold anything; proc(5) counts from 1.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
  return 'ZX'.includes(fields[0]) ? 'gone' : fields[22 - 3]
}

function here(): { machine: string; boot: string; namespace: string } {
  return {
    machine: shorten(`${hostname()}\n${readOr('/etc/machine-id') ?? ''}`),
    boot: shorten(readOr('/proc/sys/kernel/random/boot_id') ?? ''),
    namespace: shorten(linkOr('/proc/self/ns/pid') ?? ''),
  }
}

function shorten(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function linkOr(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
