import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, it } from 'vitest'
import { expm, expmCond, expmJVP, expmVJP, type Failure, type NDArray } from '../lib/index.ts'
import {
  ChunkError,
  type Job,
  type JobDescription,
  JobError,
  type JobPlace,
  openJob,
} from '../lib/job/index.ts'
import { onChunk } from '../lib/job/storage.ts'
import { type DataOf, type DType, ndarray } from '../lib/ndarray.ts'
import { writeNpy } from '../lib/npy/index.ts'
import { createZarr, openZarr } from '../lib/zarr/index.ts'
import { dtypes, randomArray } from './support/dtypes.ts'
import { temporaryFolder } from './support/npy-files.ts'
import { writeFolder, zarrJson } from './support/zarr-files.ts'

const at = temporaryFolder()
let made = 0
const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' } as const

/** A folder with arrays in it, cut into chunks, or .npy files where the name says so. */
async function storage(arrays: Record<string, NDArray>, chunkLength = 3): Promise<string> {
  const root = writeFolder(at(`${made++}`), {})
  for (const [name, x] of Object.entries(arrays)) {
    if (name.endsWith('.npy')) {
      writeNpy(`${root}/${name}`, { dtype: x.dtype, shape: x.shape, data: x.data })
      continue
    }
    const { dtype, shape } = x
    const array = await createZarr(`${root}/${name}`, { dtype, shape, chunkLength })
    const size = (x.data.length / shape[0]) * chunkLength
    for (let k = 0; k < array.chunks; k++)
      await array.writeChunk(k, x.data.slice(k * size, (k + 1) * size) as DataOf<DType>)
  }
  return root
}

/** All numbers of an array on the disk. */
async function load(path: string): Promise<number[]> {
  const array = await openZarr(path)
  const chunks = Array.from({ length: array.chunks }, (_, k) => array.readChunk(k))
  return (await Promise.all(chunks)).flatMap((chunk) => Array.from(chunk))
}

async function runAll(job: Job): Promise<void> {
  for (let k = 0; k < job.chunks; k++) expect(await job.runChunk(k)).toMatchObject({ done: 'computed' })
  expect(await job.missingChunks()).toEqual([])
}

async function failuresOf(job: Job): Promise<Failure[]> {
  const list: Failure[] = []
  for await (const failure of job.failures()) list.push(failure)
  return list
}

const open = (root: string, description: Partial<JobDescription>, place: Partial<JobPlace> = {}) =>
  openJob({ operation: 'expm', A: 'A', out: 'Y', options, ...description }, { root, ...place })

describe.each(dtypes)('a job of %s matrices', (dtype) => {
  const A = randomArray(dtype, [7, 3, 3], 1)
  const E = randomArray(dtype, [7, 3, 3], 2)
  const one = randomArray(dtype, [1, 3, 3], 3)

  it.each(['A', 'A.npy'])('has the bits of expm, from %s', async (name) => {
    const root = await storage({ [name]: A })
    const job = await open(root, { A: name, ...(name === 'A' ? {} : { chunk: 3 }) })
    expect(job).toMatchObject({ dtype, n: 3, count: 7, chunkLength: 3, chunks: 3 })
    expect(job.chunkBytes).toBe((2 * 3 * A.data.byteLength) / 7)
    expect(await job.missingChunks()).toEqual([0, 1, 2])
    await runAll(job)
    expect(await load(`${root}/Y`)).toEqual(Array.from(expm(A).data))
    expect(await openZarr(`${root}/Y`)).toMatchObject({ dtype, shape: [7, 3, 3], chunkLength: 3 })
  })

  it('has the bits of expmCond', async () => {
    const root = await storage({ A })
    const job = await open(root, { operation: 'cond' })
    await runAll(job)
    expect(await load(`${root}/Y`)).toEqual(Array.from(expmCond(A) as Float64Array))
    expect(await openZarr(`${root}/Y`)).toMatchObject({ dtype: 'float64', shape: [7], chunkLength: 3 })
  })

  it.each([
    ['jvp', 'A', 'E', A, E],
    ['vjp', 'A', 'E', A, E],
    ['jvp', 'one', 'E', one, E],
    ['vjp', 'one', 'E', one, E],
    ['jvp', 'A', 'one', A, one],
    ['vjp', 'A.npy', 'E', A, E],
    ['jvp', 'one.npy', 'E', one, E],
    ['jvp', 'one', 'one.npy', one, one],
  ] as const)('has the bits of %s of %s and %s', async (operation, a, e, x, y) => {
    const root = await storage({ [a]: x, [e]: y })
    const job = await open(root, { operation, A: a, direction: e, value: 'V' })
    await runAll(job)
    const { value, ...derivative } = operation === 'jvp' ? expmJVP(x, y) : expmVJP(x, y)
    const [result] = Object.values(derivative) as NDArray[]
    expect(await load(`${root}/Y`)).toEqual(Array.from(result.data))
    expect(await load(`${root}/V`)).toEqual(Array.from(value.data))
    expect(await openZarr(`${root}/V`)).toMatchObject({ shape: x.shape, chunks: a.startsWith('one') ? 1 : 3 })
  })
})

