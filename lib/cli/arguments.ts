import { parseArgs } from 'node:util'
import type { ExpmPlanOptions } from '../index.ts'
import { readInteger } from '../integer.ts'
import type { JobLimits } from '../job/index.ts'
import type { Choice, Method, PlanOptions, Structure } from '../options.ts'
import { maxThreads } from '../threads.ts'
import { UsageError } from './errors.ts'

const common = ['method', 'shift', 'balance', 'structure', 'json'] as const
const computing = ['out', 'threads', ...common] as const
const resumable = [...computing, 'resume', 'take-over'] as const
const limits = ['max-order', 'max-chunk'] as const
const queueing = ['queue', 'follow', 'retry-failed', ...limits] as const

/** What each command takes. */
export const commands = {
  expm: { inputs: ['A.npy'], options: resumable },
  jvp: { inputs: ['A.npy', 'E.npy'], options: ['value', ...resumable] },
  vjp: { inputs: ['A.npy', 'W.npy'], options: ['value', ...resumable] },
  cond: { inputs: ['A.npy'], options: resumable },
  run: {
    inputs: ['expm, jvp, vjp or cond'],
    options: ['a', 'direction', 'value', 'chunk', 'root', ...computing, ...queueing],
  },
  convert: { inputs: ['A.npy or A.zarr'], options: ['out', 'chunk', 'json'] },
  plan: { inputs: ['A.npy'], options: ['purpose', ...common] },
  worker: {
    inputs: [],
    options: ['queue', 'root', 'threads', 'concurrency', 'lock', ...limits, 'verbose', 'json'],
  },
  status: { inputs: ['[JOB]'], options: ['queue', 'follow', 'json'] },
  cancel: { inputs: ['JOB'], options: ['queue', 'json'] },
  info: { inputs: [], options: ['json'] },
} as const

const methods: readonly Method[] = ['auto', 'polynomial', 'pade']
const choices: Readonly<Record<'auto' | 'on' | 'off', Choice>> = { auto: 'auto', on: true, off: false }
const choiceNames = ['auto', 'on', 'off'] as const
const structures: readonly Structure[] = ['auto', 'general', 'generator']
const purposes: readonly Purpose[] = ['value', 'derivative']

/** The name of a command. */
export type CommandName = keyof typeof commands

/** What a plan is for; see expmPlan. */
export type Purpose = NonNullable<ExpmPlanOptions['purpose']>

/** A command line, checked as far as can be without touching a file. */
export interface Command {
  readonly name: CommandName
  readonly inputs: readonly string[]
  readonly out: string | undefined
  readonly value: string | undefined
  /** Every one given or defaulted. */
  readonly options: Required<PlanOptions>
  readonly purpose: Purpose
  readonly threads: number | undefined
  readonly resume: boolean
  readonly takeOver: boolean
  /** Of `run` and `convert`. */
  readonly arrays: ArrayArguments
  /** Of the commands that use a queue. */
  readonly queue: QueueArguments
  readonly json: boolean
}

/** What only the commands of Zarr arrays take, as it was given. */
export interface ArrayArguments {
  readonly a: string | undefined
  readonly direction: string | undefined
  /** Matrices of a chunk. */
  readonly chunk: number | undefined
  readonly root: string | undefined
}

/** What only the commands of a queue take, as it was given. */
export interface QueueArguments {
  readonly address: string | undefined
  readonly concurrency: number | undefined
  /** In seconds. */
  readonly lock: number | undefined
  readonly limits: Partial<JobLimits>
  readonly retryFailed: boolean
  readonly follow: boolean
  readonly verbose: boolean
}

