import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let root: string
let bin: string

/** A repository that holds nothing but the set-up, and a PATH that holds nothing but what a test puts there. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'matfun-setup-'))
  bin = join(root, 'bin')
  mkdirSync(bin)
  mkdirSync(join(root, 'node_modules'))
  cpSync('scripts', join(root, 'scripts'), { recursive: true })
  writeLock('package-lock.json', { 'node_modules/a': { version: '1.0.0' } })
})

afterEach(() => rmSync(root, { recursive: true }))

function writeLock(file: string, packages: object): void {
  writeFileSync(join(root, file), JSON.stringify({ packages: { '': {}, ...packages } }))
}

function fake(command: string, lines: string): void {
  writeFileSync(join(bin, command), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
}

function setUp(args: string[], nodeArgs: string[] = []) {
  const env = { PATH: bin, HOME: root }
  const command = [...nodeArgs, join(root, 'scripts/setup.mjs'), ...args]
  return spawnSync(process.execPath, command, { env, encoding: 'utf8' })
}

describe('the set-up', () => {
  it('lists with --check everything that a bare machine lacks, and exits with 1', () => {
    const { status, stdout } = setUp(['--check', '--for', 'test'])
    expect(status).toBe(1)
    expect(stdout.trim().split('\n')).toEqual([
      'set-up: missing: a C++ compiler (c++ or g++)',
      'set-up: missing: make',
      'set-up: missing: python3',
      'set-up: missing: pkg-config',
      "set-up: missing: OpenBLAS's development files",
      'set-up: missing: cmake',
      'set-up: missing: the doctest header',
      'set-up: missing: the npm packages of package-lock.json',
      'set-up: missing: the native addon, up to date',
      'set-up: missing: the compiled TypeScript in dist, up to date',
    ])
  })

  it('asks for cmake and doctest for the tests only', () => {
    const { stdout } = setUp(['--check'])
    expect(stdout).toContain('make')
    expect(stdout).not.toMatch(/cmake|doctest/)
  })

  it('calls a thing missing where its command is there but says no', () => {
    for (const command of ['g++', 'make', 'python3']) fake(command, 'exit 0')
    fake('pkg-config', 'exit 1')
    expect(setUp(['--check']).stdout).toMatch(
      /^set-up: missing: OpenBLAS's development files\nset-up: missing: the npm/,
    )
  })

  it('installs by apt, as root or by sudo, exactly what is missing, and says so where that did not help', () => {
    for (const command of ['g++', 'make']) fake(command, 'exit 0')
    fake('env', 'shift; exec "$@"')
    fake('sudo', 'shift; [ "$1" = true ] || exec "$@"')
    fake('apt-get', `echo "$@" >> ${root}/log`)
    const { status, stdout, stderr } = setUp([])
    expect(stdout).toBe('set-up: installing python3 pkg-config libopenblas-dev by apt\n')
    expect(readFileSync(join(root, 'log'), 'utf8')).toMatch(
      / install --yes --no-install-recommends python3 pkg-config libopenblas-dev\n$/,
    )
    expect(stderr).toMatch(/^set-up: still missing after installation: python3, pkg-config, OpenBLAS/)
    expect(status).toBe(1)
  })

  it('shows what a failing command printed, and exits with 1', () => {
    fake('env', 'shift; exec "$@"')
    fake('sudo', 'shift; [ "$1" = true ] || exec "$@"')
    fake('apt-get', 'echo "E: no space left" >&2; exit 100')
    const { status, stderr } = setUp([])
    expect(stderr).toMatch(/could not .*exit code 100.*\nE: no space left/)
    expect(status).toBe(1)
  })

  it('says what to do where there is no package manager', () => {
    const { status, stderr } = setUp([])
    expect(stderr).toMatch(
      /^set-up: missing: a C\+\+ compiler.*(install them and run this again|xcode-select)/s,
    )
    expect(status).toBe(1)
  })

  it.each([
    ['the same', { 'node_modules/a': { version: '1.0.0' } }, true],
    ['another version', { 'node_modules/a': { version: '1.0.1' } }, false],
    ['one too few', {}, false],
    [
      'one too many',
      { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } },
      false,
    ],
  ])('compares npm packages installed by hand with the lock file: %s', (_, installed, fits) => {
    writeLock('node_modules/.package-lock.json', installed)
    expect(setUp(['--check']).stdout.includes('npm packages')).toBe(!fits)
  })

  it('does not miss optional packages of other platforms', () => {
    const a = { 'node_modules/a': { version: '1.0.0' } }
    writeLock('package-lock.json', { ...a, 'node_modules/a-win32': { version: '1.0.0', optional: true } })
    writeLock('node_modules/.package-lock.json', a)
    expect(setUp(['--check']).stdout).not.toContain('npm packages')
  })

  it('refuses an old Node before it reads anything else', () => {
    rmSync(join(root, 'scripts/setup'), { recursive: true })
    const script = join(root, 'scripts/setup.mjs')
    const source = readFileSync(script, 'utf8').replaceAll('process.versions.node', "'20.18.3'")
    writeFileSync(script, source)
    const { status, stderr } = setUp([])
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'set-up: matfun needs Node 20.19 or newer, but this is Node 20.18.3\n',
    })
  })

  it('exits with 2 and its usage for wrong use', () => {
    for (const args of [['--for', 'fun'], ['--fast'], ['now']]) {
      const { status, stderr } = setUp(args)
      expect(stderr).toContain('usage: node scripts/setup.mjs')
      expect(status).toBe(2)
    }
  })
})
