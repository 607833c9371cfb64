import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import { components } from '../lib/ndarray.ts'
import { NpyError, readNpy } from '../lib/npy/index.ts'
import { decode, maybeNpy } from './fuzz/npy-bytes.ts'
import { Random } from './fuzz/random.ts'
import { main, matfun, runHere } from './support/command-line.ts'
import { npyBytes, temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()
const seed = 1

/** A folder of its own. */
function folder(name: string): string {
  mkdirSync(at(name))
  return at(name)
}

test('4000 files, most of them damaged or lying, are read rightly or refused with an NpyError', () => {
  const path = at('maybe.npy')
  const fd = openSync(path, 'w')
  const outcomes = { read: 0, refused: 0 }
  for (let k = 0; k < 4000; k++) {
    const bytes = maybeNpy(new Random(seed, k))
    // Cut to its length afterwards: to empty a file first takes some file systems milliseconds.
    writeSync(fd, bytes, 0, bytes.length, 0)
    ftruncateSync(fd, bytes.length)
    const truth = decode(bytes)
    // Not by expect, which would take longer than all else.
    const fault = (cause: unknown) => new Error(`file ${k} of seed ${seed}`, { cause })
    try {
      const { shape, data, dtype } = readNpy(path)
      outcomes.read++
      const isWhole = data.length === shape.reduce((a, b) => a * b, components(dtype))
      const isRight = truth === undefined || isDeepStrictEqual({ shape, numbers: [...data] }, truth)
      if (!isWhole || !isRight) throw fault({ shape, data, truth })
    } catch (error) {
      if (!(error instanceof NpyError) || truth || !error.message.startsWith(`${path}: `)) throw fault(error)
      outcomes.refused++
    }
  }
  closeSync(fd)
  expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(500)
})

/** What a command may leave in its folder: a whole output for the codes 0 and 1, and nothing else. */
function requireWhole(place: string, code: unknown, stderr: string, from: string): void {
  expect([0, 1, 2], `${from}: ${stderr}`).toContain(code)
  expect(stderr, from).not.toMatch(/^\s+at /m)
  expect(stderr.startsWith('matfun: '), from).toBe(code === 2)
  const left = readdirSync(place).filter((name) => name !== 'A.npy' && name !== 'E.npy')
  expect(left, from).toEqual(code === 2 ? [] : ['Y.npy'])
  if (code !== 2) readNpy(join(place, 'Y.npy'))
}

const commands = ['expm', 'jvp', 'vjp', 'cond']

function prepare(place: string, random: Random): string[] {
  rmSync(join(place, 'Y.npy'), { force: true })
  writeFileSync(join(place, 'A.npy'), maybeNpy(random))
  writeFileSync(
    join(place, 'E.npy'),
    random.chance(0.5) ? readFileSync(join(place, 'A.npy')) : maybeNpy(random),
  )
  const command = random.pick(commands)
  return command === 'jvp' || command === 'vjp' ? [command, 'A.npy', 'E.npy'] : [command, 'A.npy']
}

describe('the command line on such files', () => {
  it('ends with 0, 1 or 2, a message and no half file, 300 times', async () => {
    const place = folder('here')
    const codes = new Set()
    for (let k = 0; k < 300; k++) {
      const [command, ...names] = prepare(place, new Random(seed + 1, k))
      const inputs = names.map((name) => join(place, name))
      const { code, stderr } = await runHere([command, ...inputs, '-o', join(place, 'Y.npy')])
      requireWhole(place, code, stderr, `job ${k}`)
      codes.add(code)
    }
    expect([...codes].sort()).toEqual([0, 1, 2])
  })

  it('and so do 24 processes', () => {
    const place = folder('processes')
    for (let k = 0; k < 24; k++) {
      const args = prepare(place, new Random(seed + 2, k))
      const { status, stderr } = matfun(place, ...args, '-o', 'Y.npy')
      requireWhole(place, status, stderr, `process ${k}`)
    }
  })
})

/** 2^16 matrices of order 6. */
function largeFile(place: string): void {
  const data = Float64Array.from({ length: 2 ** 16 * 36 }, (_, k) => Math.sin(k))
  writeFileSync(join(place, 'A.npy'), npyBytes({ shape: [2 ** 16, 6, 6], data: new Uint8Array(data.buffer) }))
}

describe('an output that cannot be written', () => {
  // As a full disk, which takes a mount and so root: the limit of a file's size, in blocks of 1024 bytes.
  it('whole is removed again', () => {
    const place = folder('full')
    largeFile(place)
    const text = `ulimit -f 4000; exec "$0" "$@"`
    const args = ['-c', text, process.execPath, main, 'expm', 'A.npy', '-o', 'Y.npy']
    const { status, stderr } = spawnSync('bash', args, { cwd: place, encoding: 'utf8' })
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'matfun: cannot write Y.npy: EFBIG: file too large\n',
    })
    expect(readdirSync(place)).toEqual(['A.npy'])
  })

  it('at all, in a folder that takes no files, is named', () => {
    const place = folder('closed')
    writeFileSync(at('small.npy'), npyBytes({ shape: [1, 1], data: new Uint8Array(8) }))
    chmodSync(place, 0o555)
    const output = join(isClosed(place) ? place : '/proc', 'Y.npy') // nobody is root enough for /proc
    const { status, stderr } = matfun(at('.'), 'expm', 'small.npy', '-o', output)
    expect(status).toBe(2)
    expect(stderr).toMatch(/^matfun: cannot write .*Y\.npy: E[A-Z]+: /)
    expect(existsSync(output)).toBe(false)
  })
})

function isClosed(place: string): boolean {
  try {
    accessSync(place, constants.W_OK)
    return false
  } catch {
    return true
  }
}

test('a job that is killed at any moment leaves under its output what stood there, or all of it', async () => {
  const place = folder('killed')
  largeFile(place)
  const args = [main, 'expm', 'A.npy', '-o', 'Y.npy', '--threads', '1']
  const began = performance.now()
  expect(spawnSync(process.execPath, args, { cwd: place }).status).toBe(0)
  const milliseconds = performance.now() - began
  const whole = readFileSync(join(place, 'Y.npy'))
  const random = new Random(seed + 3, 0)
  let killed = 0
  for (let round = 0; round < 10; round++) {
    writeFileSync(join(place, 'Y.npy'), 'before')
    const child = spawn(process.execPath, args, { cwd: place, stdio: 'ignore' })
    const closed = once(child, 'close')
    await setTimeout(random.real(0.2, 1) * milliseconds)
    child.kill('SIGKILL')
    const [, signal] = await closed
    if (signal !== null) killed++
    const left = readFileSync(join(place, 'Y.npy'))
    expect(left.equals(whole) || left.toString('latin1') === 'before').toBe(true)
  }
  expect(killed).toBeGreaterThan(0)
})
