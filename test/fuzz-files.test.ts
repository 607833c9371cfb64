import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
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
import { dying } from './support/resumed-jobs.ts'
import { drawSeed } from './support/seed.ts'

const at = temporaryFolder()
const seed = drawSeed('damaged files')

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
      requireWhole(place, code, stderr, `job ${k} of seed ${seed}`)
      codes.add(code)
    }
    expect([...codes].sort()).toEqual([0, 1, 2])
  })

  it('and so do 24 processes', () => {
    const place = folder('processes')
    for (let k = 0; k < 24; k++) {
      const args = prepare(place, new Random(seed + 2, k))
      const { status, stderr } = matfun(place, ...args, '-o', 'Y.npy')
      requireWhole(place, status, stderr, `process ${k} of seed ${seed}`)
    }
  })
})

/** 2^16 matrices of order 6. */
function largeFile(place: string): void {
  const data = Float64Array.from({ length: 2 ** 16 * 36 }, (_, k) => Math.sin(k))
  writeFileSync(join(place, 'A.npy'), npyBytes({ shape: [2 ** 16, 6, 6], data: new Uint8Array(data.buffer) }))
}

/**
 * Runs lines of bash in a folder, with `matfun` for the command line, and with `$disk` for an empty disk of its own that
 * is gone afterwards, where mounting is permitted.
 */
function onDisk(place: string, options: string, lines: string) {
  const disk = mkdtempSync(join(place, 'disk-'))
  const text = `matfun() { "${process.execPath}" "${main}" "$@"; }\ndisk="${disk}"\n${lines}`
  const mount = `mount -t tmpfs -o ${options} tmpfs "${disk}" || exit 99\n`
  const [file, ...args] = canMount ? ['unshare', '-rm', 'bash', '-c', mount + text] : ['bash', '-c', text]
  return spawnSync(file, args, { cwd: place, encoding: 'utf8' })
}

const canMount =
  spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder('mount')]).status ===
  0
const fullDisk = canMount
  ? 'for want of room on a tmpfs of 1 MB'
  : 'for the limit on a file, since nothing may be mounted here'
const closedFolder = canMount ? 'a tmpfs that is mounted read-only' : 'a folder that takes no files'

describe('an output that cannot be written', () => {
  it(`whole, ${fullDisk}, is removed again`, () => {
    const place = folder('full')
    largeFile(place)
    const limit = canMount ? '' : 'ulimit -f 1000\n'
    const { status, stdout, stderr } = onDisk(
      place,
      'size=1m',
      `${limit}matfun expm A.npy -o "$disk/Y.npy"; code=$?; ls -A "$disk"; exit $code`,
    )
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(
      canMount
        ? /^matfun: cannot write \S+Y\.npy: ENOSPC: no space left on device\n$/
        : /^matfun: cannot write \S+Y\.npy: EFBIG: file too large\n$/,
    )
  })

  it(`whole, ${fullDisk}, is kept by --resume, and continued when there is room`, () => {
    const place = folder('room')
    const shape = [8000, 3, 3] // 576 kB
    const data = Float64Array.from({ length: 72000 }, (_, k) => Math.sin(k))
    writeFileSync(join(place, 'A.npy'), npyBytes({ shape, data: new Uint8Array(data.buffer) }))
    expect(matfun(place, 'expm', 'A.npy', '-o', 'whole.npy').status).toBe(0)
    const [full, room] = canMount
      ? ['head -c 700000 /dev/zero > "$disk/others"', 'rm "$disk/others"']
      : ['ulimit -S -f 300', 'ulimit -S -f unlimited']
    const command = `"${process.execPath}" "${dying}" 20000 0 expm A.npy -o "$disk/Y.npy" --resume --json`
    const { status, stdout, stderr } = onDisk(
      place,
      'size=1m',
      `${full}\n${command}; echo $?\n${room}\n${command} && ls -A "$disk" && cmp "$disk/Y.npy" whole.npy`,
    )
    const [code, summary, names] = stdout.split('\n')
    expect({ status, code, names }, stderr).toEqual({ status: 0, code: '2', names: 'Y.npy' })
    const kept = /: (ENOSPC|EFBIG): .*\nmatfun: ([\d,]+) of 8,000 matrices are kept, and --resume/.exec(
      stderr,
    )?.[2]
    const { resumed } = JSON.parse(summary)
    expect(resumed).toBeGreaterThan(1000)
    expect(resumed.toLocaleString('en-US')).toBe(kept)
  })

  it(`at all, for ${closedFolder}, is named`, () => {
    const place = folder('closed')
    writeFileSync(join(place, 'small.npy'), npyBytes({ shape: [1, 1], data: new Uint8Array(8) }))
    const inner = join(place, 'inner')
    mkdirSync(inner, 0o555)
    // Without a mount: nobody is root enough for /proc.
    const output = canMount ? '$disk/Y.npy' : join(isClosed(inner) ? inner : '/proc', 'Y.npy')
    for (const option of ['', '--resume']) {
      const { status, stderr } = onDisk(place, 'ro', `matfun expm small.npy -o "${output}" ${option}`)
      expect(status).toBe(2)
      expect(stderr).toMatch(
        canMount ? /cannot write .*Y\.npy: EROFS: read-only/ : /cannot write .*Y\.npy: E[A-Z]+: /,
      )
      expect(existsSync(output)).toBe(false)
    }
  })
})

describe('a pipe', () => {
  it('is refused for an input and an output, at once, whether or not there is someone at its other end', () => {
    const place = folder('pipes')
    writeFileSync(join(place, 'A.npy'), npyBytes({ shape: [1, 1], data: new Uint8Array(8) }))
    expect(spawnSync('mkfifo', ['P.npy'], { cwd: place }).status).toBe(0)
    const refused = (...args: string[]) => {
      const text = 'cat A.npy | timeout 30 "$0" "$@"'
      const { status, stderr } = spawnSync('bash', ['-c', text, process.execPath, main, ...args], {
        cwd: place,
        encoding: 'utf8',
      })
      return { status, stderr }
    }
    for (const input of ['P.npy', '/dev/stdin'])
      expect(refused('expm', input, '-o', 'Y.npy')).toEqual({
        status: 2,
        stderr: `matfun: ${input}: is not a regular file: expected a .npy file\n`,
      })
    for (const option of [[], ['--resume']])
      expect(refused('expm', 'A.npy', '-o', 'P.npy', ...option)).toEqual({
        status: 2,
        stderr: 'matfun: P.npy: is not a regular file, so it cannot be written as .npy\n',
      })
    expect(readdirSync(place)).toEqual(['A.npy', 'P.npy'])
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
