// npm run seeds -- --seeds N: random fabrics with faults and traffic (test/kernel-sim/fabric/stories), each told twice, once in this
// process and once without anything of Node's. Traces and captures must be the same to the last byte.

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BUNDLE } from './lib/build.mjs'
import { readOptions, wholeNumber } from './lib/options.mjs'
import { main, ROOT, say } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'
import { differenceOf, tellerElsewhere } from './lib/stories.mjs'

/** @typedef {import('./lib/stories.mjs').Teller} Teller */

const HELP = `npm run seeds -- [options]

  --seeds N  how many (default 100)
  --seed S   the first of them (default 1)
  --help     this text

The digest is of all bytes told: other versions of Node, and browsers, must come to the same.
Exit status: 0 when both tellings of every seed were the same, 1 when they were not, 2 for a wrong option.`

const OPTIONS = /** @type {const} */ ({
  seeds: { type: 'string', default: '100' },
  seed: { type: 'string', default: '1' },
  help: { type: 'boolean' },
})

/** @returns {Promise<Teller>} */
const tellerHere = async () => {
  const { build } = await import('esbuild')
  const outdir = mkdtempSync(join(ROOT, 'node_modules/.cnm-seeds-'))
  try {
    await build({
      ...BUNDLE,
      entryPoints: ['test/kernel-sim/fabric/stories/story.ts'],
      outdir,
      outExtension: { '.js': '.mjs' },
    })
    return (await import(join(outdir, 'story.mjs'))).storyOf
  } finally {
    rmSync(outdir, { recursive: true, force: true })
  }
}

const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`

await main(async (args) => {
  const { values } = readOptions(args, { options: OPTIONS }, HELP)
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const count = wholeNumber('seeds', values.seeds, 1, HELP)
  const first = wholeNumber('seed', values.seed, 0, HELP)
  await ensureSetup({ build: false })
  const [here, elsewhere] = await Promise.all([tellerHere(), tellerElsewhere()])
  const digest = createHash('sha256')
  const start = performance.now()
  let [steps, traced, captured, differ] = [0, 0, 0, 0]
  for (let seed = first; seed < first + count; seed++) {
    const story = here(seed)
    const difference = differenceOf(story, elsewhere(seed))
    digest.update(story.trace).update(story.capture)
    steps += story.steps.length
    traced += story.trace.length
    captured += story.capture.length
    if (difference === null) continue
    differ += 1
    say(`seeds: ${seed} was told in two ways, from ${difference}`)
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(
    `seeds: ${count} from ${first} on, each told twice in ${seconds} s, ${differ} told in two ways\n` +
      `  ${steps} steps, ${megabytes(traced)} of traces, ${megabytes(captured)} of captures, digest ${digest.digest('hex').slice(0, 16)}`,
  )
  return differ === 0 ? 0 : 1
})
