import type { ChainableCommander, Redis } from 'ioredis'
import { readInteger } from '../integer.ts'
import { defaultLimits, parseDescription } from '../job/index.ts'
import type { DType } from '../ndarray.ts'
import { QueueError } from './error.ts'
import type { JobRecord, KnownJob } from './job-queue.ts'

/** What the storage has of a job's results. */
export interface Storage {
  /** The chunks that are not there. */
  readonly absent: readonly number[]
  /** How many matrices failed, by chunk, of those that are there and have some. */
  readonly failures: ReadonlyMap<number, number>
}

const jobsKey = 'matfun:jobs'
const daysKept = 30
const chunksAtOnce = 10_000

/** Times are the server's, since hosts' clocks differ. */
const now = `local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** Nothing is entered of a job that is not known, because it was cancelled. */
const unlessCancelled = `if redis.call('exists', KEYS[1]) == 0 then return 0 end`

/** ARGV: chunk, failures. The sum is kept, since a job may have a million chunks with some. */
const setFailures = `local before = tonumber(redis.call('hget', KEYS[3], ARGV[1]) or 0)
local failures = tonumber(ARGV[2])
if failures > 0 then redis.call('hset', KEYS[3], ARGV[1], failures) else redis.call('hdel', KEYS[3], ARGV[1]) end
redis.call('hincrby', KEYS[1], 'failures', failures - before)`

// Scripts over the three keys of a job: the hash of what is known, the bits of what is done, and failures by chunk.
const scripts = {
  /** ARGV: how many chunks are there, then fields and values. */
  enter: `${now}
redis.call('hset', KEYS[1], 'present', unpack(ARGV))
redis.call('hset', KEYS[1], 'submitted', now)
redis.call('hdel', KEYS[1], 'finished', 'started', 'latest')
for k = 1, 3 do redis.call('persist', KEYS[k]) end
return now`,
  /** ARGV: chunk, failures. */
  enterPresent: `${unlessCancelled}
redis.call('setbit', KEYS[2], ARGV[1], 1)
${setFailures}`,
  /** ARGV: chunk, failures, milliseconds that it took. */
  enterDone: `${unlessCancelled}
${now}
redis.call('setbit', KEYS[2], ARGV[1], 1)
${setFailures}
redis.call('hsetnx', KEYS[1], 'started', now - ARGV[3])
redis.call('hset', KEYS[1], 'latest', now)
return redis.call('bitcount', KEYS[2])`,
  /** ARGV: chunk, 0. */
  removeDone: `${unlessCancelled}
redis.call('setbit', KEYS[2], ARGV[1], 0)
${setFailures}`,
  /** ARGV: when the job was submitted that the storage was looked at for, seconds to keep what is known. */
  finish: `${now}
