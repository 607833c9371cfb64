/** @import { LeftOut } from './report.mjs' */

/**
 * What the count leaves out, besides the kernels and what is compiled for each target (native/kernels, native/expm/*_of_target.hpp and
 * native/expm/targets): their own tests run them for every target that the processor has.
 * @type {LeftOut[]}
 */
export const leftOut = [
  { file: 'lib/cli/main.ts', reason: 'runs as a process of its own only, as test/cli.test.ts runs it' },
]
