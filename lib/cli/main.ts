#!/usr/bin/env node
import { run } from './run.ts'

const ended = new AbortController()
const insisted = new AbortController()
let received: NodeJS.Signals = 'SIGINT'
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => {
    received = name
    if (ended.signal.aborted) insisted.abort()
    else ended.abort()
  })

// `matfun plan A.npy | head -1` closes the pipe early, which is no fault of the job.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
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
} else process.exitCode = code
