import { parseArgs } from 'node:util'
import type { ExpmPlanOptions } from '../index.ts'
import type { Choice, Method, PlanOptions } from '../options.ts'
import { isThreadCount, maxThreads } from '../threads.ts'
import { UsageError } from './errors.ts'

const common = ['method', 'shift', 'balance', 'json'] as const
const computing = ['out', 'threads', ...common] as const
const resumable = [...computing, 'resume', 'take-over'] as const

/** What each command takes. */
export const commands = {
  expm: { inputs: ['A.npy'], options: resumable },
  jvp: { inputs: ['A.npy', 'E.npy'], options: ['value', ...resumable] },
  vjp: { inputs: ['A.npy', 'W.npy'], options: ['value', ...resumable] },
  cond: { inputs: ['A.npy'], options: resumable },
  run: {
    inputs: ['expm, jvp, vjp or cond'],
    options: ['a', 'direction', 'value', 'chunk', 'root', ...computing],
  },
  convert: { inputs: ['A.npy or A.zarr'], options: ['out', 'chunk', 'json'] },
  plan: { inputs: ['A.npy'], options: ['purpose', ...common] },
  info: { inputs: [], options: ['json'] },
} as const

const methods: readonly Method[] = ['auto', 'polynomial', 'pade']
const choices: Readonly<Record<'auto' | 'on' | 'off', Choice>> = { auto: 'auto', on: true, off: false }
const choiceNames = ['auto', 'on', 'off'] as const
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

const flags = {
  out: { type: 'string', short: 'o' },
  value: { type: 'string' },
  method: { type: 'string' },
  shift: { type: 'string' },
  balance: { type: 'string' },
  purpose: { type: 'string' },
  a: { type: 'string' },
  direction: { type: 'string' },
  chunk: { type: 'string' },
  root: { type: 'string' },
  threads: { type: 'string' },
  resume: { type: 'boolean' },
  'take-over': { type: 'boolean' },
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
  if (inputs.length !== wanted.length)
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
    },
    purpose: oneOf('purpose', values.purpose, purposes),
    threads: threadsOf(values.threads),
    resume: values.resume ?? false,
    takeOver: values['take-over'] ?? false,
    arrays: {
      a: values.a,
      direction: values.direction,
      chunk: chunkOf(values.chunk),
      root: values.root,
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

function chunkOf(given: string | undefined): number | undefined {
  if (given === undefined || (/^[1-9][0-9]*$/.test(given) && Number.isSafeInteger(Number(given))))
    return given === undefined ? undefined : Number(given)
  throw new UsageError(`--chunk expects a positive integer, got ${JSON.stringify(given)}`)
}

function threadsOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const threads = Number(given)
  if (given.trim() !== '' && isThreadCount(threads)) return threads
  throw new UsageError(`--threads expects an integer from 1 to ${maxThreads}, got ${JSON.stringify(given)}`)
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
