// What docs/security.md promises: no network, no files beyond those named, no code from data, nothing run at installation, no
// dependencies, and a lock file that says what every package must contain.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../lib/cli/arguments.ts'
import { info } from '../lib/index.ts'
import { addon } from '../lib/native.ts'
import { ndarray } from '../lib/ndarray.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { redisIsMissing, type Server, startRedis } from '../scripts/queue/redis.mjs'
import { filesBelow } from '../scripts/setup/stamps.mjs'
import { main } from './support/command-line.ts'
import { random } from './support/matrices.ts'
import { temporaryFolder } from './support/npy-files.ts'
import { packageUrl } from './support/programs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const at = temporaryFolder()

/** Files and folders of a hidden name below a folder. */
function hiddenBelow(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).filter((path) =>
    basename(path).startsWith('.'),
  )
}

const module = (path: string) => new URL(path, packageUrl).href

/** The package's modules by the names that {@link everything} has for them. */
const modules = {
  m: packageUrl,
  reference: module('reference/index.js'),
  npy: module('npy/index.js'),
  zarr: module('zarr/index.js'),
  tfjs: module('tfjs/index.js'),
  queue: module('queue/index.js'),
}

/** Everything that the package can do without a queue, in one program; only what is given the folder, if one is named, writes files. */
const everything = `
  const { m, reference, npy, zarr, tfjs } = Object.fromEntries(await Promise.all(
    Object.entries(${JSON.stringify({ ...modules, queue: undefined })}).map(async ([name, url]) => [name, await import(url)])))
  const job = await import('${module('job/index.js')}')
  const tf = await import('${import.meta.resolve('@tensorflow/tfjs-core')}')
  await import('${import.meta.resolve('@tensorflow/tfjs-backend-cpu')}')
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
  const [J, W] = [[[0, 1], [-1, 0]], [[1, 2], [3, 4]]]
  reference.expm(J); reference.expmJVP(J, W); reference.expmVJP(J, W)
  m.info()
  for (const wrong of [[[NaN]], [[1, 2]], 'x']) try { m.expm(wrong) } catch {}
  tf.enableProdMode() // or it greets
  const x = tf.tensor2d(J, [2, 2], 'float32')
  tf.grad((x) => tfjs.expm(x))(x, x).dataSync()
  const folder = process.argv[1]
  if (folder) {
    npy.writeNpy(folder + '/Y.npy', m.expm(J))
    npy.readNpy(folder + '/Y.npy')
    const writer = npy.createNpy(folder + '/X.npy', 'float64', [4, 2, 2])
    writer.write(new Float64Array(16).fill(0.1))
    writer.finish()
    const reader = npy.openNpy(folder + '/X.npy')
    reader.read(0, 4)
    reader.close()
    const A = await zarr.createZarr(folder + '/A.zarr', { dtype: 'float64', shape: [4, 2, 2], chunkLength: 2 })
    for (const k of [0, 1]) await A.writeChunk(k, new Float64Array(8).fill(0.1))
    await (await zarr.openZarr(folder + '/A.zarr')).readChunk(1)
    const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' }
    const jobs = [{ operation: 'expm', A: 'A.zarr', out: 'E.zarr', options },
      { operation: 'vjp', A: 'A.zarr', direction: 'X.npy', out: 'G.zarr', value: 'V.zarr', options }]
    for (const description of jobs) {
      const opened = await job.openJob(description, { root: folder })
      for (const k of await opened.missingChunks()) await opened.runChunk(k)
      for await (const failure of opened.failures()) throw new Error(failure.code)
      await opened.removeAbandoned()
      await opened.close()
    }
  }`

/** The same with a queue, whose address and whose workers' folder it is given. */
const everythingOfQueues = `
  const queue = await import('${modules.queue}')
  const [url, root] = process.argv.slice(1)
  // Nothing is connected to where there is no right address.
  for (const url of ['http://127.0.0.1:1', 'redis://127.0.0.1:1/x'])
    await Promise.allSettled([queue.openQueue({ url }), queue.startWorker({ url })])
  const jobs = await queue.openQueue({ url })
  const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' }
  const { id } = await jobs.submit({ operation: 'expm', A: 'A.npy', out: 'Y.zarr', options }, { root })
  const worker = await queue.startWorker({ url }, { root })
  for await (const { complete } of jobs.follow(id)) if (complete) break
  await worker.close()
  await jobs.cancel(id)
  await jobs.close()`

