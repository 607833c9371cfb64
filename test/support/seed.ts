import { randomInt } from 'node:crypto'

const variable = 'MATFUN_TEST_SEED'

/**
 * A new seed for each run, so that runs of the tests see ever other cases. It is printed, and MATFUN_TEST_SEED repeats a run.
 * `what` says what is drawn with it.
 */
export function drawSeed(what: string): number {
  const given = process.env[variable]
  const seed = given === undefined || given === '' ? randomInt(2 ** 32) : Number(given)
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw new RangeError(
      `${variable} must be an integer from 0 to ${2 ** 32 - 1}, got ${JSON.stringify(given)}`,
    )
  console.log(`${what}: ${variable}=${seed}`)
  return seed
}
