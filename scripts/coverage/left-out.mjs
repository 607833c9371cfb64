/** @import { LeftOut } from './report.mjs' */

/**
 * What the count leaves out, besides the kernels and what is compiled for each target (native/kernels, native/expm/*_of_target.hpp and
 * native/expm/targets): their own tests run them for every target that the processor has.
 * @type {LeftOut[]}
 */
export const leftOut = [
  { file: 'lib/cli/main.ts', reason: 'runs as a process of its own only, as test/cli.test.ts runs it' },
  {
    file: 'lib/platform.ts',
    reason: 'other systems, C libraries and runtimes, where scripts/check-package.mjs --everywhere runs it',
  },
  ...["native === 'LE'", 'const copy = data.slice()', 'swapBytes(copy)', 'return copy'].map((text) => ({
    file: 'lib/npy/writer.ts',
    text,
    reason: 'machines of the other byte order',
  })),
  {
    file: 'native/addon/module.cpp',
    text: '__builtin_cpu_supports',
    branches: true,
    reason: 'processors that have less, or more',
  },
  ...['entries_.erase(added)', 'throw Napi::Error::New(env_)'].map((text) => ({
    file: 'native/addon/linearizations.cpp',
    text,
    reason: 'a finalizer that Node-API refuses, for which it has no cause',
  })),
  ...['return serial ?', 'serial = openblas_get_parallel()', 'const char* threading ='].map((text) => ({
    file: 'native/linalg/blas.cpp',
    text,
    branches: /** @type {const} */ (true),
    reason: 'other builds of OpenBLAS',
  })),
]
