import { chmodSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, say } from './commands.mjs'
import { digest, filesBelow, stampIs, writeStamp } from './stamps.mjs'

const dist = join(root, 'dist')
const commandLine = join(dist, 'cli', 'main.js')
const stampFile = join(root, 'build', '.dist.sha256')

/** @returns {string[]} in words */
export function missing() {
  return existsSync(join(dist, 'index.js')) && stampIs(stampFile, sourceDigest())
    ? []
    : ['the compiled TypeScript in dist, up to date']
}

/** Compiles lib into dist, which then holds nothing of files that are gone. */
export function provide() {
  say('compiling TypeScript')
  const before = sourceDigest()
  rmSync(stampFile, { force: true })
  rmSync(dist, { recursive: true, force: true })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  run('compile TypeScript', process.execPath, [tsc, '-p', 'tsconfig.build.json', '--pretty', 'false'])
  if (existsSync(commandLine)) chmodSync(commandLine, 0o755)
  writeStamp(stampFile, before)
}

function sourceDigest() {
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'node_modules/typescript/package.json']
  return digest(root, [...settings, ...filesBelow(root, 'lib', () => true)])
}
