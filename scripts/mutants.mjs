// npm run mutants [-- --only TEXT]: applies each deliberate defect of properties/mutants to a copy of the sources, one at a
// time, and runs the property that should find it. Each of these properties must pass on the unchanged copy first, for
// otherwise that it fails means nothing. One core, at low priority.

import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { MUTANTS } from '../properties/mutants/index.mjs'
import { outcomeOf, placeOf } from './lib/mutants.mjs'
import { readOptions, wholeNumber } from './lib/options.mjs'
import { main, ROOT, say, stop } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'
import { readOrNull } from './lib/stale.mjs'

/** @typedef {import('../properties/mutants/mutant.mjs').Mutant} Mutant */

const HELP = `npm run mutants -- [options]

  --only TEXT  those whose name, property or bug rows contain TEXT (drivers, P13, m#40740)
  --runs N     of each property (100)
  --seed N     of each property (1)
  --list       the mutants, without trying them
  --json       one line a mutant: {"mutant", "property", "by", "outcome", "seconds", "length"}
  --help       this text

length is the number of items of the longest list of the counterexample, mostly of commands. The exit status is 1 if one
survives, or cannot be tried.`

const OPTIONS = /** @type {const} */ ({
  only: { type: 'string', default: '' },
  runs: { type: 'string', default: '100' },
  seed: { type: 'string', default: '1' },
  list: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
})

const LIMIT_MS = 60_000
/** The unchanged properties of one file together. */
const BASELINE_MS = 180_000
const COPIED = ['src', 'properties', 'test', 'vitest.config.ts', 'tsconfig.json', 'package.json']
const REPORT = 'report.json'
const REGEXP = /[\\^$.*+?()[\]{}|]/g

/** @type {import('node:child_process').ChildProcess | null} */
let running = null
/** Ends vitest with its workers: they are one process group. */
const endRun = () => {
  try {
    if (running?.pid !== undefined) process.kill(-running.pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/**
 * Runs those tests of a property file whose titles contain one of `titles`.
 * @param {string} folder
 * @param {string} file
 * @param {ReadonlyArray<string>} titles
 * @param {Readonly<{ runs: number, seed: number, limitMs: number }>} how
 * @returns {Promise<Readonly<{ report: import('./lib/mutants.mjs').Report | null, late: boolean, seconds: number }>>}
 */
const runProperties = (folder, file, titles, { runs, seed, limitMs }) =>
  new Promise((resolve, reject) => {
    const output = join(folder, REPORT)
    rmSync(output, { force: true })
    const pattern = titles.map((title) => title.replace(REGEXP, '\\$&')).join('|')
    const args = ['run', file, '-t', pattern, '--maxWorkers=1', '--reporter=json', `--outputFile=${output}`]
    const start = performance.now()
    const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
      cwd: folder,
      env: { ...process.env, CNM_RUNS: String(runs), CNM_SEED: String(seed) },
      stdio: 'ignore',
      detached: true,
    })
    running = child
    if (child.pid !== undefined) setPriority(child.pid, 10)
    let late = false
    const timer = setTimeout(() => {
      late = true
      endRun()
    }, limitMs)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      running = null
      const text = readOrNull(output)
      const report = text === null ? null : JSON.parse(text)
      resolve({ report, late, seconds: (performance.now() - start) / 1000 })
    })
  })

