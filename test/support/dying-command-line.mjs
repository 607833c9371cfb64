// The compiled command line with small chunks and a checkpoint after each, for tests that end it:
//   node dying-command-line.mjs BUDGET FATAL ARGUMENTS...
// is killed at its FATALth call that changes a file (0: never), half of what it wanted to write being written. It prints
// `calls` and the number of such calls as its last line on stderr where it is not.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { run } from '../../dist/cli/run.js'

const [budget, fatal, ...argv] = process.argv.slice(2)
const changing = ['ftruncateSync', 'fsyncSync', 'renameSync', 'rmSync', 'openSync']
let calls = 0

/** @param {() => void} [half] */
function count(half) {
  if (++calls !== Number(fatal)) return
  half?.()
  process.kill(process.pid, 'SIGKILL')
}

/** @type {Record<string, any>} */
const functions = fs
const { fsyncSync, fdatasyncSync, writeSync } = fs
for (const name of changing) {
  const real = functions[name]
  functions[name] = (/** @type {unknown[]} */ ...args) => {
    if (name !== 'openSync' || args[1] === 'wx' || args[1] === 'r+') count()
    return real(...args)
  }
}
functions.writeSync = (
  /** @type {number} */ fd,
  /** @type {Uint8Array} */ piece,
  /** @type {number} */ offset,
  /** @type {number} */ length,
  /** @type {number} */ position,
) => {
  count(() => writeSync(fd, piece, offset, length >> 1, position))
  return writeSync(fd, piece, offset, length, position)
}
// At once, so that each chunk has its checkpoint before the next one begins.
functions.fsync = (/** @type {number} */ fd, /** @type {() => void} */ done) => {
  count()
  fsyncSync(fd)
  done()
}
functions.fdatasync = (/** @type {number} */ fd, /** @type {() => void} */ done) => {
  count()
  fdatasyncSync(fd)
  done()
}
syncBuiltinESMExports()

const { stdout, stderr } = process
const controller = new AbortController()
process.on('SIGTERM', () => controller.abort())
const code = await run(argv, {
  stdout,
  stderr,
  signal: controller.signal,
  budget: Number(budget),
  interval: 0,
})
stderr.write(`calls ${calls}\n`)
process.exitCode = code === 'interrupted' ? 3 : code
