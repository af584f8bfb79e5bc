// What was compared: programs, requests by what they are and how they were answered, tries by what was sent and how it ended.

import type { Ending } from '../../../src/kernel/traffic.ts'
import type { Case, Outcome } from './both.ts'

export type Tally = Readonly<{
  programs: number
  operations: number
  /** By `<on> <do>`. */
  kinds: Readonly<Record<string, number>>
  /** By errno; `done` for what was obeyed. */
  answers: Readonly<Record<string, number>>
  tries: number
  /** By `<send> <ending>`. */
  endings: Readonly<Record<string, number>>
  /** Programs that were run twice, the second time with patience. */
  twice: number
}>

export const NOTHING: Tally = { programs: 0, operations: 0, kinds: {}, answers: {}, tries: 0, endings: {}, twice: 0 }

type Counts = Readonly<Record<string, number>>
const sum = (a: Counts, b: Counts): Counts => {
  const all: Record<string, number> = { ...a }
  for (const [key, count] of Object.entries(b)) all[key] = (all[key] ?? 0) + count
  return all
}

export const plus = (a: Tally, b: Tally): Tally => ({
  programs: a.programs + b.programs,
  operations: a.operations + b.operations,
  kinds: sum(a.kinds, b.kinds),
  answers: sum(a.answers, b.answers),
  tries: a.tries + b.tries,
  endings: sum(a.endings, b.endings),
  twice: a.twice + b.twice,
})

const countsOf = (words: ReadonlyArray<string>): Counts => {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

/** An ending in one word. */
export const wordOf = (ending: Ending): string => (typeof ending === 'string' ? ending : ending.errno)

/** Of the requests and tries of a program that were answered alike. */
export const tallyOf = ({ program, tries }: Case, { answers, endings, twice }: Outcome): Tally => ({
  programs: 1,
  operations: answers.length,
  kinds: countsOf(program.slice(0, answers.length).map(({ ask }) => `${ask.on} ${ask.do}`)),
  answers: countsOf(answers.map((errno) => errno ?? 'done')),
  tries: endings.length,
  endings: countsOf(endings.map((ending, at) => `${tries[at]?.send} ${wordOf(ending)}`)),
  twice: twice ? 1 : 0,
})