/** @param {string} folder @param {string} under */
const textsUnder = (folder, under) => {
  const below = () => readdirSync(join(folder, under), { recursive: true, encoding: 'utf8' })
  const paths = statSync(join(folder, under)).isDirectory()
    ? below().flatMap((path) => (path.endsWith('.ts') ? [join(under, path)] : []))
    : [under]
  return paths.map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

/** @param {string} only @returns {ReadonlyArray<Mutant>} */
const choose = (only) => {
  const chosen = MUTANTS.filter(
    ({ name, property, rows, under }) =>
      [name, under, ...rows].some((text) => text.includes(only)) || property === only,
  )
  if (chosen.length > 0) return chosen
  throw stop(`mutants: none has "${only}" in its name, property or rows; --list shows them all`, 2)
}

/** @param {ReadonlyArray<string>} cells @param {ReadonlyArray<number>} widths */
const row = (cells, widths) =>
  cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join('  ')
    .trimEnd()

/** @param {Mutant['by']} by */
const wordsOf = ({ file, title }) => `${file}: ${title}`

/**
 * The properties that cannot tell anything, for they do not pass on the unchanged copy, and why.
 * @param {string} folder
 * @param {ReadonlyArray<Mutant>} mutants
 * @param {Readonly<{ runs: number, seed: number }>} how
 * @returns {Promise<ReadonlyMap<string, string>>}
 */
const baseline = async (folder, mutants, how) => {
  /** @type {Map<string, string>} */
  const useless = new Map()
  for (const file of new Set(mutants.map(({ by }) => by.file))) {
    const titles = [...new Set(mutants.filter(({ by }) => by.file === file).map(({ by }) => by.title))]
    say(`unchanged: ${file}`)
    const { report, late } = await runProperties(folder, file, titles, { ...how, limitMs: BASELINE_MS })
    for (const title of titles) {
      const outcome = outcomeOf(report, title)
      const why = late ? 'takes too long' : outcome.tag === 'broken' ? outcome.why : 'fails'
      if (late || outcome.tag !== 'survived')
        useless.set(wordsOf({ file, title }), `USELESS: on the unchanged sources it ${why}`)
    }
  }
  return useless
}

/** @param {string} outcome */
const notTried = (outcome) => ({ outcome, found: false, seconds: 0, length: null })

/**
 * @param {string} folder
 * @param {Mutant} mutant
 * @param {Readonly<{ runs: number, seed: number }>} how
 * @returns {Promise<Readonly<{ outcome: string, found: boolean, seconds: number, length: number | null }>>}
 */
const attempt = async (folder, { under, find, replace, by }, how) => {
  const place = placeOf({ under, find }, textsUnder(folder, under))
  if ('disarmed' in place) return notTried(`DISARMED: ${place.disarmed}`)
  const path = join(folder, place.path)
  const text = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    text.replace(find, () => replace),
  )
  try {
    const { report, late, seconds } = await runProperties(folder, by.file, [by.title], { ...how, limitMs: LIMIT_MS })
    const outcome = outcomeOf(report, by.title)
    if (late) return { outcome: `SURVIVED ${LIMIT_MS / 1000} s`, found: false, seconds, length: null }
    if (outcome.tag === 'found') return { outcome: 'found', found: true, seconds, length: outcome.length }
    const words = outcome.tag === 'broken' ? `BROKEN: ${outcome.why}` : 'SURVIVED'
    return { outcome: words, found: false, seconds, length: null }
  } finally {
    writeFileSync(path, text)
  }
}

/** @param {ReadonlyArray<Mutant>} mutants @param {Readonly<{ runs: number, seed: number, json: boolean }>} how */
const tryAll = async (mutants, how) => {
  const folder = mkdtempSync(join(tmpdir(), 'cnm-mutants-'))
  const tidy = () => rmSync(folder, { recursive: true, force: true })
  const interrupt = () => {
    endRun()
    tidy()
    process.exit(130)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt)
  try {
    for (const path of COPIED) cpSync(join(ROOT, path), join(folder, path), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const useless = await baseline(folder, mutants, how)
    const widths = [Math.max(...mutants.map(({ name }) => name.length)), 4, 8, 7, 6]
    if (!how.json) console.log(row(['mutant', 'P', 'outcome', 'seconds', 'length', 'by'], widths))
    let found = 0
    for (const mutant of mutants) {
      const why = useless.get(wordsOf(mutant.by))
      const result = why === undefined ? await attempt(folder, mutant, how) : notTried(why)
      if (result.found) found += 1
      const { name, property, by } = mutant
      const seconds = Number(result.seconds.toFixed(1))
      const { outcome, length } = result
      const cells = [name, property, outcome, String(seconds), String(length ?? '-'), wordsOf(by)]
      const line = { mutant: name, property, by, outcome, seconds, length }
      console.log(how.json ? JSON.stringify(line) : row(cells, widths))
    }
    const words = `mutants: ${found} of ${mutants.length} found, ${mutants.length - found} not`
    if (how.json) say(words)
    else console.log(words)
    return found === mutants.length ? 0 : 1
  } finally {
    tidy()
  }
}

await main(async (args) => {
  const { values } = readOptions(args, { options: OPTIONS }, HELP)
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const runs = wholeNumber('runs', values.runs, 1, HELP)
  const seed = wholeNumber('seed', values.seed, -(2 ** 31), HELP)
  const mutants = choose(values.only)
  if (values.list) {
    for (const { name, property, bug, rows } of mutants)
      console.log(`${name} (${property}): ${bug} [${rows.join(', ')}]`)
    return 0
  }
  await ensureSetup({ build: false })
  return tryAll(mutants, { runs, seed, json: values.json === true })
})
