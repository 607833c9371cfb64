import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createZarr } from '../lib/zarr/index.ts'
import { main, matfun } from './support/command-line.ts'
import { uniform } from './support/matrices.ts'
import { npyBytes, temporaryFolder } from './support/npy-files.ts'
import { runText } from './support/programs.ts'

const at = temporaryFolder()
const options = { method: 'auto', shift: 'auto', balance: 'auto', structure: 'auto' }
const args = [
  'run',
  'vjp',
  '--a',
  'A.npy',
  '--direction',
  'W.npy',
  '-o',
  'G',
  '--value',
  'V',
  '--chunk',
  '512',
]
const count = 2 ** 15

/** A folder with 2^15 matrices of order 6 and as many directions; one matrix in a thousand is not finite. */
function folder(name: string): string {
  mkdirSync(at(name))
  for (const [file, step] of [
    ['A.npy', 1],
    ['W.npy', 2],
  ] as const) {
    const numbers = Float64Array.from({ length: count * 36 }, (_, k) => Math.sin(step * k))
    if (file === 'A.npy') for (let k = 0; k < count; k += 1000) numbers[k * 36] = Number.NaN
    const data = new Uint8Array(numbers.buffer)
    writeFileSync(`${at(name)}/${file}`, npyBytes({ shape: [count, 6, 6], data }))
  }
  return at(name)
}

/** Of each file of both outputs, its name and what it holds. */
function digest(place: string): string[] {
  return ['G', 'V'].flatMap((name) =>
    (readdirSync(`${place}/${name}`, { recursive: true, withFileTypes: true }) ?? [])
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.matfun-'))
      .map((entry) => {
        const path = `${entry.parentPath}/${entry.name}`
        const hash = createHash('sha256').update(readFileSync(path)).digest('hex')
        return `${path.slice(place.length)} ${hash}`
      })
      .sort(),
  )
}

const source = folder('whole')
const began = performance.now()
expect(matfun(source, ...args, '--threads', '1').status).toBe(1)
const took = performance.now() - began
const whole = digest(source)

function fresh(name: string): string {
  const place = at(name)
  mkdirSync(place)
  for (const file of ['A.npy', 'W.npy']) cpSync(`${source}/${file}`, `${place}/${file}`)
  return place
}

describe('a job of several processes', () => {
  it('leaves the files that are expected', () => {
    const chunks = count / 512
    expect(whole).toHaveLength(2 * chunks + 2 + 33) // chunks, zarr.json, and failures of one in a thousand matrices
  })

  it('that is killed at random moments continues, to the same bytes', async () => {
    const place = fresh('killed')
    const next = uniform(1)
    let kills = 0
    for (let status: number | null = null; status !== 1; ) {
      expect(kills).toBeLessThan(200)
      const child = spawn(process.execPath, [main, ...args, '--threads', '1'], {
        cwd: place,
        stdio: 'ignore',
      })
      const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
      // Within what a whole run takes, and later each time, so that it comes to an end.
      await Promise.race([ended, setTimeout(took * (0.2 + 0.6 * next() + 0.2 * kills))])
      child.kill('SIGKILL')
      status = await ended
      if (status === null) kills++
      // What is under its name is whole at any moment.
      for (const line of existing(place)) expect(whole).toContain(line)
    }
    expect(kills).toBeGreaterThan(0)
    expect(digest(place)).toEqual(whole)
  })

  it('done by three at once has the same bytes', async () => {
    const place = fresh('together')
    const ends = await Promise.all(
      [1, 2, 3].map(() => {
        const child = spawn(process.execPath, [main, ...args, '--threads', '1'], { cwd: place })
        return new Promise((resolve) => child.on('exit', resolve))
      }),
    )
    expect(ends).toEqual([1, 1, 1])
    expect(digest(place)).toEqual(whole)
    expect(readdirSync(`${place}/G`).filter((name) => name.startsWith('.'))).toEqual([])
  })

  // As a full disk, which takes a mount and so root: the limit of a file's size, in blocks of 1024 bytes.
  it('that finds no room ends with an error, leaves nothing half, and continues', () => {
    const place = fresh('full')
    const text = `ulimit -f 100; exec "$0" "$@"`
    const limited = spawnSync('bash', ['-c', text, process.execPath, main, ...args], {
      cwd: place,
      encoding: 'utf8',
    })
    expect(limited.status).toBe(2)
    expect(limited.stderr).toMatch(
      /^matfun: chunk \d+: cannot write V: EFBIG: file too large \(0 of 64 chunks are there, and the same command does the others\)\n$/,
    )
    expect(readdirSync(`${place}/G`)).toEqual(['zarr.json'])
    expect(readdirSync(`${place}/V`)).toEqual(['zarr.json'])
    expect(matfun(place, ...args).status).toBe(1)
    expect(digest(place)).toEqual(whole)
  })
})

function existing(place: string): string[] {
  try {
    return digest(place)
  } catch {
    return [] // Killed before there were outputs.
  }
}

/** Arrays of 8 x 8 matrices in 16 chunks of 16 MB: plain ones, and encoded ones. */
const megabytes = 16
const spec = { dtype: 'float64', shape: [16 * 2 ** 15, 8, 8], chunkLength: 2 ** 15 } as const

