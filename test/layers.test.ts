import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findViolations } from '../scripts/check-layers.mjs'

const script = 'scripts/check-layers.mjs'

/** A small repository without a fault, full of words that would be faults outside comments and strings. */
const clean: Record<string, string> = {
  'native/linalg/view.hpp': '#pragma once\n// #include "expm/plan.hpp", std::thread, dgemm_\n',
  'native/linalg/blas.hpp': '#pragma once\n#include "linalg/view.hpp"\n',
  'native/linalg/blas.cpp':
    '#include "linalg/blas.hpp"\n#include <cblas.h>\n#include <mutex>\nextern "C" void dgemm_();\nstd::mutex lock;\n',
  'native/kernels/combine.hpp':
    '#include "linalg/blas.hpp"\n#include "../linalg/view.hpp"\n#include <span>\n',
  'native/expm/plan.hpp':
    '/* #include "batch/job.hpp"\n   cblas_dgemm std::jthread */\n#include "kernels/combine.hpp"\n#include <atomic>\n' +
    'const char* text = "std::thread // openblas_get_config";\nconst char* raw = R"x(pthread_create " )x";\n' +
    "int million = 1'000'000; char quote = '\"'; // std::async\n",
  'native/batch/job.hpp':
    '#include "expm/plan.hpp"\n#include <thread>\nstd::jthread worker; std::mutex lock;\n',
  'native/addon/napi.hpp': '#include <napi.h>\n',
  'native/addon/module.cpp': '#include "addon/napi.hpp"\n#include "batch/job.hpp"\n',
  'native/bench/products.cpp': '#include <cblas.h>\n#include <thread>\n#include "batch/job.hpp"\n',
  'test/native/plan.cpp': '#include "expm/plan.hpp"\n#include <thread>\n',
  'lib/errors.ts': 'export const code = 1\n',
  'lib/ndarray.ts': "import { code } from './errors.ts'\nexport const n = code\n",
  'lib/native.ts':
    "import { createRequire } from 'node:module'\nexport const load = () => createRequire('/')('./matfun.node')\n",
  'lib/index.ts':
    "// import './cli/main.ts', './matfun.node'\nexport { n } from './ndarray.ts'\nimport 'node:fs'\n",
  'lib/npy/index.ts':
    "import { n } from '../ndarray.ts'\nimport 'node:fs'\nimport './header.ts'\nexport { n }\n",
  'lib/npy/header.ts': "export { code } from '../errors.ts'\n",
  'lib/reference/index.ts': "export { n } from '../ndarray.ts'\nexport const note = 'not node:fs'\n",
  'lib/zarr/index.ts': "import { n } from '../ndarray.ts'\nimport './zarrita.ts'\nexport { n }\n",
  'lib/zarr/zarrita.ts':
    "import type * as Zarrita from 'zarrita'\nexport const z = await import('zarrita')\n",
  'lib/job/index.ts': "import '../index.ts'\nimport '../npy/index.ts'\nimport '../zarr/index.ts'\n",
  'lib/cli/main.ts': "import '../index.ts'\nimport '../npy/index.ts'\nimport '../job/index.ts'\n",
  'examples/main.mjs': "import '../dist/index.js'\n",
}

let root: string

function plant(file: string, content: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), content)
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'matfun-layers-'))
  for (const [file, content] of Object.entries(clean)) plant(file, content)
})

afterEach(() => rmSync(root, { recursive: true }))

