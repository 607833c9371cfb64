// What docs/security.md promises: no network, no files beyond those named, no code from data, nothing run at installation, no
// dependencies, and a lock file that says what every package must contain.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { info } from '../lib/index.ts'
import { addon } from '../lib/native.ts'
import { ndarray } from '../lib/ndarray.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { filesBelow } from '../scripts/setup/stamps.mjs'
import { main } from './support/command-line.ts'
import { random } from './support/matrices.ts'
import { temporaryFolder } from './support/npy-files.ts'
import { packageUrl } from './support/programs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const at = temporaryFolder()

/** Everything that the package can do, in one program; only `writeNpy` names a file. */
const everything = `
  const m = await import('${packageUrl}')
  const reference = await import('${new URL('reference/index.js', packageUrl).href}')
  const npy = await import('${new URL('npy/index.js', packageUrl).href}')
  const { pathToFileURL } = await import('node:url')
  const stack = (dtype, parts) => ({ dtype, data: (dtype.endsWith('32') || dtype === 'complex64' ? Float32Array : Float64Array)
    .from({ length: 30 * 81 * parts }, (_, k) => Math.sin(k)), shape: [30, 9, 9] })
  for (const A of [stack('float64', 1), stack('float32', 1), stack('complex128', 2), stack('complex64', 2)]) {
    m.expm(A, { method: 'pade' }); m.expmJVP(A, A); m.expmVJP(A, A, { threads: 3 }); m.expmCond(A); m.expmPlan(A)
    const kept = m.expmLinearize(A); kept.jvp(A); kept.vjp(A); kept.conditionNumber(); kept.dispose()
    await Promise.all([m.expmAsync(A), m.expmJVPAsync(A, A), m.expmVJPAsync(A, A)])
  }
  // One of order 512, whose products threads share, and one that is brought to Schur form.
  m.expm(new Float64Array(512 * 512).fill(1e-3))
  m.expm([[1, 1e6], [1e-9, -1]], { balance: false })
  reference.expm([[0, 1], [-1, 0]])
  m.info()
  for (const wrong of [[[NaN]], [[1, 2]], 'x']) try { m.expm(wrong) } catch {}
  const Y = m.expm([[0, 1], [0, 0]])
  if (process.argv[1]) { npy.writeNpy(process.argv[1], Y); npy.readNpy(process.argv[1]) }`

