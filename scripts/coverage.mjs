// Which lines and branches of native/ and lib/ the tests run: fails where fewer do than scripts/coverage/report.mjs wants, or where
// what scripts/coverage/left-out.mjs leaves out runs after all.
//
// usage: node scripts/coverage.mjs      (npm run coverage, with the set-up that it needs)
//
// native: gcov counts in a build of the core, its tests and the addon, without optimization and assertions (build/coverage). Branches are
// those of the source's own decisions: the ways of calls that throw, which gcov lists at nearly every call, are not counted.
// lib: V8 counts in vitest's own processes, which run on that addon.
//
// needs: a set-up for tests, and gcov, which comes with g++

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { leftOut } from './coverage/left-out.mjs'
import { libCounts } from './coverage/lib.mjs'
import { nativeCounts } from './coverage/native.mjs'
import { reportOf, shortfalls, table } from './coverage/report.mjs'
import { cmakeCommands } from './setup/cmake.mjs'
import { root } from './setup/commands.mjs'
import { buildEnvironment } from './setup/environment.mjs'
import { filesBelow } from './setup/stamps.mjs'

const folder = 'build/coverage'
const build = `${folder}/native`
const kernels = join(root, 'build', 'native', 'libmatfun_kernels.a')

/** Native tests that take long, where counting makes them ten times slower, for what others run, too. */
const slow = [
  '*within a factor of 3*',
  '*every plan in lanes*',
  '*the effective norm*',
  '*workspace_bytes covers*',
]

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    env: buildEnvironment(),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    ...options,
  })
  if (status === 0) return
  console.error(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`)
  throw new Error(`${command} ${args.join(' ')}: exit code ${status}`)
}

/** @param {string[]} command below node_modules, and its arguments */
function node([program, ...args]) {
  run(process.execPath, [join(root, 'node_modules', program), ...args])
}

/** @param {string} what */
function step(what) {
  console.log(`coverage: ${(performance.now() / 1000).toFixed(0)} s: ${what}`)
}

function main() {
  step('building')
  if (!existsSync(kernels))
    for (const command of cmakeCommands('build/native', 'matfun_kernels', { MATFUN_SANITIZE: 'OFF' }))
      node(command)
  const settings = { MATFUN_COVERAGE: 'ON', MATFUN_KERNELS: kernels }
  for (const command of cmakeCommands(build, 'all', settings)) node(command)
  for (const file of filesBelow(root, build, (name) => name.endsWith('.gcda'))) rmSync(join(root, file))

  step('native tests')
  run(join(root, build, 'matfun_tests'), [`--test-case-exclude=${slow.join(',')}`])

  step('tests of the package')
  const args = ['run', '--config', 'scripts/coverage/vitest.config.ts', '--root', '.']
  const env = { ...buildEnvironment(), MATFUN_ADDON: join(root, build, 'Release', 'matfun.node') }
  run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], { env })

  step('counting')
  const problems = [
    ...judge('native', nativeCounts(root, build)),
    ...judge('lib', libCounts(root, join(root, folder, 'lib', 'coverage-final.json'))),
  ]
  console.log('left out:')
  for (const { file, text, branches, reason } of leftOut)
    console.log(
      `  ${file}${text ? `, ${JSON.stringify(text)}` : ''}${branches ? ' (branches)' : ''}: ${reason}`,
    )
  for (const problem of problems) console.error(`coverage: ${problem}`)
  step(problems.length > 0 ? 'failed' : 'passed')
  return problems.length > 0 ? 1 : 0
}

/**
 * Prints what ran of one folder, and returns what is wrong with that.
 * @param {'native' | 'lib'} name
 * @param {Map<string, import('./coverage/report.mjs').Counts>} counts
 */
function judge(name, counts) {
  const own = leftOut.filter(({ file }) => file.startsWith(`${name}/`))
  const { files, stale } = reportOf(root, counts, own)
  console.log(`\n${table(name, files)}\n`)
  return [
    ...shortfalls(name, files),
    ...stale.map(
      ({ file, text }) => `left-out.mjs leaves out ${text ?? 'all'} of ${file}, which runs or is not there`,
    ),
  ]
}

process.exitCode = main()