const flags = {
  out: { type: 'string', short: 'o' },
  value: { type: 'string' },
  method: { type: 'string' },
  shift: { type: 'string' },
  balance: { type: 'string' },
  structure: { type: 'string' },
  purpose: { type: 'string' },
  a: { type: 'string' },
  direction: { type: 'string' },
  chunk: { type: 'string' },
  root: { type: 'string' },
  threads: { type: 'string' },
  resume: { type: 'boolean' },
  'take-over': { type: 'boolean' },
  queue: { type: 'string' },
  concurrency: { type: 'string' },
  lock: { type: 'string' },
  'max-order': { type: 'string' },
  'max-chunk': { type: 'string' },
  'retry-failed': { type: 'boolean' },
  follow: { type: 'boolean' },
  verbose: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

/**
 * Reads the arguments after `matfun`.
 * Errors: {@link UsageError} for an unknown command or option, a missing or superfluous argument, a wrong value.
 */
export function parseCommand(argv: readonly string[]): Command | 'help' | 'version' {
  const { values, positionals } = parse(argv)
  if (values.help) return 'help'
  if (values.version) return 'version'
  const [name, ...inputs] = positionals
  if (name === undefined) throw new UsageError(`expected a command: ${Object.keys(commands).join(', ')}`)
  if (!isCommandName(name))
    throw new UsageError(
      `unknown command ${JSON.stringify(name)}: expected ${Object.keys(commands).join(', ')}`,
    )
  const { inputs: wanted, options } = commands[name]
  const required = wanted.filter((input) => !input.startsWith('['))
  if (inputs.length < required.length || inputs.length > wanted.length)
    throw new UsageError(
      `${name} expects ${wanted.join(' and ') || 'no file'}, got ${inputs.join(' ') || 'none'}`,
    )
  for (const option of Object.keys(values))
    if (!options.some((known) => known === option)) throw new UsageError(`${name} takes no --${option}`)
  if (options.some((known) => known === 'out') && !values.out)
    throw new UsageError(`${name} expects an output: -o ${isOfArrays(name) ? 'FILE.zarr' : 'FILE.npy'}`)
  if (values['take-over'] && !values.resume) throw new UsageError('--take-over goes with --resume only')
  for (const option of ['value', 'a', 'direction', 'root'] as const)
    if (values[option] === '') throw new UsageError(`--${option} expects a file name`)
  return {
    name,
    inputs,
    out: values.out,
    value: values.value,
    options: {
      method: oneOf('method', values.method, methods),
      shift: choices[oneOf('shift', values.shift, choiceNames)],
      balance: choices[oneOf('balance', values.balance, choiceNames)],
      structure: oneOf('structure', values.structure, structures),
    },
    purpose: oneOf('purpose', values.purpose, purposes),
    threads: integerOf('threads', values.threads, maxThreads),
    resume: values.resume ?? false,
    takeOver: values['take-over'] ?? false,
    arrays: {
      a: values.a,
      direction: values.direction,
      chunk: integerOf('chunk', values.chunk, Number.MAX_SAFE_INTEGER),
      root: values.root,
    },
    queue: {
      address: values.queue,
      concurrency: integerOf('concurrency', values.concurrency, 16),
      lock: integerOf('lock', values.lock, 3600),
      limits: {
        ...limitOf('maxOrder', 'max-order', values['max-order']),
        ...limitOf('maxChunkBytes', 'max-chunk', values['max-chunk']),
      },
      retryFailed: values['retry-failed'] ?? false,
      follow: values.follow ?? false,
      verbose: values.verbose ?? false,
    },
    json: values.json ?? false,
  }
}

function parse(argv: readonly string[]) {
  try {
    const parsed = parseArgs({ args: [...argv], options: flags, allowPositionals: true, tokens: true })
    const seen = new Set<string>()
    for (const token of parsed.tokens) {
      if (token.kind !== 'option') continue
      if (seen.has(token.name)) throw new UsageError(`--${token.name} was given twice`)
      seen.add(token.name)
    }
    return parsed
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error
    throw new UsageError(message.split('. ')[0])
  }
}

function isOfArrays(name: CommandName): boolean {
  return name === 'run' || name === 'convert'
}

function integerOf(option: string, given: string | undefined, most: number): number | undefined {
  if (given === undefined) return undefined
  const value = readInteger(given, 1, most)
  if (value !== undefined) return value
  const range = most === Number.MAX_SAFE_INTEGER ? 'a positive integer' : `an integer from 1 to ${most}`
  throw new UsageError(`--${option} expects ${range}, got ${JSON.stringify(given)}`)
}

function limitOf(name: keyof JobLimits, option: string, given: string | undefined): Partial<JobLimits> {
  const value = integerOf(option, given, Number.MAX_SAFE_INTEGER)
  return value === undefined ? {} : { [name]: value }
}

function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

/** One of the names that an option takes; the first where the option was not given. */
function oneOf<T extends string>(option: string, given: string | undefined, names: readonly T[]): T {
  const found = given === undefined ? names[0] : names.find((name) => name === given)
  if (found !== undefined) return found
  const all = `${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}`
  throw new UsageError(`--${option} expects ${all}, got ${JSON.stringify(given)}`)
}
