import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type DType, expm, expmCond, expmJVP, expmPlan, expmVJP, type Plan } from '../lib/index.ts'
import { components, type NDArray, ndarray, storageOf } from '../lib/ndarray.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { runHere } from './support/command-line.ts'
import { dtypes, matrixAt, randomArray } from './support/dtypes.ts'
import { temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()

/** Runs a command on files of the test's folder, and gives its summary. */
async function summarize(line: string, budget?: number) {
  const args = line.split(' ').map((arg) => (arg.endsWith('.npy') ? at(arg) : arg))
  const { code, stdout, stderr } = await runHere([...args, '--json'], budget ? { budget } : {})
  expect(stderr).toBe('')
  return { code, ...JSON.parse(stdout) }
}

function stack(name: string, dtype: DType, shape: number[], seed: number): NDArray {
  const array = randomArray(dtype, shape, seed)
  writeNpy(at(name), array)
  return array
}

const filled = (dtype: DType, shape: number[], ...rows: number[][]) => {
  const entries = rows.flat().flatMap((x) => (components(dtype) === 2 ? [x, 0] : [x]))
  return ndarray(dtype, shape, storageOf(dtype).from(entries) as NDArray['data'])
}

describe.each(dtypes)('files of %s', (dtype) => {
  it('are computed in their dtype, which the outputs have too, in chunks of any size', async () => {
    const A = stack('A.npy', dtype, [5, 3, 3], 1)
    const E = stack('E.npy', dtype, [5, 3, 3], 2)
    const expected = { expm: expm(A), jvp: expmJVP(A, E), vjp: expmVJP(A, E) }
    for (const budget of [undefined, 1, 700]) {
      expect(await summarize('expm A.npy -o Y.npy', budget)).toMatchObject({ code: 0, dtype, order: 3 })
      expect(readNpy(at('Y.npy'))).toEqual(expected.expm)
      await summarize('jvp A.npy E.npy -o L.npy --value V.npy', budget)
      expect(readNpy(at('L.npy'))).toEqual(expected.jvp.tangent)
      expect(readNpy(at('V.npy'))).toEqual(expected.jvp.value)
      await summarize('vjp A.npy E.npy -o G.npy --value V.npy', budget)
      expect(readNpy(at('G.npy'))).toEqual(expected.vjp.cotangent)
      expect(readNpy(at('V.npy'))).toEqual(expected.vjp.value)
    }
  })

  it('give condition numbers as float64, of the shape of the batch', async () => {
    const A = stack('A.npy', dtype, [2, 4, 3, 3], 3)
    const numbers = expmCond(A) as Float64Array
    for (const budget of [undefined, 1, 500]) {
      const summary = await summarize('cond A.npy -o K.npy', budget)
      expect(summary).toMatchObject({ code: 0, operation: 'cond', dtype, shape: [2, 4], order: 3, count: 8 })
      expect(readNpy(at('K.npy'))).toEqual(ndarray('float64', [2, 4], numbers))
    }
    writeNpy(at('one.npy'), matrixAt(A, 3))
    await summarize('cond one.npy -o K.npy')
    expect(readNpy(at('K.npy'))).toEqual(ndarray('float64', [], numbers.slice(3, 4)))
  })

  it('with matrices that have no condition number name them, and do the others', async () => {
    const A = stack('A.npy', dtype, [6, 2, 2], 4)
    const numbers = expmCond(A) as Float64Array
    const parts = components(dtype)
    A.data[1 * 4 * parts] = Number.NaN
    A.data[4 * 4 * parts] = 2000
    writeNpy(at('A.npy'), A)
    for (const budget of [undefined, 1, 300]) {
      const { code, failures } = await summarize('cond A.npy -o K.npy', budget)
      expect({ code, failures }).toEqual({
        code: 1,
        failures: [
          { index: 1, code: 'ERR_NOT_FINITE' },
          { index: 4, code: 'ERR_OVERFLOW' },
        ],
      })
      expect(readNpy(at('K.npy')).data).toEqual(numbers.with(1, Number.NaN).with(4, Number.NaN))
    }
  })

  it('of order 0 have condition numbers of 0, and empty stacks none', async () => {
    const none = new (storageOf(dtype))(0)
    for (const shape of [
      [3, 0, 0],
      [0, 2, 2],
      [0, 0],
    ]) {
      writeNpy(at('A.npy'), { data: none, shape, dtype })
      expect((await summarize('cond A.npy -o K.npy')).code).toBe(0)
      const batch = shape.slice(0, -2)
      const count = batch.reduce((product, d) => product * d, 1)
      expect(readNpy(at('K.npy'))).toEqual(ndarray('float64', batch, new Float64Array(count)))
    }
  })

  it('are planned, by form, balancing and shift too', async () => {
    const matrices = [
      [1, 2, 3, 4],
      [40, 0.1, 0.1, 40],
      [1, 1e5, 0, -1],
      [0, 0.5, 0.5, 0],
      [1, 2, 3, 4],
    ]
    const A = filled(dtype, [5, 2, 2], ...matrices)
    writeNpy(at('A.npy'), A)
    const { plans, ...summary } = await summarize('plan A.npy')
    expect(summary).toMatchObject({ code: 0, dtype, count: 5, purpose: 'value', shift: 'auto' })
    const isShifted = ({ shift }: Plan) => (typeof shift === 'number' ? shift !== 0 : shift.re !== 0)
    const expected = (expmPlan(A) as Plan[]).map((plan) => {
      const { shift, ...rest } = plan
      return { ...rest, shifted: isShifted(plan), count: 1 }
    })
    expect(plans).toHaveLength(4)
    for (const k of [1, 2, 3]) expect(plans).toContainEqual(expected[k])
    expect(plans).toContainEqual({ ...expected[0], count: 2 })
    expect(expected[1].shifted).toBe(true)
    expect(expected[2].form).toBe('triangular')
    const { stdout } = await runHere(['plan', at('A.npy')])
    expect(stdout).toMatch(/^ +1 .* triangular +no +no /m)
    expect(stdout).toMatch(/^ +1 .* full +no +yes /m)
  })
})

describe('options', () => {
  it('--shift and --balance are on, off or auto, and are told in the summary', async () => {
    const A = stack('A.npy', 'float64', [4, 3, 3], 9)
    const E = stack('E.npy', 'float64', [4, 3, 3], 10)
    const names = { on: true, off: false, auto: 'auto' } as const
    for (const shift of ['on', 'off', 'auto'] as const)
      for (const balance of ['on', 'off', 'auto'] as const) {
        const flags = `--shift ${shift} --balance=${balance} --method pade`
        const options = { shift: names[shift], balance: names[balance], method: 'pade' } as const
        expect(await summarize(`vjp A.npy E.npy -o G.npy ${flags}`)).toMatchObject(options)
        expect(readNpy(at('G.npy'))).toEqual(expmVJP(A, E, options).cotangent)
        expect(await summarize(`cond A.npy -o K.npy ${flags}`)).toMatchObject(options)
        expect(readNpy(at('K.npy')).data).toEqual(expmCond(A, options))
        const { plans } = await summarize(`plan A.npy ${flags}`)
        expect(plans.every((plan: { shifted: boolean }) => plan.shifted)).toBe(shift === 'on')
      }
  })

  it('--purpose derivative plans for the stricter bound of derivatives', async () => {
    writeNpy(at('A.npy'), filled('float64', [2, 2], [0, 1.6, 1.6, 0]))
    const value = await summarize('plan A.npy --purpose value')
    expect(await summarize('plan A.npy')).toEqual({ ...value, seconds: expect.any(Number) })
    expect(value.plans).toMatchObject([{ degree: 21, squarings: 0 }])
    const derivative = await summarize('plan A.npy --purpose derivative')
    expect(derivative).toMatchObject({ purpose: 'derivative', plans: [{ degree: 21, squarings: 1 }] })
    const { stdout } = await runHere(['plan', at('A.npy'), '--purpose', 'derivative'])
    expect(stdout).toMatch(/^plan of expm's derivatives for 1 matrix of order 2\n/)
  })

  it('outputs of float32 and complex64 take half the room of double precision', async () => {
    const sizes: number[] = []
    for (const dtype of dtypes) {
      stack('A.npy', dtype, [64, 4, 4], 1)
      await summarize('expm A.npy -o Y.npy')
      sizes.push(readFileSync(at('Y.npy')).length - 128)
    }
    expect(sizes).toEqual([8192, 4096, 16384, 8192])
  })
})
