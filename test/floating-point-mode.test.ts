// A library can change how the thread that loads it computes; those linked with -ffast-math by GCC before 13 do. matfun's results must not
// depend on that, nor on which thread computes them, and the thread must go on as the library left it.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from './support/npy-files.ts'
import { packageUrl, runText } from './support/programs.ts'

const at = temporaryFolder()

/** Libraries: what they do when they are loaded, in C, and how JavaScript then computes. */
const libraries = {
  'flushes subnormal numbers': {
    does: `
#if defined(__x86_64__)
  unsigned mode;
  __asm__ volatile("stmxcsr %0" : "=m"(mode));
  mode |= 0x8040;
  __asm__ volatile("ldmxcsr %0" : : "m"(mode));
#else
  unsigned long mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  mode |= 1ul << 24;
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#endif`,
    shows: 'least / 2 === 0',
  },
  'rounds upward': { does: 'fesetround(FE_UPWARD);', shows: 'one + tiny > 1' },
  'rounds to zero': { does: 'fesetround(FE_TOWARDZERO);', shows: 'one - tiny < 1' },
} as const

/** A digest of the bits of what every function computes, for each dtype, from inputs that are made before. */
const definitions = `
  const { createHash } = await import('node:crypto')
  const m = await import('${packageUrl}')
  const entry = (k, subnormal) => [0.3, subnormal * (1 + k % 7), Math.sin(k) / 5, 1e-3][k % 4]
  const stack = (dtype, count, n) => {
    const [kind, subnormal] = /64$/.test(dtype) === dtype.startsWith('complex') ? [Float32Array, 3e-42] : [Float64Array, 3e-310]
    const length = count * n * n * (dtype.startsWith('complex') ? 2 : 1)
    return { dtype, data: kind.from({ length }, (_, k) => entry(k, subnormal)), shape: [count, n, n] }
  }
  const transposed = ({ dtype, data, shape: [count, n] }) => ({ dtype, data, shape: [count, n, n], strides: [n * n, 1, n] })
  const bits = (...arrays) => {
    const hash = createHash('sha256')
    for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength))
    return hash.digest('hex').slice(0, 16)
  }
  const both = ({ value, tangent, cotangent }) => bits(value.data, (tangent ?? cotangent).data)
  const inputs = ['float64', 'float32', 'complex128', 'complex64'].flatMap((dtype) => [[2500, 3], [120, 12]].map(([count, n]) =>
    ({ A: stack(dtype, count, n), one: { ...stack(dtype, 1, n), shape: [n, n] } })))
  async function everything(threads) {
    const all = {}
    for (const { A, one } of inputs) {
      const add = (what, digest) => { all[A.dtype + ' [' + A.shape + '] ' + what] = digest }
      add('expm', bits(m.expm(A, { threads }).data))
      add('expmJVP', both(m.expmJVP(A, A, { threads })))
      add('expmVJP', both(m.expmVJP(A, A, { threads })))
      add('expmCond', bits(m.expmCond(A, { threads })))
      const kept = m.expmLinearize(A, { threads })
      add('expmLinearize', bits(kept.value.data, kept.jvp(A).data, kept.vjp(A).data, kept.conditionNumber()))
      kept.dispose()
      add('expmAsync', bits((await m.expmAsync(A, { threads })).data))
      add('expmJVPAsync', both(await m.expmJVPAsync(A, A, { threads })))
      add('expmVJPAsync', both(await m.expmVJPAsync(A, A, { threads })))
      add('expm by solving', bits(m.expm(A, { method: 'pade', threads }).data))
      add('expm of transposes', bits(m.expm(transposed(A), { threads }).data))
      const out = { ...transposed(A), data: new A.data.constructor(A.data.length) }
      m.expm(A, { out, threads })
      add('expm into columns', bits(out.data))
      add('expm of one', bits(m.expm(one).data))
      add('expmJVP of one', both(m.expmJVP(one, one)))
      add('expmVJP of one', both(m.expmVJP(one, one)))
      add('expmCond of one', m.expmCond(one))
      add('expmPlan', JSON.stringify(m.expmPlan(one)))
    }
    return all
  }`

type Digests = Record<string, unknown>

function output(text: string): unknown {
  const { status, stdout, stderr } = runText(`${definitions}\n${text}`)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe.runIf(['x64', 'arm64'].includes(process.arch))('beside a library that', () => {
  let right: Digests
  beforeAll(() => {
    right = output('console.log(JSON.stringify(await everything(1)))') as Digests
    expect(Object.keys(right)).toHaveLength(128)
  })

  describe.each(Object.entries(libraries))('%s', (name, { does, shows }) => {
    const library = at(`${name.replaceAll(' ', '-')}.so`)
    beforeAll(() => {
      const source = `${library}.c`
      writeFileSync(
        source,
        `#include <fenv.h>\n__attribute__((constructor)) static void set(void) {${does}\n}\n`,
      )
      const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-o', library, source, '-lm'], {
        encoding: 'utf8',
      })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    })

    // Threads have the mode of the thread that starts them.
    it.each([
      ['starts', ''],
      ['has', 'm.expm(inputs[0].A, { threads: 4 })'],
    ])(
      'every function gives the same bits, with any number of threads, where matfun %s its threads by then',
      (_, before) => {
        const { modes, ...came } = output(`
        ${before}
        const [least, one, tiny] = JSON.parse('[2.2250738585072014e-308, 1, 1e-20]')
        const isChanged = () => ${shows}
        const modes = [isChanged()]
        try { process.dlopen({ exports: {} }, ${JSON.stringify(library)}) } catch {} // it is no addon
        modes.push(isChanged())
        const four = await everything(4), alone = await everything(1)
        modes.push(isChanged())
        console.log(JSON.stringify({ modes, four, alone }))`) as Record<string, Digests>
        expect(came).toEqual({ four: right, alone: right })
        // matfun leaves the thread as it found it.
        expect(modes).toEqual([false, true, true])
      },
    )
  })
})
