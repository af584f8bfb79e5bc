// The pure parts of `npm run mutants`: where a patch belongs, and what a run of vitest says about a mutant.

/** @typedef {import('../../properties/mutants/mutant.mjs').Mutant} Mutant */
/** @typedef {Readonly<{ fullName: string, status: string, failureMessages: ReadonlyArray<string> }>} Told */
/** @typedef {Readonly<{ testResults: ReadonlyArray<{ message?: string, assertionResults: ReadonlyArray<Told> }> }>} Report what vitest's `json` reporter writes */
/**
 * `found`: a property failed; `length` is that of its counterexample, null where it gave none. `survived`: all that ran passed.
 * `broken`: nothing can be said, and why.
 * @typedef {Readonly<{ tag: 'found', title: string, length: number | null } | { tag: 'survived' } | { tag: 'broken', why: string }>} Outcome
 */

/**
 * The only file in which the text to replace is there, exactly once; else a sentence that says what is wrong.
 * @param {Pick<Mutant, 'under' | 'find'>} mutant
 * @param {ReadonlyArray<Readonly<{ path: string, text: string }>>} files those of `mutant.under`
 * @returns {Readonly<{ path: string } | { disarmed: string }>}
 */
export const placeOf = ({ under, find }, files) => {
  const places = files.flatMap(({ path, text }) => Array(text.split(find).length - 1).fill(path))
  const [path] = places
  if (path !== undefined && places.length === 1) return { path }
  const found = places.length === 0 ? 'not there' : `there ${places.length} times`
  return { disarmed: `its text is ${found} in ${under}: ${JSON.stringify(find)}` }
}

const HEAD = 'Counterexample: ['

/**
 * How many items the longest list of a counterexample has, as fast-check prints it: of a program, the number of its
 * commands. 1 for a counterexample without lists; null if the text has none.
 * @param {string} message
 * @returns {number | null}
 */
export const counterexampleLength = (message) => {
  const start = message.indexOf(HEAD)
  if (start < 0) return null
  /** @type {Array<{ list: boolean, items: number }>} */
  const open = []
  let longest = 1
  /** @type {string | null} */
  let quote = null
  for (let i = start + HEAD.length - 1; i < message.length; i++) {
    const letter = message[i] ?? ''
    if (quote !== null) {
      if (letter === '\\') i++
      else if (letter === quote) quote = null
    } else if (letter === '"' || letter === '`') quote = letter
    else if ('[{('.includes(letter)) open.push({ list: letter === '[', items: message[i + 1] === ']' ? 0 : 1 })
    else if (letter === ',') {
      const innermost = open.at(-1)
      if (innermost !== undefined) innermost.items += 1
    } else if (']})'.includes(letter)) {
      const closed = open.pop()
      // The outermost list is that of the property's arguments; lists further inside belong to one item.
      if (closed?.list && open.length === 1) longest = Math.max(longest, closed.items)
      if (open.length === 0) return longest
    }
  }
  return null
}

/**
 * @param {Report | null} report
 * @param {string} title
 * @returns {Outcome}
 */
export const outcomeOf = (report, title) => {
  if (report === null) return { tag: 'broken', why: 'has no report from vitest' }
  const suite = report.testResults.find(({ assertionResults, message }) => assertionResults.length === 0 && message)
  if (suite !== undefined) return { tag: 'broken', why: `does not load: ${suite.message?.split('\n')[0]}` }
  const told = report.testResults
    .flatMap((each) => each.assertionResults)
    .filter(({ fullName }) => fullName.includes(title))
  const failed = told.find(({ status }) => status === 'failed')
  if (failed !== undefined)
    return { tag: 'found', title: failed.fullName, length: counterexampleLength(failed.failureMessages.join('\n')) }
  if (!told.some(({ status }) => status === 'passed')) return { tag: 'broken', why: 'is not there' }
  return { tag: 'survived' }
}
