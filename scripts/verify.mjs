// npm run verify -- --runs N --seed S: the properties alone, with many runs and no time limit. A failure prints fast-check's
// report (seed, path, the smallest counterexample found); the same runs and seed find it again.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readOptions, wholeNumber } from './lib/options.mjs'
import { main, ROOT, stop } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'
import { freshSeed, runVitest } from './lib/vitest.mjs'

const HELP = `npm run verify -- [options]

  --runs N        runs of each property (default 1000)
  --seed S        seed, to repeat a run (default: a fresh one, printed)
  --only PATTERN  only files in properties/ whose name contains PATTERN; if there are none, only
                  properties whose title matches it (--property says the same)
  --list          the property files
  --help          this text

Exit status: 0 when every property held, 1 when one did not, 2 for a wrong option.`

const OPTIONS = /** @type {const} */ ({
  runs: { type: 'string', default: '1000' },
  seed: { type: 'string' },
  only: { type: 'string' },
  property: { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
})

const propertyFiles = () =>
  existsSync(join(ROOT, 'properties'))
    ? readdirSync(join(ROOT, 'properties'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.properties.ts'))
        .map((name) => `properties/${name}`)
        .sort()
    : []

/**
 * What vitest is to run.
 * @param {ReadonlyArray<string>} files
 * @param {string | undefined} pattern
 */
const selection = (files, pattern) => {
  if (files.length === 0) throw stop('verify: properties/ holds no *.properties.ts', 2)
  if (pattern === undefined) return files
  const named = files.filter((name) => name.slice('properties/'.length).includes(pattern))
  return named.length > 0 ? named : ['-t', pattern, ...files]
}

await main(async (args) => {
  const { values } = readOptions(args, { options: OPTIONS }, HELP)
  if (values.help || values.list) {
    console.log(values.help ? HELP : propertyFiles().join('\n'))
    return 0
  }
  const runs = wholeNumber('runs', values.runs, 1, HELP)
  const seed = wholeNumber('seed', values.seed ?? String(freshSeed()), -(2 ** 31), HELP)
  const only = values.only ?? values.property
  const selected = selection(propertyFiles(), only)
  await ensureSetup({ tests: true })
  console.log(`verify: ${runs} runs of each property, seed ${seed}`)
  const repeat = `npm run verify -- --runs ${runs} --seed ${seed}${only === undefined ? '' : ` --only '${only}'`}`
  return runVitest([...selected, '--testTimeout=0', '--hookTimeout=0'], { runs, seed, repeat })
})
