import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sourceDigest } from '../setup/addon.mjs'
import { root, SetupError, say } from '../setup/commands.mjs'
import { buildEnvironment } from '../setup/environment.mjs'
import { digest, stampIs, writeStamp } from '../setup/stamps.mjs'

const folder = join(root, 'build', 'fuzz-sanitize')
const stamp = join(folder, '.sha256')

/** The addon that {@link provideSanitizedAddon} makes. */
export const addon = join(folder, 'matfun.node')

const compiler = (process.env.CXX ?? 'g++').split(' ').at(-1) ?? 'g++'

/**
 * An addon with AddressSanitizer and UndefinedBehaviorSanitizer, of the sources as they are, unless it is there already. The kernels, which
 * are compiled for each target, have AddressSanitizer alone, and that without the stack (see {@link kernelFlags}).
 * Takes about two minutes, two files at a time. Throws a SetupError where it cannot be built.
 */
export async function provideSanitizedAddon() {
  const own = digest(root, ['scripts/fuzz/sanitized-addon.mjs'], [sourceDigest(), compiler])
  if (existsSync(addon) && stampIs(stamp, own)) return
  say('building an addon with sanitizers')
  mkdirSync(folder, { recursive: true })
  rmSync(stamp, { force: true })
  const flags = compileFlags()
  const sources = [...listed(), ...ofAddon()]
  // The slowest first, so that no processor waits for them at the end.
  const left = [...sources].sort((a, b) => Number(isKernel(b)) - Number(isKernel(a)))
  const work = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift())
      await run(compiler, [...flags, ...(isKernel(file) ? kernelFlags : []), file, '-o', objectOf(file)])
  }
  await Promise.all([work(), work()])
  const link = ['-shared', '-fsanitize=address,undefined', '-pthread', '-o', addon, ...sources.map(objectOf)]
  await run(compiler, [...link, ...words('pkg-config', ['--libs', 'openblas'])])
  writeStamp(stamp, own)
}

/** What a process has to be given beside the addon, so that the sanitizers watch it. */
export function sanitizerEnvironment() {
  const [asan] = words(compiler, ['-print-file-name=libasan.so'])
  return {
    // The library of C++, too, or libasan finds no throw to stand before.
    LD_PRELOAD: `${asan} ${words(compiler, ['-print-file-name=libstdc++.so.6'])[0]}`,
    // Node leaves memory to the system at its end, and asks for more than there is where the fuzzer does.
    ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=1',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  }
}

/** @returns {string[]} */
function listed() {
  return readFileSync(join(root, 'native', 'sources.txt'), 'utf8')
    .split(/\s+/)
    .filter(Boolean)
}

function ofAddon() {
  const files = readdirSync(join(root, 'native', 'addon')).filter((file) => file.endsWith('.cpp'))
  return files.map((file) => `native/addon/${file}`)
}

/** @param {string} file */
function objectOf(file) {
  return join(folder, file.replace(/\.cpp$/, '.o').replaceAll('/', '-'))
}

/** @param {string} file */
function isKernel(file) {
  return file.includes('/targets/')
}

/**
 * What makes the kernels of a target cheap enough to instrument: a minute instead of many. Each access is checked by a call instead of
 * code in its place; arrays on the stack, and undefined behaviour, are not watched.
 */
const kernelFlags = [
  '-fno-sanitize=undefined',
  '-Wno-psabi', // nothing of a kernel's is called from another file by vectors
  ...(compiler.includes('clang')
    ? ['-mllvm', '-asan-instrumentation-with-call-threshold=0', '-mllvm', '-asan-stack=0']
    : ['--param', 'asan-instrumentation-with-call-threshold=0', '--param', 'asan-stack=0']),
]

function compileFlags() {
  const headers = join(dirname(realpathSync(process.execPath)), '..', 'include', 'node')
  const folders = [headers, join(root, 'native'), join(root, 'node_modules', 'node-addon-api')]
  return [
    ...['-c', '-fPIC', '-std=c++20', '-O1', '-g1', '-fno-math-errno', '-fno-trapping-math'],
    ...['-fvisibility=hidden', '-pthread', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    ...['-DNAPI_VERSION=8', '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL', '-DNAPI_CPP_EXCEPTIONS'],
    '-DBUILDING_NODE_EXTENSION',
    ...folders.map((path) => `-I${path}`),
    ...words('pkg-config', ['--cflags', 'openblas']),
  ]
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<void>}
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: buildEnvironment(), stdio: 'inherit' })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new SetupError(`${command} ${args.at(-1)}: ${signal ?? `exit code ${code}`}`))
    })
  })
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
