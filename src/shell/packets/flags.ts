// Options as getopt(3) reads them: letters, alone or together, with a value in the same word or in the next; `--` ends them.

import { E, type Either } from '../../prelude.ts'
import type { Words } from '../match.ts'

/** Letters with a value behind them, and without. */
export type Letters = Readonly<{ valued: string; bare: string }>
/** Of an option that was said twice, the last value. */
export type Flags = Readonly<{ flags: ReadonlyMap<string, string>; rest: Words }>

/** Left: a letter that is none, or one whose value is missing. */
export type Misread = Readonly<{ tag: 'unknown' | 'alone'; letter: string }>

export const readFlags = (words: Words, { valued, bare }: Letters): Either<Misread, Flags> => {
  const flags = new Map<string, string>()
  const rest: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') return E.right({ flags, rest: [...rest, ...words.slice(at + 1)] })
    if (!word.startsWith('-') || word === '-') {
      rest.push(word)
      continue
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? ''
      if (bare.includes(letter)) flags.set(letter, '')
      else if (valued.includes(letter)) {
        const value = word.slice(i + 1) || words[++at]
        if (value === undefined) return E.left({ tag: 'alone', letter })
        flags.set(letter, value)
        break
      } else return E.left({ tag: 'unknown', letter })
    }
  }
  return E.right({ flags, rest })
}
