// Makes test/fixtures: matrices that are hard to exponentiate, with exponentials and derivatives proved by ball arithmetic.
// usage: node scripts/fixtures.mjs [--check]
//   --check compares with the committed files instead of writing; exit code 1 names those that differ
// Needs a C compiler (cc, or the one named by CC), Arb with FLINT and GMP (Debian: apt-get install libflint-arb-dev),
// and matfun built once (node scripts/setup.mjs), whose .npy writer it uses. Two to three minutes on a slow core.
// scripts/generator-fixtures.mjs makes test/fixtures/generators.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { compileTruth } from './fixtures/compile.mjs'
import { cases } from './fixtures/families.mjs'
import { fileNames, writeFixtures } from './fixtures/files.mjs'
import { makeFixtures, showProgress } from './fixtures/make.mjs'
import { openTruth } from './fixtures/truth.mjs'

/** @param {string} workplace a temporary folder */
async function prove(workplace) {
  const truth = openTruth(spawn(compileTruth(workplace, 'truth'), { stdio: ['pipe', 'pipe', 'inherit'] }))
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

await makeFixtures({
  folder: fileURLToPath(new URL('../test/fixtures', import.meta.url)),
  fileNames,
  prove,
  write: writeFixtures,
})
