#!/usr/bin/env node
import { run } from './run.ts'
import { Terminal } from './terminal.ts'

const ended = new AbortController()
const insisted = new AbortController()
let received: NodeJS.Signals = 'SIGINT'
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => {
    received = name
    if (ended.signal.aborted) insisted.abort()
    else ended.abort()
  })

let isCut = false
for (const name of ['stdout', 'stderr'] as const)
  process[name].on('error', (error: NodeJS.ErrnoException) => {
    // `matfun plan A.npy | head -1` closes the pipe early, which is no fault of the job. A full disk is one.
    if (isCut || error.code === 'EPIPE') return
    isCut = true
    process.exitCode = 2
    if (name === 'stdout')
      new Terminal(process.stderr).write(`matfun: cannot write to stdout: ${error.message.split(', ')[0]}\n`)
  })

const { stdout, stderr } = process
const code = await run(process.argv.slice(2), {
  stdout,
  stderr,
  signal: ended.signal,
  insist: insisted.signal,
})
if (code === 'interrupted') {
  // The files are gone: now end as the signal would have ended it, so that a shell sees why.
  process.removeAllListeners(received)
  process.kill(process.pid, received)
} else process.exitCode = isCut ? 2 : code
