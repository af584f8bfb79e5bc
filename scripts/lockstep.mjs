// npm run lockstep -- --programs N --seed S: generated programs of requests on the simulated and the real kernel, compared after
// each request, and in what becomes of packets at the end (test/lockstep/requests). A difference is shrunk, and printed as a script for
// each kernel.

import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { BUNDLE } from './lib/build.mjs'
import { readOptions, wholeNumber } from './lib/options.mjs'
import { main, ROOT, say, stop } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'
import { freshSeed } from './lib/vitest.mjs'
import { workerOf } from './lib/worker.mjs'

/** @typedef {import('../test/lockstep/requests/tally.ts').Tally} Tally */
/** @typedef {import('../test/lockstep/requests/worker.ts').Order} Order */
/** @typedef {import('../test/lockstep/requests/worker.ts').Answer} Answer */
/** @typedef {Readonly<{ program: number, report: string }>} Finding */

const HELP = `npm run lockstep -- [options]

  --programs N     programs to run (default 1000)
  --seed S         of the programs, to repeat a run (default: a fresh one, printed)
  --jobs J         processes (default: as many as there are cores)
  --minutes M      begin nothing new after so long (default: no limit)
  --differences D  end after so many programs that differ (default 1)
  --only P         just the program of this number
  --whole          tell programs that differ as they are: do not look for what is least of them
  --json           the summary as one line on standard output
  --help           this text

It needs Linux and root. Everything is in network namespaces without names, which end with the processes that made them.
Interrupted, it ends what it has begun and sums up; interrupted again, it just ends.
Exit status: 0 when both kernels agreed, 1 when they did not, 2 for a wrong option.`

const OPTIONS = /** @type {const} */ ({
  programs: { type: 'string', default: '1000' },
  seed: { type: 'string' },
  jobs: { type: 'string', default: String(availableParallelism()) },
  minutes: { type: 'string' },
  differences: { type: 'string', default: '1' },
  only: { type: 'string' },
  whole: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
})

/** @param {string} outdir */
const load = async (outdir) => {
  const { build } = await import('esbuild')
  await build({
    ...BUNDLE,
    external: [...BUNDLE.external, 'fast-check'],
    entryPoints: ['tally', 'worker', 'series'].map((name) => `test/lockstep/requests/${name}.ts`),
    outdir,
    outExtension: { '.js': '.mjs' },
  })
  /** @type {typeof import('../test/lockstep/requests/tally.ts')} */
  const tally = await import(join(outdir, 'tally.mjs'))
  /** @type {typeof import('../test/lockstep/requests/series.ts')} */
  const series = await import(join(outdir, 'series.mjs'))
  return { ...tally, PIECE: series.PIECE, worker: join(outdir, 'worker.mjs') }
}

/**
 * @param {string} worker
 * @returns {{ carryOut: (order: Order) => Promise<Answer>, end: () => void }}
 */
const startWorker = (worker) =>
  workerOf(
    worker,
    { serialization: 'json' },
    'lockstep',
    (/** @type {Order} */ order) => `piece ${order.piece} of seed ${order.seed}`,
  )

/** @param {ReadonlyArray<readonly [string, number]>} counts */
const listed = (counts) => counts.map(([what, count]) => `${what} ${count.toLocaleString('en-US')}`).join(', ')

/** @param {Readonly<Record<string, number>>} counts */
const byCount = (counts) => Object.entries(counts).sort(([, a], [, b]) => b - a)

/** @param {Readonly<{ tally: Tally, findings: ReadonlyArray<Finding>, seconds: number, seed: number }>} run */
const inWords = ({ tally, findings, seconds, seed }) =>
  [
    `lockstep: ${tally.programs.toLocaleString('en-US')} programs, ${tally.operations.toLocaleString('en-US')} operations, ${tally.tries.toLocaleString('en-US')} tries compared, ${findings.length} programs differ`,
    `  seed ${seed}, ${seconds.toFixed(1)} s: ${(tally.programs / seconds).toFixed(1)} programs/s, ${(tally.operations / seconds).toFixed(0)} operations/s`,
    `  operations: ${listed(byCount(tally.kinds))}`,
    `  answers: ${listed(byCount(tally.answers))}`,
    `  tries: ${listed(byCount(tally.endings))}; ${tally.twice} programs were run again, with patience`,
  ].join('\n')