describe('a job', () => {
  const A = randomArray('float64', [8, 2, 2], 4)

  it('may be done in any order, at once, and again, with the same bytes', async () => {
    const root = await storage({ A })
    const first = await open(root, {})
    await Promise.all([3, 1, 0, 2, 1].filter((k) => k < first.chunks).map((k) => first.runChunk(k)))
    const bytes = readdirSync(`${root}/Y`).map(
      (name) => `${name} ${readFileSync(`${root}/Y/${name}`, 'hex')}`,
    )
    const second = await open(root, {})
    expect(second.id).toBe(first.id)
    expect(await second.runChunk(1)).toEqual({ done: 'present', failures: 0 })
    rmSync(`${root}/Y/c.1.0.0`)
    truncateSync(`${root}/Y/c.2.0.0`, 10)
    expect(await second.missingChunks()).toEqual([1, 2])
    expect(await second.runChunk(1)).toEqual({ done: 'computed', failures: 0 })
    expect(await second.runChunk(2)).toEqual({ done: 'computed', failures: 0 })
    const again = readdirSync(`${root}/Y`).map(
      (name) => `${name} ${readFileSync(`${root}/Y/${name}`, 'hex')}`,
    )
    expect(again).toEqual(bytes)
  })

  it('keeps what it is in the attributes of its outputs', async () => {
    const root = await storage({ A, E: A })
    const job = await open(root, { operation: 'jvp', direction: 'E', value: 'V' })
    for (const name of ['Y', 'V'])
      expect((await openZarr(`${root}/${name}`)).attributes).toEqual({
        matfun: {
          job: job.id,
          role: name === 'Y' ? 'result' : 'value',
          description: job.description,
          version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        },
      })
  })

  it('misses a chunk whose value is not there', async () => {
    const root = await storage({ A })
    const job = await open(root, { operation: 'vjp', direction: 'A', value: 'V' })
    await runAll(job)
    rmSync(`${root}/V/c.1.0.0`)
    expect(await job.missingChunks()).toEqual([1])
    expect(await job.runChunk(1)).toEqual({ done: 'computed', failures: 0 })
    expect(await job.missingChunks()).toEqual([])
  })

  it('of inputs of which chunks are missing computes with their fill values', async () => {
    const root = await storage({})
    writeFolder(`${root}/A`, { 'zarr.json': zarrJson() })
    const job = await open(root, {})
    await runAll(job)
    expect(await load(`${root}/Y`)).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1])
  })

  it("of an input that is a job's unfinished output waits for it, and takes no fill value", async () => {
    const root = await storage({ A })
    const first = await open(root, {})
    await first.runChunk(0)
    const second = await open(root, { A: 'Y', out: 'Z' })
    expect(await second.runChunk(0)).toMatchObject({ done: 'computed', failures: 0 })
    const error = await second.runChunk(1).catch((reason) => reason)
    expect(error).toMatchObject({ name: 'ChunkError', chunk: 1, retryable: true })
    expect(error.message).toMatch(/Y: chunk 1 is missing, and the job that writes it has not done it/)
    await first.runChunk(1)
    expect(await second.runChunk(1)).toMatchObject({ done: 'computed', failures: 0 })
  })

  it('removes what was left half written a day ago, and nothing else', async () => {
    const root = await storage({ A })
    const job = await open(root, {})
    const [old, young] = ['.matfun-0123456789ab.tmp', '.matfun-ba9876543210.tmp']
    const yesterday = new Date(Date.now() - 86_500_000)
    for (const name of [old, young, '.matfun-mine.tmp', 'c.0.0.0']) writeFileSync(`${root}/Y/${name}`, '')
    for (const name of [old, '.matfun-mine.tmp', 'c.0.0.0'])
      utimesSync(`${root}/Y/${name}`, yesterday, yesterday)
    await job.removeAbandoned()
    expect(readdirSync(`${root}/Y`).sort()).toEqual([
      '.matfun-ba9876543210.tmp',
      '.matfun-mine.tmp',
      'c.0.0.0',
      'zarr.json',
    ])
  })

  it('tells how many results of a chunk are there', async () => {
    const large = randomArray('float64', [40_000, 8, 8], 5)
    const root = await storage({ 'A.npy': large })
    const job = await open(root, { A: 'A.npy', chunk: 30_000 })
    const seen: [number, number][] = []
    await job.runChunk(1, { onProgress: (done, count) => seen.push([done, count]) })
    expect(seen.at(-1)).toEqual([10_000, 10_000])
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).sort((a, b) => a - b))
  })

  it('ends with the reason of its signal, having written nothing', async () => {
    const root = await storage({ 'A.npy': randomArray('float64', [60_000, 8, 8], 5) })
    const job = await open(root, { A: 'A.npy', chunk: 60_000 })
    const reason = new Error('enough')
    await expect(job.runChunk(0, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const ended = new AbortController()
    const running = job.runChunk(0, { signal: ended.signal, onProgress: () => ended.abort(reason) })
    await expect(running).rejects.toBe(reason)
    expect(await job.missingChunks()).toEqual([0])
    expect(await job.runChunk(0)).toMatchObject({ done: 'computed' })
  })

  it('has no chunks but its own, and none when it is closed', async () => {
    const job = await open(await storage({ A }), {})
    await expect(job.runChunk(3)).rejects.toThrow('chunk 3: expected a chunk from 0 to 2')
    await expect(job.runChunk(-1)).rejects.toThrow(ChunkError)
    await job.close()
    await job.close()
    await expect(job.runChunk(0)).rejects.toThrow(/was closed/)
  })
})

