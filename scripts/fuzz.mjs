// Runs the fuzzer of the boundary (test/fuzz), on the addon as it is, or on one with AddressSanitizer and UndefinedBehaviorSanitizer.
//
// usage: node scripts/fuzz.mjs [--sanitize] [--seed S] [--from K] [--calls N] [--keep]
// exit codes: those of test/fuzz/main.ts; 1 also where a sanitizer found something
//
// --sanitize builds an addon in build/fuzz-sanitize, whose files are instrumented but for those compiled for each target, which would
// take many minutes: these are the addon's own. (Their tests are native ones; see CMakeLists.txt.)
//
// needs: a set-up for tests (npm run setup -- --for test); for --sanitize g++ or clang++ with libasan

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './setup/commands.mjs'
import { buildEnvironment } from './setup/environment.mjs'

const folder = join(root, 'build', 'fuzz-sanitize')
const addon = join(folder, 'matfun.node')

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function run(command, args, env = buildEnvironment()) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' })
  if (error) console.error(`${command}: ${error.message}`)
  else if (signal) console.error(`${command}: ended by ${signal}`)
  if (status !== 0) process.exit(status ?? 1)
}

/**
 * What a command prints, in words.
 * @param {string} command
 * @param {string[]} args
 */
function words(command, args) {
  const { stdout } = spawnSync(command, args, { encoding: 'utf8', env: buildEnvironment() })
  return (stdout ?? '').trim().split(/\s+/).filter(Boolean)
}

const compiler = (process.env.CXX ?? 'g++').split(' ').at(-1) ?? 'g++'

/** The flags that every instrumented file is compiled with. */
function compileFlags() {
  const prefix = join(dirname(realpathSync(process.execPath)), '..', 'include', 'node')
  const folders = [prefix, join(root, 'native'), join(root, 'node_modules', 'node-addon-api')]
  return [
    ...[
      '-c',
      '-fPIC',
      '-std=c++20',
      '-O1',
      '-g1',
      '-fno-math-errno',
      '-fno-trapping-math',
      '-fvisibility=hidden',
    ],
    ...['-pthread', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    ...['-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL', '-DNAPI_CPP_EXCEPTIONS'],
    '-DBUILDING_NODE_EXTENSION',
    ...folders.map((path) => `-I${path}`),
    ...words('pkg-config', ['--cflags', 'openblas']),
  ]
}

/** Takes about a minute and a half, all files one after the other. */
function build() {
  mkdirSync(folder, { recursive: true })
  const sources = readFileSync(join(root, 'native', 'sources.txt'), 'utf8')
    .split(/\s+/)
    .filter(Boolean)
  const own = readdirSync(join(root, 'native', 'addon')).filter((file) => file.endsWith('.cpp'))
  sources.push(...own.map((file) => `native/addon/${file}`))
  const flags = compileFlags()
  const objects = sources.map((file) => {
    const object = file.replace(/\.cpp$/, '.o')
    if (file.includes('/targets/')) return join(root, 'build', 'Release', 'obj.target', 'matfun', object)
    const to = join(folder, object.replaceAll('/', '-'))
    run(compiler, [...flags, file, '-o', to])
    return to
  })
  const libraries = words('pkg-config', ['--libs', 'openblas'])
  run(compiler, [
    '-shared',
    '-fsanitize=address,undefined',
    '-pthread',
    '-o',
    addon,
    ...objects,
    ...libraries,
  ])
}

const args = process.argv.slice(2)
const sanitizes = args.includes('--sanitize')
const start = [join(root, 'test', 'fuzz', 'start.mjs'), ...args.filter((arg) => arg !== '--sanitize')]
if (sanitizes) {
  build()
  const [asan] = words(compiler, ['-print-file-name=libasan.so'])
  run(process.execPath, start, {
    ...buildEnvironment(),
    MATFUN_FUZZ_ADDON: addon,
    // The library of C++, too, or libasan finds no throw to stand before.
    LD_PRELOAD: `${asan} ${words(compiler, ['-print-file-name=libstdc++.so.6'])[0]}`,
    // Node leaves memory to the system at its end, and asks for more than there is where the fuzzer does.
    ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=1',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  })
} else run(process.execPath, start)
