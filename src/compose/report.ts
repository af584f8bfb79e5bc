// Where a stage puts what it finds, so that all independent mistakes of one stage are told together. A report lives for
// one reading and is never seen outside; every stage is a pure function of its inputs once the report is counted as output.

import type { At } from './at.ts'
import { type ComposeError, explainCompose, explainNote } from './error.ts'
import type { Note } from './project.ts'

export type Report = Readonly<{ errors: ComposeError[]; notes: Note[] }>

/** More mistakes than anybody reads: loops over the file stop here, which bounds the work for a hostile one. */
const ENOUGH = 100
export const isFull = ({ errors }: Report): boolean => errors.length >= ENOUGH

export const emptyReport = (): Report => ({ errors: [], notes: [] })

/** What an alias, an `extends` or a replica makes appear several times is said once; files in turn, lines in order. */
const tidy = <A extends Readonly<{ at: At }>>(items: ReadonlyArray<A>, say: (item: A) => string): ReadonlyArray<A> => {
  const files = [...new Set(items.map(({ at }) => at.file))]
  return [...new Map(items.map((item) => [say(item), item])).values()].sort(
    ({ at: a }, { at: b }) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  )
}
export const tidyErrors = (errors: ReadonlyArray<ComposeError>): ReadonlyArray<ComposeError> =>
  tidy(errors.slice(0, ENOUGH), explainCompose)
export const tidyNotes = (notes: ReadonlyArray<Note>): ReadonlyArray<Note> => tidy(notes, explainNote)
