import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../setup/commands.mjs'

/** What runs in the browser: each function once, in both dtypes, and an error; its result is one string of JSON. */
const program = `
  import { expm, expmJVP, expmVJP } from 'matfun/reference'

  const A = [[0, 1, 0.5], [-1, 0.25, 2], [3, -0.5, 1]]
  const W = { data: Float64Array.from({ length: 18 }, (_, k) => Math.sin(k)), shape: [2, 3, 3] }
  const C = { data: Float64Array.of(0, 1, 0.5, 0, 0, -2, 1, 1), shape: [2, 2], dtype: 'complex128' }
  let refusal
  try {
    expm([[Number.NaN]])
  } catch (error) {
    refusal = [error.name, error.code]
  }
  const numbers = [expm(A), expmJVP(A, W).tangent, expmVJP(A, W).cotangent, expm(C)].map(({ data }) => [...data])
  globalThis.proof = JSON.stringify({ numbers, refusal })`

/**
 * A program with matfun/reference in one script that needs nothing but JavaScript; it leaves its result in \`globalThis.proof\`.
 * Throws where something of Node's is used.
 * @returns {Promise<string>}
 */
export async function bundle() {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root },
    absWorkingDir: root,
    alias: { 'matfun/reference': join(root, 'dist', 'reference', 'index.js') },
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0].text
}
