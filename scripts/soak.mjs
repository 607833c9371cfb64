// Calls every function a million times, and those that use files or servers as often as seconds allow, and fails where the process's
// resident size grows by 1 MB or more over them (of Zarr arrays, jobs and queues 4 MB). What needs a Redis server is left out where there is none.
//
// usage: node scripts/soak.mjs [--calls N] [--jobs J] [--sizes] [name ...]
//   names are parts of those in scripts/soak/subjects.mjs; --sizes prints how large the process was, in KB; J processes run at once
// exit codes: 0 none grows, 1 some do, 2 wrong use
//
// needs: a set-up (npm run setup)

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { redisIsMissing, startRedis } from './queue/redis.mjs'
import { root } from './setup/commands.mjs'
import { subjects } from './soak/subjects.mjs'

/** @import { Subject } from './soak/subjects.mjs' */

/** What a process may grow by over all the calls of a subject: a byte a call where these are a million. */
const mostBytes = (/** @type {Subject} */ { mostMiB = 1 }) => mostMiB * 2 ** 20

/** A process may have a step of its own, of the allocator's or V8's; what calls keep is kept in each. */
const tries = 3

/** What must be seen to grow, or nothing is seen: a number of 8 bytes kept of every call. */
const seen = { name: 'a number kept of each call', call: 'm.expm(A); kept.push(k + 0.5)' }

/** @typedef {{ seconds: number, sizes: number[], grown: number }} Told in bytes */

/**
 * @param {Subject} subject
 * @param {number} calls
 * @returns {Promise<Told>}
 */
function measure({ call, name }, calls) {
  // Few and small pages, so that little is in them that is not in use.
  const flags = ['--expose-gc', '--max-semi-space-size=1']
  const args = [...flags, join(root, 'scripts', 'soak', 'process.mjs'), String(calls)]
  return new Promise((resolve, reject) => {
    const env = { ...process.env, MATFUN_SOAK_QUEUE: server?.url }
    const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (part) => {
      text += part
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(text))
      else reject(new Error(`${name}: ${signal ?? `exit code ${code}`}`))
    })
    child.stdin.end(call)
  })
}

/**
 * @param {Subject} subject
 * @param {number} most calls
 * @param {boolean} showsSizes
 * @returns {Promise<boolean>} whether it grows
 */
async function grows(subject, most, showsSizes) {
  const calls = Math.min(most, subject.calls ?? most)
  for (let attempt = 1; ; attempt++) {
    const { seconds, sizes, grown } = await measure(subject, calls)
    const most_bytes = mostBytes(subject)
    const isTooMuch = grown >= most_bytes
    const each = `${((seconds / calls) * 1e6).toFixed(1)} us`.padStart(9)
    const told = `${subject.name.padEnd(40)} ${String(calls).padStart(8)} calls ${each} ${(grown / 1024).toFixed(0).padStart(7)} KB`
    console.log(isTooMuch ? `${told}   of ${most_bytes / 1024}, try ${attempt}` : told)
    if (showsSizes) console.log(sizes.map((size) => (size / 1024).toFixed(0)).join(' '))
    if (!isTooMuch || attempt === tries) return isTooMuch
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: 'string', default: '1000000' },
    jobs: { type: 'string', default: '2' },
    sizes: { type: 'boolean', default: false },
  },
})
const [calls, jobs] = [values.calls, values.jobs].map(Number)
const chosen = subjects.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
)
if (!(calls >= 1000 && jobs >= 1) || chosen.length === 0) {
  console.error(
    chosen.length === 0
      ? `no such subject: ${positionals.join(', ')}`
      : '--calls must be 1000 at least, --jobs 1',
  )
  process.exit(2)
}
const isLeftOut = (/** @type {Subject} */ { asksServer }) =>
  asksServer === true && redisIsMissing !== undefined
for (const subject of chosen.filter(isLeftOut)) console.log(`${subject.name}: left out, ${redisIsMissing}`)
const left = chosen.filter((subject) => !isLeftOut(subject))
const server = left.some(({ asksServer }) => asksServer) ? await startRedis() : undefined
/** @type {string[]} */
const growing = []
const start = performance.now()
const work = async () => {
  for (let subject = left.shift(); subject !== undefined; subject = left.shift())
    if (await grows(subject, calls, values.sizes)) growing.push(subject.name)
}
await Promise.all(Array.from({ length: jobs }, work))
if ((await measure(seen, calls)).grown < mostBytes(seen) && calls >= 1_000_000)
  growing.push('nothing is seen to grow')
await server?.end()
const took = `${((performance.now() - start) / 1000).toFixed(0)} s`
console.log(growing.length > 0 ? `growing: ${growing.join('; ')} (${took})` : `none grows (${took})`)
process.exitCode = growing.length > 0 ? 1 : 0
