// What Debian's kernel told of the stories, as `npm run vm -- --record` wrote it down.

import { readFileSync } from 'node:fs'
import { read, type Told } from './told.ts'

export const textOf = (theme: string): string =>
  readFileSync(new URL(`../recorded/${theme}.txt`, import.meta.url), 'utf8')

export const recorded = (theme: string): ReadonlyArray<Told> => read(textOf(theme))
