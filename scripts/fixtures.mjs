// Makes test/fixtures: matrices that are hard to exponentiate, with exponentials and derivatives proved by ball arithmetic.
// usage: node scripts/fixtures.mjs [--check]
//   --check compares with the committed files instead of writing; exit code 1 names those that differ
// Needs a C compiler (cc, or the one named by CC), Arb with FLINT and GMP (Debian: apt-get install libflint-arb-dev),
// and matfun built once (node scripts/setup.mjs), whose .npy writer it uses. Two to three minutes on a slow core.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileTruth } from './fixtures/compile.mjs'
import { cases } from './fixtures/families.mjs'
import { fileNames, writeFixtures } from './fixtures/files.mjs'
import { openTruth } from './fixtures/truth.mjs'

const folder = fileURLToPath(new URL('../test/fixtures', import.meta.url))

/** @param {string} workplace a temporary folder */
async function prove(workplace) {
  const truth = openTruth(spawn(compileTruth(workplace), { stdio: ['pipe', 'pipe', 'inherit'] }))
  const all = cases()
  const proved = []
  for (const [k, wanted] of all.entries()) {
    showProgress(`${k + 1} of ${all.length}: ${wanted.name}`)
    const answer = await truth.ask(wanted)
    if ('refusal' in answer) {
      showProgress('')
      console.error(`not admitted: ${wanted.name}: ${answer.refusal}`)
    } else proved.push({ ...wanted, ...answer })
  }
  showProgress('')
  await truth.close()
  return proved
}

/** @param {string} text replaces the last one on a terminal */
function showProgress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

/** @param {string} made the folder of the files just made */
function compare(made) {
  const different = fileNames.filter((name) => !same(join(made, name), join(folder, name)))
  for (const name of different) console.error(`WRONG ${name} is not what this script makes`)
  if (different.length > 0) process.exitCode = 1
  else console.log('the fixtures are what this script makes')
}

/**
 * @param {string} made
 * @param {string} committed
 */
function same(made, committed) {
  try {
    return readFileSync(made).equals(readFileSync(committed))
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return false
    throw error
  }
}

const unknown = process.argv.slice(2).filter((argument) => argument !== '--check')
if (unknown.length > 0) {
  console.error(`unknown argument ${unknown[0]}; usage: node scripts/fixtures.mjs [--check]`)
  process.exit(2)
}
const workplace = mkdtempSync(join(tmpdir(), 'matfun-fixtures-'))
try {
  const check = process.argv.includes('--check')
  const target = check ? join(workplace, 'made') : folder
  mkdirSync(target, { recursive: true })
  console.log(await writeFixtures(target, await prove(workplace)))
  if (check) compare(target)
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exitCode = 1
} finally {
  rmSync(workplace, { recursive: true })
}
