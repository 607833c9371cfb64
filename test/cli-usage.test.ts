import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeNpy } from '../lib/npy/index.ts'
import { runHere } from './support/command-line.ts'
import { temporaryFolder, writeHandMade } from './support/npy-files.ts'

const at = temporaryFolder()
const fill = (shape: number[]) => new Float64Array(shape.reduce((product, d) => product * d, 1))
const stack = (name: string, ...shape: number[]) => writeNpy(at(name), { data: fill(shape), shape })
let before: string[]

beforeAll(() => {
  stack('A.npy', 5, 2, 2)
  stack('E.npy', 5, 2, 2)
  stack('three.npy', 5, 3, 3)
  stack('four.npy', 4, 2, 2)
  stack('wide.npy', 2, 3)
  stack('vector.npy', 4)
  stack('number.npy')
  writeNpy(at('f4.npy'), { data: new Float32Array(4), shape: [2, 2] })
  writeNpy(at('c16.npy'), { data: fill([2, 2, 2]), shape: [2, 2], dtype: 'complex128' })
  writeHandMade(at('i8.npy'), { descr: '<i8', shape: [1, 1], data: new Uint8Array(8) })
  mkdirSync(at('folder.npy'))
  mkdirSync(at('d1'))
  symlinkSync('d1', at('d2'))
  symlinkSync('d1/V.npy', at('dangling.npy'))
  symlinkSync(at('A.npy'), at('symbolic.npy'))
  linkSync(at('A.npy'), at('hard.npy'))
  before = readdirSync(at('.'))
})

/** Names ending in .npy are files of the test's folder. */
const inFolder = (args: string) =>
  args
    .split(' ')
    .filter(Boolean)
    .map((arg) => (arg.endsWith('.npy') ? at(arg) : arg))

describe('wrong use exits with 2, says what was expected on stderr, and writes nothing:', () => {
  it.each([
    [
      '',
      /^expected a command: expm, jvp, vjp, cond, run, convert, plan, worker, status, cancel, info \(see matfun --help\)$/,
    ],
    [
      'log A.npy -o Y.npy',
      /unknown command "log": expected expm, jvp, vjp, cond, run, convert, plan, worker, status, cancel, info/,
    ],
    ['toString', /unknown command "toString"/],
    ['expm -o Y.npy', /expm expects A.npy, got none/],
    ['expm A.npy E.npy -o Y.npy', /expm expects A.npy, got .*A.npy .*E.npy/],
    ['jvp A.npy -o L.npy', /jvp expects A.npy and E.npy, got/],
    ['vjp A.npy -o G.npy', /vjp expects A.npy and W.npy, got/],
    ['cond A.npy E.npy -o K.npy', /cond expects A.npy, got/],
    ['cond A.npy', /cond expects an output: -o FILE.npy/],
    ['info A.npy', /info expects no file, got/],
    ['expm A.npy', /expm expects an output: -o FILE.npy/],
    ['expm A.npy -o', /argument missing/],
    ['expm A.npy --out=', /expm expects an output/],
    ['expm A.npy -o Y.npy -o Z.npy', /--out was given twice/],
    ['expm A.npy -o Y.npy --value V.npy', /expm takes no --value/],
    ['cond A.npy -o K.npy --value V.npy', /cond takes no --value/],
    ['plan A.npy -o P.npy', /plan takes no --out/],
    ['expm A.npy -o Y.npy --purpose value', /expm takes no --purpose/],
    ['info --shift on', /info takes no --shift/],
    ['info --method pade', /info takes no --method/],
    ['jvp A.npy E.npy -o L.npy --value=', /--value expects a file name/],
    ['expm A.npy -o Y.npy --fast', /Unknown option '--fast'/],
    ['expm A.npy -o Y.npy --method taylor', /--method expects auto, polynomial or pade, got "taylor"/],
    ['expm A.npy -o Y.npy --shift true', /--shift expects auto, on or off, got "true"/],
    ['cond A.npy -o K.npy --balance=', /--balance expects auto, on or off, got ""/],
    ['plan A.npy --balance toString', /--balance expects auto, on or off, got "toString"/],
    ['plan A.npy --purpose gradient', /--purpose expects value or derivative, got "gradient"/],
    ['vjp A.npy W.npy -o G.npy --threads 0', /--threads expects an integer from 1 to 256, got "0"/],
    ['cond A.npy -o K.npy --threads=', /--threads expects an integer from 1 to 256, got ""/],
    ['expm A.npy -o Y.npy --threads 1.5', /--threads expects an integer from 1 to 256, got "1.5"/],
    ['expm A.npy -o Y.npy --threads 1e2', /--threads expects an integer from 1 to 256, got "1e2"/],
    ['expm A.npy -o Y.npy --threads 257', /--threads expects an integer from 1 to 256, got "257"/],
    ['plan A.npy --resume', /plan takes no --resume/],
    ['expm A.npy -o Y.npy --take-over', /--take-over goes with --resume only/],
    ['expm A.npy -o Y.npy --resume=yes', /Option '--resume' does not take an argument/],
    ['plan A.npy --threads 2', /plan takes no --threads/],
  ])('matfun %s', async (args, message) => {
    const { code, stdout, stderr } = await runHere(inFolder(args))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^matfun: .* \(see matfun --help\)\n$/)
    expect(stderr.slice('matfun: '.length).trimEnd()).toMatch(message)
    expect(readdirSync(at('.'))).toEqual(before)
  })
})

