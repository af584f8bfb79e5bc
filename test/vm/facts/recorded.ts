// What Debian's kernel told of the stories, as `npm run vm -- --record` wrote it down.

import { existsSync, readFileSync } from 'node:fs'
import { read, type Told } from './told.ts'

const fileOf = (theme: string): URL => new URL(`../recorded/${theme}.txt`, import.meta.url)

export const isRecorded = (theme: string): boolean => existsSync(fileOf(theme))

export const textOf = (theme: string): string => readFileSync(fileOf(theme), 'utf8')

export const recorded = (theme: string): ReadonlyArray<Told> => read(textOf(theme))
