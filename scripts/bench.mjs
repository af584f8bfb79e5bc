// npm run bench -- [NAME...] [--json]: the benchmarks of bench/*.bench.ts (contract: bench/lib.ts). They are bundled first,
// so that what is measured is plain JavaScript as in dist, and not a loader.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BUNDLE } from './lib/build.mjs'
import { choose, jsonLines, tableRow } from './lib/metrics.mjs'
import { readOptions } from './lib/options.mjs'
import { main, ROOT, say, stop } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'

/** @typedef {import('../bench/lib.ts').Bench} Bench */
/** @typedef {import('../bench/lib.ts').Absent} Absent */

const HELP = `npm run bench -- [NAME...] [options]

  NAME     a metric (net.parse4.rate) or the beginning of several (net); default: all
  --json   one line a metric and peer: {"metric", "value", "unit", "ratio", "to"}
  --list   the metrics, without measuring
  --help   this text

A ratio is ours divided by the peer's, in the metric's own unit; both come from the same run.`

const OPTIONS = /** @type {const} */ ({
  json: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
})

/** @param {string} outdir */
const load = async (outdir) => {
  const { build } = await import('esbuild')
  const names = readdirSync(join(ROOT, 'bench')).filter((name) => name.endsWith('.bench.ts'))
  await build({
    ...BUNDLE,
    entryPoints: names.map((name) => `bench/${name}`),
    outdir,
    outExtension: { '.js': '.mjs' },
  })
  const modules = await Promise.all(
    names.map((name) => import(pathToFileURL(join(outdir, name.replace(/ts$/, 'mjs'))).href)),
  )
  return {
    benches: modules.flatMap((module) => /** @type {ReadonlyArray<Bench>} */ (module.benches)),
    absent: modules.flatMap((module) => /** @type {ReadonlyArray<Absent>} */ (module.absent ?? [])),
  }
}

await main(async (args) => {
  const { values, positionals } = readOptions(args, { options: OPTIONS, allowPositionals: true }, HELP)
  if (values.help) {
    console.log(HELP)
    return 0
  }
  await ensureSetup({ build: false })
  // Where the packages are found that cannot be bundled.
  const outdir = mkdtempSync(join(ROOT, 'node_modules/.cnm-bench-'))
  const tidy = () => rmSync(outdir, { recursive: true, force: true })
  // Also where a benchmark ends the process: on Ctrl-C, once it has taken away what it had made.
  process.on('exit', tidy)
  try {
    const { benches, absent } = await load(outdir)
    const { chosen, unknown, missing } = choose(benches, positionals, absent)
    if (unknown.length > 0)
      throw stop(
        `bench: no metric begins with ${unknown.join(', ')}. There are:\n${benches.map(({ name }) => `  ${name}`).join('\n')}`,
        2,
      )
    for (const { area, why } of missing) say(`not measured: ${area} (${why})`)
    const width = Math.max(...chosen.map(({ name }) => name.length))
    for (const bench of chosen) {
      if (values.list) {
        console.log(`${bench.name.padEnd(width)}  ${bench.unit.padEnd(4)} ${bench.better} is better`)
        continue
      }
      if (values.json) say(`measuring ${bench.name}`)
      const result = await bench.run()
      for (const line of values.json ? jsonLines(bench, result) : [tableRow(bench, result, width)]) console.log(line)
    }
    return 0
  } finally {
    tidy()
    process.off('exit', tidy)
  }
})
