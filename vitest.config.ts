// How tests run. Each file has a process of its own, as many at once as there are cores: tests on the real kernel may run
// beside others, for each works in namespaces of its own. `npm test` (scripts/test.mjs) adds set-up and the closing line.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'properties/**/*.properties.ts', 'examples/**/*.test.ts'],
    setupFiles: ['test/lib/runs.ts'],
    globalSetup: ['test/lib/leftovers.ts'],
    pool: 'forks',
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    allowOnly: false,
  },
})
