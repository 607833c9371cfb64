/** A Redis or Valkey server of one's own, on loopback, with an append-only file in a folder of its own. */
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** @import { ChildProcess } from 'node:child_process' */

const command = ['redis-server', 'valkey-server']
  .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
  .find(isExecutable)

/** Why there can be no server here; undefined where there can. */
export const redisIsMissing =
  command === undefined
    ? 'there is neither redis-server nor valkey-server (Debian: apt install redis-server)'
    : undefined

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * @typedef {object} Server
 * @property {number} port
 * @property {string} url
 * @property {(millisecondsDown?: number) => Promise<void>} crash kills it, with -9, and starts it over what its append-only file has
 * @property {() => Promise<void>} end ends it and removes its files
 */

/**
 * Starts a server.
 * @param {readonly string[]} [options] of its configuration
 * @param {'redis' | 'rediss'} [scheme]
 * @returns {Promise<Server>}
 */
export async function startRedis(options = [], scheme = 'redis') {
  if (command === undefined) throw new Error(redisIsMissing)
  const folder = mkdtempSync(join(tmpdir(), 'matfun-redis-'))
  const port = await freePort()
  const settings = ['--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', '']
  const ports = scheme === 'rediss' ? ['--port', '0', '--tls-port', `${port}`] : ['--port', `${port}`]
  const start = () => startServer(command, [...ports, ...settings, ...options])
  let server = await start()
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    async crash(millisecondsDown = 100) {
      await kill(server)
      await sleep(millisecondsDown)
      server = await start()
    },
    async end() {
      await kill(server)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<ChildProcess>}
 */
async function startServer(program, args) {
  const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  await new Promise((resolve, reject) => {
    server.stdout.on('data', (text) => {
      said += text
      if (said.includes('Ready to accept connections')) resolve(undefined)
    })
    server.once('exit', () => reject(new Error(`the server ended: ${said}`)))
    server.once('error', reject)
  })
  return server
}

/** @param {ChildProcess} server */
async function kill(server) {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGKILL')
  await ended
}

/** @returns {Promise<number>} */
async function freePort() {
  return await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
