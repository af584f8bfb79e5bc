// npm run cluster -- --seeds N: simulated clusters (src/cluster-sim), one for each seed: many hosts on one store, with cut lines, crashes and
// pauses, hours in seconds. What is found to be wrong is shrunk and printed with its seed.

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUNDLE } from './lib/build.mjs'
import { readOptions, wholeNumber } from './lib/options.mjs'
import { main, say } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'
import { workerOf } from './lib/worker.mjs'

/** @typedef {import('../src/cluster-sim/series.ts').Order} Order */
/** @typedef {import('../src/cluster-sim/series.ts').Told} Told */

const HELP = `npm run cluster -- [options]

  --seeds N     how many (default 100)
  --seed S      the first of them (default 1)
  --hosts H     hosts of each cluster (default 10)
  --commands C  commands that its clients give (default 2000)
  --calm        nothing goes wrong
  --growth      the commands are endpoints on shared networks, and nothing goes wrong: how large a cluster may become
  --twice       each is told twice, and both must be the same to the byte
  --whole       tell a seed that fails as it is: do not look for what is least of it
  --failures F  end after so many seeds that fail (default 1)
  --jobs J      processes (default: as many as there are cores)
  --json        the summary as one line on standard output
  --help        this text

The digest is of all traces: the same seeds must come to the same. Interrupted, it ends what it has begun and sums up;
interrupted again, it just ends.
Exit status: 0 when all was well, 1 when a seed failed, 2 for a wrong option.`

const OPTIONS = /** @type {const} */ ({
  seeds: { type: 'string', default: '100' },
  seed: { type: 'string', default: '1' },
  hosts: { type: 'string', default: '10' },
  commands: { type: 'string', default: '2000' },
  calm: { type: 'boolean' },
  growth: { type: 'boolean' },
  twice: { type: 'boolean' },
  whole: { type: 'boolean' },
  failures: { type: 'string', default: '1' },
  jobs: { type: 'string', default: String(availableParallelism()) },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
})

/** Of one process: 200 hosts that each know 20,000 endpoints. */
const MOST_MB = 12_288

/** @param {string} outdir */
const bundled = async (outdir) => {
  const { build } = await import('esbuild')
  await build({
    ...BUNDLE,
    entryPoints: ['src/cluster-sim/series.ts'],
    outdir,
    outExtension: { '.js': '.mjs' },
    sourcemap: 'inline',
  })
  return join(outdir, 'series.mjs')
}

/**
 * @param {string} worker
 * @returns {{ carryOut: (order: Order) => Promise<Told>, end: () => void }}
 */
const startWorker = (worker) =>
  workerOf(
    worker,
    { execArgv: ['--enable-source-maps', `--max-old-space-size=${MOST_MB}`] },
    'cluster',
    (/** @type {Order} */ order) => `seed ${order.seed}`,
  )

/** @param {number} n */
const counted = (n) => n.toLocaleString('en-US')

/** @typedef {Readonly<{ told: ReadonlyArray<Told>, seconds: number }>} Run */

/** @param {Run} run */
const summaryOf = ({ told, seconds }) => {
  const sum = (/** @type {(each: Told) => number} */ of) => told.reduce((total, each) => total + of(each), 0)
  const digest = createHash('sha256')
  for (const each of [...told].sort((a, b) => a.seed - b.seed)) digest.update(`${each.seed} ${each.digest}\n`)
  return {
    seeds: told.length,
    failed: told.filter(({ report }) => report !== null).map(({ seed }) => seed),
    seconds,
    hours: sum(({ seconds: virtual }) => virtual) / 3600,
    commands: sum(({ counts }) => counts.asked),
    done: sum(({ counts }) => counts.done),
    refused: sum(({ counts }) => counts.refused),
    unknown: sum(({ counts }) => counts.unknown),
    faults: sum(({ faults }) => faults),
    cleared: sum(({ cleared }) => cleared),
    transactions: sum(({ transactions }) => transactions),
    events: sum(({ events }) => events),
    slowestMs: Math.max(0, ...told.map(({ tookMs }) => tookMs)),
    peakMb: Math.max(0, ...told.map(({ peakMb }) => peakMb)),
    digest: digest.digest('hex').slice(0, 16),
  }
}