describe('an output', () => {
  const A = randomArray('float64', [8, 2, 2], 4)
  const both = { operation: 'vjp', direction: 'A' } as const

  it.each([
    [{ out: 'd1/X', value: 'd2/X' }, 'value "d2/X" lies in the same place as out "d1/X": expected another'],
    [{ out: 'd1/new/X', value: 'd2/new/X' }, 'value "d2/new/X" lies in the same place as out "d1/new/X"'],
    [{ out: 'd1/X', value: 'dangling' }, 'value "dangling" lies in the same place as out "d1/X"'],
    [{ out: 'd1/X/deep', value: 'd2/X' }, 'value "d2/X" lies in the same place as out "d1/X/deep"'],
    [{ out: 'B', value: 'd1/X' }, 'out "B" lies in the same place as A "A": expected another'],
    [{ out: 'd1/X', value: 'B/V' }, 'value "B/V" lies in the same place as A "A"'],
  ])('that links lead to another array is refused, and nothing is made: %j', async (outputs, message) => {
    const root = await storage({ A })
    mkdirSync(`${root}/d1`)
    symlinkSync('d1', `${root}/d2`)
    symlinkSync('d1/X', `${root}/dangling`)
    symlinkSync('A', `${root}/B`)
    const before = readdirSync(root, { recursive: true })
    await expect(open(root, { ...both, ...outputs })).rejects.toThrow(JobError)
    await expect(open(root, { ...both, ...outputs })).rejects.toThrow(message)
    expect(readdirSync(root, { recursive: true })).toEqual(before)
  })

  it('that was made for another role in the same job is refused', async () => {
    const root = await storage({ A })
    const job = await open(root, { ...both, value: 'V' })
    await runAll(job)
    rmSync(`${root}/V`, { recursive: true })
    cpSync(`${root}/Y`, `${root}/V`, { recursive: true })
    await expect(open(root, { ...both, value: 'V' })).rejects.toThrow(
      `V is there already with the role "result" in job ${job.id}: expected its value`,
    )
    rmSync(`${root}/Y`, { recursive: true })
    rmSync(`${root}/V`, { recursive: true })
    await runAll(await open(root, { ...both, value: 'V' }))
    expect(await load(`${root}/V`)).toEqual(Array.from(expm(A).data))
  })
})

