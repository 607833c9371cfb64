import { readFileSync, writeFileSync } from 'node:fs'
import { ask, SetupError } from '../setup/commands.mjs'

// OpenBLAS keeps the kernels of each processor in a table, so that a linker cannot know which of them nobody calls. matfun needs
// those of gemm, gemv, getrf, getrs and, of complex matrices alone, trmm for Schur forms; the others are 1.8 of 4.6 MB.

/** Kernels of the table that are never called here. */
const kernels = [
  /^[sdcz](sy|he)m(m3?m?|v)_/,
  /^[cz]gemm3m_/,
  /^[sdcz][io]matcopy_/,
  /^[sd]trmm_/,
  /^[sdcz]trsm_(kernel_R|o)/,
  /^i?[sdcz]amin_k/,
  /^i?[sd](max|min)_k/,
]

/** What would call them: routines and drivers by the name of their object. None may be linked. */
const callers = [
  /^[sdcz](sy|he)m[mv]/,
  /^[cz]gemm3m/,
  /^[sdcz]o?i?matcopy/,
  /^[sd]trmm/,
  /^[sdcz]trsm_R/,
  /potrf|potf2|lauum|trtri/,
  /^i?[sdcz]{1,2}amin$|^i?[sd](max|min)$/,
]

/**
 * Options of the linker by which these kernels are null in the table, so that none is linked, and a call of one would end
 * the process rather than compute anything.
 * @param {string} archive
 * @param {string} script where to write what the options name
 */
export function leaveOut(archive, script) {
  const symbols = ask('nm', ['--defined-only', '--extern-only', archive]) ?? ''
  const names = [...symbols.matchAll(/ T (\w+_[A-Z][A-Z0-9]{4,})$/gm)].map((found) => found[1])
  const unused = names.filter((name) => kernels.some((kernel) => kernel.test(name)))
  if (unused.length === 0)
    throw new SetupError(`there are none of the kernels of ${archive} that were expected`)
  writeFileSync(script, unused.map((name) => `HIDDEN(${name} = 0);\n`).join(''))
  return [script, `-Wl,-Map=${script}.map`]
}

/**
 * Throws a SetupError where something was linked that calls what was left out.
 * @param {string[]} linkerOptions of {@link leaveOut}
 */
export function checkCallers([script]) {
  const map = readFileSync(`${script}.map`, 'utf8')
  const members = new Set([...map.matchAll(/\.a\((\w+)\.o\)/g)].map((found) => found[1]))
  // An object of a kernel has its processor at its end.
  const routines = [...members].filter((name) => !/_[A-Z][A-Z0-9]{4,}$/.test(name))
  if (!routines.includes('dgemm')) throw new SetupError(`${script}.map does not tell what was linked`)
  // None.
  const strangers = routines.filter((name) => callers.some((caller) => caller.test(name)))
  if (strangers.length > 0)
    throw new SetupError(`${strangers.join(', ')} is linked, and calls kernels that were left out`)
}
