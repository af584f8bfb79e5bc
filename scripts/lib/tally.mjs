// Counts a finished vitest run and words it. A file or suite that fails outside its tests (an import, a hook) counts as one
// failure, for its tests never ran; so does a run in which nothing ran: no green line without a test that passed.

/**
 * @typedef {Readonly<{ passed: number, failed: number, skipped: ReadonlyArray<Readonly<{ why: string, tests: number }>> }>} Tally
 *
 * The parts of vitest's reported tasks that are read here.
 * @typedef {Readonly<{ meta(): object, errors(): ReadonlyArray<unknown>, parent?: ReportedSuite }>} ReportedSuite
 * @typedef {Readonly<{ result(): { state: string, note?: string | undefined }, meta(): object, parent: ReportedSuite }>} ReportedTest
 * @typedef {Readonly<{
 *   errors(): ReadonlyArray<unknown>
 *   children: { allTests(): Iterable<ReportedTest>, allSuites(): Iterable<{ errors(): ReadonlyArray<unknown> }> }
 * }>} ReportedModule
 */

/**
 * The note of `ctx.skip(note)`, or the reason that `needs` (test/lib/need.ts) left on a suite around the test. Tests are
 * skipped too after a hook around them has failed, and where the command line selects others.
 * @param {ReportedTest} test
 * @returns {string}
 */
const whySkipped = (test) => {
  const note = test.result().note
  if (note !== undefined) return note
  /** @type {ReportedSuite | undefined} */
  let at = test.parent
  while (at !== undefined) {
    const meta = at.meta()
    if ('need' in meta) return String(meta.need)
    if (at.errors().length > 0) return 'a hook around it failed'
    at = at.parent
  }
  return 'not selected'
}

/**
 * @param {Iterable<ReportedModule>} modules
 * @param {number} otherErrors errors outside any file, such as unhandled rejections
 * @returns {Tally}
 */
export const tallyOf = (modules, otherErrors) => {
  let passed = 0
  let failed = otherErrors
  /** @type {Map<string, number>} */
  const skipped = new Map()
  for (const module of modules) {
    failed += module.errors().length > 0 ? 1 : 0
    for (const suite of module.children.allSuites()) failed += suite.errors().length > 0 ? 1 : 0
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') passed += 1
      else if (state === 'skipped') skipped.set(whySkipped(test), (skipped.get(whySkipped(test)) ?? 0) + 1)
      else failed += 1
    }
  }
  return { passed, failed, skipped: [...skipped].map(([why, tests]) => ({ why, tests })) }
}

/**
 * The tally once the exit status of vitest is known too: a run that failed although no test did, or that ran nothing.
 * @param {Tally | null} tally null when vitest ended without one
 * @param {number} code
 * @returns {Tally & Readonly<{ also?: string }>}
 */
export const judge = (tally, code) => {
  if (tally === null)
    return { passed: 0, failed: 1, skipped: [], also: `vitest ended with status ${code} before it reported` }
  if (tally.failed > 0) return tally
  if (code !== 0) return { ...tally, failed: 1, also: `no test failed, but vitest ended with status ${code}` }
  if (tally.passed === 0) return { ...tally, failed: 1, also: 'no test ran' }
  return tally
}

const plural = (/** @type {number} */ n) => (n === 1 ? '1 test' : `${n} tests`)

/**
 * The lines after a run; the last is `12 passed, 0 failed`, then `, 3 skipped` if any were.
 * @param {ReturnType<typeof judge>} tally
 * @returns {ReadonlyArray<string>}
 */
export const linesOf = ({ passed, failed, skipped, also }) => {
  const count = skipped.reduce((n, { tests }) => n + tests, 0)
  return [
    ...skipped.map(({ why, tests }) => `skipped ${plural(tests)}: ${why}`),
    ...(also === undefined ? [] : [also]),
    `${passed} passed, ${failed} failed${count === 0 ? '' : `, ${count} skipped`}`,
  ]
}