describe('at run time', () => {
  const watch = at('watch.so')
  beforeAll(() => {
    const source = fileURLToPath(new URL('support/watch.c', import.meta.url))
    const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-O1', source, '-o', watch, '-ldl'], {
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  /** What a program of Node did outside its process, as lines of a verb and a path; and how it ended. */
  function watched(args: readonly string[], cwd = root): { status: number | null; did: string[] } {
    const log = at('watched')
    rmSync(log, { force: true })
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, LD_PRELOAD: watch, MATFUN_WATCHED: log },
      timeout: 50_000,
    })
    expect(stderr).toBe('')
    return { status, did: existsSync(log) ? readFileSync(log, 'utf8').trim().split(/ *\n/) : [] }
  }
  const inline = (text: string, ...args: string[]) => ['--input-type=module', '-e', text, ...args]

  test('every function runs without opening a socket, starting a program or writing a file; the addon alone is loaded', () => {
    expect(watched(inline(everything))).toEqual({ status: 0, did: [`load ${addon.path}`] })
  })

  test('writeNpy writes the file that it is given, by way of one beside it', () => {
    const file = at('Y.npy')
    const { status, did } = watched(inline(everything, file))
    expect(status).toBe(0)
    const beside = did.filter((line) => line.startsWith(`write ${dirname(file)}/.matfun-`))
    expect(beside).toHaveLength(1)
    expect(did).toEqual([`load ${addon.path}`, ...beside, `rename ${file}`])
  })

  test('the command line writes its outputs, by way of files beside them, and leaves nothing else', () => {
    const folder = at('job')
    mkdirSync(folder)
    const A = ndarray('float64', [50, 6, 6], random(6, 1, 50))
    for (const name of ['A.npy', 'W.npy']) writeNpy(join(folder, name), A)
    const before = readFileSync(join(folder, 'A.npy'))
    const jobs = [
      ['expm', 'A.npy', '-o', 'Y.npy'],
      ['jvp', 'A.npy', 'W.npy', '-o', 'L.npy', '--value', 'V.npy'],
      ['vjp', 'A.npy', 'W.npy', '-o', 'G.npy', '--json'],
      ['cond', 'A.npy', '-o', 'K.npy'],
      ['plan', 'A.npy'],
      ['info'],
      ['--help'],
    ]
    for (const args of jobs) {
      const { status, did } = watched([main, ...args], folder)
      expect([args, status]).toEqual([args, 0])
      for (const line of did) {
        const [, verb, path] = /^(\w+) (.*)$/.exec(line)!
        const isAddon = verb === 'load' && path === addon.path
        const isOwn = /^(write|rename|unlink)$/.test(verb) && [folder, '.'].includes(dirname(path))
        expect([line, isAddon || isOwn]).toEqual([line, true])
      }
    }
    const outputs = ['G.npy', 'K.npy', 'L.npy', 'V.npy', 'Y.npy']
    expect(readdirSync(folder).sort()).toEqual(['A.npy', 'W.npy', ...outputs].sort())
    expect(readFileSync(join(folder, 'A.npy'))).toEqual(before)
    expect(readNpy(join(folder, 'Y.npy')).shape).toEqual([50, 6, 6])
  })

  test('which is seen where a program does such things', () => {
    const { did } = watched(
      inline(
        `
        const { writeFileSync } = await import('node:fs')
        writeFileSync(process.argv[1], 'x')
        const { connect } = await import('node:net')
        connect(1, '127.0.0.1').on('error', () => {})
        const { spawnSync } = await import('node:child_process')
        spawnSync('true')`,
        at('x'),
      ),
    )
    for (const seen of [`write ${at('x')}`, 'socket', 'connect', 'fork']) expect(did).toContain(seen)
  })

  test('Node may forbid it all but the reading of its files, by its permission model', () => {
    const [major] = process.versions.node.split('.').map(Number)
    const flag = major < 22 ? '--experimental-permission' : '--permission'
    const flags = [flag, '--no-warnings', '--allow-addons', `--allow-fs-read=${root}*`]
    const args = [...flags, ...inline(everything)]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 50_000 })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('in the sources', () => {
  /** Of Node's modules, those that cannot reach a network, start a program or run a text. */
  const harmless = 'async_hooks crypto fs fs/promises module os path timers/promises url util zlib'.split(' ')
  const peers = ['@tensorflow/tfjs-core', 'bullmq', 'ioredis', 'zarrita']
  const files = filesBelow(root, 'lib', (file) => file.endsWith('.ts'))
  const visit = (node: ts.Node, see: (node: ts.Node) => void): void => {
    see(node)
    ts.forEachChild(node, (child) => visit(child, see))
  }
  const parse = (file: string) =>
    ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)

  test('lib imports of Node what is harmless, and of packages nothing but peers', () => {
    const imported = new Set(
      files.flatMap((file) => ts.preProcessFile(parse(file).text).importedFiles.map((x) => x.fileName)),
    )
    const foreign = [...imported].filter((name) => !name.startsWith('.'))
    expect(foreign.sort()).toEqual([...peers, ...harmless.map((name) => `node:${name}`)].sort())
    // What speaks to a network is imported where a queue is opened, and nowhere else.
    const speaking = files.filter((file) =>
      /from '(bullmq|ioredis)'|import\('(bullmq|ioredis)'\)/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(speaking.filter((file) => !file.startsWith('lib/queue/'))).toEqual([])
  })

  test('lib makes no code of text and names no network', () => {
    const names =
      /^(eval|Function|WebAssembly|fetch|WebSocket|EventSource|XMLHttpRequest|binding|_linkedBinding)$/
    const found: string[] = []
    for (const file of files)
      visit(parse(file), (node) => {
        if (ts.isIdentifier(node) && names.test(node.text) && !isType(node))
          found.push(`${file}: ${node.text}`)
        const isImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
        if (isImport && !ts.isStringLiteral(node.arguments[0])) found.push(`${file}: ${node.getText()}`)
      })
    expect(found).toEqual([])
  })

  function isType(node: ts.Node): boolean {
    return ts.isTypeReferenceNode(node.parent) || ts.isTypeQueryNode(node.parent)
  }

  test('the addon imports no function that opens files or sockets, starts programs or loads libraries', () => {
    const { status, stdout } = spawnSync('nm', ['-D', '--undefined-only', addon.path], { encoding: 'utf8' })
    expect(status).toBe(0)
    const imported = stdout.split('\n').map((line) => line.trim().split(/\s+/).at(-1)!.replace(/@.*/, ''))
    expect(imported).toContain('memcpy')
    const forbidden =
      /^(f?open(at|dir)?(64)?|creat(64)?|fdopen|socket|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?|getaddrinfo|gethostby\w+|v?fork|clone|exec\w*|posix_spawn\w*|system|popen|dlm?open|dlsym|unlink(at)?|remove|rename(at2?)?|mkdir|syscall|s?ecure_getenv|getenv|setenv|putenv|_Z\w*basic_[io]?f(stream|ilebuf)\w*)$/
    // An OpenBLAS inside reads OPENBLAS_CORETYPE, and asks the system about memory.
    const ofOpenBLAS = info().blas.linkage === 'static' ? ['getenv', 'syscall'] : []
    const found = imported.filter((name) => forbidden.test(name) && !ofOpenBLAS.includes(name))
    expect(found).toEqual([])
  })
})

describe('in the package', () => {
  test('there are no dependencies, and the peers are optional', () => {
    for (const kind of ['dependencies', 'optionalDependencies', 'bundledDependencies', 'bundleDependencies'])
      expect(manifest).not.toHaveProperty(kind)
    const peers = Object.keys(manifest.peerDependencies)
    expect(peers).toEqual(['@tensorflow/tfjs-core', 'bullmq', 'ioredis', 'zarrita'])
    for (const peer of peers) expect(manifest.peerDependenciesMeta[peer]).toEqual({ optional: true })
  })

  test('nothing runs when it is installed, from a registry, a tarball or git', () => {
    const hooks = [
      'preinstall',
      'install',
      'postinstall',
      'preprepare',
      'prepare',
      'postprepare',
      'prepublish',
    ]
    for (const hook of hooks) expect(manifest.scripts).not.toHaveProperty(hook)
    expect(manifest.gypfile).toBe(false)
  })
})

describe('in the lock file', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const packages = Object.entries<{ integrity?: string; resolved?: string; link?: boolean }>(lock.packages)

  test('each package has a hash of what it must contain, and none an address', () => {
    expect(packages.length).toBeGreaterThan(100)
    for (const [place, { integrity, resolved, link }] of packages) {
      if (place === '') continue
      expect([place, integrity]).toEqual([place, expect.stringMatching(/^sha512-[A-Za-z0-9+/]{86}==$/)])
      expect([place, resolved, link]).toEqual([place, undefined, undefined])
    }
  })

  test('its root is package.json', () => {
    const { devDependencies, peerDependencies } = lock.packages['']
    expect({ devDependencies, peerDependencies }).toEqual({
      devDependencies: manifest.devDependencies,
      peerDependencies: manifest.peerDependencies,
    })
  })
})
