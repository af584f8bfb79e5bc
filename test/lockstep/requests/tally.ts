// What was compared: programs, requests by what they are, and how they were answered.

import type { Outcome, Program } from './both.ts'

export type Tally = Readonly<{
  programs: number
  operations: number
  /** By `<on> <do>`. */
  kinds: Readonly<Record<string, number>>
  /** By errno; `done` for what was obeyed. */
  answers: Readonly<Record<string, number>>
}>

export const NOTHING: Tally = { programs: 0, operations: 0, kinds: {}, answers: {} }

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
})

const countsOf = (words: ReadonlyArray<string>): Counts => {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

/** Of the requests of a program that were answered alike. */
export const tallyOf = (program: Program, { answers }: Outcome): Tally => ({
  programs: 1,
  operations: answers.length,
  kinds: countsOf(program.slice(0, answers.length).map(({ ask }) => `${ask.on} ${ask.do}`)),
  answers: countsOf(answers.map((errno) => errno ?? 'done')),
})
