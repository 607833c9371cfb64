// Runs matfun/reference, bundled by esbuild, in headless Chromium and compares what it says, bit for bit, with this Node.
// usage: node scripts/check-browser.mjs     (needs the command chromium)

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInNewContext } from 'node:vm'
import { bundle } from './browser/bundle.mjs'

/** Without a sandbox, which root has none of, and without the services for which it asks the network. */
const flags = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--dump-dom'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

/** @param {string} script */
function runInChromium(script) {
  const folder = mkdtempSync(join(tmpdir(), 'matfun-browser-'))
  try {
    const page = join(folder, 'page.html')
    const show = 'document.title = globalThis.proof'
    writeFileSync(page, `<!doctype html><title>failed</title><script>${script}\n${show}</script>`)
    const args = [...flags, `--user-data-dir=${join(folder, 'profile')}`, pathToFileURL(page).href]
    const { status, stdout, stderr, error } = spawnSync('chromium', args, {
      encoding: 'utf8',
      timeout: 60_000,
    })
    const title = /<title>(.*?)<\/title>/s.exec(stdout ?? '')?.[1]
    if (error || status !== 0 || title === undefined || title === 'failed')
      throw new Error(`Chromium did not do it: ${error?.message ?? `exit code ${status}`}\n${stderr}`)
    return title
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const script = await bundle()
const here = runInNewContext(`${script}; proof`)
const there = runInChromium(script)
if (there !== here) throw new Error(`Chromium gave\n${there}\nand Node\n${here}`)
const version = spawnSync('chromium', ['--version'], { encoding: 'utf8' }).stdout.trim()
console.log(
  `matfun/reference, ${(script.length / 1024).toFixed(0)} KB unminified, gives the same bits in ${version}`,
)
