// Runs test files in the machine, without vitest's own process, which takes minutes to start there: vitest's parts that hold tests,
// hooks and expectations are bundled with the tests (bundle.mjs), and this stands for the rest: each file gets a process of its own, as
// many at once as there are processors, tells each test as it ends, and hands in its tally.

import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { startTests } from '@vitest/runner'
import { judge, linesOf, tallyOf } from '../lib/tally.mjs'

/**
 * @typedef {import('@vitest/runner').Task} Task
 * @typedef {import('@vitest/runner').Test} Test
 * @typedef {import('../lib/tally.mjs').Tally} Tally
 * @typedef {Readonly<{ path: string, load: () => Promise<unknown> }>} TestFile
 * @typedef {Readonly<{ pattern: string | null, root: string, runs: number, seed: number }>} Options
 */

/** A test that takes half a second elsewhere takes ten here; the machine has a limit of its own. */
const TIMEOUT_MS = 600_000

/** What `expect` and `vi` ask of the process that vitest would have started. */
const standIn = (/** @type {string} */ filepath) =>
  Object.assign(globalThis, {
    __vitest_worker__: { filepath, config: { expect: {}, fakeTimers: {}, snapshotOptions: { expand: false } } },
  })

/** @param {Task} task @returns {ReadonlyArray<Test>} */
const testsOf = (task) => (task.type === 'test' ? [task] : task.tasks.flatMap(testsOf))
/** @param {Task} task @returns {ReadonlyArray<import('@vitest/runner').Suite>} */
const suitesOf = (task) =>
  task.type === 'test'
    ? []
    : [...(task.type === 'suite' && 'filepath' in task ? [] : [task]), ...task.tasks.flatMap(suitesOf)]
const errorsOf = (/** @type {Task} */ task) => task.result?.errors ?? []

/** @param {import('@vitest/runner').Suite} suite @returns {import('../lib/tally.mjs').ReportedSuite} */
const reportedSuite = (suite) => ({
  meta: () => suite.meta,
  errors: () => errorsOf(suite),
  ...(suite.suite === undefined ? {} : { parent: reportedSuite(suite.suite) }),
})

/** A file as vitest's reporters see one. @param {import('@vitest/runner').File} file @returns {import('../lib/tally.mjs').ReportedModule} */
const reported = (file) => ({
  errors: () => errorsOf(file),
  children: {
    allSuites: () => suitesOf(file).map(reportedSuite),
    allTests: () =>
      testsOf(file).map((test) => ({
        result: () => ({ state: stateOf(test), note: noteOf(test) }),
        meta: () => test.meta,
        parent: reportedSuite(test.suite ?? file),
      })),
  },
})

/** Of `ctx.skip(note)`. */
const noteOf = (/** @type {Test} */ { result }) =>
  result !== undefined && 'note' in result && typeof result.note === 'string' ? result.note : undefined

/** A test that was begun and has no outcome has failed. @param {Test} test */
const stateOf = ({ mode, result }) => {
  const state = result?.state ?? mode
  return state === 'pass' ? 'passed' : state === 'skip' || state === 'todo' || mode === 'skip' ? 'skipped' : 'failed'
}

const nameOf = (/** @type {Task} */ task) => {
  const names = []
  for (let at = /** @type {Task | undefined} */ (task); at !== undefined && !('filepath' in at); at = at.suite)
    names.unshift(at.name)
  return names.join(' > ')
}

/** @param {Task} task */
const tellErrors = (task) => {
  for (const { name, message, stack, diff } of errorsOf(task))
    console.log([`    ${name}: ${message}`, diff, stack?.slice(stack.indexOf('\n') + 1)].filter(Boolean).join('\n'))
}

/** @param {Test} test */
const tell = (test) => {
  const state = stateOf(test)
  if (state === 'skipped') return
  const mark = state === 'passed' ? '✓' : '✗'
  console.log(`  ${mark} ${nameOf(test)} (${Math.round(test.result?.duration ?? 0)} ms)`)
  tellErrors(test)
}

/** @param {TestFile} file @param {Options} options @returns {Promise<Tally>} */
const runFile = async ({ path, load }, { pattern, root }) => {
  const begin = performance.now()
  let otherErrors = 0
  process.on('unhandledRejection', (error) => {
    otherErrors += 1
    console.log(`  ✗ unhandled: ${error instanceof Error ? error.stack : error}`)
  })
  standIn(path)
  const [file] = await startTests([path], {
    config: {
      root,
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: pattern === null ? undefined : new RegExp(pattern),
      allowOnly: false,
      sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: TIMEOUT_MS,
      hookTimeout: TIMEOUT_MS,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: true,
    },
    importFile: load,
    onAfterRunTask: tell,
  })
  if (file === undefined) throw new Error(`${path} was not run`)
  for (const task of [file, ...suitesOf(file)]) tellErrors(task)
  console.log(`${path}: ${((performance.now() - begin) / 1000).toFixed(1)} s`)
  return tallyOf([reported(file)], otherErrors)
}

/**
 * This program again, for one of its files.
 * @param {TestFile} file
 * @param {number} index
 * @returns {Promise<Tally>}
 */
const inProcess = ({ path }, index) =>
  new Promise((resolve, reject) => {
    /** @type {Tally | null} */
    let tally = null
    const child = fork(process.argv[1] ?? '', [String(index)])
    child.on('message', (/** @type {Tally} */ message) => {
      tally = message
    })
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (tally === null) console.log(`✗ ${path}: its process ended with ${signal ?? status} before it reported`)
      resolve(tally ?? { passed: 0, failed: 1, skipped: [] })
    })
  })

/** @param {ReadonlyArray<Tally>} tallies @returns {Tally} */
const sumOf = (tallies) => {
  /** @type {Map<string, number>} */
  const skipped = new Map()
  for (const { why, tests } of tallies.flatMap((tally) => tally.skipped))
    skipped.set(why, (skipped.get(why) ?? 0) + tests)
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
    skipped: [...skipped].map(([why, tests]) => ({ why, tests })),
  }
}

/**
 * What the program does: all files, or the one that it was started for.
 * @param {ReadonlyArray<TestFile>} files
 * @param {Options} options
 * @returns {Promise<number>} the exit status
 */
export const runTests = async (files, options) => {
  const own = process.argv[2] === undefined ? undefined : files[Number(process.argv[2])]
  if (own !== undefined) {
    const tally = await runFile(own, options)
    await new Promise((resolve) => process.send?.(tally, resolve))
    return 0
  }
  /** @type {Tally[]} */
  const tallies = []
  const waiting = [...files.entries()]
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      tallies.push(await inProcess(next[1], next[0]))
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  const tally = judge(sumOf(tallies), 0)
  console.log(`properties: ${options.runs} runs each, seed ${options.seed}`)
  for (const line of linesOf(tally)) console.log(line)
  return tally.failed > 0 ? 1 : 0
}
