// npm run check: what a machine can say about the code without running it. Every check runs, also after one has failed.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runNode } from './lib/run.mjs'
import { main, ROOT } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'

const folders = ['src', 'properties', 'test', 'bench', 'examples'].filter((name) => existsSync(join(ROOT, name)))

const CHECKS = [
  { title: 'types (tsc)', args: ['node_modules/typescript/bin/tsc', '--project', '.', '--noEmit'] },
  { title: 'lint and format (biome)', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'] },
  {
    title: 'import table (dependency-cruiser)',
    args: [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.mjs',
      ...folders,
    ],
  },
]

await main(async () => {
  await ensureSetup({ build: false })
  /** @type {string[]} */
  const failed = []
  for (const { title, args } of CHECKS) {
    console.log(`\n== ${title}`)
    if ((await runNode(args)) !== 0) failed.push(title)
  }
  console.log(failed.length === 0 ? '\ncheck: all well' : `\ncheck: failed: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
})