describe('failures', () => {
  const A = randomArray('float64', [8, 2, 2], 6)
  A.data[4 * 1] = Number.NaN
  A.data[4 * 7 + 3] = 1000
  A.data[4 * 7 + 1] = 0
  A.data[4 * 7 + 2] = 0

  it('are recorded by their place in the whole stack, and do not fail the chunk', async () => {
    const root = await storage({ A })
    const job = await open(root, {})
    expect(await failuresOf(job)).toEqual([])
    const results = [await job.runChunk(0), await job.runChunk(1), await job.runChunk(2)]
    expect(results.map(({ failures }) => failures)).toEqual([1, 0, 1])
    const expected = [
      { index: 1, code: 'ERR_NOT_FINITE' },
      { index: 7, code: 'ERR_OVERFLOW' },
    ]
    expect(await failuresOf(job)).toEqual(expected)
    expect(readdirSync(`${root}/Y/matfun/failures`).sort()).toEqual(['0.json', '2.json'])
    const again = await open(root, {})
    expect(await again.runChunk(2)).toEqual({ done: 'present', failures: 1 })
    expect(await failuresOf(again)).toEqual(expected)
    expect(await load(`${root}/Y`)).toEqual(Array.from(expm(A, { onFailure: 'nan' }).data))
  })

  it('of one matrix in many directions are those of all of them', async () => {
    const one = ndarray('float64', [1, 2, 2], Float64Array.of(Number.NaN, 0, 0, 0))
    const root = await storage({ one, A: randomArray('float64', [4, 2, 2], 7) })
    const job = await open(root, { operation: 'jvp', A: 'one', direction: 'A' })
    await runAll(job)
    expect((await failuresOf(job)).map(({ index }) => index)).toEqual([0, 1, 2, 3])
  })

  it('of a chunk that is not there are none, nor those of a chunk that was done anew without', async () => {
    const root = await storage({ A })
    const job = await open(root, {})
    await runAll(job)
    rmSync(`${root}/Y/c.0.0.0`)
    expect((await failuresOf(job)).map(({ index }) => index)).toEqual([7])
    await (await openZarr(`${root}/A`)).writeChunk(0, new Float64Array(12))
    await job.runChunk(0)
    expect((await failuresOf(job)).map(({ index }) => index)).toEqual([7])
    expect(readdirSync(`${root}/Y/matfun/failures`)).toEqual(['2.json'])
  })

  it.each(['', '{}', '[{"index":1}]', '[{"index":9,"code":"ERR_OVERFLOW"}]', '[null]', 'x'.repeat(5000)])(
    'in a file that is damaged are told: %.30s',
    async (text) => {
      const root = await storage({ A })
      const job = await open(root, {})
      await runAll(job)
      writeFileSync(`${root}/Y/matfun/failures/0.json`, text)
      await expect(failuresOf(job)).rejects.toThrow(
        /^Y: matfun\/failures\/0\.json|^matfun\/failures\/0\.json/,
      )
      await expect(job.runChunk(0)).rejects.toThrow(ChunkError)
    },
  )
})