/** @param {ReturnType<typeof summaryOf>} summary */
const inWords = (summary) =>
  [
    `cluster: ${counted(summary.seeds)} seeds, ${summary.hours.toFixed(0)} hours of cluster time in ${summary.seconds.toFixed(1)} s, ${summary.failed.length} failed`,
    `  ${counted(summary.commands)} commands: ${counted(summary.done)} done, ${counted(summary.refused)} refused, ${counted(summary.unknown)} without an answer; ${counted(summary.faults)} faults, ${counted(summary.cleared)} endpoints cleared from hosts that were gone`,
    `  ${counted(summary.transactions)} transactions, ${counted(summary.events)} events; slowest seed ${(summary.slowestMs / 1000).toFixed(1)} s, ${counted(summary.peakMb)} MB; digest ${summary.digest}`,
  ].join('\n')

/**
 * @param {Readonly<{ seeds: number, first: number, failures: number, jobs: number, order: Omit<Order, 'seed'> }>} plan
 * @param {string} worker
 * @param {() => boolean} isStopped
 * @returns {Promise<Run>}
 */
const runAll = async ({ seeds, first, failures, jobs, order }, worker, isStopped) => {
  const start = performance.now()
  /** @type {Told[]} */
  const told = []
  let failed = 0
  let next = first
  const progress = () => {
    const line = `${told.length} of ${seeds} seeds, ${failed} failed`
    if (process.stderr.isTTY) process.stderr.write(`\r${line} `)
    else say(`${line}, ${((performance.now() - start) / 1000).toFixed(0)} s`)
  }
  const minutely = process.stderr.isTTY ? undefined : setInterval(progress, 60_000)
  const work = async () => {
    const one = startWorker(worker)
    try {
      while (next < first + seeds && !isStopped() && failed < failures) {
        const each = await one.carryOut({ ...order, seed: next++ })
        told.push(each)
        if (each.report !== null) {
          failed += 1
          say(`\n# Seed ${each.seed} (--seed ${each.seed} --seeds 1)\n${each.report}\n`)
        }
        if (process.stderr.isTTY) progress()
      }
    } finally {
      one.end()
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, work)).finally(() => clearInterval(minutely))
  if (process.stderr.isTTY) say('')
  return { told, seconds: (performance.now() - start) / 1000 }
}

await main(async (args) => {
  const { values } = readOptions(args, { options: OPTIONS }, HELP)
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const whole = (/** @type {'seeds' | 'hosts' | 'commands' | 'failures' | 'jobs'} */ name) =>
    wholeNumber(name, values[name], 1, HELP)
  const size = {
    hosts: whole('hosts'),
    commands: whole('commands'),
    faults: values.calm !== true,
    growth: values.growth === true,
  }
  const plan = {
    seeds: whole('seeds'),
    first: wholeNumber('seed', values.seed, 0, HELP),
    failures: whole('failures'),
    jobs: whole('jobs'),
    order: { size, whole: values.whole === true, twice: values.twice === true },
  }
  await ensureSetup({ build: false })
  const outdir = mkdtempSync(join(tmpdir(), 'cnm-cluster-'))
  process.on('exit', () => rmSync(outdir, { recursive: true, force: true }))
  let isStopped = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      if (isStopped) process.exit(130)
      isStopped = true
    })
  const summary = summaryOf(await runAll(plan, await bundled(outdir), () => isStopped))
  if (values.json) {
    console.log(JSON.stringify(summary))
    say(inWords(summary))
  } else console.log(inWords(summary))
  return summary.failed.length === 0 ? 0 : 1
})