async function largeArrays(): Promise<string> {
  const root = at('memory')
  mkdirSync(root)
  const plain = await createZarr(`${root}/A`, spec)
  const numbers = Float64Array.from({ length: 2 ** 21 }, (_, k) => 0.1 * Math.sin(k))
  for (let k = 0; k < plain.chunks; k++) await plain.writeChunk(k, numbers)
  cpSync(`${root}/A`, `${root}/E`, { recursive: true })
  cpSync(`${root}/A`, `${root}/packed`, { recursive: true })
  const json = JSON.parse(readFileSync(`${root}/A/zarr.json`, 'utf8'))
  json.codecs.push({ name: 'gzip', configuration: { level: 1 } })
  writeFileSync(`${root}/packed/zarr.json`, JSON.stringify(json))
  const packed = gzipSync(new Uint8Array(numbers.buffer), { level: 1 })
  for (let k = 0; k < plain.chunks; k++) writeFileSync(`${root}/packed/c.${k}.0.0`, packed)
  return root
}

/** What a job takes at most, in MB, beside what a process has that did a chunk of a small one. */
function megabytesTaken(root: string, description: object, inFlight: number): number {
  const { stdout, stderr, status } = runText(`
    const { openJob } = await import('${new URL('../dist/job/index.js', import.meta.url).href}')
    const run = async (description, chunks, inFlight) => {
      const job = await openJob(description, { root: ${JSON.stringify(root)}, threads: 2 })
      let next = 0
      const runNext = async () => { while (next < chunks) await job.runChunk(next++) }
      await Promise.all(Array.from({ length: inFlight }, runNext))
    }
    const description = ${JSON.stringify({ ...description, options })}
    await run({ operation: 'expm', A: 'small.npy', out: description.out + '-small', options: description.options }, 1, 1)
    const before = process.memoryUsage.rss()
    await run(description, 16, ${inFlight})
    console.log(process.resourceUsage().maxRSS / 2 ** 10 - before / 2 ** 20)`)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return Number(stdout)
}

describe('memory', async () => {
  const root = await largeArrays()
  writeFileSync(`${root}/small.npy`, npyBytes({ shape: [1, 1], data: new Uint8Array(8) }))
  const vjp = { operation: 'vjp', direction: 'E' }

  // Were chunks kept, or left to be collected, there would be 256 MB of each array.
  it.each([
    ['exponentials, one chunk at a time', { operation: 'expm', A: 'A' }, 1, 2],
    ['exponentials, two', { operation: 'expm', A: 'A' }, 2, 4],
    ['cotangents, one', { ...vjp, A: 'A', value: 'V1' }, 1, 4],
    ['cotangents, two', { ...vjp, A: 'A', value: 'V2' }, 2, 8],
    // Besides: the chunk's file and what is unpacked of it, in pieces and whole; and 64 MB that V8 leaves lying about.
    ['exponentials of encoded matrices, one', { operation: 'expm', A: 'packed' }, 1, 2 + 3 + 4],
  ])('of %s is that of the arrays', (name, description, inFlight, arrays) => {
    const out = `out of ${name.replaceAll(/[^a-z]/g, '')}`
    // The threads' workspaces, and what V8 takes for itself. When V8 collects is chance: the least of up to three counts.
    const bound = arrays * megabytes + 24
    let least = Number.POSITIVE_INFINITY
    for (let k = 0; k < 3 && least >= bound; k++)
      least = Math.min(
        least,
        megabytesTaken(
          root,
          {
            ...description,
            out: `${out} ${k}`,
            ...('value' in description ? { value: `${description.value} ${k}` } : {}),
          },
          inFlight,
        ),
      )
    expect(least).toBeLessThan(bound)
  })
})

it('the package without zarrita reads and writes plain arrays, and says what to install for others', () => {
  const place = at('bare')
  const root = fileURLToPath(new URL('..', import.meta.url))
  mkdirSync(place)
  // Away from the repository, so that no node_modules are above.
  cpSync(`${root}/dist`, `${place}/dist`, { recursive: true })
  cpSync(`${root}/package.json`, `${place}/package.json`)
  const module = (name: string): string => JSON.stringify(`${place}/dist/${name}/index.js`)
  const { stdout, stderr, status } = runText(`
    const { createZarr, openZarr } = await import(${module('zarr')})
    const { readFileSync, writeFileSync } = await import('node:fs')
    const path = ${JSON.stringify(place)} + '/A.zarr'
    const A = await createZarr(path, { dtype: 'complex64', shape: [2, 1, 1], chunkLength: 2 })
    await A.writeChunk(0, Float32Array.of(1, 2, 3, 4))
    console.log(String(await (await openZarr(path)).readChunk(0)))
    const json = JSON.parse(readFileSync(path + '/zarr.json', 'utf8'))
    writeFileSync(path + '/zarr.json', JSON.stringify({ ...json, codecs: [...json.codecs, { name: 'zstd' }] }))
    await openZarr(path).catch((error) => console.log(error.name, error.message.replace(path, 'A.zarr')))`)
  rmSync(place, { recursive: true })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout.split('\n')).toEqual([
    '1,2,3,4',
    'ZarrError A.zarr: its chunks are encoded in a way that needs the package zarrita: npm install zarrita',
    '',
  ])
})
