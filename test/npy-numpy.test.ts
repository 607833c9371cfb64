import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { DType } from '../lib/ndarray.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { temporaryFolder } from './support/npy-files.ts'

const at = temporaryFolder()
const hasNumPy = spawnSync('python3', ['-c', 'import numpy']).status === 0

/** Runs a program with `np` and `path(name)`, and gives what it prints. */
function python(program: string): string {
  const prelude = `import numpy as np\npath = lambda name: ${JSON.stringify(at('.'))} + '/' + name\n`
  return execFileSync('python3', ['-c', prelude + program], { encoding: 'utf8' })
}

const shapes = [[], [3], [2, 3], [4, 2, 2], [3, 4, 2, 2], [0, 3, 3], [5, 0, 0]]
const dtypes: DType[] = ['float64', 'float32', 'complex128', 'complex64']

// The one thing that a machine may lack: NumPy is no dependency of ours.
describe.runIf(hasNumPy)('where python3 has NumPy', () => {
  it('NumPy reads what is written, for every dtype and shape', () => {
    for (const dtype of dtypes)
      for (const [k, shape] of shapes.entries()) {
        const parts = dtype.startsWith('complex') ? 2 : 1
        const length = shape.reduce((product, d) => product * d, parts)
        const numbers = Array.from({ length }, (_, i) => i - 0.5)
        const data =
          dtype === 'float64' || dtype === 'complex128'
            ? Float64Array.from(numbers)
            : Float32Array.from(numbers)
        writeNpy(at(`${dtype}-${k}.npy`), { data, shape, dtype })
      }
    python(`
for dtype in ${JSON.stringify(dtypes)}:
    for k, shape in enumerate(${JSON.stringify(shapes)}):
        array = np.load(path(f'{dtype}-{k}.npy'))
        assert array.dtype == np.dtype(dtype) and array.shape == tuple(shape) and array.flags.c_contiguous
        parts = array.reshape(-1).view(array.real.dtype)
        assert (parts == np.arange(parts.size) - 0.5).all()
`)
  })

  it('what NumPy writes is read, for every version, dtype, byte order, memory order and shape', () => {
    python(`
for version in [(1, 0), (2, 0), (3, 0)]:
    for dtype in ['f8', 'f4', 'c16', 'c8']:
        for byte_order in '<>':
            for memory_order in 'CF':
                for k, shape in enumerate(${JSON.stringify(shapes)}):
                    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
                    array = np.array(array * (1 - 2j) if dtype[0] == 'c' else array, byte_order + dtype, order=memory_order)
                    name = f'{version[0]}{dtype}{"LB"[byte_order == ">"]}{memory_order}{k}.npy'
                    with open(path(name), 'wb') as file: np.lib.format.write_array(file, array, version)
`)
    for (const version of [1, 2, 3])
      for (const code of ['f8', 'f4', 'c16', 'c8'])
        for (const order of ['LC', 'LF', 'BC', 'BF'])
          for (const [k, shape] of shapes.entries()) {
            const array = readNpy(at(`${version}${code}${order}${k}.npy`))
            expect(array.shape).toEqual(shape)
            const complex = code.startsWith('c')
            const expected = Array.from(array.data, (_, i) =>
              complex ? (i >> 1) * (i % 2 === 0 ? 1 : -2) : i,
            )
            // A negative zero, where NumPy multiplies 0 by -2j, is a zero here.
            expect(Array.from(array.data, (number) => number + 0)).toEqual(
              expected.map((number) => number + 0),
            )
          }
  })
})
