import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ask, findCommand, root, run, say } from './commands.mjs'
import { buildEnvironment } from './environment.mjs'
import { digest, filesBelow, stampIs, writeStamp } from './stamps.mjs'

const addon = join(root, 'build', 'Release', 'matfun.node')
const nodeGyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js')
const builtStamp = join(root, 'build', '.addon.sha256')
const configuredStamp = join(root, 'build', '.addon-configuration.sha256')

/** @returns {string[]} in words */
export function missing() {
  return existsSync(addon) && stampIs(builtStamp, sourceDigest()) ? [] : ['the native addon, up to date']
}

/**
 * Builds the addon. make compiles only what changed, unless something changed that the configuration depends
 * on: then all objects are made anew.
 */
export function provide() {
  say('building the addon')
  const configuration = configurationDigest()
  if (!stampIs(configuredStamp, configuration))
    rmSync(join(root, 'build', 'Release'), { recursive: true, force: true })
  rmSync(builtStamp, { force: true })
  const before = sourceDigest()
  build([])
  writeStamp(configuredStamp, configuration)
  // Taken before the build, so that what is edited during it is built next time.
  writeStamp(builtStamp, before)
}

/**
 * Builds what binding.gyp describes, with these settings of its variables.
 * @param {string[]} settings as `name=value`
 */
export function build(settings) {
  const headers = headersBesideNode()
  const args = [nodeGyp, 'configure', 'build', '--jobs=2', ...(headers ? [`--nodedir=${headers}`] : [])]
  args.push(...settings.map((setting) => `--${setting}`))
  run('build the addon', process.execPath, args, gypEnvironment(headers !== undefined))
}

/** Of everything that goes into the addon. */
export function sourceDigest() {
  const sources = filesBelow(root, 'native', (file) => /^(?!native\/bench\/).*\.([ch]pp|txt)$/.test(file))
  return digest(root, sources, [configurationDigest()])
}

function configurationDigest() {
  const files = ['binding.gyp', 'native/sources.txt']
  const tools = ['node-gyp', 'node-addon-api'].map((name) => `node_modules/${name}/package.json`)
  const openblas = ask('pkg-config', ['--modversion', '--cflags', '--libs', 'openblas'], {
    env: buildEnvironment(),
  })
  const { node, modules } = process.versions
  const facts = [
    node,
    modules,
    process.arch,
    headersBesideNode() ?? '',
    process.env.CXX ?? '',
    openblas ?? '',
  ]
  return digest(root, [...files, ...tools], facts)
}

/**
 * The folder whose include/node holds the headers of the Node that runs this, undefined where there is none.
 * @returns {string | undefined}
 */
function headersBesideNode() {
  const prefix = resolve(dirname(realpathSync(process.execPath)), '..')
  const folder = join(prefix, 'include', 'node')
  const files = ['node_api.h', 'node_version.h', 'common.gypi', 'config.gypi'].map((name) =>
    join(folder, name),
  )
  if (!files.every((file) => existsSync(file))) return undefined
  const text = readFileSync(files[1], 'utf8')
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => text.match(`#define NODE_${part}_VERSION (\\d+)`)?.[1],
  )
  return parts.join('.') === process.versions.node.split('-')[0] ? prefix : undefined
}

/**
 * node-gyp prefers settings that npm passes on in the environment to its own flags, so those must go.
 * @param {boolean} hasHeaders
 */
function gypEnvironment(hasHeaders) {
  const env = { ...buildEnvironment() }
  const overriding = hasHeaders ? /^npm_(package_)?config_(node_gyp_)?(jobs|nodedir)$/i : /^npm_config_jobs$/i
  for (const name of Object.keys(env)) if (overriding.test(name)) delete env[name]
  // make's own default is g++, which a machine with clang alone does not have
  if (!env.CXX && !findCommand('g++')) env.CXX = 'c++'
  return env
}
