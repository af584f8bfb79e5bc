// npm test [-- VITEST ARGS]: everything in test/ and properties/, after set-up. Properties run modestly often, from a fresh
// seed that is printed; CNM_RUNS and CNM_SEED choose both. `npm run verify` is the same with many runs.

import { wholeNumber } from './lib/options.mjs'
import { main } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'
import { freshSeed, runVitest } from './lib/vitest.mjs'

const RUNS = '100'
const HELP = 'CNM_RUNS and CNM_SEED, if set, are the number of runs of each property and their seed.'

await main(async (args) => {
  const runs = wholeNumber('CNM_RUNS', process.env['CNM_RUNS'] ?? RUNS, 1, HELP)
  const seed = wholeNumber('CNM_SEED', process.env['CNM_SEED'] ?? String(freshSeed()), -(2 ** 31), HELP)
  await ensureSetup({ tests: true })
  const repeat = ['npm test', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')
  return runVitest(args, { runs, seed, repeat: `CNM_RUNS=${runs} CNM_SEED=${seed} ${repeat}` })
})