describe('a job is refused', () => {
  const A = randomArray('float64', [8, 2, 2], 8)
  const arrays = {
    A,
    'A.npy': A,
    other: randomArray('float32', [8, 2, 2], 8),
    larger: randomArray('float64', [8, 3, 3], 8),
    fewer: randomArray('float64', [5, 2, 2], 8),
    numbers: { ...A, shape: [32] } as NDArray,
    'flat.npy': { ...A, shape: [32] } as NDArray,
    'wide.npy': { ...A, shape: [4, 2, 4] } as NDArray,
  }
  const derivative = { operation: 'jvp', direction: 'A' } as const

  it.each([
    [{ A: 'none' }, {}, /cannot read none: ENOENT: no such file or directory/],
    [{ A: 'none.npy' }, {}, /cannot read none\.npy: ENOENT: no such file or directory/],
    [{ A: 'numbers' }, {}, /^numbers: expected shape \(count, n, n\), got \(32,\)/],
    [{ A: 'flat.npy' }, {}, /^flat\.npy: expected shape \(\.\.\., n, n\)/],
    [{ A: 'wide.npy' }, {}, /^wide\.npy: expected shape \(\.\.\., n, n\)/],
    [{ A: 'damaged' }, {}, /^damaged: zarr_format must be 3/],
    [{ A: 'damaged.npy' }, {}, /^damaged\.npy: is not a \.npy file/],
    [
      { ...derivative, A: 'other' },
      {},
      /the same dtype in both inputs, got float32 in other and float64 in A/,
    ],
    [
      { ...derivative, A: 'larger' },
      {},
      /matrices of one order .*, got 8 of order 3 in larger and 8 of order 2 in A/,
    ],
    [{ ...derivative, A: 'fewer' }, {}, /as many of them in both inputs/],
    [
      { ...derivative, direction: 'coarse' },
      {},
      /cut alike, but A has chunks of 3, and coarse has chunks of 4/,
    ],
    [{ chunk: 4 }, {}, /cut alike, but chunk is 4, and A has chunks of 3/],
    [{ out: 'none/Y' }, {}, /cannot write none\/Y: ENOENT/],
    [{ out: 'A.npy2' }, { create: false }, /cannot (read|write) A\.npy2: ENOENT/],
    [{ out: 'fewer' }, {}, /^fewer is there already and is no job's output/],
    [{}, { limits: { maxOrder: 1 } }, /matrices of order 1 at most, got 2/],
    [{}, { limits: { maxChunkBytes: 100 } }, /chunks that take 100 bytes of memory at most, got 192/],
    [{}, { limits: { maxChunks: 2 } }, /2 chunks at most, got 3/],
  ] as const)('%j %j', async (description, place, message) => {
    const root = await storage(arrays)
    writeFolder(root, { 'damaged/zarr.json': zarrJson({ zarr_format: 2 }), 'damaged.npy': 'x' })
    const coarse = await createZarr(`${root}/coarse`, { dtype: 'float64', shape: [8, 2, 2], chunkLength: 4 })
    expect(coarse.chunks).toBe(2)
    const before = readdirSync(root).sort()
    const error = await open(root, description, place).catch((reason) => reason)
    expect(error).toBeInstanceOf(JobError)
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ code: 'ERR_JOB', retryable: false })
    expect(readdirSync(root).sort()).toEqual(before)
  })

  it('where its output belongs to another, which is named', async () => {
    const root = await storage({ A })
    const first = await open(root, {})
    const other = open(root, { options: { ...options, shift: false } })
    await expect(other).rejects.toThrow(
      new RegExp(
        `^Y is there already and belongs to job ${first.id}, not that of job [0-9a-f]{16}: remove it`,
      ),
    )
  })

  it('where a link leads outside its root, and nothing is read or written there', async () => {
    const outside = await storage({ A, 'A.npy': A })
    const root = await storage({ A })
    symlinkSync(`${outside}/A`, `${root}/far`)
    symlinkSync(`${outside}/A.npy`, `${root}/far.npy`)
    symlinkSync(outside, `${root}/folder`)
    for (const description of [
      { A: 'far' },
      { A: 'far.npy' },
      { A: 'folder/A' },
      { out: 'folder/Y' },
      { out: 'folder' },
      { operation: 'jvp', direction: 'A', value: 'folder/V' } as const,
    ])
      await expect(open(root, description), JSON.stringify(description)).rejects.toThrow(/outside/)
    expect(readdirSync(outside).sort()).toEqual(['A', 'A.npy'])
    const job = await open(root, {})
    symlinkSync(outside, `${root}/Y/matfun`)
    await (await openZarr(`${root}/A`)).writeChunk(0, new Float64Array(12).fill(Number.NaN))
    await expect(job.runChunk(0)).rejects.toThrow(/outside/)
    expect(readdirSync(outside).sort()).toEqual(['A', 'A.npy'])
  })
})

