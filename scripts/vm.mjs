// npm run vm [-- OPTIONS] [TEST FILES | COMMAND]: in a virtual machine with Debian's kernel, which has what the kernel of a cloud machine
// may lack: without more, the tests that are for it (docs/testing-vm.md).

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join, relative } from 'node:path'
import { readOptions, wholeNumber } from './lib/options.mjs'
import { main, ROOT, say } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'
import { freshSeed } from './lib/vitest.mjs'
import { bundle, testProgram } from './vm/bundle.mjs'
import { ensureKernel, NEWEST } from './vm/kernel.mjs'
import { runInMachine } from './vm/machine.mjs'

const HELP = `npm run vm [-- OPTIONS] [TEST FILES | COMMAND]

Without files or a command: every test that is for the machine. COMMAND runs as root in this folder, of which it can
change nothing: the machine sees this computer's files, and what it writes is gone with it.

  --kernel NAME  a package of Debian: a kernel, or one that depends on it (default ${NEWEST})
  --limit S      seconds after which it is ended (default 900)
  --memory M     MiB (default 2048)
  --only PATTERN only tests whose name matches, or stories to be recorded (THEME: TITLE); of lockstep, the program with
                 this number, shrunk
  --runs N       runs of each property (default 10)
  --seed S       their seed (default: a fresh one, printed)
  --record       tells the stories of test/vm/facts to the kernel, and writes down what it tells
  --lockstep     runs generated programs of requests on the kernel and on the simulated one, and compares (npm run lockstep)
  --programs N   how many (default 60)
  --help         this text

Exit status: the command's; of tests 0 when all passed; 124 after the time limit, 125 when the machine broke down,
69 where there can be none.`

const OPTIONS = /** @type {const} */ ({
  kernel: { type: 'string', default: NEWEST },
  limit: { type: 'string', default: '900' },
  memory: { type: 'string', default: '2048' },
  only: { type: 'string' },
  runs: { type: 'string', default: '10' },
  seed: { type: 'string' },
  record: { type: 'boolean' },
  lockstep: { type: 'boolean' },
  programs: { type: 'string', default: '60' },
  help: { type: 'boolean' },
})

/** What is for the machine: all that is said of parts that a kernel may lack. What takes longest comes first. */
const SUITE = [
  'test/vm/facts.test.ts',
  'test/scenarios/lacked.test.ts',
  'test/kernel-linux/rtnl/lacked.test.ts',
  'test/drivers/wire.test.ts',
  'test/kernel-linux/netlink/links.test.ts',
  'test/kernel-linux/capabilities.test.ts',
]
const RECORDED = join(ROOT, 'test/vm/recorded')
const isTestFile = (/** @type {string} */ word) => /\.(test|properties)\.ts$/.test(word)

/**
 * Our options, and the words behind them, which may begin with dashes themselves.
 * @param {ReadonlyArray<string>} args
 */
const split = (args) => {
  let i = 0
  for (let word = args[0]; word?.startsWith('-') && word !== '--'; word = args[i]) {
    const option = Object.entries(OPTIONS).find(([name]) => word === `--${name}`)?.[1]
    i += option?.type === 'string' ? 2 : 1
  }
  return { own: args.slice(0, i), words: args.slice(args[i] === '--' ? i + 1 : i) }
}

const inSeconds = (/** @type {number} */ since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

/**
 * @param {import('./vm/machine.mjs').End} end
 * @param {number} limitS
 */
const statusOf = (end, limitS) => {
  switch (end.tag) {
    case 'done':
      return end.status
    case 'late':
      say(`vm: ended after ${limitS} s (--limit)`)
      return 124
    case 'stopped':
      return 128 + constants.signals[end.signal]
    case 'lost':
      say(`vm: the machine broke down\n${end.console}`)
      return 125
  }
}

/** Of ours, what means something there. */
const environment = () =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) =>
      value !== undefined && /^(CNM_|CI$|TERM$|NO_COLOR$|FORCE_COLOR$)/.test(key) ? [[key, value]] : [],
    ),
  )

/** Beside the packages that programs load; gone when this process ends. */
const ownFolder = () => {
  const folder = mkdtempSync(join(ROOT, 'node_modules/.cnm-vm-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * Takes what test/vm/record.ts prints, a line for each file, as it comes.
 * @returns {(data: Buffer) => void}
 */
const writingDown = () => {
  let said = ''
  return (data) => {
    const lines = (said + data).split('\n')
    said = lines.pop() ?? ''
    for (const line of lines) {
      const [name, text] = JSON.parse(line)
      mkdirSync(RECORDED, { recursive: true })
      writeFileSync(join(RECORDED, `${name}.txt`), text)
      say(`vm: wrote ${relative(process.cwd(), join(RECORDED, `${name}.txt`))}`)
    }
  }
}

/** A file of test/vm as a program of its own. @param {string} name */
const programOf = (name) => bundle(`import ${JSON.stringify(join(ROOT, 'test/vm', name))}`, ownFolder())

/**
 * @param {ReadonlyArray<string>} words
 * @param {Readonly<{ record?: boolean | undefined, lockstep?: boolean | undefined, only?: string | undefined }>} values
 * @param {Readonly<{ runs: number, seed: number, programs: number }>} numbers
 * @returns {Promise<ReadonlyArray<string>>}
 */
const commandOf = async (words, { record, lockstep, only }, { runs, seed, programs }) => {
  if (record) return ['node', await programOf('record.ts'), only ?? '']
  if (lockstep) {
    const plan = { seed, programs, only: only === undefined ? null : wholeNumber('only', only, 0, HELP) }
    return ['node', await programOf('lockstep.ts'), JSON.stringify(plan)]
  }
  const files = words.length === 0 ? SUITE : words.every(isTestFile) ? words : null
  return files === null ? words : ['node', await testProgram(files, ownFolder(), { pattern: only ?? null, runs, seed })]
}

await main(async (args) => {
  const { own, words } = split(args)
  const { values } = readOptions(own, { options: OPTIONS }, HELP)
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const limitS = wholeNumber('limit', values.limit, 1, HELP)
  const memoryMiB = wholeNumber('memory', values.memory, 256, HELP)
  const runs = wholeNumber('runs', values.runs, 1, HELP)
  const programs = wholeNumber('programs', values.programs, 1, HELP)
  const seed = wholeNumber('seed', values.seed ?? String(freshSeed()), -(2 ** 31), HELP)
  await ensureSetup({ build: false })
  const kernel = await ensureKernel(values.kernel)

  const command = await commandOf(words, values, { runs, seed, programs })
  const begin = performance.now()
  say(`vm: booting ${kernel.version}`)
  const end = await runInMachine(kernel, command, {
    limitS,
    memoryMiB,
    env: {
      ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
      ...environment(),
      // What is in a hurry elsewhere takes its time there (test/lib/pace.ts).
      CNM_EMULATED: '1',
      CNM_RUNS: String(runs),
      CNM_SEED: String(seed),
    },
    up: () => say(`vm: up after ${inSeconds(begin)}`),
    out: values.record ? writingDown() : (data) => process.stdout.write(data),
    err: (data) => process.stderr.write(data),
  })
  return statusOf(end, limitS)
})
