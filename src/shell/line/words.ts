// A line without operators as words, as iproute2 reads the lines of a batch: quotes hold blanks, `#` begins a comment.
// Source: iproute2 6.1, lib/utils.c (makeargs).

const WORD = /\s*(?:#.*$|'([^']*)'?|"([^"]*)"?|([^\s'"#][^\s]*))/y

export const splitWords = (line: string): ReadonlyArray<string> => {
  const words: string[] = []
  WORD.lastIndex = 0
  for (;;) {
    const found = WORD.exec(line)
    if (found === null) return words
    const word = found[1] ?? found[2] ?? found[3]
    if (word === undefined) return words
    words.push(word)
  }
}
