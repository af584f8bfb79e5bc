// npm run nemesis -- --store etcd --runs N: three servers of a store and three hosts that share it, each a machine of its own, are killed,
// stopped and cut off while clients work; what those saw must be linearizable, and in the end all must know the same
// (test/cluster/nemesis, docs/clusters.md).

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BUNDLE } from './lib/build.mjs'
import { readOptions, wholeNumber } from './lib/options.mjs'
import { main, ROOT, say, stop } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'
import { findBinary, ZOOKEEPER_JAR } from './lib/system.mjs'

const HELP = `npm run nemesis -- [options]

  --store KIND   etcd (default) or zookeeper
  --runs N       how many (default 1)
  --seconds S    of trouble in each (default 60, at least 10)
  --seed S       of the first run, the next have the next (default: a fresh one, printed)
  --converge S   so many seconds after healing all hosts must know the same (default 5)
  --here         without namespaces, on simulated kernels; nobody is cut off then, and no root is needed
  --plan         only says what would be done
  --json         a line of JSON for each run, on standard output
  --help         this text

Exit status: 0 when every run was in order; 1 when one was not, with its seed, what is wrong and the name of its log; 2 for a
wrong option; 69 where it cannot be done.`

const OPTIONS = /** @type {const} */ ({
  store: { type: 'string', default: 'etcd' },
  runs: { type: 'string', default: '1' },
  seconds: { type: 'string', default: '60' },
  seed: { type: 'string' },
  converge: { type: 'string', default: '5' },
  here: { type: 'boolean' },
  plan: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
})

/** Sums and seeds of dice are small and positive. */
const freshSeed = () => Math.floor(Math.random() * 1_000_000) + 1

/** Beside the packages that the programs load; gone when this process ends. */
const built = async () => {
  const { build } = await import('esbuild')
  mkdirSync(join(ROOT, 'dist'), { recursive: true })
  const outdir = mkdtempSync(join(ROOT, 'dist/.nemesis-'))
  process.on('exit', () => rmSync(outdir, { recursive: true, force: true }))
  // What else there is goes with this process.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => process.exit(130))
  await build({
    ...BUNDLE,
    entryPoints: { run: 'test/cluster/nemesis/run.ts', host: 'test/cluster/nemesis/host.ts' },
    outdir,
    outExtension: { '.js': '.mjs' },
  })
  return { run: await import(join(outdir, 'run.mjs')), program: join(outdir, 'host.mjs') }
}

/** @param {string} store @param {boolean} isHere */
const refuseWithout = (store, isHere) => {
  const programs = [store === 'etcd' ? 'etcd' : 'java', 'setpriv', ...(isHere ? [] : ['ip', 'nft', 'nsenter'])]
  const missing = [...programs, ...(store === 'etcd' ? [] : [ZOOKEEPER_JAR])].filter(
    (name) => findBinary(name) === null,
  )
  if (missing.length > 0)
    throw stop(`nemesis: ${missing.join(', ')} is missing; npm run setup installs what tests need`, 69)
  if (!isHere && process.getuid?.() !== 0) throw stop('nemesis: root is needed for network namespaces, or --here', 69)
}

/** One line that is written over, on a terminal. @param {string} text */
const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const inSeconds = (/** @type {number | null} */ ms) => (ms === null ? 'never' : `${(ms / 1000).toFixed(1)} s`)

/** @param {import('../test/cluster/nemesis/run.ts').Report} report */
const lineOf = ({ seed, operations, unknown, clears, faults, convergedMs, checkMs, failures }) =>
  `seed ${seed}: ${failures.length === 0 ? 'in order' : 'FAILED'}, ${operations} operations (${unknown} unknown), ` +
  `${faults} faults, ${clears} clears, converged in ${inSeconds(convergedMs)}, judged in ${inSeconds(checkMs)}`

await main(async (args) => {
  const { values } = readOptions(args, { options: OPTIONS }, HELP)
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const { store, here: isHere = false } = values
  if (store !== 'etcd' && store !== 'zookeeper')
    throw stop(`--store ${store}: etcd or zookeeper is needed\n\n${HELP}`, 2)
  const runs = wholeNumber('runs', values.runs, 1, HELP)
  const seconds = wholeNumber('seconds', values.seconds, 10, HELP)
  const converge = wholeNumber('converge', values.converge, 1, HELP)
  const first = wholeNumber('seed', values.seed ?? String(freshSeed()), 1, HELP)
  refuseWithout(store, isHere)
  await ensureSetup({ build: false })
  const { run, program } = await built()
  if (values.plan) {
    console.log(run.showPlan(first, seconds))
    return 0
  }
  let failed = 0
  for (let seed = first; seed < first + runs; seed++) {
    const title = `nemesis on ${store}, seed ${seed}, ${seed - first + 1} of ${runs}`
    /** @type {import('../test/cluster/nemesis/run.ts').Report} */
    const report = await run.runNemesis({
      ...{ store, seed, seconds, program, isHere, convergeMs: converge * 1000 },
      progress: (/** @type {string} */ text) => progress(`${title}: ${text}`),
    })
    progress('')
    if (values.json) console.log(JSON.stringify(report))
    else console.log(lineOf(report))
    if (report.failures.length === 0) continue
    failed += 1
    say(`nemesis: the run of seed ${seed} is not in order\n${report.failures.join('\n')}`)
    say(`its log: ${report.log}\nto repeat: npm run nemesis -- --store ${store} --seconds ${seconds} --seed ${seed}`)
  }
  say(`nemesis: ${runs} runs of ${seconds} s on ${store}, ${failed} not in order`)
  return failed === 0 ? 0 : 1
})
