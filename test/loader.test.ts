import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { addon, findAddon, loadAddon, type Machine } from '../lib/native.ts'
import { describeMachine, type Libc, readLibc } from '../lib/platform.ts'
import { temporaryFolder } from './support/npy-files.ts'

const inFolder = temporaryFolder()
const machine = (libc: Libc | undefined = 'glibc', override?: string): Machine => ({
  platform: 'linux',
  arch: 'x64',
  libc: () => libc,
  override,
})

/** An empty package with these files in it. */
function packageWith(name: string, ...files: string[]): string {
  for (const file of files) {
    mkdirSync(dirname(inFolder(`${name}/${file}`)), { recursive: true })
    writeFileSync(inFolder(`${name}/${file}`), 'not an addon')
  }
  mkdirSync(inFolder(name), { recursive: true })
  return inFolder(name)
}

describe('the addon that is loaded is', () => {
  const prebuild = 'prebuilds/linux-x64/matfun.node'
  const build = 'build/Release/matfun.node'
  const installedBuild = 'native/build/Release/matfun.node'

  test('what MATFUN_ADDON names, before all others and even where that is not there', () => {
    const folder = packageWith('overridden', build, prebuild)
    expect(findAddon(folder, machine('glibc', '/elsewhere/matfun.node'))).toEqual({
      source: 'override',
      path: '/elsewhere/matfun.node',
    })
  })

  test('one built in the repository or in the installed package, before the prebuilt one', () => {
    for (const path of [build, installedBuild]) {
      const folder = packageWith(`built-${path.length}`, path, prebuild)
      expect(findAddon(folder, machine())).toEqual({ source: 'build', path: `${folder}/${path}` })
    }
  })

  test('the prebuilt one where nothing was built', () => {
    const folder = packageWith('prebuilt', prebuild)
    for (const libc of ['glibc', undefined] as const)
      expect(findAddon(folder, machine(libc))).toEqual({ source: 'prebuild', path: `${folder}/${prebuild}` })
  })

  test('on musl one built there, never the prebuilt one', () => {
    const folder = packageWith('musl', prebuild)
    expect(() => findAddon(folder, machine('musl'))).toThrow(
      /the prebuilt addon for linux-x64 needs glibc, and this process runs on musl/,
    )
    packageWith('musl', installedBuild)
    expect(findAddon(folder, machine('musl')).source).toBe('build')
  })
})

describe('where there is none, the error', () => {
  test('names platform, C library, processor, runtime, reason and the command that builds one', () => {
    const folder = packageWith('none')
    const attempt = () => findAddon(folder, { ...machine(), arch: 'arm64' })
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_NATIVE_NOT_LOADED' }))
    expect(attempt).toThrow(`(${describeMachine()})`)
    expect(attempt).toThrow('nothing was built here, and no addon is prebuilt for linux-arm64')
    expect(attempt).toThrow(
      /npx --yes --package=node-gyp@12 --package=node-addon-api@8 -- node-gyp rebuild --jobs=max --directory=\S*none\/native\n/,
    )
  })

  test('says npm run setup in the repository', () => {
    expect(() => findAddon(packageWith('clone', 'scripts/setup.mjs'), machine())).toThrow(/npm run setup/)
  })

  test.each([
    ['override', 'MATFUN_ADDON names', 'absent.node', /there is no such file/],
    ['build', 'built here is', 'broken.node', /(invalid ELF header|file too short|slice is not valid)/],
    ['prebuild', 'the prebuilt one is', 'broken.node', /which cannot be loaded: /],
  ] as const)('tells why one that is there cannot be loaded: %s', (source, what, file, why) => {
    const path = `${packageWith('broken', 'broken.node')}/${file}`
    const attempt = () => loadAddon(inFolder('broken'), { source, path })
    expect(attempt).toThrow(`${what} ${path}`)
    expect(attempt).toThrow(why)
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_NATIVE_NOT_LOADED' }))
  })
})

test('MATFUN_ADDON is obeyed by a process, and info tells it', () => {
  const path = inFolder('copied.node')
  copyFileSync(addon.path, path)
  const program = "console.log(JSON.stringify((await import('./dist/index.js')).info().addon))"
  const say = (MATFUN_ADDON: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, MATFUN_ADDON },
      encoding: 'utf8',
    })
  expect(JSON.parse(say(path).stdout)).toMatchObject({ path, source: 'override' })
  const absent = say(inFolder('absent.node'))
  expect(absent.status).toBe(1)
  expect(absent.stderr).toContain('ERR_NATIVE_NOT_LOADED')
})

test('the C library of this process is told as ldd tells it', () => {
  const onLinux = () => {
    const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' })
    return libraries.includes('musl') ? 'musl' : 'glibc'
  }
  expect(readLibc()).toBe(process.platform === 'linux' ? onLinux() : undefined)
})
