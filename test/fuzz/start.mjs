// Runs main.ts on a Node that takes no TypeScript: node test/fuzz/start.mjs [--seed S] [--from K] [--calls N]
import { register } from 'node:module'

register('./typescript.mjs', import.meta.url)

// lib/native.ts knows one place of the addon only; scripts/fuzz.mjs has another one, for a sanitizer's.
const other = process.env.MATFUN_FUZZ_ADDON
if (other) {
  const { dlopen } = process
  process.dlopen = (target, path, ...flags) =>
    dlopen.call(process, target, path.endsWith('matfun.node') ? other : path, ...flags)
}
await import('./main.ts')
