// Stacks from and for NumPy: .npy files, read whole, or by the command line in chunks where they are larger than memory.
// run: node examples/interop/npy.mjs [folder]     (a temporary one where none is named)

import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expm } from 'matfun'
import { readNpy, writeNpy } from 'matfun/npy'

const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'matfun-npy-'))
const at = (name) => join(folder, name)

// What np.save('A.npy', A) writes for A of shape (1000, 3, 3).
const data = Float64Array.from({ length: 9000 }, (_, k) => Math.sin(k))
writeNpy(at('A.npy'), { data, shape: [1000, 3, 3] })

writeNpy(at('Y.npy'), expm(readNpy(at('A.npy'))))

// The same by the command line: `matfun expm A.npy -o Z.npy`.
const matfun = fileURLToPath(new URL('./cli/main.js', import.meta.resolve('matfun')))
const said = execFileSync(process.execPath, [matfun, 'expm', at('A.npy'), '-o', at('Z.npy')], {
  encoding: 'utf8',
})
console.log(said.split('\n')[0].replace(/ in .*/, ''))

const [Y, Z] = ['Y.npy', 'Z.npy'].map((name) => readNpy(at(name)))
console.log(
  'shape:',
  Y.shape.join(' x '),
  'the same bits:',
  Y.data.every((y, k) => y === Z.data[k]),
)
