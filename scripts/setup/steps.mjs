import { parseArgs } from 'node:util'
import * as addon from './addon.mjs'
import { SetupError } from './commands.mjs'
import * as typescript from './compile.mjs'
import * as packages from './packages.mjs'
import * as system from './system.mjs'

/** @typedef {'start' | 'test'} Purpose what the set-up is for: tests need more than the main job does */

const usage = `usage: node scripts/setup.mjs [--for start|test] [--check]
  --for    what to provide for: npm start (the default) or npm test
  --check  only report what is missing, and exit with 1 if anything is`

/**
 * Goes through the steps in order, each of which provides what it finds missing.
 * @param {string[]} args the command line's arguments
 * @returns {number} the exit code: 0 when everything is there, 1 when something is missing, 2 for wrong use
 */
export function setUp(args) {
  const options = readOptions(args)
  if (options === undefined) return 2
  try {
    const steps = [system, packages, addon, typescript]
    if (options.check) return report(steps.flatMap((step) => step.missing(options.purpose)))
    for (const step of steps) {
      const missing = step.missing(options.purpose)
      if (missing.length > 0) step.provide(options.purpose)
    }
    return 0
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(`set-up: ${error.message}`)
    return 1
  }
}

/**
 * @param {string[]} args
 * @returns {{ purpose: Purpose, check: boolean } | undefined} undefined for wrong use, which is then reported
 */
function readOptions(args) {
  try {
    const { values } = parseArgs({ args, options: { for: { type: 'string' }, check: { type: 'boolean' } } })
    const purpose = values.for ?? 'start'
    if (purpose !== 'start' && purpose !== 'test')
      throw new TypeError(`--for takes start or test, got ${purpose}`)
    return { purpose, check: values.check ?? false }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`)
    return undefined
  }
}

/** @param {string[]} missing */
function report(missing) {
  for (const thing of missing) console.log(`set-up: missing: ${thing}`)
  return missing.length > 0 ? 1 : 0
}
