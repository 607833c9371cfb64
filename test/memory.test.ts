import { describe, expect, it } from 'vitest'
import { runProgram } from './support/programs.ts'

const megabytes = 128

/** What a call takes at most, in MB, besides its inputs of so many MB and its results. */
function megabytesTaken(call: string): number {
  const { stdout, stderr, status } = runProgram(`
    const data = new Float64Array(${megabytes} * 2 ** 17).fill(0.01)
    const A = { data, shape: [data.length / 16, 4, 4] }
    await expmAsync({ data: data.subarray(0, 1600), shape: [100, 4, 4] })
    const before = process.memoryUsage.rss() / 2 ** 20
    const results = [await ${call}].flatMap((R) => (R.data ? [R] : Object.values(R)))
    const peak = process.resourceUsage().maxRSS / 2 ** 10
    console.log(peak - before - results.reduce((sum, R) => sum + R.data.byteLength / 2 ** 20, 0))`)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return Number(stdout)
}

/** The bound that is promised; the workspaces of two threads for order 4 take well below 1 MB each. */
const most = 64 + 2

describe('a batch takes no more than its results, 64 MB and a workspace a thread:', () => {
  it.each([
    'expm(A, { threads: 2 })',
    'expmVJP(A, A, { threads: 2 })',
    'expmAsync(A, { threads: 2 })',
    'expmVJPAsync(A, A, { threads: 2 })',
    // One matrix in all directions.
    'expmVJPAsync({ data: data.subarray(0, 16), shape: [4, 4] }, A, { threads: 2 })',
    // Read into memory of the library's own, which becomes the result.
    'expmAsync({ ...A, strides: [16, 1, 4] }, { threads: 2 })',
  ])('%s', (call) => {
    expect(megabytesTaken(call)).toBeLessThan(most)
  })
})
