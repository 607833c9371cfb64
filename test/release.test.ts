import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkCallers, leaveOut } from '../scripts/release/left-out.mjs'
import { checkRequirements, limits, readRequirements } from '../scripts/release/requirements.mjs'
import { temporaryFolder } from './support/npy-files.ts'

/** Linked with the OpenBLAS of this system. */
const builtAddon = 'build/Release/matfun.node'
const inFolder = temporaryFolder()

/** Compiles C into an object, an archive or a shared object, by the name's end. */
function compile(name: string, source: string): string {
  const path = inFolder(name)
  const object = name.endsWith('.so') ? path : path.replace(/\.a$/, '.o')
  const flags = name.endsWith('.so') ? ['-shared', '-fPIC'] : ['-c']
  const compiled = spawnSync('gcc', [...flags, '-x', 'c', '-', '-o', object], { input: source })
  expect(compiled.status).toBe(0)
  if (name.endsWith('.a')) expect(spawnSync('ar', ['rc', path, object]).status).toBe(0)
  return path
}

describe('of a prebuilt addon', () => {
  test('what it needs is read', () => {
    const { needed, versions, missing, offered } = readRequirements(builtAddon)
    expect(needed).toContain('libc.so.6')
    expect(needed.some((library) => library.includes('blas'))).toBe(true)
    expect(versions.GLIBC).toMatch(/^2\.\d+/)
    expect(missing).toEqual(expect.not.arrayContaining([expect.stringMatching(/^napi_/)]))
    expect(offered).toContain('napi_register_module_v1')
  })

  test('a library that not every machine has is refused', () => {
    expect(() => checkRequirements(builtAddon)).toThrow(/needs libopenblas\S*, which not every machine has/)
  })

  test('a function that no library has is refused, and one that it offers to others', () => {
    const lacking = compile(
      'lacking.so',
      'void absent(void); static void use(void) { absent(); } void (*napi)(void) = use;',
    )
    expect(() => checkRequirements(lacking)).toThrow(/uses absent, which nothing has/)
    const offering = compile('offering.so', 'int dgemm_(void) { return 0; }')
    expect(() => checkRequirements(offering)).toThrow(/offers dgemm_/)
  })

  test('the documents promise what is checked', () => {
    const text = readFileSync('docs/install.md', 'utf8')
    for (const [name, version] of [
      ['glibc', limits.GLIBC],
      ['GLIBCXX', limits.GLIBCXX],
    ])
      expect(text).toContain(`${name} ${version}`)
  })
})

describe('of the kernels that are left out of OpenBLAS', () => {
  const archive = () =>
    compile(
      'library.a',
      'int dtrmm_kernel_LN_HASWELL, x; void strmm_kernel_RT_SKYLAKEX(void) {} void ztrmm_kernel_LN_HASWELL(void) {}',
    )

  test('functions by their name and processor, and no others', () => {
    const [script, map] = leaveOut(archive(), inFolder('left-out.ld'))
    expect(readFileSync(script, 'utf8')).toBe('HIDDEN(strmm_kernel_RT_SKYLAKEX = 0);\n')
    expect(map).toBe(`-Wl,-Map=${script}.map`)
  })

  test.each([
    ['a routine', 'libopenblas.a(strmm.o)', /strmm is linked/],
    ['a driver', 'libopenblas.a(ztrsm_RCLN.o)', /ztrsm_RCLN is linked/],
    ['another factorization', 'libopenblas.a(dpotrf_L_single.o)', /dpotrf_L_single is linked/],
  ])('%s that would call one is noticed', (_, member, message) => {
    const script = inFolder('called.ld')
    writeFileSync(
      `${script}.map`,
      `libopenblas.a(dgemm.o)\nlibopenblas.a(strmm_kernel_RT_HASWELL.o)\n${member}\n`,
    )
    expect(() => checkCallers([script])).toThrow(message)
  })

  test('what matfun links is let pass', () => {
    const script = inFolder('right.ld')
    const members = [
      'dgemm',
      'ztrmm',
      'ztrmm_LCUN',
      'dtrsm_LNLU',
      'zgees',
      'icmax1',
      'damin_k_HASWELL',
      'idamax',
    ]
    writeFileSync(`${script}.map`, members.map((name) => `libopenblas.a(${name}.o)\n`).join(''))
    expect(() => checkCallers([script])).not.toThrow()
    writeFileSync(`${script}.map`, 'nothing of it\n')
    expect(() => checkCallers([script])).toThrow(/does not tell what was linked/)
  })
})
