// That calls leave nothing behind: the resident size of a process over many of them.
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { packageUrl } from './support/programs.ts'

/**
 * Bytes that the process grows by with each call: the median slope between twelve sizes, each after 4000 calls and a collection.
 * What V8 has ready for objects to come is left out, since it has more or less of that as it likes.
 */
function growth(call: string): number {
  const text = `
    const m = await import('${packageUrl}')
    const { expm, expmJVP } = await import('${new URL('reference/index.js', packageUrl).href}')
    const reference = { expm, expmJVP }
    const A = Float64Array.of(0, 1, -1, 0), B = { data: new Float64Array(200).fill(0.01), shape: [2, 10, 10] }
    const bad = { data: Float64Array.of(1, NaN), shape: [2, 1, 1] }
    const failing = (f) => { try { f() } catch {} }
    const call = async () => { ${call} }
    const block = async () => {
      for (let k = 0; k < 4000; k += 50) await Promise.all(Array.from({ length: 50 }, call))
      await new Promise((resolve) => setImmediate(resolve))
      gc()
      await new Promise((resolve) => setImmediate(resolve))
      const { rss, heapTotal, heapUsed } = process.memoryUsage()
      return rss - heapTotal + heapUsed
    }
    for (let k = 0; k < 5; k++) await block()
    const sizes = []
    for (let k = 0; k < 12; k++) sizes.push(await block())
    const slopes = sizes.flatMap((a, j) => sizes.slice(j + 1).map((b, k) => (b - a) / (k + 1) / 4000))
    console.log(slopes.sort((a, b) => a - b)[slopes.length >> 1])`
  const args = ['--expose-gc', '--max-semi-space-size=1', '--input-type=module', '-e', text]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return Number(stdout)
}

/** Less than the least thing that a call makes: an object of one property takes as much. */
const most_bytes = 32

/**
 * The least of up to three processes' growths. Pages that the allocator takes or gives back make some 50 bytes a call of either
 * sign, in one process and not in the next (60 blocks instead of twelve show no slope); what is kept is kept in each.
 */
function leastGrowth(call: string): number {
  let least = Number.POSITIVE_INFINITY
  for (let k = 0; k < 3 && !(least < most_bytes); k++) least = Math.min(least, growth(call))
  return least
}

describe(`48 000 calls grow the process by less than ${most_bytes} bytes each:`, () => {
  it.each([
    'm.expm(A); m.expm(B)',
    'm.expmJVP(A, A); m.expmJVP(B, B)',
    'm.expmVJP(A, A); m.expmVJP(B, B)',
    'm.expmCond(A)',
    'm.expmPlan(A); m.expmPlan(B)',
    'm.expmLinearize(A).vjp(A); const kept = m.expmLinearize(B); kept.jvp(B); kept.dispose()',
    'await m.expmAsync(A)',
    'await m.expmJVPAsync(A, A)',
    'await m.expmVJPAsync(B, B)',
    'await m.expmAsync(A, { signal: AbortSignal.abort() }).catch(() => {})',
    'failing(() => m.expm(bad)); failing(() => m.expmLinearize(bad)); failing(() => m.expm(A, { out: A }))',
    'reference.expm(A)',
    'm.info()',
  ])('%s', (call) => {
    expect(leastGrowth(call)).toBeLessThan(most_bytes)
  })

  it('which is little enough to see one object that is kept', () => {
    expect(leastGrowth('(globalThis.kept ??= []).push({ a: 1 })')).toBeGreaterThan(most_bytes)
  })
})
