import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, it } from 'vitest'
import { expm, expmVJP } from '../lib/index.ts'
import { readNpy, writeNpy } from '../lib/npy/index.ts'
import { createZarr, openZarr } from '../lib/zarr/index.ts'
import { matfun, runHere } from './support/command-line.ts'
import { dtypes, randomArray } from './support/dtypes.ts'
import { temporaryFolder } from './support/npy-files.ts'
import { writeFolder, zarrJson } from './support/zarr-files.ts'

const at = temporaryFolder()
let made = 0

/** A folder of a test's own. */
const place = (): string => writeFolder(at(`${made++}`), {})

/** Runs a command whose file names are those of a folder, which is the root. */
async function inFolder(folder: string, line: string, options: Parameters<typeof runHere>[1] = {}) {
  const args = line.split(' ').map((arg) => (/^[^/].*\.(npy|zarr)$/.test(arg) ? `${folder}/${arg}` : arg))
  return runHere(args[0] === 'run' ? [...args, '--root', folder] : args, options)
}

describe('matfun convert', () => {
  it.each(dtypes)('copies %s matrices to a Zarr array and back', async (dtype) => {
    const folder = place()
    const A = randomArray(dtype, [2, 5, 3, 3], 1)
    writeNpy(`${folder}/A.npy`, A)
    const there = await inFolder(folder, 'convert A.npy -o A.zarr --chunk 4')
    expect(there).toMatchObject({ code: 0, stderr: '' })
    expect(there.stdout).toMatch(/^wrote .*A\.zarr, \w+ of shape \(10, 3, 3\), 3 chunks, in /)
    expect(await openZarr(`${folder}/A.zarr`)).toMatchObject({ dtype, shape: [10, 3, 3], chunkLength: 4 })
    const back = await inFolder(folder, 'convert A.zarr -o B.npy --json')
    expect(JSON.parse(back.stdout)).toMatchObject({
      operation: 'convert',
      dtype,
      shape: [10, 3, 3],
      count: 10,
    })
    expect(readNpy(`${folder}/B.npy`)).toEqual({ ...A, shape: [10, 3, 3], strides: [9, 3, 1] })
    expect(readdirSync(folder).sort()).toEqual(['A.npy', 'A.zarr', 'B.npy'])
  })

  it('copies numbers, and what is missing as the fill value', async () => {
    const folder = place()
    writeNpy(`${folder}/K.npy`, { data: Float64Array.of(1, 2, 3), shape: [3] })
    expect((await inFolder(folder, 'convert K.npy -o K.zarr --chunk 2')).code).toBe(0)
    rmSync(`${folder}/K.zarr/c.0`)
    expect((await inFolder(folder, 'convert K.zarr -o L.npy')).code).toBe(0)
    expect(readNpy(`${folder}/L.npy`).data).toEqual(Float64Array.of(Number.NaN, Number.NaN, 3))
  })

  it.each([
    ['convert A.npy -o B.npy', /expects one name that ends in \.npy/],
    ['convert A.zarr -o B.zarr', /expects one name that ends in \.npy/],
    ['convert A.npy', /convert expects an output: -o FILE\.zarr/],
    ['convert A.zarr -o B.npy --chunk 3', /--chunk is for Zarr arrays/],
    ['convert A.npy -o B.zarr --chunk 0', /--chunk expects a positive integer, got "0"/],
    ['convert A.npy -o B.zarr --chunk 1e3', /--chunk expects a positive integer, got "1e3"/],
    ['convert A.npy -o A.zarr', /A\.zarr is there already: remove it/],
    [
      'convert wide.npy -o B.zarr',
      /wide\.npy: expected shape \(\.\.\., n, n\) with n of at least 1.*got \(2, 3\)/,
    ],
    ['convert none.npy -o B.zarr', /cannot read .*none\.npy: ENOENT/],
    ['convert none.zarr -o B.npy', /cannot read .*none\.zarr: ENOENT/],
    [
      'convert A.zarr -o A.zarr/x.npy',
      /output .*x\.npy lies inside the input .*A\.zarr: expected another place/,
    ],
    [
      'convert A.zarr -o link.zarr/x.npy',
      /output .*x\.npy lies inside the input .*A\.zarr: expected another place/,
    ],
    [
      'convert empty.zarr -o B.npy',
      /^matfun: .*empty\.zarr: expected a Zarr array, which is a folder with a zarr\.json, got a folder without one\n$/,
    ],
    ['convert text.zarr -o B.npy', /^matfun: .*text\.zarr: expected a Zarr array, .*, got a file\n$/],
    ['convert half.zarr -o B.npy', /half\.zarr: expected a job's whole output, got 0 of 2 chunks/],
    ['convert damaged.zarr -o B.npy', /damaged\.zarr: c\/0\/0\/0 must have 64 bytes, got 3/],
  ])('%s: exits with 2, says why, and writes nothing', async (line, message) => {
    const folder = place()
    writeNpy(`${folder}/A.npy`, randomArray('float64', [3, 2, 2], 1))
    writeNpy(`${folder}/wide.npy`, { data: new Float64Array(6), shape: [2, 3] })
    writeFolder(`${folder}/A.zarr`, { 'zarr.json': zarrJson() })
    writeFolder(`${folder}/damaged.zarr`, { 'zarr.json': zarrJson(), 'c/0/0/0': 'abc' })
    writeFolder(`${folder}/half.zarr`, { 'zarr.json': zarrJson({ attributes: { matfun: { job: 'x' } } }) })
    symlinkSync('A.zarr', `${folder}/link.zarr`)
    mkdirSync(`${folder}/empty.zarr`)
    writeFileSync(`${folder}/text.zarr`, 'text')
    const before = readdirSync(folder, { recursive: true }).sort()
    const { code, stdout, stderr } = await inFolder(folder, line)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^matfun: .*\n$/)
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before)
  })
})

