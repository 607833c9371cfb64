// Runs main.ts on a Node that takes no TypeScript: node test/fuzz/start.mjs [--seed S] [--from K] [--calls N]
import { register } from 'node:module'

register('./typescript.mjs', import.meta.url)
await import('./main.ts')
