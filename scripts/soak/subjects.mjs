/**
 * @typedef {object} Subject something that is called a million times
 * @property {string} name
 * @property {string} call text of one call, k the how manieth; asynchronous where it awaits
 * @property {number} [calls] in all, where a million would take minutes: files are brought to their disk, and servers asked
 * @property {number} [mostMiB] that the process may grow by, where buffers of files and sockets make its size wander: default 1
 * @property {boolean} [asksServer] whether it needs a Redis or Valkey server
 */

/**
 * Every function of the package, with matrices that take the short way of one (A, E: order 2) and, every tenth time, that of a
 * batch in a workspace (B, F: two of order 10), so that what either leaves behind shows.
 * @type {readonly Subject[]}
 */
export const subjects = [
  { name: 'expm', call: 'm.expm(k % 10 ? A : B)' },
  { name: 'expm into out', call: 'm.expm(A, { out })' },
  { name: 'expm of nested arrays', call: 'm.expm([[0, 1], [-1, 0]])' },
  { name: 'expmJVP', call: 'k % 10 ? m.expmJVP(A, E) : m.expmJVP(B, F)' },
  { name: 'expmVJP', call: 'k % 10 ? m.expmVJP(A, E) : m.expmVJP(B, F)' },
  { name: 'expmCond', call: 'm.expmCond(k % 50 ? A : B)' },
  { name: 'expmPlan', call: 'm.expmPlan(k % 10 ? A : B)' },
  {
    name: 'expmLinearize, disposed of',
    call: `const [X, D] = k % 10 ? [A, E] : [B, F]
      const kept = m.expmLinearize(X)
      kept.jvp(D)
      kept.vjp(D)
      if (k % 10 === 1) kept.conditionNumber()
      kept.dispose()`,
  },
  {
    name: 'expmLinearize, left to the collector',
    call: 'k % 10 ? m.expmLinearize(A).vjp(E) : m.expmLinearize(B).jvp(F)',
  },
  { name: 'expmAsync', call: 'await m.expmAsync(k % 10 ? A : B)' },
  { name: 'expmJVPAsync', call: 'await (k % 10 ? m.expmJVPAsync(A, E) : m.expmJVPAsync(B, F))' },
  {
    name: 'expmVJPAsync with signal and progress',
    call: 'await m.expmVJPAsync(A, E, { signal, onProgress })',
  },
  {
    name: 'expmAsync, aborted',
    call: `const controller = new AbortController()
      if (k % 3 === 0) controller.abort()
      const promise = m.expmAsync(k % 10 ? A : B, { signal: controller.signal }).catch(() => {})
      if (k % 3 === 1) controller.abort()
      await promise`,
    calls: 300_000,
  },
  {
    name: 'calls that throw',
    call: `const wrong = k % 4
      try {
        if (wrong === 0) m.expm(bad)
        else if (wrong === 1) m.expmLinearize(bad)
        else if (wrong === 2) m.expm(A, { out: A })
        else m.expmVJP(A, B)
      } catch {}`,
  },
  { name: 'info', call: 'm.info()' },
  { name: 'expm of matfun/reference', call: 'reference.expm(A)', calls: 300_000 },
  {
    name: 'writeNpy and readNpy of matfun/npy',
    call: 'npy.writeNpy(file, array); npy.readNpy(file)',
    calls: 100_000,
  },
  {
    name: 'createNpy and openNpy of matfun/npy',
    call: `const writer = npy.createNpy(file, 'float64', [2, 10, 10])
      writer.write(array.data)
      writer.finish()
      const reader = npy.openNpy(file)
      reader.read(k % 2)
      reader.close()`,
    calls: 50_000,
  },
  {
    name: 'createZarr and openZarr of matfun/zarr',
    call: `const name = nameOf(k)
      const made = await zarr.createZarr(at(name), spec)
      await made.writeChunk(0, chunk)
      const read = await zarr.openZarr(at(name), { root: folder })
      await read.readChunk(0)
      await read.presentChunks()
      await remove(name)`,
    calls: 10_000,
    mostMiB: 4,
  },
  { name: 'expm of matfun/tfjs', call: 'tf.tidy(() => tfjs.expm(tensor))', calls: 50_000 },
  {
    name: 'its gradient',
    call: 'tf.tidy(() => tf.grad((x) => tfjs.expm(x))(tensor, tensor))',
    calls: 50_000,
  },
  {
    name: 'jobs of arrays',
    call: `const out = nameOf(k)
      const opened = await job.openJob({ ...descriptionOf(out), A: 'S.zarr' }, { root: folder })
      await opened.runChunk(0)
      await opened.missingChunks()
      for await (const failure of opened.failures()) throw new Error(failure.code)
      await opened.removeAbandoned()
      await opened.close()
      await remove(out)`,
    calls: 10_000,
    mostMiB: 4,
  },
  {
    name: 'openQueue and startWorker of matfun/queue',
    call: `const opened = await queue.openQueue(address)
      const worker = await queue.startWorker(address, { root: folder })
      await opened.jobs()
      await worker.close()
      await opened.close()`,
    calls: 3000,
    mostMiB: 4,
    asksServer: true,
  },
  {
    name: 'jobs on a queue',
    call: `const out = nameOf(k)
      const { id } = await jobs.submit({ ...descriptionOf(out), A: 'S.zarr' }, { root: folder })
      for await (const { complete } of jobs.follow(id, { interval: 20 })) if (complete) break
      await jobs.status(id)
      await jobs.cancel(id)
      await remove(out)`,
    calls: 3000,
    mostMiB: 4,
    asksServer: true,
  },
]
