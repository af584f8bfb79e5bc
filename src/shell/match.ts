// How ip(8) and bridge(8) find what a word means: it may be the beginning of the word it stands for, and the first that fits, in
// their order, is meant. Source: iproute2 6.1, lib/utils.c (matches).

export type Words = ReadonlyArray<string>

export const begins = (word: string, whole: string): boolean => word !== '' && whole.startsWith(word)

/** The first entry that the word begins, or null. */
export const firstOf = <A>(word: string, table: ReadonlyArray<readonly [whole: string, A]>): A | null =>
  table.find(([whole]) => begins(word, whole))?.[1] ?? null
