import { readVersion } from '../version.ts'
import { type Command, parseCommand } from './arguments.ts'
import { messageOf, UsageError } from './errors.ts'
import { help } from './help.ts'
import type { JobControl } from './job.ts'
import { showProgress } from './progress.ts'
import type { ExitCode, Surroundings } from './surroundings.ts'
import { type Output, Terminal } from './terminal.ts'

/** Does what `matfun` does with these arguments. Never throws: errors go to stderr and into the exit code. */
export async function run(argv: readonly string[], given: Surroundings<Output>): Promise<ExitCode> {
  const [stdout, stderr] = [new Terminal(given.stdout), new Terminal(given.stderr)]
  const surroundings = { ...given, stdout, stderr }
  const { signal } = surroundings
  const kept = { story: '' }
  try {
    const command = parseCommand(argv)
    if (command === 'help') stdout.write(help)
    else if (command === 'version') stdout.write(`${readVersion()}\n`)
    else return await execute(command, surroundings, kept)
    return 0
  } catch (error) {
    if (signal?.aborted) {
      stderr.write(`matfun: interrupted, ${kept.story || whatIsLeft(argv)}\n`)
      return 'interrupted'
    }
    const hint = error instanceof UsageError ? ' (see matfun --help)' : ''
    stderr.write(`matfun: ${messageOf(error)}${hint}\n`)
    if (kept.story) stderr.write(`matfun: ${kept.story}\n`)
    return 2
  }
}

function whatIsLeft([name]: readonly string[]): string {
  return name === 'run' ? 'the same command does what is missing' : 'nothing was written'
}

// The modules that load the addon are imported only here, so that help and wrong use need none.
async function execute(
  command: Command,
  surroundings: Surroundings,
  kept: { story: string },
): Promise<ExitCode> {
  const { stdout } = surroundings
  const { name, json } = command
  const print = (summary: object, text: string): void =>
    json ? stdout.writeJson(summary) : stdout.write(text)
  if (name === 'worker') return await (await import('./queue.ts')).runWorker(command, surroundings)
  if (name === 'status') return await (await import('./queue.ts')).showStatus(command, surroundings)
  if (name === 'cancel') return await (await import('./queue.ts')).cancelJob(command, surroundings)
  const report = await import('./report.ts')
  if (name === 'info') {
    const { advise, selfCheck } = await import('./doctor.ts')
    const facts = (await import('../index.ts')).info()
    const [check, advice] = [selfCheck(), advise(facts)]
    print({ ...facts, check, advice }, report.reportInfo(facts) + report.reportHealth(check, advice))
    return check.passed ? 0 : 1
  }
  if (name === 'plan') {
    const { planFile } = await import('./plan.ts')
    const summary = await withProgress(name, surroundings, (control) =>
      planFile(command.inputs[0], { ...command.options, purpose: command.purpose }, control),
    )
    print(summary, report.reportPlan(summary))
    return summary.failures.length > 0 ? 1 : 0
  }
  if (name === 'run' && isQueued(command))
    return await (await import('./queue.ts')).submitJob(command, surroundings)
  if (name === 'run') {
    const { describeJob } = await import('./describe.ts')
    const { runChunks } = await import('./chunks.ts')
    const described = describeJob(command)
    const summary = await withProgress(described.description.operation, surroundings, (control) =>
      runChunks(described, command.threads, control),
    )
    print(summary, report.reportChunks(summary))
    return summary.failures.length > 0 ? 1 : 0
  }
  if (name === 'convert') {
    const { convert } = await import('./convert.ts')
    const request = { from: command.inputs[0], to: command.out!, chunk: command.arrays.chunk }
    const summary = await withProgress(name, surroundings, (control) => convert(request, control))
    print(summary, report.reportConversion(summary))
    return 0
  }
  const { runJob } = await import('./job.ts')
  const { inputs, value, options, threads, resume, takeOver } = command
  const request = { operation: name, inputs, out: command.out!, value, options, threads, resume, takeOver }
  const onKept = (done: number, count: number): void => {
    kept.story = `${report.showCount(done)} of ${report.showCount(count)} matrices are kept, and --resume continues there`
  }
  const summary = await withProgress(name, surroundings, (control) => runJob(request, { ...control, onKept }))
  print(summary, report.reportJob(summary))
  return summary.failures.length > 0 ? 1 : 0
}

/** Whether a job goes to a queue. What only a queue knows is refused without one. */
function isQueued({ queue: { address, follow, retryFailed, limits } }: Command): boolean {
  if (address !== undefined) return true
  if (follow || retryFailed || Object.keys(limits).length > 0)
    throw new UsageError('run takes --follow, --retry-failed, --max-order and --max-chunk with --queue only')
  return false
}

async function withProgress<T>(
  label: string,
  { stderr, signal, budget, interval }: Surroundings,
  job: (control: JobControl) => Promise<T>,
): Promise<T> {
  const progress = showProgress(stderr, label)
  try {
    const onResume = (done: number, story: string): void => {
      stderr.write(`matfun: ${story}\n`)
      progress.startAt(done)
    }
    return await job({ signal, onProgress: progress.update, onResume, budget, interval })
  } finally {
    progress.end()
  }
}
