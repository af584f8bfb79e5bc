// Runs vitest once, with our tally beside its own report, and ends with the closing line. Properties get their number of
// runs and their seed through the environment (test/lib/runs.ts), one seed for the whole run, so that it can be repeated.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runNode } from './run.mjs'
import { ROOT } from './say.mjs'
import { readOrNull } from './stale.mjs'
import { judge, linesOf } from './tally.mjs'

/** A seed as fast-check takes it: 32 bits, signed. */
export const freshSeed = () => (Math.random() * 2 ** 32) | 0

/**
 * Runs vitest and prints, last, `N passed, M failed`. The exit status is 0 only if tests ran and none failed.
 * @param {ReadonlyArray<string>} args for `vitest run`
 * @param {Readonly<{ runs: number, seed: number, repeat: string }>} properties `repeat`: the command to say after a failure
 * @returns {Promise<number>}
 */
export const runVitest = async (args, { runs, seed, repeat }) => {
  const folder = mkdtempSync(join(tmpdir(), 'cnm-tally-'))
  const file = join(folder, 'tally.json')
  const reporters = args.some((arg) => arg.startsWith('--reporter')) ? [] : ['--reporter=default']
  try {
    const code = await runNode(
      [
        join(ROOT, 'node_modules/vitest/vitest.mjs'),
        'run',
        ...reporters,
        '--reporter=./scripts/lib/reporter.mjs',
        ...args,
      ],
      { env: { ...process.env, CNM_TALLY: file, CNM_RUNS: String(runs), CNM_SEED: String(seed) } },
    )
    const text = readOrNull(file)
    const tally = judge(text === null ? null : JSON.parse(text), code)
    console.log(`properties: ${runs} runs each, seed ${seed}`)
    if (tally.failed > 0) console.log(`to repeat: ${repeat}`)
    for (const line of linesOf(tally)) console.log(line)
    return tally.failed > 0 ? code || 1 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