describe('what goes wrong with a chunk', () => {
  it('says whether trying again can help', async () => {
    const A = randomArray('float64', [8, 2, 2], 9)
    const root = await storage({ A, E: randomArray('float64', [8, 2, 2], 10) })
    const job = await open(root, { operation: 'jvp', direction: 'E' })
    truncateSync(`${root}/E/c.1.0.0`, 5)
    const error = await job.runChunk(1).catch((reason) => reason)
    expect(error).toBeInstanceOf(ChunkError)
    expect(error).toMatchObject({ code: 'ERR_CHUNK', chunk: 1, retryable: false })
    expect(error.message).toBe('chunk 1: E: c.1.0.0 must have 96 bytes, got 5')
    expect(await job.runChunk(0)).toMatchObject({ done: 'computed' })
    expect(await job.missingChunks()).toEqual([1, 2])
  })

  it.each([
    ['EIO', true],
    ['ESTALE', true],
    ['ENOSPC', true],
    ['EDQUOT', true],
    ['EMFILE', true],
    ['ETIMEDOUT', true],
    ['EACCES', false],
    ['ENOENT', true],
    ['EROFS', false],
  ])('%s', async (code, retryable) => {
    const problem = Object.assign(new Error(`${code}: something, write '/secret/.matfun-1.tmp'`), {
      code,
      syscall: 'write',
    })
    const error = await onChunk(3, 'write', 'Y', () => Promise.reject(problem)).catch((reason) => reason)
    expect(error).toBeInstanceOf(ChunkError)
    expect(error).toMatchObject({
      chunk: 3,
      retryable,
      message: `chunk 3: cannot write Y: ${code}: something`,
    })
  })

  it('is no fill value where the whole array is gone, as storage that is unmounted', async () => {
    const root = await storage({ A: randomArray('float64', [8, 2, 2], 11) })
    const job = await open(root, {})
    renameSync(`${root}/A`, `${root}/gone`)
    const error = await job.runChunk(0).catch((reason) => reason)
    expect(error).toMatchObject({ name: 'ChunkError', retryable: true })
    expect(error.message).toBe('chunk 0: cannot read A: ENOENT: no such file or directory')
    renameSync(`${root}/gone`, `${root}/A`)
    expect(await job.runChunk(0)).toMatchObject({ done: 'computed' })
  })

  it('is no chunk error where it is a mistake in the program', async () => {
    const mistake = new TypeError('undefined is not a function')
    await expect(onChunk(3, 'write', 'Y', () => Promise.reject(mistake))).rejects.toBe(mistake)
  })
})
