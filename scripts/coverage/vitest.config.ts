import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

/** The tests that run lib in vitest's own processes; the others start processes of their own, or measure, and would show nothing. */
export default mergeConfig(base, {
  test: {
    exclude: [
      'test/{bench*,browser,docs,example*,fixtures,fuzz*,job-processes,layers,memory,packages,processes,promises,queue-kills,release,resume-kill,setup,slopes,tables,teardown}.test.ts',
    ],
    setupFiles: ['scripts/coverage/ending.ts'],
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['lib/**'],
      reporter: ['json'],
      reportsDirectory: 'build/coverage/lib',
    },
  },
})