/** Files that the command line reads besides, each with the commands that do. */
const alsoRead: Record<string, RegExp> = {
  '/etc/machine-id': /^(expm|jvp|vjp|cond)$/,
  '/proc/sys/kernel/random/boot_id': /^(expm|jvp|vjp|cond)$/,
  '/proc/self/ns/pid': /^(expm|jvp|vjp|cond)$/,
  '/proc/PID/stat': /^(expm|jvp|vjp|cond)$/,
}

/** What is done to a file or folder by its name, and is fine within the folder of the outputs. */
const filing = /^(write|rename|unlink|link|mkdir|rmdir)$/
/** Looks at what is there. */
const looking = /^(read|list)$/

interface Watched {
  readonly stdout: string
  /** What a program of Node did outside its process, as lines of a verb and a path; without looks at files. */
  readonly did: string[]
  /** Files and folders that it looked at, without those that Node's programs look at and the package's own. */
  readonly looked: string[]
}

describe('at run time', () => {
  const watch = at('watch.so')
  /** What Node itself looks at: of a text that is run, and of a file that prints. */
  let ofNode: Set<string>
  let server: Server
  beforeAll(async () => {
    const source = fileURLToPath(new URL('support/watch.c', import.meta.url))
    const { status, stderr } = spawnSync(
      'gcc',
      ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', source, '-o', watch, '-ldl'],
      { encoding: 'utf8' },
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const printing = at('printing.mjs')
    writeFileSync(printing, "console.log('out')\nconsole.error('err')")
    for (const args of [inline(''), [printing]])
      expect(spawnSync(process.execPath, args, { env: environment() }).status).toBe(0)
    ofNode = new Set([...lines(), `read ${process.execPath}`])
    expect(ofNode.size).toBeGreaterThan(3)
    if (!redisIsMissing) server = await startRedis()
  })
  afterAll(async () => await server?.end())

  const log = at('watched')
  const environment = () => ({ ...process.env, LD_PRELOAD: watch, MATFUN_WATCHED: log })
  const lines = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split(/ *\n/) : [])

  /** Sorts what a process has told. */
  function sorted(told: readonly string[], cwd: string): Pick<Watched, 'did' | 'looked'> {
    const did: string[] = []
    const looked = new Set<string>()
    for (const line of told) {
      const [, verb, path] = /^(\w+) ?(.*)$/.exec(line)!
      if (!looking.test(verb)) did.push(line)
      else if (!ofNode.has(line) && !resolve(cwd, path).startsWith(root)) looked.add(resolve(cwd, path))
    }
    return { did, looked: [...looked].sort() }
  }

  /** Runs a program of Node that is to end with this exit code. */
  function watched(args: readonly string[], cwd = root, env: NodeJS.ProcessEnv = {}, expected = 0): Watched {
    rmSync(log, { force: true })
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd,
      encoding: 'utf8',
      env: { ...environment(), ...env },
      timeout: 50_000,
    })
    const said = /^(matfun: there is nothing to continue.*\n)?$/.test(stderr) ? '' : stderr
    expect([args.at(-1), status, expected === 0 ? said : '']).toEqual([args.at(-1), expected, ''])
    return { stdout, ...sorted(lines(), cwd) }
  }
  const inline = (text: string, ...args: string[]) => ['--input-type=module', '-e', text, ...args]

  /** Fails unless all that was done is done to files in a folder, but for the loading of the addon. */
  function requireWithin(folder: string, did: readonly string[], others: RegExp = /^$/): void {
    const strange = did.filter((line) => {
      const [, verb, path] = /^(\w+) ?(.*)$/.exec(line)!
      const isWithin = filing.test(verb) && resolve(folder, path).startsWith(folder)
      return !isWithin && line !== `load ${addon.path}` && !others.test(line)
    })
    expect(strange).toEqual([])
  }

  test('every function is among those that are called here', async () => {
    const called = everything + everythingOfQueues
    const missing: string[] = []
    for (const [name, url] of Object.entries(modules))
      for (const [key, value] of Object.entries(await import(/* @vite-ignore */ url)))
        if (typeof value === 'function' && !key.endsWith('Error') && !called.includes(`${name}.${key}(`))
          missing.push(`${name}.${key}`)
    expect(missing).toEqual([])
  })

  test('every function runs without opening a socket, starting a program or touching a file; the addon alone is loaded', () => {
    expect(watched(inline(everything))).toEqual({
      stdout: '',
      did: [`load ${addon.path}`],
      looked: [],
    })
  })

  test('those of files write and read what they are given, by way of files beside it', () => {
    const folder = at('functions')
    mkdirSync(folder)
    const { did, looked } = watched(inline(everything, folder))
    requireWithin(folder, did)
    expect(did).toContain(`rename ${folder}/Y.npy`)
    expect(looked.filter((path) => !path.startsWith(folder))).toEqual([])
    expect(looked).toContain(`${folder}/A.zarr/zarr.json`)
    expect(readdirSync(folder).sort()).toEqual(['A.zarr', 'E.zarr', 'G.zarr', 'V.zarr', 'X.npy', 'Y.npy'])
    expect(hiddenBelow(folder)).toEqual([])
  })

  const ofFiles = [
    ['expm', 'A.npy', '-o', 'Y.npy'],
    ['expm', 'A.npy', '-o', 'Z.npy', '--resume'],
    ['jvp', 'A.npy', 'W.npy', '-o', 'L.npy', '--value', 'V.npy'],
    ['vjp', 'A.npy', 'W.npy', '-o', 'G.npy', '--json'],
    ['cond', 'A.npy', '-o', 'K.npy'],
    ['plan', 'A.npy'],
    ['convert', 'A.npy', '-o', 'A.zarr'],
    ['convert', 'A.zarr', '-o', 'B.npy'],
    ['run', 'expm', '--a', 'A.zarr', '-o', 'Y.zarr'],
    ['run', 'jvp', '--a', 'A.zarr', '--direction', 'W.npy', '-o', 'L.zarr', '--value', 'V.zarr', '--json'],
    ['run', 'vjp', '--a', 'A.npy', '--direction', 'W.npy', '-o', 'G.zarr', '--chunk', '7'],
    ['run', 'cond', '--a', 'A.zarr', '-o', 'K.zarr'],
    ['run', 'expm', '--a', 'A.zarr', '-o', 'Y.zarr'], // continued: all is there
    ['info'],
    ['--help'],
    ['--version'],
  ]
  /** Of those that use a queue, and name none. */
  const withoutQueue = [['worker'], ['status'], ['status', 'x'], ['cancel', 'x']]

  function inputs(name: string): string {
    const folder = at(name)
    mkdirSync(folder)
    const A = ndarray('float64', [50, 6, 6], random(6, 1, 50))
    for (const file of ['A.npy', 'W.npy']) writeNpy(join(folder, file), A)
    return folder
  }

  test('every command is among those that run here', () => {
    const run = new Set([...ofFiles, ...withoutQueue].map(([name]) => name))
    expect([...run].filter((name) => !name.startsWith('-')).sort()).toEqual(Object.keys(commands).sort())
  })

  test('the command line writes its outputs, by way of files beside them, and leaves nothing else', () => {
    const folder = inputs('job')
    const before = readFileSync(join(folder, 'A.npy'))
    const read = new Set<string>()
    for (const args of ofFiles) {
      const { did, looked } = watched([main, ...args], folder)
      requireWithin(folder, did)
      for (const path of looked) {
        if (path.startsWith(folder)) continue
        const known = path.replace(/^\/proc\/\d+\//, '/proc/PID/')
        read.add(known)
        expect([args, path, alsoRead[known]?.test(args[0])]).toEqual([args, path, true])
      }
    }
    const arrays = ['A', 'G', 'K', 'L', 'V', 'Y'].map((name) => `${name}.zarr`)
    const files = ['A', 'B', 'G', 'K', 'L', 'V', 'W', 'Y', 'Z'].map((name) => `${name}.npy`)
    expect(readdirSync(folder).sort()).toEqual([...arrays, ...files].sort())
    expect(hiddenBelow(folder)).toEqual([])
    expect(readFileSync(join(folder, 'A.npy'))).toEqual(before)
    expect(readFileSync(join(folder, 'B.npy'))).toEqual(before)
    expect(readNpy(join(folder, 'Y.npy')).shape).toEqual([50, 6, 6])
    // What docs/security.md says of it is so.
    if (process.platform === 'linux') expect([...read].sort()).toEqual(Object.keys(alsoRead).sort())
    const told = readFileSync(join(root, 'docs/security.md'), 'utf8')
    expect(Object.keys(alsoRead).filter((path) => !told.includes(`\`${path}\``))).toEqual([])
  })

  test('without a queue that is named, its commands reach none', () => {
    const folder = inputs('unnamed')
    for (const args of withoutQueue) {
      const { did, looked } = watched([main, ...args], folder, { MATFUN_QUEUE: '' }, 2)
      expect([args, did, looked]).toEqual([args, [`load ${addon.path}`], []])
    }
  })

  describe.skipIf(redisIsMissing)(
    `with a queue${redisIsMissing ? ` (left out: ${redisIsMissing})` : ''}`,
    () => {
      /** Sockets to the queue alone; and msgpackr's native part, which bullmq has loaded where it is installed. */
      const allowed = () =>
        new RegExp(`^(socket|connect 127\\.0\\.0\\.1:${server.port}|load ${root}node_modules/.*)$`)
      /** What Node and the packages look at for a connection: how names are resolved, and where native parts might lie. */
      const ofPackages = new RegExp(
        `^/etc/(resolv|nsswitch|netsvc|svc|host)\\.conf$|^${dirname(process.execPath)}/prebuilds$`,
      )
      function requireOnlyQueue({ did, looked }: Pick<Watched, 'did' | 'looked'>, folder: string): void {
        requireWithin(folder, did, allowed())
        expect(did).toContain(`connect 127.0.0.1:${server.port}`)
        expect(looked.filter((path) => !path.startsWith(folder) && !ofPackages.test(path))).toEqual([])
      }

      test('run, worker, status and cancel connect to it and to nothing else, and start no program', async () => {
        const folder = inputs('queue')
        const env = { MATFUN_QUEUE: server.url }
        const ask = (...args: string[]) => {
          const came = watched([main, ...args], folder, env)
          requireOnlyQueue(came, folder)
          return came.stdout
        }
        watched([main, 'convert', 'A.npy', '-o', 'A.zarr'], folder, env)
        const submitted = ask('run', 'expm', '--a', 'A.zarr', '-o', 'Y.zarr', '--queue', server.url, '--json')
        const id = /[0-9a-f]{16}/.exec(submitted)![0]
        rmSync(log, { force: true })
        const worker = spawn(process.execPath, [main, 'worker'], {
          cwd: folder,
          env: { ...environment(), ...env },
          stdio: 'ignore',
        })
        const ended = once(worker, 'exit')
        const isDone = () =>
          existsSync(join(folder, 'Y.zarr/c/0/0/0')) || existsSync(join(folder, 'Y.zarr/c.0.0.0'))
        for (let tries = 0; !isDone() && tries < 300; tries++) await setTimeout(100)
        worker.kill('SIGTERM')
        await ended
        expect(isDone()).toBe(true)
        requireOnlyQueue(sorted(lines(), folder), folder)
        expect(ask('status')).toContain(id)
        ask('status', id, '--json')
        ask('cancel', id)
      })

      test('and so do openQueue and startWorker', () => {
        const folder = inputs('queue-functions')
        const came = watched(inline(everythingOfQueues, server.url, folder))
        requireOnlyQueue(came, folder)
        expect(readdirSync(folder)).toContain('Y.zarr')
      })
    },
  )

  test('which is seen where a program does such things', () => {
    const { did, looked } = watched(
      inline(
        `
        const { readFileSync, writeFileSync } = await import('node:fs')
        writeFileSync(process.argv[1], 'x')
        try { readFileSync('/etc/hostname') } catch {}
        const { connect } = await import('node:net')
        connect(1, '127.0.0.1').on('error', () => {})
        const { spawnSync } = await import('node:child_process')
        spawnSync('true')`,
        at('x'),
      ),
    )
    for (const seen of [`write ${at('x')}`, 'socket', 'connect 127.0.0.1:1', 'fork'])
      expect(did).toContain(seen)
    expect(looked).toContain('/etc/hostname')
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
    // By which any module could be loaded.
    const requiring = files.filter((file) => /createRequire/.test(readFileSync(join(root, file), 'utf8')))
    expect(requiring).toEqual(['lib/native.ts'])
    // What speaks to a network is imported where a queue is opened, and nowhere else.
    const speaking = files.filter((file) =>
      /from '(bullmq|ioredis)'|import\('(bullmq|ioredis)'\)/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(speaking.filter((file) => !file.startsWith('lib/queue/'))).toEqual([])
  })

  test('lib makes no code of text and names no network', () => {
    const names =
      /^(eval|Function|WebAssembly|fetch|WebSocket|EventSource|XMLHttpRequest|binding|_linkedBinding|getBuiltinModule|dlopen|mainModule)$/
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
