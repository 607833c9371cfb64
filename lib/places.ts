import { readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, sep } from 'node:path'

/** A file or folder under the name that messages give it. It need not exist. */
export interface Place {
  /** For example `the input A.npy`. */
  readonly name: string
  readonly path: string
}

/** Two places where writing to one can change what the other holds. */
export interface Clash {
  readonly output: Place
  readonly other: Place
  /** How the output lies to the other one. */
  readonly relation: 'same' | 'inside' | 'around'
}

/**
 * The first output that is the same file or folder as an input or another output, lies inside one, or holds one. Links, other spellings and
 * other mounts of a folder count as what they lead to. Cost: a few system calls for each part of a path.
 */
export function findClash(inputs: readonly Place[], outputs: readonly Place[]): Clash | undefined {
  const known = inputs.map((place) => ({ place, chain: chainOf(place.path) }))
  for (const output of outputs) {
    const chain = chainOf(output.path)
    for (const { place: other, chain: others } of known) {
      if (chain[0] === others[0]) return { output, other, relation: 'same' }
      if (chain.includes(others[0])) return { output, other, relation: 'inside' }
      if (others.includes(chain[0])) return { output, other, relation: 'around' }
    }
    known.push({ place: output, chain })
  }
  return undefined
}

/** As many links as Linux follows. */
const mostLinks = 40

/** What tells a place from all others, and then the same of each folder that holds it, up to the root. */
function chainOf(path: string): string[] {
  const { real, missing } = settle(path)
  const chain = [identityOf(real)]
  for (let at = real; dirname(at) !== at; ) {
    at = dirname(at)
    chain.push(identityOf(at))
  }
  for (const name of missing) chain.unshift(`${chain[0]}/${name}`)
  return chain
}

/** The real path of as much of a path as exists, and the names after it. */
function settle(path: string): { real: string; missing: string[] } {
  const missing: string[] = []
  // path.resolve and path.join would take `link/..` for the folder that holds the link.
  let at = isAbsolute(path) ? path : `${process.cwd()}${sep}${path}`
  for (let links = 0; ; ) {
    const real = orUndefined(() => realpathSync.native(at))
    if (real !== undefined) return { real, missing }
    const folder = dirname(at)
    // A link that leads nowhere names the place where a file would appear.
    const target = links < mostLinks ? orUndefined(() => readlinkSync(at)) : undefined
    if (target !== undefined) {
      links++
      at = isAbsolute(target) ? target : `${folder}${sep}${target}`
    } else if (folder === at) return { real: at, missing }
    else {
      missing.unshift(basename(at))
      at = folder
    }
  }
}

function identityOf(path: string): string {
  const status = orUndefined(() => statSync(path, { bigint: true }))
  return status?.ino ? `${status.dev}:${status.ino}` : path
}

function orUndefined<T>(step: () => T): T | undefined {
  try {
    return step()
  } catch {
    return undefined // What cannot be looked at cannot be opened: that error says more.
  }
}
