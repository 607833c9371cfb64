import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeNpy } from '../lib/npy/index.ts'
import { createZarr } from '../lib/zarr/index.ts'
import { redisIsMissing, type Server, startRedis } from '../scripts/queue/redis.mjs'

/** In the repository, so that `matfun` means this package. */
mkdirSync('build', { recursive: true })
const folder = mkdtempSync(resolve('build/docs-'))
let server: Server | undefined
afterAll(async () => {
  await server?.end()
  rmSync(folder, { recursive: true, force: true })
})

/** The server in the examples. */
const queueAddress = 'redis://queue:6379'
const cannotRun = ({ code }: { code: string }): boolean =>
  redisIsMissing !== undefined && code.includes(queueAddress)

interface Example {
  readonly place: string
  readonly code: string
}

/** Programs between fences in the documents. */
function examplesInDocuments(): Example[] {
  const documents = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)]
  return documents
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => {
      const blocks = readFileSync(file, 'utf8').matchAll(/^```js\n(.*?)^```$/gms)
      return [...blocks].map(({ 1: code }, k) => ({ place: `${file}, ${k + 1}`, code }))
    })
}

/** What each entry of the package exports besides types, by the file that declares it. */
function exportsOf(entry: string): { name: string; file: string }[] {
  const source = ts.createSourceFile(entry, readFileSync(entry, 'utf8'), ts.ScriptTarget.Latest)
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return []
    const file = join(entry, '..', (statement.moduleSpecifier as ts.StringLiteral).text)
    return (statement.exportClause as ts.NamedExports).elements
      .filter(({ isTypeOnly }) => !isTypeOnly)
      .map(({ name }) => ({ name: name.text, file }))
  })
}

/** The example in a declaration's comment, undefined where there is none. */
function exampleOf(file: string, name: string): string | undefined {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  const declarations = source.statements.filter(
    (node) => (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && node.name?.text === name,
  )
  const tags = declarations.flatMap((node) => [...ts.getJSDocTags(node)])
  return tags.find(({ tagName }) => tagName.text === 'example')?.comment as string | undefined
}

const entries = {
  matfun: 'lib/index.ts',
  'matfun/reference': 'lib/reference/index.ts',
  'matfun/npy': 'lib/npy/index.ts',
  'matfun/zarr': 'lib/zarr/index.ts',
  'matfun/queue': 'lib/queue/index.ts',
  'matfun/tfjs': 'lib/tfjs/index.ts',
}
const declared = Object.entries(entries).flatMap(([entry, file]) =>
  exportsOf(file).map((declaration) => ({ entry, ...declaration })),
)

/** A declaration's example with the imports that it leaves out: its own entry's names, else those of the others. */
function program(entry: string, code: string): string {
  const known = new Map<string, string>()
  for (const other of ['matfun', 'matfun/npy', entry])
    for (const { name } of declared.filter((declaration) => declaration.entry === other))
      known.set(name, other)
  const imported = [...known].filter(
    ([name]) => RegExp(`\\b${name}\\b`).test(code) && !RegExp(`import .*\\b${name}\\b`).test(code),
  )
  return `${imported.map(([name, from]) => `import { ${name} } from '${from}'\n`).join('')}${code}`
}

/** Runs it as a module, with A.npy and A.zarr where it runs, and a queue; what it should print stands behind its console.log. */
function expectToRun({ place, code }: Example): void {
  const file = join(folder, `${place.replaceAll(/\W+/g, '-')}.mjs`)
  const here = code
    .replaceAll("'@tensorflow/tfjs'", `'${join(folder, 'tensorflow.mjs')}'`)
    .replaceAll(queueAddress, server?.url ?? queueAddress)
  writeFileSync(file, here)
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
  expect({ status, stderr: stderr.replaceAll(/^=+\nHi, looks like .*\n=+\n/gm, '').trim() }).toEqual({
    status: 0,
    stderr: '',
  })
  for (const [, expected] of code.matchAll(/console\.log\(.*?\)?;?\s+\/\/ (.+)$/gm))
    expect(stdout).toContain(expected.replace(/\.\.\..*$/, '').trim())
}

beforeAll(async () => {
  writeNpy(join(folder, 'A.npy'), {
    data: Float64Array.from({ length: 45 }, (_, k) => Math.sin(k)),
    shape: [5, 3, 3],
  })
  const A = await createZarr(join(folder, 'A.zarr'), { dtype: 'float64', shape: [6, 2, 2], chunkLength: 2 })
  for (let k = 0; k < A.chunks; k++) await A.writeChunk(k, new Float64Array(8).fill(k))
  if (redisIsMissing === undefined) server = await startRedis()
  // Stands for @tensorflow/tfjs, as in test/support/tensorflow.ts; Node cannot read the gradients' files by itself.
  await build({
    stdin: {
      contents: `import './node_modules/@tensorflow/tfjs-core/dist/register_all_gradients.js'
        import '@tensorflow/tfjs-backend-cpu'
        export * from '@tensorflow/tfjs-core'`,
      resolveDir: '.',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'],
    outfile: join(folder, 'tensorflow.mjs'),
    logLevel: 'error',
  })
})

describe('the examples in the documents run, and print what they say:', () => {
  const examples = examplesInDocuments()
  test('there are some in the README and in the guide', () => {
    for (const file of ['README.md', 'docs/guide.md'])
      expect(examples.filter(({ place }) => place.startsWith(file)).length).toBeGreaterThanOrEqual(2)
  })
  test.for(examples)('$place', (example, context) => {
    context.skip(cannotRun(example), redisIsMissing)
    expectToRun(example)
  })
})

describe('every exported function and class has an example that runs:', () => {
  test.for(declared)('$entry: $name', ({ entry, file, name }, context) => {
    const example = exampleOf(file, name)
    context.skip(cannotRun({ code: example ?? '' }), redisIsMissing)
    expect(example).toBeTypeOf('string')
    expectToRun({ place: `${entry} ${name}`, code: program(entry, example!) })
  })
})

test('typedoc finds everything that is exported documented, and every link leading somewhere', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/typedoc/bin/typedoc', '--emit', 'none'],
    { encoding: 'utf8' },
  )
  expect(`${stdout}${stderr}`).not.toMatch(/warning|error/i)
  expect(status).toBe(0)
})
