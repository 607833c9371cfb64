import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { expm, expmCond, expmJVP, expmVJP, info } from '../lib/index.ts'
import { ndarray } from '../lib/ndarray.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { main, matfun } from './support/command-line.ts'
import { random } from './support/matrices.ts'
import { npyBytes, temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()
const folder = at('.')

const A = ndarray('float64', [2, 3, 4, 4], random(4, 1, 6))
const E = ndarray('float64', [2, 3, 4, 4], random(4, 2, 6))
writeNpy(at('A.npy'), A)
writeNpy(at('E.npy'), E)

describe('matfun', () => {
  it('expm writes the exponentials, with nothing on stderr where that is no terminal', () => {
    const { status, stdout, stderr } = matfun(folder, 'expm', 'A.npy', '-o', 'Y.npy')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^expm: 6 matrices of order 4 in [\d.]+ s, [\d,]+ per second\n/)
    expect(stdout).toMatch(/\nwrote Y\.npy, result of shape \(2, 3, 4, 4\)\n$/)
    expect(readNpy(at('Y.npy'))).toEqual(expm(A))
  })

  it('jvp writes the derivatives and, where asked, the values', () => {
    expect(matfun(folder, 'jvp', 'A.npy', 'E.npy', '-o', 'L.npy', '--value', 'V.npy').status).toBe(0)
    const { value, tangent } = expmJVP(A, E)
    expect(readNpy(at('L.npy'))).toEqual(tangent)
    expect(readNpy(at('V.npy'))).toEqual(value)
  })

  it('vjp writes the gradients and, where asked, the values, by the method asked for', () => {
    const args = ['vjp', 'A.npy', 'E.npy', '--out=G.npy', '--value', 'V.npy', '--method', 'pade']
    expect(matfun(folder, ...args).status).toBe(0)
    const { value, cotangent } = expmVJP(A, E, { method: 'pade' })
    expect(readNpy(at('G.npy'))).toEqual(cotangent)
    expect(readNpy(at('V.npy'))).toEqual(value)
  })

  it('cond writes a condition number for each matrix', () => {
    const { status, stdout, stderr } = matfun(folder, 'cond', 'A.npy', '-o', 'K.npy')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^cond: 6 matrices of order 4 in /)
    expect(stdout).toMatch(/\nwrote K\.npy, result of shape \(2, 3\)\n$/)
    expect(readNpy(at('K.npy'))).toEqual(ndarray('float64', [2, 3], expmCond(A) as Float64Array))
  })

  it('--json prints one summary object and nothing else', () => {
    const { status, stdout, stderr } = matfun(
      folder,
      'jvp',
      'A.npy',
      'E.npy',
      '-o',
      'L.npy',
      '--value',
      'V.npy',
      '--json',
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const summary = JSON.parse(stdout)
    expect(summary).toEqual({
      operation: 'jvp',
      inputs: ['A.npy', 'E.npy'],
      outputs: ['L.npy', 'V.npy'],
      shape: [2, 3, 4, 4],
      order: 4,
      dtype: 'float64',
      method: 'auto',
      shift: 'auto',
      balance: 'auto',
      structure: 'auto',
      count: 6,
      resumed: 0,
      seconds: expect.any(Number),
      matricesPerSecond: expect.any(Number),
      failures: [],
    })
    expect(summary.seconds).toBeGreaterThan(0)
    expect(summary.matricesPerSecond).toBeCloseTo(6 / summary.seconds, 6)
  })

  it('exits with 1 where some fail, names every one, and does the others', () => {
    const bad = Float64Array.from(A.data)
    bad[0] = Number.NaN
    bad[16 + 5] = Infinity
    bad.fill(1e4, 3 * 16, 4 * 16)
    writeNpy(at('bad.npy'), { ...A, data: bad })
    const json = matfun(folder, 'expm', 'bad.npy', '-o', 'Y.npy', '--json')
    expect(json.status).toBe(1)
    expect(JSON.parse(json.stdout).failures).toEqual([
      { index: 0, code: 'ERR_NOT_FINITE' },
      { index: 1, code: 'ERR_NOT_FINITE' },
      { index: 3, code: 'ERR_OVERFLOW' },
    ])
    const expected = Float64Array.from(expm(A).data)
    for (const k of [0, 1, 3]) expected.fill(Number.NaN, k * 16, (k + 1) * 16)
    expect(readNpy(at('Y.npy')).data).toEqual(expected)
    const { status, stdout } = matfun(folder, 'expm', 'bad.npy', '-o', 'Y.npy')
    expect(status).toBe(1)
    expect(stdout).toContain(
      '3 failed, with NaN in their places:\n  ERR_NOT_FINITE: 0-1\n  ERR_OVERFLOW: 3\n',
    )
  })

  it('info prints what info() says, a self-check and advice, as lines or as JSON', () => {
    const json = matfun(folder, 'info', '--json')
    expect(json.status).toBe(0)
    const { check, advice, ...facts } = JSON.parse(json.stdout)
    // Only the place that the addon is loaded from could differ between the sources and dist, and it does not.
    expect(facts).toEqual(info())
    expect(check.passed).toBe(true)
    const { status, stdout } = matfun(folder, 'info')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^ {2}version +\d+\.\d+\.\d+$/m)
    expect(stdout).toMatch(/^ {2}blas\.vendor +OpenBLAS$/m)
    expect(stdout).toMatch(/^self-check: 8 stacks right, values and gradients, to \d\.\d cond u$/m)
    expect(stdout.match(/^advice: .*$/gm) ?? []).toEqual(advice.map((text: string) => `advice: ${text}`))
  })

  it('--help tells of every command and exit code, and --version the version', () => {
    const help = matfun(folder, '--help')
    expect({ status: help.status, stderr: help.stderr }).toEqual({ status: 0, stderr: '' })
    for (const word of ['expm', 'jvp', 'vjp', 'cond', 'plan', 'info'])
      expect(help.stdout).toMatch(RegExp(`^ {2}matfun ${word} `, 'm'))
    const options = [
      'out',
      'value',
      'method',
      'shift',
      'balance',
      'purpose',
      'resume',
      'take-over',
      'threads',
      'json',
    ]
    for (const word of [...options, 'help', 'version'])
      expect(help.stdout).toMatch(RegExp(`^ {2}(-. *,)? *--${word}\\b`, 'm'))
    expect(help.stdout).toMatch(/Exit codes\n +0 .*\n +1 .*\n.*\n +2 /)
    expect(matfun(folder, 'jvp', '-h').stdout).toBe(help.stdout)
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    expect(matfun(folder, '--version')).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' })
  })

  it('exits with 2 and writes nothing where an input cannot be read', () => {
    writeFileSync(at('cut.npy'), npyBytes({ shape: [2, 2], data: new Uint8Array(8) }))
    const { status, stdout, stderr } = matfun(folder, 'expm', 'cut.npy', '-o', 'absent.npy', '--json')
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toBe(
      'matfun: cut.npy: is truncated: shape (2, 2) of float64 needs 32 bytes, but 8 follow the header\n',
    )
    expect(readdirSync(folder)).not.toContain('absent.npy')
  })
})