/**
 * @typedef {Readonly<{ programs: number, only: number | null, whole: boolean, seed: number, jobs: number, minutes: number, differences: number }>} Plan
 * @param {Plan} plan
 * @param {Awaited<ReturnType<typeof load>>} parts
 */
const runAll = async (
  { programs, only, whole, seed, jobs, minutes, differences },
  { PIECE, NOTHING, plus, worker },
  /** @type {() => boolean} */ isStopped,
) => {
  const start = performance.now()
  let tally = NOTHING
  /** @type {Finding[]} */
  const findings = []
  let next = only === null ? 0 : Math.floor(only / PIECE)
  const last = only === null ? Math.ceil(programs / PIECE) : next + 1
  const late = () => performance.now() - start > minutes * 60_000
  const progress = () => {
    const seconds = (performance.now() - start) / 1000
    const line = `${tally.programs} programs, ${tally.operations} operations, ${tally.tries} tries, ${(tally.operations / seconds).toFixed(0)}/s, ${findings.length} differ`
    if (process.stderr.isTTY) process.stderr.write(`\r${line} `)
    else say(`${line}, ${seconds.toFixed(0)} s`)
  }
  const minutely = process.stderr.isTTY ? undefined : setInterval(progress, 60_000)
  const work = async () => {
    const one = startWorker(worker)
    try {
      while (next < last && !late() && !isStopped() && findings.length < differences) {
        const piece = next++
        const order = { seed, piece, to: programs - piece * PIECE, only: only === null ? null : only % PIECE, whole }
        const answer = await one.carryOut(only === null ? order : { ...order, to: PIECE })
        tally = plus(tally, answer.tally)
        for (const { at, report } of answer.findings) {
          const program = piece * PIECE + at
          findings.push({ program, report })
          say(`\n# Program ${program} of seed ${seed} (--seed ${seed} --only ${program})\n${report}\n`)
        }
        if (process.stderr.isTTY) progress()
      }
    } finally {
      one.end()
    }
  }
  await Promise.all(Array.from({ length: jobs }, work)).finally(() => clearInterval(minutely))
  if (process.stderr.isTTY) say('')
  return { tally, findings, seconds: (performance.now() - start) / 1000, seed }
}

await main(async (args) => {
  const { values } = readOptions(args, { options: OPTIONS }, HELP)
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const whole = (/** @type {'programs' | 'jobs' | 'differences'} */ name) => wholeNumber(name, values[name], 1, HELP)
  const plan = {
    programs: whole('programs'),
    only: values.only === undefined ? null : wholeNumber('only', values.only, 0, HELP),
    whole: values.whole ?? false,
    seed: wholeNumber('seed', values.seed ?? String(freshSeed()), -(2 ** 31), HELP),
    jobs: whole('jobs'),
    minutes: values.minutes === undefined ? Number.POSITIVE_INFINITY : wholeNumber('minutes', values.minutes, 1, HELP),
    differences: whole('differences'),
  }
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw stop('lockstep: needs Linux and root', 69)
  await ensureSetup({ build: false })
  // Where the packages are found that are not bundled.
  const outdir = mkdtempSync(join(ROOT, 'node_modules/.cnm-lockstep-'))
  const tidy = () => rmSync(outdir, { recursive: true, force: true })
  process.on('exit', tidy)
  // What was begun is ended, and summed up; whoever asks again does not wait for that.
  let isStopped = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      if (isStopped) process.exit(130)
      isStopped = true
    })
  const run = await runAll(plan, await load(outdir), () => isStopped)
  if (values.json) {
    const { tally, findings, seconds, seed } = run
    console.log(JSON.stringify({ seed, seconds, ...tally, differences: findings.map(({ program }) => program) }))
    say(inWords(run))
  } else console.log(inWords(run))
  return run.findings.length === 0 ? 0 : 1
})
