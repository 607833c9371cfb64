// Rederives every coefficient and norm bound of native/expm/coefficients.hpp and compares.
// usage: node scripts/check-tables.mjs [file]   exit code 1 names what is off

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkTables } from './tables/checks.mjs'

const file = process.argv[2] ?? fileURLToPath(new URL('../native/expm/coefficients.hpp', import.meta.url))

try {
  for (const { table, found, errors } of checkTables(readFileSync(file, 'utf8'))) {
    if (errors.length === 0) console.log(`${table}: ${found}`)
    for (const error of errors) console.error(`WRONG ${error}`)
    if (errors.length > 0) process.exitCode = 1
  }
} catch (error) {
  console.error(`cannot read ${file}: ${/** @type {Error} */ (error).message}`)
  process.exitCode = 1
}