describe('a job that is ended', () => {
  /** A folder with 512 MiB of zeros, of which the disk holds almost none: a job of seconds. */
  function longJob(name: string): string {
    mkdirSync(at(name))
    const shape = [2 ** 14, 64, 64]
    const header = npyBytes({ shape })
    writeFileSync(at(`${name}/A.npy`), header)
    truncateSync(at(`${name}/A.npy`), header.length + 2 ** 29)
    writeFileSync(at(`${name}/Y.npy`), 'before')
    return at(name)
  }

  /** Ends a job as soon as its temporary file is there, and has so many bytes. */
  async function end(place: string, signal: NodeJS.Signals, bytes = 0, ...options: string[]) {
    const args = [main, 'expm', 'A.npy', '-o', 'Y.npy', '--method', 'pade', ...options]
    const child = spawn(process.execPath, args, { cwd: place })
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += text
    })
    const closed = once(child, 'close')
    const isThere = (name: string) => name.endsWith('.tmp') && statSync(join(place, name)).size >= bytes
    while (!readdirSync(place).some(isThere) && child.exitCode === null) await setTimeout(2)
    child.kill(signal)
    const [, endedBy] = await closed
    return { endedBy, stderr, left: readdirSync(place), output: readFileSync(join(place, 'Y.npy'), 'utf8') }
  }

  it('by SIGKILL leaves what stood under the name of its output, and half a file only under another', async () => {
    const { endedBy, left, output } = await end(longJob('kill'), 'SIGKILL')
    expect({ endedBy, output }).toEqual({ endedBy: 'SIGKILL', output: 'before' })
    expect(left).toHaveLength(4)
    expect(left.filter((name) => /^\.matfun-[0-9a-f]+\.tmp$/.test(name))).toHaveLength(1)
    expect(left.filter((name) => /^\.matfun-[0-9a-f-.]+\.journal$/.test(name))).toHaveLength(1)
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s leaves no half file at all, and ends by it',
    async (signal) => {
      const { endedBy, stderr, left, output } = await end(longJob(signal), signal)
      expect({ endedBy, output, left }).toEqual({
        endedBy: signal,
        output: 'before',
        left: ['A.npy', 'Y.npy'],
      })
      expect(stderr).toBe('matfun: interrupted, nothing was written\n')
    },
  )

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s with --resume keeps what is done, and says so',
    async (signal) => {
      const place = longJob(`${signal} with --resume`)
      const { endedBy, stderr, left, output } = await end(place, signal, 2 ** 25, '--resume')
      expect({ endedBy, output }).toEqual({ endedBy: signal, output: 'before' })
      expect(left).toHaveLength(4)
      const kept =
        /^matfun: there is nothing to continue: starting from the beginning\nmatfun: interrupted, ([\d,]+) of 16,384 matrices are kept, and --resume continues there\n$/
      expect(stderr).toMatch(kept)
      const [, done] = kept.exec(stderr)!
      const journal = left.find((name) => name.endsWith('.journal'))!
      const last = readFileSync(join(place, journal), 'utf8').split('\n').at(-2)
      expect(last).toContain(`{"done":${done.replace(',', '')},`)
    },
  )
})
