// What `npm run bench` prints: one JSON line a metric and peer for programs, or a table for people.

/** @typedef {import('../../bench/lib.ts').Bench} Bench */
/** @typedef {import('../../bench/lib.ts').Absent} Absent */
/** @typedef {import('../../bench/lib.ts').Result} Result */

const round = (/** @type {number} */ n) => Number(n.toPrecision(4))

/**
 * One line a peer, or one line where there is none.
 * @param {Bench} bench
 * @param {Result} result
 * @returns {ReadonlyArray<string>}
 */
export const jsonLines = ({ name, unit }, { value, ratios }) => {
  const metric = { metric: name, value: round(value), unit }
  return ratios.length === 0
    ? [JSON.stringify(metric)]
    : ratios.map(({ ratio, to }) => JSON.stringify({ ...metric, ratio: round(ratio), to }))
}

const digits = (/** @type {number} */ n) => round(n).toLocaleString('en-US', { maximumSignificantDigits: 4 })

/**
 * Name, value, unit, which way is better, and each ratio with its peer; names are padded to `nameWidth`.
 * @param {Bench} bench
 * @param {Result} result
 * @param {number} nameWidth
 * @returns {string}
 */
export const tableRow = ({ name, unit, better }, { value, ratios }, nameWidth) => {
  const beside = ratios.map(({ ratio, to }) => `${digits(ratio)} x ${to}`).join(', ')
  return `${name.padEnd(nameWidth)}  ${digits(value).padStart(12)} ${unit.padEnd(4)} ${`${better} is better`.padEnd(17)}  ${beside}`.trimEnd()
}

/**
 * The benches whose name a word begins: `net` for all of an area, `net.parse4.rate` for one. `missing`: what would have been
 * chosen of areas that cannot be measured here.
 * @param {ReadonlyArray<Bench>} benches
 * @param {ReadonlyArray<string>} words none means all
 * @param {ReadonlyArray<Absent>} [absent]
 * @returns {Readonly<{ chosen: ReadonlyArray<Bench>, unknown: ReadonlyArray<string>, missing: ReadonlyArray<Absent> }>}
 */
export const choose = (benches, words, absent = []) => {
  const begins = (/** @type {string} */ name, /** @type {string} */ word) =>
    name === word || name.startsWith(`${word}.`)
  const matches = (/** @type {Bench} */ bench, /** @type {string} */ word) => begins(bench.name, word)
  const lacks = (/** @type {Absent} */ { area }, /** @type {string} */ word) => begins(word, area)
  return {
    chosen: benches.filter((bench) => words.length === 0 || words.some((word) => matches(bench, word))),
    unknown: words.filter(
      (word) => !benches.some((bench) => matches(bench, word)) && !absent.some((one) => lacks(one, word)),
    ),
    missing: absent.filter((one) => words.length === 0 || words.some((word) => lacks(one, word))),
  }
}
