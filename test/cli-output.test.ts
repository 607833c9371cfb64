import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Terminal } from '../lib/cli/terminal.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { redisIsMissing, startRedis } from '../scripts/queue/redis.mjs'
import { main, runHere } from './support/command-line.ts'
import { npyBytes, temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()
const full = '/dev/full'
writeNpy(at('A.npy'), { data: new Float64Array(8), shape: [2, 2, 2] })

/** Sequences that clear the screen, set its title and hide what follows, in seven bits and in eight. */
const hostile = '\u001b[2J\u001b]0;title\u0007\u001b[8m\u009b2J\u0085\r\u007f'
const isClean = (text: string): boolean => !/(?!\n)\p{Cc}/u.test(text)

describe('text for a terminal', () => {
  const written: string[] = []
  const terminal = new Terminal({ isTTY: true, columns: 0, write: (text) => written.push(text) })

  it('holds no control character but line feeds and tabs, and JSON holds each as a number', () => {
    for (let code = 0; code <= 160; code++) {
      const character = String.fromCharCode(code)
      const isControl = code < 32 || (code >= 127 && code < 160)
      const shown = isControl && !'\n\t'.includes(character) ? '\ufffd' : character
      written.length = 0
      terminal.write(`a${character}b`)
      terminal.replaceLine(`a${character}b`)
      terminal.writeJson([`a${character}b`])
      expect(written.slice(0, 2)).toEqual([`a${shown}b`, `\r\u001b[Ka${shown}b`])
      expect(isClean(written[2]), `${code}`).toBe(true)
      expect(JSON.parse(written[2])).toEqual([`a${character}b`])
    }
  })

  it('keeps every other character', () => {
    written.length = 0
    terminal.write('Padé, 行列, 🧮\n')
    expect(written).toEqual(['Padé, 行列, 🧮\n'])
    expect(terminal.columns).toBeUndefined()
  })
})

describe('what a terminal would obey does not reach it:', () => {
  const file = at(`${hostile}.npy`)
  writeNpy(file, { data: new Float64Array(4), shape: [2, 2] })
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (1,), '${hostile}': 1}`

  it.each([
    ['an argument', [`--${hostile}`]],
    ['a command', [hostile]],
    ['an input that is not there', ['plan', at(`none${hostile}.npy`)]],
    ['an output that cannot be written', ['expm', at('A.npy'), '-o', at(`none/${hostile}.npy`)]],
    ['a header', ['plan', at('header.npy')]],
    ['an address', ['status', '--queue', `http://${hostile}`]],
  ])('of %s', async (_, args) => {
    writeFileSync(at('header.npy'), npyBytes({ text: header, data: new Uint8Array(8) }))
    const { code, stdout, stderr } = await runHere(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('[8m')
    expect(isClean(stderr)).toBe(true)
  })

  it('of a name in a report, which JSON has whole', async () => {
    const out = at(`out${hostile}.npy`)
    const text = await runHere(['expm', file, '-o', out])
    expect(text).toMatchObject({ code: 0, stderr: '' })
    expect(isClean(text.stdout)).toBe(true)
    const json = await runHere(['expm', file, '-o', out, '--json'])
    expect(isClean(json.stdout)).toBe(true)
    expect(JSON.parse(json.stdout)).toMatchObject({ inputs: [file], outputs: [out] })
    expect(readNpy(out).data).toEqual(Float64Array.of(1, 0, 0, 1))
  })

  it.skipIf(redisIsMissing)('of a job in a queue', async () => {
    const { Redis } = await import('ioredis')
    const server = await startRedis()
    const client = new Redis(server.port)
    try {
      const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' }
      const description = { operation: 'expm', A: hostile, out: `Y${hostile}`, options }
      const facts = { dtype: `float64${hostile}`, n: 2, count: 2, chunks: 1, submitted: 1 }
      const [good, bad] = ['a'.repeat(16), 'b'.repeat(16)]
      await client.hset(`matfun:job:${good}`, { ...facts, description: JSON.stringify(description) })
      await client.hset(`matfun:job:${bad}`, { ...facts, description: hostile })
      await client.hset(`bull:matfun:${good}-0`, { data: '{}', opts: '{}', failedReason: hostile })
      await client.zadd('bull:matfun:failed', 1, `${good}-0`)
      await client.zadd('matfun:jobs', 1, good, 2, bad)
      const status = await runHere(['status', '--queue', server.url])
      expect(status.stdout).toContain('expm of \ufffd[2J')
      expect(status.stdout).toContain('chunk 0 failed')
      expect(status.stderr).toContain(`the record of job ${bad} cannot be read: `)
      expect(isClean(status.stdout + status.stderr)).toBe(true)
      const json = await runHere(['status', good, '--queue', server.url, '--json'])
      expect(isClean(json.stdout)).toBe(true)
      expect(JSON.parse(json.stdout)[0].description).toEqual(description)
    } finally {
      client.disconnect()
      await server.end()
    }
  })
})

describe.skipIf(!existsSync(full))('a stream that is full', () => {
  const commands = [
    ['--help'],
    ['--version'],
    ['info', '--json'],
    ['plan', at('A.npy')],
    ['expm', at('A.npy'), '-o', at('Y.npy'), '--json'],
  ]

  function matfun(args: readonly string[], streams: readonly ('stdout' | 'stderr')[]) {
    const fd = openSync(full, 'w')
    const on = (name: 'stdout' | 'stderr') => (streams.includes(name) ? fd : 'pipe')
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
      stdio: ['ignore', on('stdout'), on('stderr')],
      encoding: 'utf8',
    })
    closeSync(fd)
    return { status, stderr }
  }

  it.each(commands)('for the summary is told in one line, and is exit code 2: %s', (...args) => {
    expect(matfun(args, ['stdout'])).toEqual({
      status: 2,
      stderr: 'matfun: cannot write to stdout: ENOSPC: no space left on device\n',
    })
  })

  it('for the summary does not keep the results from their files', () => {
    matfun(['expm', at('A.npy'), '-o', at('whole.npy')], ['stdout'])
    expect(readNpy(at('whole.npy')).shape).toEqual([2, 2, 2])
  })

  it('for messages is exit code 2', () => {
    expect(matfun(['plan', at('none.npy')], ['stderr']).status).toBe(2)
    expect(matfun(['plan', at('A.npy')], ['stdout', 'stderr']).status).toBe(2)
  })
})

it('a pipe that is closed early ends nothing, and is not told of', async () => {
  for (const args of [['--help'], ['plan', at('A.npy')], ['plan', at('A.npy'), '--json']]) {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += text
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
})