describe('matfun run', () => {
  const A = randomArray('complex128', [7, 3, 3], 2)
  const W = randomArray('complex128', [7, 3, 3], 3)

  function withInputs(): string {
    const folder = place()
    writeNpy(`${folder}/A.npy`, A)
    writeNpy(`${folder}/W.npy`, W)
    return folder
  }

  it('does a job and tells of it', async () => {
    const folder = withInputs()
    await inFolder(folder, 'convert W.npy -o W.zarr --chunk 3')
    const line = 'run vjp --a A.npy --direction W.zarr -o G.zarr --value V.zarr --json'
    const { code, stdout, stderr } = await inFolder(folder, line)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      operation: 'vjp',
      job: expect.stringMatching(/^[0-9a-f]{16}$/),
      inputs: ['A.npy', 'W.zarr'],
      outputs: ['G.zarr', 'V.zarr'],
      shape: [7, 3, 3],
      order: 3,
      dtype: 'complex128',
      method: 'auto',
      shift: 'auto',
      balance: 'auto',
      structure: 'auto',
      count: 7,
      chunkLength: 3,
      chunks: 3,
      present: 0,
      seconds: expect.any(Number),
      matricesPerSecond: expect.any(Number),
      failures: [],
    })
    const { value, cotangent } = expmVJP(A, W)
    for (const [name, x] of [
      ['G', cotangent],
      ['V', value],
    ] as const) {
      expect((await inFolder(folder, `convert ${name}.zarr -o ${name}.npy`)).code).toBe(0)
      expect(readNpy(`${folder}/${name}.npy`).data).toEqual(x.data)
    }
  })

  it('continues where chunks are missing, and says how many were there', async () => {
    const folder = withInputs()
    const line = 'run expm --a A.npy -o Y.zarr --chunk 2'
    expect((await inFolder(folder, line)).stdout).toMatch(/^expm: 7 matrices of order 3 in 4 chunks, /)
    rmSync(`${folder}/Y.zarr/c.1.0.0`)
    const again = await inFolder(folder, line)
    expect(again.stdout).toMatch(/^expm: 7 matrices of order 3 in 4 chunks, of which 3 were there already, /)
    expect(again.code).toBe(0)
    const last = await (await openZarr(`${folder}/Y.zarr`)).readChunk(1)
    expect(last).toEqual(expm(A).data.slice(36, 72))
  })

  it('exits with 1 where matrices cannot be done, and names them, also when it continues', async () => {
    const folder = place()
    const bad = randomArray('float64', [5, 2, 2], 4)
    bad.data[4 * 3] = Number.NaN
    writeNpy(`${folder}/A.npy`, bad)
    for (const round of ['first', 'second']) {
      const { code, stdout } = await inFolder(folder, 'run cond --a A.npy -o K.zarr --chunk 2')
      expect(code, round).toBe(1)
      expect(stdout).toMatch(/1 failed, with NaN in their places:\n {2}ERR_NOT_FINITE: 3\n$/)
    }
  })

  it('shows a progress bar to a terminal, which counts what was there', async () => {
    const folder = withInputs()
    await inFolder(folder, 'run expm --a A.npy -o Y.zarr --chunk 1')
    for (const k of [1, 5]) rmSync(`${folder}/Y.zarr/c.${k}.0.0`)
    const { stderr } = await inFolder(folder, 'run expm --a A.npy -o Y.zarr --chunk 1', { isTTY: true })
    expect(stderr).toMatch(/expm \[#+-*\] \d+% {2}[56]\/7 /)
    expect(stderr).toMatch(/100% {2}7\/7 /)
  })

  it('that is interrupted keeps its chunks, and says so', async () => {
    const folder = withInputs()
    const ended = AbortSignal.abort()
    const { code, stderr } = await inFolder(folder, 'run expm --a A.npy -o Y.zarr', { signal: ended })
    expect({ code, stderr }).toEqual({
      code: 'interrupted',
      stderr: 'matfun: interrupted, the same command does what is missing\n',
    })
  })

  it('takes paths from the current folder, and its files from below the root', () => {
    const folder = withInputs()
    const done = matfun(folder, 'run', 'expm', '--a', './A.npy', '-o', 'Y.zarr')
    expect(done).toMatchObject({ status: 0, stderr: '' })
    const [outer, inner] = [at('.'), folder.slice(at('.').length + 1)]
    const same = matfun(
      outer,
      'run',
      'expm',
      '--root',
      inner,
      '--a',
      `${inner}/A.npy`,
      '-o',
      `${inner}/Y.zarr`,
    )
    expect(same).toMatchObject({ status: 0, stderr: '' })
    expect(same.stdout).toMatch(/1 chunk, of which 1 were there already/)
  })

  it.each([
    ['run -o Y.zarr', /run expects expm, jvp, vjp or cond, got none/],
    ['run exp --a A.npy -o Y.zarr', /operation must be one of "expm", "jvp", "vjp", "cond", got "exp"/],
    ['run plan --a A.npy -o Y.zarr', /operation must be one of/],
    ['run expm -o Y.zarr', /run expects the matrices: --a A\.zarr/],
    ['run expm --a A.npy', /run expects an output: -o FILE\.zarr/],
    ['run expm --a= -o Y.zarr', /--a expects a file name/],
    ['run expm --a A.npy -o Y.npy', /expected names that do not end in \.npy/],
    ['run expm --a A.npy --direction W.npy -o Y.zarr', /direction is not taken by expm/],
    ['run jvp --a A.npy -o Y.zarr', /direction must be a path for jvp, got none/],
    ['run expm --a A.npy --value V.zarr -o Y.zarr', /value is not taken by expm/],
    [
      'run expm --a /etc/A.npy -o Y.zarr',
      /--a expects a path below .*, or --root DIR that holds it, got \/etc\/A\.npy/,
    ],
    ['run expm --a A.npy -o ../Y.zarr', /--out expects a path below/],
    ['run expm --a none.npy -o Y.zarr', /cannot read none\.npy: ENOENT/],
    [
      'run expm --a empty.zarr -o Y.zarr',
      /^matfun: empty\.zarr: expected a Zarr array, .*, got a folder without one\n$/,
    ],
    ['run expm --a text.zarr -o Y.zarr', /^matfun: text\.zarr: expected a Zarr array, .*, got a file\n$/],
    ['run expm --a A.npy -o text.zarr', /^matfun: text\.zarr: expected a Zarr array, .*, got a file\n$/],
    ['run expm --a A.npy -o other.zarr', /other\.zarr is there already and is no job's output/],
    ['run expm --a A.npy -o Y.zarr --purpose value', /run takes no --purpose/],
    ['expm A.npy -o Y.npy --chunk 3', /expm takes no --chunk/],
    ['expm A.npy -o Y.npy --root .', /expm takes no --root/],
  ])('%s: exits with 2 and says why', async (line, message) => {
    const folder = withInputs()
    mkdirSync(`${folder}/empty.zarr`)
    writeFileSync(`${folder}/text.zarr`, 'text')
    await createZarr(`${folder}/other.zarr`, { dtype: 'float64', shape: [1, 1, 1], chunkLength: 1 })
    const { code, stdout, stderr } = await inFolder(folder, line)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(existsSync(`${folder}/Y.zarr`)).toBe(false)
  })

  it.each([
    ['d1/X.zarr', 'd2/X.zarr'],
    ['d2/X.zarr', 'd1/X.zarr'],
    ['G.zarr', 'V.zarr'],
  ])('does not lose the values where a link leads both outputs to one place: %s, %s', async (out, value) => {
    const folder = withInputs()
    for (const name of ['d1', 'G.zarr']) mkdirSync(`${folder}/${name}`)
    symlinkSync('d1', `${folder}/d2`)
    symlinkSync('G.zarr', `${folder}/V.zarr`)
    const { code, stdout, stderr } = await inFolder(
      folder,
      `run vjp --a A.npy --direction W.npy -o ${out} --value ${value}`,
    )
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe(`matfun: value "${value}" lies in the same place as out "${out}": expected another\n`)
    expect(readdirSync(`${folder}/d1`)).toEqual([])
    expect(readdirSync(`${folder}/G.zarr`)).toEqual([])
  })

  it('ends at a chunk that is damaged, says how many are there, and goes on when it is mended', async () => {
    const folder = withInputs()
    await inFolder(folder, 'convert A.npy -o A.zarr --chunk 2')
    const file = `${folder}/A.zarr/c.3.0.0`
    const whole = readFileSync(file)
    truncateSync(file, 100)
    const { code, stderr } = await inFolder(folder, 'run expm --a A.zarr -o Y.zarr')
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^matfun: chunk 3: A\.zarr: c\.3\.0\.0 must have 288 bytes, got 100 \([0-3] of 4 chunks are there, and the same command does the others\)\n$/,
    )
    writeFileSync(file, whole)
    expect((await inFolder(folder, 'run expm --a A.zarr -o Y.zarr')).code).toBe(0)
  })
})