describe('files that cannot be used exit with 2, are named on stderr, and nothing is written:', () => {
  it.each([
    ['expm absent.npy -o Y.npy', /cannot read .*absent.npy: ENOENT: no such file or directory$/],
    ['plan absent.npy', /cannot read .*absent.npy: ENOENT/],
    ['expm folder.npy -o Y.npy', /folder.npy: is not a regular file: expected a .npy file/],
    ['expm wide.npy -o Y.npy', /wide.npy: expected shape \(..., n, n\), got \(2, 3\)/],
    ['expm vector.npy -o Y.npy', /vector.npy: expected shape \(..., n, n\), got \(4,\)/],
    ['expm number.npy -o Y.npy', /number.npy: expected shape \(..., n, n\), got \(\)/],
    [
      'jvp A.npy f4.npy -o L.npy',
      /expected the same dtype in both files, got float64 in .*A.npy and float32 in .*f4.npy$/,
    ],
    [
      'vjp c16.npy A.npy -o G.npy',
      /expected the same dtype in both files, got complex128 in .*c16.npy and float64 in .*A.npy$/,
    ],
    ['cond wide.npy -o K.npy', /wide.npy: expected shape \(..., n, n\), got \(2, 3\)/],
    ['cond A.npy -o A.npy', /output .*A.npy is the same file as the input/],
    ['expm i8.npy -o Y.npy', /i8.npy: has dtype '<i8', which cannot be read; expected f8/],
    ['jvp A.npy three.npy -o L.npy', /of one order .*\(5, 2, 2\) in .*A.npy and \(5, 3, 3\) in .*three.npy/],
    [
      'vjp A.npy four.npy -o G.npy',
      /equal leading dimensions, .*\(5, 2, 2\) in .*A.npy and \(4, 2, 2\) in .*four/,
    ],
    ['expm A.npy -o A.npy', /output .*A.npy is the same file as the input .*A.npy: expected another/],
    ['expm A.npy -o symbolic.npy', /output .*symbolic.npy is the same file as the input/],
    ['expm A.npy -o hard.npy', /output .*hard.npy is the same file as the input/],
    ['jvp A.npy E.npy -o L.npy --value E.npy', /output .*E.npy is the same file as the input .*E.npy/],
    ['jvp A.npy E.npy -o L.npy --value L.npy', /output .*L.npy is the same file as the output .*L.npy/],
    [
      'jvp A.npy E.npy -o d1/L.npy --value d2/L.npy',
      /output .*d2\/L.npy is the same file as the output .*d1\/L.npy: expected another/,
    ],
    [
      'jvp A.npy E.npy -o d1/V.npy --value dangling.npy',
      /output .*dangling.npy is the same file as the output .*V.npy/,
    ],
    [
      'expm A.npy -o A.npy/Y.npy',
      /output .*A.npy\/Y.npy lies inside the input .*A.npy: expected another place/,
    ],
    ['jvp A.npy E.npy -o L.npy --value L.npy/V.npy', /output .*V.npy lies inside the output .*L.npy/],
    ['jvp A.npy E.npy -o L.npy/V.npy --value L.npy', /output .*L.npy holds the output .*V.npy/],
    ['expm A.npy -o nowhere/Y.npy', /cannot write .*nowhere.Y.npy: ENOENT: no such file or directory$/],
    ['jvp A.npy E.npy -o L.npy --value nowhere/V.npy', /cannot write .*nowhere.V.npy: ENOENT/],
    ['expm A.npy -o folder.npy', /folder.npy: is not a regular file, so it cannot be written/],
  ])('matfun %s', async (args, message) => {
    const input = readFileSync(at('A.npy'))
    const { code, stdout, stderr } = await runHere(inFolder(args))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^matfun: .*\n$/)
    expect(stderr.slice('matfun: '.length).trimEnd()).toMatch(message)
    expect(readdirSync(at('.'))).toEqual(before)
    expect(readFileSync(at('A.npy'))).toEqual(input)
  })
})