/** What is planted, in which file, and on which line the last of its lines must be reported for what. */
const plants: readonly (readonly [string, string, string, RegExp])[] = [
  ['an upward include', 'native/linalg/new.hpp', '\n#include "expm/plan.hpp"', /linalg may not include expm/],
  ['an upward include by two dots', 'native/kernels/new.hpp', '#include "../batch/job.hpp"', /upward/],
  ['an upward include in angle brackets', 'native/expm/new.hpp', '\n\n#include <batch/job.hpp>', /upward/],
  ['an upward include into the addon', 'native/batch/new.cpp', '#include "addon/napi.hpp"', /upward/],
  [
    'an upward include behind a comment',
    'native/expm/new.hpp',
    '/* a\n */ #include /* b */ "batch/job.hpp"',
    /upward/,
  ],
  [
    'an upward include after a URL in a string',
    'native/expm/new.hpp',
    'auto s = "http://x";\n#include "batch/job.hpp"',
    /upward/,
  ],
  ['an include of the benchmarks', 'native/addon/new.cpp', '#include "bench/products.cpp"', /upward/],
  ['an include of a macro', 'native/linalg/new.hpp', '#define X <thread>\n#include X', /macro/],
  [
    'an include from outside native',
    'native/linalg/new.hpp',
    '#include "../../test/native/plan.cpp"',
    /outside native/,
  ],
  ['a folder that is no layer', 'native/other/new.cpp', 'int x;', /no layer/],
  ['napi.h in the addon', 'native/addon/module.cpp', '#include <napi.h>', /napi\.hpp only/],
  ['node_api.h below the addon', 'native/batch/new.cpp', '\n#include "node_api.h"', /napi\.hpp only/],
  ['napi.h in a native test', 'test/native/plan.cpp', '#include <napi.h>', /napi\.hpp only/],
  ['cblas.h', 'native/linalg/norms.hpp', '#include <cblas.h>', /blas\.cpp only/],
  ['lapacke.h', 'native/expm/new.hpp', '\n#include "lapacke.h"', /blas\.cpp only/],
  ['f77blas.h in a folder', 'native/expm/new.hpp', '#include <openblas/f77blas.h>', /blas\.cpp only/],
  ['openblas_config.h', 'native/addon/new.cpp', '#include <openblas_config.h>', /blas\.cpp only/],
  ['a Fortran symbol', 'native/kernels/new.cpp', '\nextern "C" void dgemm_(const char*);', /dgemm_ is BLAS/],
  ['a LAPACK symbol', 'native/expm/new.cpp', 'extern "C" { void zgetrs_(); }', /zgetrs_ is BLAS/],
  ['a cblas call', 'native/batch/new.cpp', 'void f() {\n  cblas_dgemm(); }', /cblas_dgemm is BLAS/],
  [
    "OpenBLAS's own settings",
    'native/addon/new.cpp',
    'int n = openblas_get_parallel();',
    /openblas_get_parallel/,
  ],
  ['<thread>', 'native/expm/new.hpp', '\n\n\n#include <thread>', /<thread>.*native\/batch/],
  ['<future>', 'native/linalg/blas.cpp', '#include <future>', /<future>/],
  ['<condition_variable>', 'native/addon/new.cpp', '#include <condition_variable>', /<condition_variable>/],
  ['<stop_token>', 'native/addon/new.cpp', '#include <stop_token>', /<stop_token>/],
  ['<semaphore>', 'native/addon/new.cpp', '#include <semaphore>', /<semaphore>/],
  ['<barrier>', 'native/addon/new.cpp', '#include <barrier>', /<barrier>/],
  ['<latch>', 'native/addon/new.cpp', '#include <latch>', /<latch>/],
  ['<pthread.h>', 'native/linalg/new.cpp', '#include <pthread.h>', /<pthread\.h>/],
  ['omp.h', 'native/kernels/new.cpp', '#include <omp.h>', /<omp\.h>/],
  ['a lock', 'native/addon/new.cpp', '#include <mutex>', /<mutex>/],
  ['std::thread', 'native/addon/new.cpp', '\nstd::thread worker;', /std::thread/],
  ['std::jthread', 'native/expm/new.cpp', 'std :: jthread worker;', /jthread/],
  ['std::async', 'native/linalg/blas.cpp', 'auto f = std::async([] {});', /std::async/],
  ['std::mutex', 'native/expm/new.cpp', 'std::mutex lock;', /std::mutex/],
  ['a POSIX thread', 'native/linalg/new.cpp', 'int x = pthread_create();', /pthread_create/],
  ['OpenMP', 'native/kernels/new.cpp', '\n#pragma omp parallel for', /pragma omp/],
  ['OpenMP by an operator', 'native/kernels/new.cpp', '_Pragma("omp parallel for")', /omp/],
  [
    'a thread after a digit separator',
    'native/expm/new.cpp',
    "int m = 1'000;\nstd::thread t;",
    /std::thread/,
  ],
  [
    'a thread after a quote sign',
    'native/expm/new.cpp',
    'char q = \'"\';\nstd::thread t; // "',
    /std::thread/,
  ],
  [
    'a thread after a raw string',
    'native/expm/new.cpp',
    'auto r = R"(" /* )";\nstd::thread t;',
    /std::thread/,
  ],
  ['an import of the command line', 'lib/expm.ts', "\nimport './cli/main.ts'", /upward/],
  ['an export from the command line', 'lib/expm.ts', "export * from './cli/main.ts'", /upward/],
  ['a dynamic import of the command line', 'lib/expm.ts', "\nawait import('./cli/main.ts')", /upward/],
  ['a type from the command line', 'lib/expm.ts', "export type T = import('./cli/main.ts').T", /upward/],
  [
    'an import of the command line by a job',
    'lib/job/index.ts',
    "\nimport '../cli/main.ts'",
    /job may not import cli/,
  ],
  ['an import of a job', 'lib/expm.ts', "import './job/index.ts'", /lib may not import job .*upward/],
  ['a job used by zarr', 'lib/zarr/index.ts', "\nimport '../job/index.ts'", /not lib\/job\/index\.ts/],
  ['the loader used by zarr', 'lib/zarr/index.ts', "\nimport '../native.ts'", /not lib\/native\.ts/],
  ['a package that need not be there', 'lib/zarr/index.ts', "\nimport 'zarrita'", /need not be installed/],
  ['a computed import', 'lib/expm.ts', 'export const f = (x: string) => import(x)', /computed/],
  ['an import from outside lib', 'lib/expm.ts', "import '../scripts/setup.mjs'", /outside lib/],
  ['the loader used by npy', 'lib/npy/index.ts', "\nimport '../native.ts'", /not lib\/native\.ts/],
  [
    'npy used by the reference',
    'lib/reference/index.ts',
    "import '../npy/index.ts'",
    /not lib\/npy\/index\.ts/,
  ],
  ['a Node module in the reference', 'lib/reference/index.ts', "\n\nimport 'node:fs'", /Node/],
  ['a bare Node module in the reference', 'lib/reference/new.ts', "import { inspect } from 'util'", /Node/],
  ['a package in the reference', 'lib/reference/new.ts', "import 'vega'", /a package/],
  ['a Node module under the reference', 'lib/ndarray.ts', "import 'node:util'", /Node/],
  ['a .node file', 'lib/expm.ts', "\nexport const path = '../build/Release/matfun.node'", /\.node file/],
  [
    'a .node file in a template',
    'lib/cli/main.ts',
    'export const f = (x: string) => `$' + '{x}.node`',
    /\.node file/,
  ],
  ['a .node file in an example', 'examples/main.mjs', "const x = require('./matfun.node')", /\.node file/],
  ['createRequire', 'lib/info.ts', "\nimport { createRequire } from 'node:module'", /\.node file/],
  ['process.dlopen', 'lib/info.ts', 'process.dlopen(module, path)', /\.node file/],
  [
    'an import after a regular expression',
    'lib/expm.ts',
    "export const r = /['\"`/*]/\nimport './cli/main.ts'",
    /upward/,
  ],
]

describe('the layer check', () => {
  it('finds nothing in a clean tree, whatever its comments and strings say', () => {
    expect(findViolations(root)).toEqual([])
    const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it.each(plants)('reports %s with its file and line', (_, file, content, why) => {
    plant(file, content)
    const violations = findViolations(root)
    expect(violations).toEqual(
      violations.map(() => expect.objectContaining({ file, why: expect.stringMatching(why) })),
    )
    expect(violations.map(({ line }) => line)).toContain(content.split('\n').length)
  })

  it('prints each as file:line: why and exits with 1', () => {
    plant('native/linalg/new.hpp', '\n#include "expm/plan.hpp"\n#include <thread>\n')
    plant('lib/expm.ts', "import './cli/main.ts'\n")
    const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^native\/linalg\/new\.hpp:2: linalg may not include expm/),
      expect.stringMatching(/^native\/linalg\/new\.hpp:3: <thread>/),
      expect.stringMatching(/^lib\/expm\.ts:1: lib may not import cli/),
    ])
  })

  it('finds nothing in this repository', () => {
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
