// Children that are started while calls are in flight. What Node offers is a fork followed at once by another program
// (child_process, cluster); a child that goes on with a copy of the parent's memory, as Python's multiprocessing has, does not exist
// there. Between fork and exec the handlers run that libraries left with pthread_atfork, OpenBLAS's among them.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from './support/npy-files.ts'
import { packageUrl } from './support/programs.ts'

/** What parent and children compute: with BLAS's solves and Schur forms, in two dtypes, now and later. */
const calls = `
  const { createHash } = await import('node:crypto')
  const { expm, expmAsync, expmVJPAsync, expmLinearize } = await import('${packageUrl}')
  const stack = (dtype, n, count, parts) => {
    const data = Float64Array.from({ length: parts * n * n * count }, (_, k) => Math.sin(k) * (k % 5 === 0 ? 3 : 0.1))
    return { dtype, data, shape: [count, n, n] }
  }
  const real = stack('float64', 40, 20, 1), complex = stack('complex128', 24, 10, 2)
  const digest = (arrays) => arrays.reduce((hash, { data }) => hash.update(data), createHash('sha1')).digest('hex')
  const compute = async () => {
    const options = { method: 'pade' }
    const later = [expmAsync(real, options), expmAsync(complex), expmVJPAsync(real, real, options)]
    const now = [expm(complex, options), expmLinearize(real).vjp(real)]
    const [a, b, { value, cotangent }] = await Promise.all(later)
    return digest([a, b, value, cotangent, ...now])
  }`

const childProgram = `${calls}
  process.on('message', async () => {
    process.send(await compute())
    process.disconnect()
  })
  if (!process.send) console.log(await compute())`

const at = temporaryFolder()

/** Runs the text of a module that lies in a file, since what is forked takes over the flags of its parent. */
function run(name: string, text: string) {
  writeFileSync(at(name), text)
  return spawnSync(process.execPath, [at(name)], { encoding: 'utf8', timeout: 50_000 })
}

let child: string
/** What a process says that has no children. */
let alone: string
beforeAll(() => {
  const { status, stdout, stderr } = run('child.mjs', childProgram)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  child = at('child.mjs')
  alone = stdout.trim()
})

/** Runs a parent, all of whose answers, its own and its children's, have to be right. */
function expectSame(parent: string, answers: number): void {
  const { status, signal, stdout, stderr } = run('parent.mjs', parent)
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  expect(stdout.trim().split('\n')).toEqual(new Array(answers).fill(alone))
}

test('fork() amid calls: parent and children have their right numbers', () => {
  expectSame(
    `${calls}
    const { fork } = await import('node:child_process')
    const answers = Array.from({ length: 6 }, async (_, k) => {
      const mine = compute()
      if (k % 3 === 2) await new Promise(setImmediate)
      const process = fork(${JSON.stringify(child)})
      process.send('go')
      const theirs = new Promise((resolve, reject) => process.once('message', resolve).once('error', reject))
      return [await mine, await theirs]
    })
    console.log((await Promise.all(answers)).flat().join('\\n'))`,
    12,
  )
})

test('programs started one after the other, while the pool never rests, disturb no call', () => {
  expectSame(
    `${calls}
    const { spawn, spawnSync, execFileSync } = await import('node:child_process')
    let busy = true
    const answers = []
    const keepBusy = async () => { while (busy) answers.push(await compute()) }
    const loops = [keepBusy(), keepBusy()]
    for (let k = 0; k < 30; k++) {
      if (k % 3 === 0) spawnSync('true')
      else if (k % 3 === 1) execFileSync('true')
      else await new Promise((resolve) => spawn('true').once('exit', resolve))
      await new Promise(setImmediate)
    }
    busy = false
    await Promise.all(loops)
    console.log([...new Set(answers)].join('\\n'))`,
    1,
  )
})

test('workers that start programs amid calls, and are terminated, disturb no other thread', () => {
  expectSame(
    `${calls}
    const { Worker } = await import('node:worker_threads')
    const program = ${JSON.stringify(`${calls}
      const { spawn } = await import('node:child_process')
      const { parentPort } = await import('node:worker_threads')
      compute()
      spawn('sleep', ['0.01'])
      parentPort.postMessage('started')
      for (;;) { spawn('true'); await compute() }`)}
    const url = new URL('data:text/javascript,' + encodeURIComponent(program))
    const answers = await Promise.all([0, 1, 2].map(async (k) => {
      const worker = new Worker(url)
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      const mine = compute()
      await new Promise((resolve) => setTimeout(resolve, 20 * k))
      await worker.terminate()
      return mine
    }))
    console.log(answers.join('\\n'))`,
    3,
  )
})

test('cluster: primary and workers compute at once', () => {
  expectSame(
    `${calls}
    const { default: cluster } = await import('node:cluster')
    if (cluster.isPrimary) {
      const mine = compute()
      const theirs = [0, 1, 2].map(() => {
        const worker = cluster.fork()
        return new Promise((resolve) => worker.once('message', resolve))
      })
      console.log([await mine, ...(await Promise.all(theirs))].join('\\n'))
    } else {
      process.send(await compute())
      cluster.worker.disconnect()
    }`,
    4,
  )
})

test('a child that is killed amid calls, and a parent that exits before its child, leave the other alone', () => {
  expectSame(
    `${calls}
    const { fork } = await import('node:child_process')
    const children = [0, 1, 2, 3].map(() => fork(${JSON.stringify(child)}))
    for (const [k, process] of children.entries()) {
      process.send('go')
      setTimeout(() => process.kill('SIGKILL'), 10 + 15 * k)
    }
    console.log(await compute())
    for (const process of children) process.unref(), process.channel?.unref()`,
    1,
  )
})
