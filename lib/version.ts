import { readFileSync } from 'node:fs'

let version: string | undefined

/** This package's version, read once. */
export function readVersion(): string {
  version ??= JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version as string
  return version
}
