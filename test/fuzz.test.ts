import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from './support/npy-files.ts'
import { drawSeed } from './support/seed.ts'

const at = temporaryFolder()
const start = fileURLToPath(new URL('fuzz/start.mjs', import.meta.url))

/** In a process of its own, which a fault may end; then the file tells in which call. */
function fuzz(from: number, calls: number): string {
  const state = at(`seed-${from}`)
  const args = [start, '--seed', String(from), '--calls', String(calls), '--state', state]
  const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 240_000 })
  if (status === 0) return ''
  const call = readFileSync(state, 'utf8').trim()
  return `${signal ?? `exit code ${status}`} in call ${call} (node test/fuzz/start.mjs --seed ${from} --from ${call} --calls 1)\n${stderr}`
}

const seed = drawSeed('calls of everything')

// More by hand: npm run fuzz -- --calls 1000000
test('100 000 calls of everything, with anything, give the right result or a documented error', {
  timeout: 300_000,
}, () => {
  expect(fuzz(seed, 100_000)).toBe('')
})
