import { readFile } from 'node:fs/promises'
import ts from 'typescript'

const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
}

/**
 * A hook of node:module that loads TypeScript without its types.
 * @type {import('node:module').LoadHook}
 */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const fileName = new URL(url)
  const { outputText } = ts.transpileModule(await readFile(fileName, 'utf8'), { compilerOptions })
  return { format: 'module', source: outputText, shortCircuit: true }
}
