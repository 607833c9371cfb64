import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** The C library of the process, where that decides what can be loaded. */
export type Libc = 'glibc' | 'musl'

/** As much of Node's diagnostic report as is read here. */
interface Report {
  readonly header?: { readonly glibcVersionRuntime?: string }
  readonly sharedObjects?: readonly string[]
}

/**
 * The C library that this process runs on; undefined elsewhere than on Linux, and where it cannot be told. Read from what the
 * process has mapped, which takes half a millisecond, and where that may not be read from Node's report, which takes 15.
 */
export function readLibc(): Libc | undefined {
  if (process.platform !== 'linux') return undefined
  let mapped: string
  try {
    mapped = readFileSync('/proc/self/maps', 'latin1')
  } catch {
    const { header, sharedObjects } = report()
    if (header?.glibcVersionRuntime !== undefined) return 'glibc'
    mapped = sharedObjects?.join('\n') ?? ''
  }
  if (/\/(ld-musl-|libc\.musl-)/.test(mapped)) return 'musl'
  return /\/libc(\.so\.6|-2\.\d+\.so)$/m.test(mapped) ? 'glibc' : undefined
}

/** The machine in a few words, for messages: `linux-x64, glibc 2.36, AMD EPYC, Node v20.20.2`. */
export function describeMachine(): string {
  const facts = [`${process.platform}-${process.arch}`]
  if (process.platform === 'linux') {
    const version = report().header?.glibcVersionRuntime
    facts.push(version === undefined ? (readLibc() ?? 'C library unknown') : `glibc ${version}`)
  }
  facts.push(cpus()[0]?.model.trim() || 'processor unknown', runtime())
  return facts.join(', ')
}

function runtime(): string {
  const { bun, deno } = process.versions
  if (bun !== undefined) return `Bun ${bun}`
  return deno === undefined ? `Node ${process.version}` : `Deno ${deno}`
}

function report(): Report {
  try {
    return process.report.getReport() as Report
  } catch {
    return {}
  }
}
