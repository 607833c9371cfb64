import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, say } from '../setup/commands.mjs'

/** How modules may be resolved by whoever compiles against the package: TypeScript's `module` and `moduleResolution`. */
const resolutions = [
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
]

/**
 * Throws a SetupError, with what the tool said, where publint or arethetypeswrong object to a tarball, or a program does not
 * compile against its types.
 * @param {string} tarball
 */
export function lint(tarball) {
  run('pass publint', process.execPath, [tool('publint/src/cli.js'), tarball, '--strict'])
  const attw = ['--no-definitely-typed', '--profile', 'esm-only', '--format', 'ascii', tarball]
  run('pass arethetypeswrong', process.execPath, [tool('@arethetypeswrong/cli/dist/index.js'), ...attw])
  compile(tarball)
  say(
    `publint and arethetypeswrong are content; types resolve by ${resolutions.map(([, how]) => how).join(', ')}`,
  )
}

/** @param {string} tarball */
function compile(tarball) {
  mkdirSync(join(root, 'build'), { recursive: true })
  const folder = mkdtempSync(join(root, 'build', 'types-'))
  try {
    const modules = join(folder, 'node_modules', 'matfun')
    mkdirSync(modules, { recursive: true })
    run('unpack the tarball', 'tar', ['-xzf', tarball, '-C', modules, '--strip-components=1'])
    mkdirSync(join(folder, 'node_modules', '@types'))
    symlinkSync(tool('@types/node'), join(folder, 'node_modules', '@types', 'node'))
    const program = join(folder, 'types.mts')
    symlinkSync(join(root, 'scripts', 'package', 'programs', 'types.mts'), program)
    for (const [module, moduleResolution] of resolutions) {
      const options = ['--module', module, '--moduleResolution', moduleResolution, '--target', 'es2023']
      const flags = ['--noEmit', '--strict', '--preserveSymlinks', '--types', 'node', '--ignoreConfig']
      const args = [tool('typescript/bin/tsc'), ...flags, ...options, program]
      run(`compile by ${moduleResolution}`, process.execPath, args, process.env, folder)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} path in node_modules */
function tool(path) {
  return join(root, 'node_modules', path)
}
