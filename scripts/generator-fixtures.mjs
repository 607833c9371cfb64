// Makes test/fixtures/generators: Markov chains with exp(Q) and its derivatives proved entry by entry by ball arithmetic.
// usage: node scripts/generator-fixtures.mjs [--check]
//   --check compares with the committed files instead of writing; exit code 1 names those that differ
// Needs what scripts/fixtures.mjs needs. Two minutes on a slow core.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { compileTruth } from './fixtures/compile.mjs'
import { generatorCases } from './fixtures/generator-chains.mjs'
import { generatorFileNames, writeGeneratorFixtures } from './fixtures/generator-files.mjs'
import { openGeneratorTruth } from './fixtures/generator-truth.mjs'
import { makeFixtures, showProgress } from './fixtures/make.mjs'

/** @param {string} workplace a temporary folder */
async function prove(workplace) {
  const program = compileTruth(workplace, 'generators')
  const truth = openGeneratorTruth(spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] }))
  const all = generatorCases()
  const proved = []
  for (const [k, wanted] of all.entries()) {
    showProgress(`${k + 1} of ${all.length}: ${wanted.name}`)
    proved.push({ ...wanted, ...(await truth.ask(wanted)) })
  }
  showProgress('')
  await truth.close()
  return proved
}

await makeFixtures({
  folder: fileURLToPath(new URL('../test/fixtures/generators', import.meta.url)),
  fileNames: generatorFileNames,
  prove,
  write: writeGeneratorFixtures,
})
