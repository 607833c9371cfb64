/** docs/performance.md and its pictures, from what docs/benchmarks holds. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chapters } from './chapters.mjs'
import { howMeasured } from './explanation.mjs'
import { checkReport } from './report.mjs'

export { machineRows, tablesOf } from './chapters.mjs'

/** @typedef {import('./report.mjs').Report} Report */

export const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
export const benchmarks = join(docs, 'benchmarks')

/** Writes both. */
export async function writeDocument() {
  const files = existsSync(benchmarks) ? readdirSync(benchmarks).sort() : []
  const reports = files
    .filter((file) => chapters.some(({ suite }) => file.startsWith(`${suite}-`)) && file.endsWith('.json'))
    .map((file) => checkReport(JSON.parse(readFileSync(join(benchmarks, file), 'utf8')), file))
  for (const report of reports) {
    const svg = await chapterOf(report.suite).draw(report)
    writeFileSync(join(benchmarks, `${report.suite}-${report.name}.svg`), `${svg}\n`)
  }
  writeFileSync(join(docs, 'performance.md'), documentOf(reports))
}

/** @param {import('./suites.mjs').SuiteName} suite */
function chapterOf(suite) {
  return /** @type {import('./chapters.mjs').Chapter} */ (chapters.find((chapter) => chapter.suite === suite))
}

/** @param {Report[]} reports */
export function documentOf(reports) {
  const told = chapters.map(({ suite, title, figures, after }) => {
    const own = reports.filter((report) => report.suite === suite).map(figures)
    const text = own.length > 0 ? own.join('\n\n') : 'No figures yet.'
    return `## ${title}\n\n${text}${after ? `\n\n${after}` : ''}`
  })
  return `# How fast matfun is\n\n${told.join('\n\n')}\n\n${howMeasured}\n`
}
