import { Worker } from 'node:worker_threads'

const worker = new Worker(new URL('./import.mjs', import.meta.url))
worker.once('error', (error) => {
  throw error
})
worker.once('exit', (code) => {
  process.exitCode = code
})