if redis.call('hget', KEYS[1], 'submitted') ~= ARGV[1] then return 0 end
if redis.call('bitcount', KEYS[2]) ~= tonumber(redis.call('hget', KEYS[1], 'chunks')) then return 0 end
redis.call('hsetnx', KEYS[1], 'finished', now)
for k = 1, 3 do redis.call('expire', KEYS[k], ARGV[2]) end
return 1`,
} as const

/**
 * What Redis knows of jobs besides their waiting chunks, which are BullMQ's: a hash with the facts, a bit for each chunk that is done, and
 * how many matrices of it failed. All of it is derived from the storage, may be written twice, and can be lost without harm: submitting a
 * job again makes it anew. Keys: `matfun:jobs` (ids by time of submission), `matfun:job:<id>`, with `:done` and `:failures`.
 */
export class Ledger {
  readonly #redis: Redis

  constructor(redis: Redis) {
    this.#redis = redis
  }

  /**
   * Enters a job, or enters it again; when, by the server's clock. `doneBefore` are the bits as they were before the storage was looked
   * at: a bit is set only once its chunk is there, so a chunk that had one and is not there was removed since, and loses it.
   */
  async enter(facts: KnownJob, { absent, failures }: Storage, doneBefore: Uint8Array): Promise<number> {
    const { id, chunks, description, dtype, n, count } = facts
    const fields = { description: JSON.stringify(description), dtype, n, count, chunks }
    const submitted = await this.#run('enter', id, chunks - absent.length, ...Object.entries(fields).flat())
    await this.#redis.zadd(jobsKey, submitted, id)
    await this.removeDone(
      id,
      absent.filter((chunk) => isSet(doneBefore, chunk)),
    )
    const lacking = new Set(absent)
    const present: number[] = []
    for (let k = 0; k < chunks; k++)
      if (!lacking.has(k) && (!isSet(doneBefore, k) || failures.has(k))) present.push(k)
    await this.#each(present, (commands, chunk) =>
      commands.call('eval', scripts.enterPresent, 3, ...keysOf(id), chunk, failures.get(chunk) ?? 0),
    )
    return submitted
  }

  /** Whether a job is known: neither cancelled nor long finished. */
  async has(id: string): Promise<boolean> {
    return (await this.#redis.exists(keysOf(id)[0])) > 0
  }

  /** The bits of the chunks that are done, the first one being the highest of the first byte. */
  async doneBits(id: string): Promise<Uint8Array> {
    return (await this.#redis.getBuffer(keysOf(id)[1])) ?? new Uint8Array()
  }

  /** Enters a chunk that is on the storage, and took so many milliseconds; how many are. 0 of a job that was cancelled. */
  async enterDone(id: string, chunk: number, failures: number, milliseconds: number): Promise<number> {
    return await this.#run('enterDone', id, chunk, failures, Math.max(0, Math.round(milliseconds)))
  }

  /** Takes back chunks that were entered but are not on the storage. */
  async removeDone(id: string, chunks: readonly number[]): Promise<void> {
    await this.#each(chunks, (commands, chunk) =>
      commands.call('eval', scripts.removeDone, 3, ...keysOf(id), chunk, 0),
    )
  }

  /**
   * Enters that every chunk was found on the storage, unless the job was submitted again since that was begun, or a bit says otherwise.
   * What is known of the job is kept for 30 days from then on.
   */
  async finish(id: string, submitted: number): Promise<void> {
    await this.#run('finish', id, submitted, daysKept * 86_400)
  }

  /** The jobs that were submitted, the latest first. */
  async ids(): Promise<string[]> {
    const ids = (await this.#redis.zrevrange(jobsKey, 0, -1)).filter(isJobId)
    const known = await all(
      ids.reduce((commands, id) => commands.exists(keysOf(id)[0]), this.#redis.pipeline()),
    )
    const expired = ids.filter((_, k) => known[k] === 0)
    if (expired.length > 0) await this.#redis.zrem(jobsKey, ...expired)
    return ids.filter((_, k) => known[k] !== 0)
  }

  /** The server's time, in milliseconds. */
  async now(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time()
    return 1000 * Number(seconds) + Math.floor(Number(microseconds) / 1000)
  }

  /** What is known of a job; undefined where nothing is. Errors: {@link QueueError} for a record that no matfun has made. */
  async read(id: string): Promise<JobRecord | undefined> {
    if (!isJobId(id)) throw new QueueError(`expected a job's id of 16 hexadecimal digits, got ${shown(id)}`)
    const [job, done] = keysOf(id)
    const [record, bits] = await readingOf(id, () => all(this.#redis.pipeline().hgetall(job).bitcount(done)))
    const fields = record as Record<string, string>
    return Object.keys(fields).length === 0 ? undefined : readRecord(id, fields, bits as number)
  }

  /** Removes what is known of a job. */
  async forget(id: string): Promise<void> {
    await all(
      this.#redis
        .pipeline()
        .unlink(...keysOf(id)) // a million failures take the server a while to free
        .zrem(jobsKey, id),
    )
  }

  async #run(script: keyof typeof scripts, id: string, ...values: (string | number)[]): Promise<number> {
    return (await this.#redis.call('eval', scripts[script], 3, ...keysOf(id), ...values)) as number
  }

  /** Commands for each chunk, many in a round trip. */
  async #each(
    chunks: readonly number[],
    step: (commands: ChainableCommander, chunk: number) => ChainableCommander,
  ): Promise<void> {
    for (let first = 0; first < chunks.length; first += chunksAtOnce)
      await all(chunks.slice(first, first + chunksAtOnce).reduce(step, this.#redis.pipeline()))
  }
}

/** Whether a chunk is done by these bits. */
export function isSet(bits: Uint8Array, chunk: number): boolean {
  return ((bits[chunk >> 3] ?? 0) & (128 >> (chunk & 7))) !== 0
}

/** Runs a step that reads keys of a job. A key of another type of value than matfun puts there is a {@link QueueError} that names the job. */
export async function readingOf<T>(id: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    const { name, message } = error as Error
    if (name !== 'ReplyError' || !message.startsWith('WRONGTYPE')) throw error
    throw new QueueError(
      `job ${id} cannot be read: one of its keys in Redis has a type that matfun does not write there`,
      { cause: error },
    )
  }
}

/** Whether a text has the form of a job's id. */
export function isJobId(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{16}$/.test(text)
}

/** What came from a server, short and without what a terminal would obey. */
export function shown(text: unknown): string {
  return JSON.stringify(String(text).slice(0, 200))
}

function keysOf(id: string): [job: string, done: string, failures: string] {
  const job = `matfun:job:${id}`
  return [job, `${job}:done`, `${job}:failures`]
}

/** Whoever may write to the server may have written this. */
function readRecord(id: string, fields: Readonly<Record<string, string>>, done: number): JobRecord {
  const integer = (name: string, most = Number.MAX_SAFE_INTEGER): number => {
    const value = readInteger(fields[name] ?? '0', 0, most)
    if (value !== undefined) return value
    throw new QueueError(`the record of job ${id} has ${shown(fields[name])} for ${name}`)
  }
  const time = (name: string): number | undefined => (fields[name] === undefined ? undefined : integer(name))
  try {
    return {
      id,
      description: parseDescription(JSON.parse(fields.description)),
      dtype: fields.dtype as DType,
      n: integer('n'),
      count: integer('count'),
      chunks: integer('chunks', defaultLimits.maxChunks),
      done,
      present: integer('present'),
      failures: integer('failures'),
      submitted: integer('submitted'),
      started: time('started'),
      latest: time('latest'),
      finished: time('finished'),
    }
  } catch (error) {
    if (error instanceof QueueError) throw error
    throw new QueueError(`the record of job ${id} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** The answers, or the first error among them. */
async function all(commands: ChainableCommander): Promise<unknown[]> {
  const answers = (await commands.exec()) ?? []
  return answers.map(([error, answer]) => {
    if (error) throw error
    return answer
  })
}
