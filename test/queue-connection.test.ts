import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { queueAddress } from '../lib/cli/queue.ts'
import { connectionOptions, withoutPassword } from '../lib/queue/address.ts'
import { openQueue, QueueError, startWorker } from '../lib/queue/index.ts'
import { redisIsMissing, type Server, startRedis } from '../scripts/queue/redis.mjs'
import { main } from './support/command-line.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/tls/${name}`, import.meta.url))

describe("a queue's address", () => {
  it('names host, port and number of the database, and who connects', () => {
    expect(connectionOptions({ url: 'redis://example.org' })).toEqual({
      host: 'example.org',
      port: 6379,
      db: 0,
      maxRetriesPerRequest: null,
    })
    expect(connectionOptions({ url: 'rediss://a%40b:c%2Fd@[::1]:7000/3' })).toEqual({
      host: '::1',
      port: 7000,
      db: 3,
      username: 'a@b',
      password: 'c/d',
      tls: {},
      maxRetriesPerRequest: null,
    })
    const { username, password } = connectionOptions({ url: 'redis://a:b@h', username: 'c', password: 'd' })
    expect([username, password]).toEqual(['c', 'd'])
  })

  it.each([
    '',
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis://h/a',
    'redis://h/1/2',
    'redis://h?x=1',
  ])('is not %j', (url) => {
    expect(() => connectionOptions({ url })).toThrow(/expected a queue's address as redis:\/\/host:port\/db/)
  })

  it('is shown without its password', () => {
    expect(withoutPassword('rediss://user:secret@h:1/2')).toBe('rediss://***@h:1/2')
    expect(withoutPassword('redis://h:1/2')).toBe('redis://h:1/2')
    for (const url of [
      'redis://user:se/cret@h',
      'redis:user:secret@h:1',
      'redis:/user:secret@h',
      'redis://u:se@cret@h',
      'redis://u:%secret@h',
    ]) {
      expect(withoutPassword(url)).not.toMatch(/se|cret/)
      expect(() => queueAddress(url, {})).toThrow(/MATFUN_QUEUE_PASSWORD/)
    }
    expect(() => connectionOptions({ url: 'redis://u:%secret@h' })).toThrow(QueueError)
    expect(() => connectionOptions({ url: 'http://user:secret@h' })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('secret') }),
    )
  })

  it('comes from --queue or the environment, the password from the environment only', () => {
    const environment = { MATFUN_QUEUE: 'redis://a', MATFUN_QUEUE_USERNAME: 'u', MATFUN_QUEUE_PASSWORD: 'p' }
    expect(queueAddress(undefined, environment)).toEqual({ url: 'redis://a', username: 'u', password: 'p' })
    expect(queueAddress('redis://b', environment).url).toBe('redis://b')
    expect(() => queueAddress('redis://u:secret@b', {})).toThrow(/MATFUN_QUEUE_PASSWORD/)
    expect(() => queueAddress('redis://:secret@b', {})).toThrow(/MATFUN_QUEUE_PASSWORD/)
    expect(queueAddress('redis://u@b', {}).url).toBe('redis://u@b')
    expect(() => queueAddress('redis://u:1/secret@b', {})).toThrow(/MATFUN_QUEUE_PASSWORD/)
    expect(() => queueAddress(undefined, {})).toThrow(/expected a queue: --queue/)
  })
})

it('no server at the address is told at once, without the password', async () => {
  const failure = await openQueue({ url: 'redis://user:secret@127.0.0.1:1' }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(QueueError)
  expect((failure as Error).message).toBe(
    'cannot use the queue at redis://***@127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
  )
})

it('a worker waits for a server that is not there yet, until it is told not to', async () => {
  const ended = new AbortController()
  const trouble: string[] = []
  const worker = startWorker(
    { url: 'redis://127.0.0.1:1' },
    { signal: ended.signal, onTrouble: (message) => trouble.push(message) },
  )
  setTimeout(() => ended.abort(new Error('enough')), 1000)
  await expect(worker).rejects.toThrow('enough')
  expect(trouble.length).toBeGreaterThan(1)
  expect(trouble[0]).toBe('connect ECONNREFUSED 127.0.0.1:1')
})

it.each([
  [{ concurrency: 0 }, 'concurrency must be an integer from 1 to 16, got 0'],
  [{ concurrency: 1.5 }, 'concurrency must be an integer from 1 to 16, got 1.5'],
  [{ lock: 3601 }, 'lock must be an integer from 1 to 3600, got 3601'],
])('a worker with %j is refused', async (options, message) => {
  await expect(startWorker({ url: 'redis://127.0.0.1:1' }, options)).rejects.toThrow(message)
})

describe.skipIf(redisIsMissing)(`a server${redisIsMissing ? ` (left out: ${redisIsMissing})` : ''}`, () => {
  let secure: Server
  beforeAll(async () => {
    const [certificate, key] = [fixture('certificate.pem'), fixture('key.pem')]
    const tls = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate]
    secure = await startRedis([...tls, '--tls-auth-clients', 'no', '--requirepass', 'secret'], 'rediss')
  })
  afterAll(async () => await secure?.end())

  const status = (environment: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [main, 'status', '--queue', secure.url], {
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    })

  it('that speaks TLS and wants a password is used with both, as the environment has them', () => {
    const {
      status: code,
      stderr,
      stdout,
    } = status({
      NODE_EXTRA_CA_CERTS: fixture('certificate.pem'),
      MATFUN_QUEUE_PASSWORD: 'secret',
    })
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'no jobs\n' })
  })

  it('whose certificate nobody vouches for is refused', () => {
    const { status: code, stderr } = status({ MATFUN_QUEUE_PASSWORD: 'secret' })
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^matfun: cannot use the queue at rediss:\/\/127\.0\.0\.1:\d+: self[- ]signed certificate/,
    )
  })

  it.each([
    [{}, /NOAUTH/],
    [{ MATFUN_QUEUE_PASSWORD: 'wrong' }, /WRONGPASS/],
  ])('that is not given its password is refused, by a worker too: %j', async (environment, reason) => {
    const trusting = { ...environment, NODE_EXTRA_CA_CERTS: fixture('certificate.pem') }
    const { status: code, stderr } = status(trusting)
    expect(code).toBe(2)
    expect(stderr).toMatch(reason)
    expect(stderr).not.toContain('wrong ')
    const worker = spawnSync(process.execPath, [main, 'worker', '--queue', secure.url], {
      encoding: 'utf8',
      env: { ...process.env, ...trusting },
      timeout: 20_000,
    })
    expect(worker.status).toBe(2)
    expect(worker.stderr).toMatch(reason)
  })
})
