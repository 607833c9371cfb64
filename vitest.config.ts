import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Each file in a process of its own: the addon is loaded as it is by users, and a crash names its file.
    pool: 'forks',
    // One less than the machine has would be one where it has two, and half of the time waits for what tests start.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // TensorFlow.js's gradients come as ES modules that Node does not take for such; see test/support/tensorflow.ts.
    server: { deps: { inline: [/tfjs-core\/dist\/(?!tf-core\.node)/] } },
    // Generous, because the machines that run this may have two slow cores: only a hang takes as long.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
