// Runs the fuzzer of the boundary (test/fuzz), on the addon as it is, or on one with AddressSanitizer and UndefinedBehaviorSanitizer.
//
// usage: node scripts/fuzz.mjs [--sanitize] [--seed S] [--from K] [--calls N] [--keep]
// exit codes: those of test/fuzz/main.ts; 1 also where a sanitizer found something
//
// --sanitize builds an addon in build/fuzz-sanitize where the sources have changed (scripts/fuzz/sanitized-addon.mjs).
//
// needs: a set-up for tests (npm run setup -- --for test); for --sanitize g++ or clang++ with libasan

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { addon, provideSanitizedAddon, sanitizerEnvironment } from './fuzz/sanitized-addon.mjs'
import { root, SetupError } from './setup/commands.mjs'
import { buildEnvironment } from './setup/environment.mjs'

const args = process.argv.slice(2)
const sanitizes = args.includes('--sanitize')
const start = [join(root, 'test', 'fuzz', 'start.mjs'), ...args.filter((arg) => arg !== '--sanitize')]
const env = { ...buildEnvironment() }
try {
  if (sanitizes) {
    await provideSanitizedAddon()
    Object.assign(env, sanitizerEnvironment(), { MATFUN_FUZZ_ADDON: addon })
  }
  const { status, signal, error } = spawnSync(process.execPath, start, { cwd: root, env, stdio: 'inherit' })
  if (error) throw error
  if (signal) console.error(`the fuzzer: ended by ${signal}`)
  process.exitCode = status ?? 1
} catch (error) {
  console.error(error instanceof SetupError ? error.message : error)
  process.exitCode = 1
}
