// `ls` and `inspect` of every noun: the same options, the same ways to print.

import { printable } from '../../compose/error.ts'
import type { Model } from '../../model/types.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { table } from '../render/table.ts'
import { filterOf, type Tests } from './filter.ts'
import { withStored } from './kept.ts'
import type { Place } from './place.ts'
import { shortId } from './resolve.ts'

export type ListOptions = Readonly<{
  store: Place
  filter?: ReadonlyArray<string>
  format: 'table' | 'json'
  quiet: boolean
  trunc: boolean
}>

type Columns<A> = Readonly<Record<string, (view: A, id: (whole: string) => string) => string>>

/** A noun's views, and its columns: title and cell. Ids go through `id`, which shortens them unless told not to. */
export type Listable<A> = Readonly<{
  of: (model: Model) => ReadonlyArray<A>
  tests: Tests<A>
  columns: Columns<A>
  /** Where hosts share the store. */
  sharedColumns?: Columns<A>
}>

export const listAll = <A extends Readonly<{ id: string; name: string }>>(
  io: Io,
  { store, filter, format, quiet, trunc }: ListOptions,
  { of, tests, columns, sharedColumns = {} }: Listable<A>,
): Promise<Either<Problem, number>> => {
  const wanted = filterOf(tests, filter)
  if (E.isLeft(wanted)) return Promise.resolve(wanted)
  return withStored(store, async ({ core }) => {
    const views = [...of(core.model)].filter(wanted.right).sort((a, b) => (a.name < b.name ? -1 : 1))
    const id = (whole: string): string => (trunc ? shortId(whole) : whole)
    if (format === 'json') io.out(jsonText(views))
    else if (!quiet) {
      const shown = core.model.cluster.host === null ? columns : { ...columns, ...sharedColumns }
      const head = Object.keys(shown).map((title) => io.paint.dim(title))
      const rows = views.map((view) => Object.values(shown).map((cell) => printable(cell(view, id))))
      io.out(table([head, ...rows]).replaceAll(/^ {2}/gm, ''))
    } else if (views.length > 0) io.out(views.map((view) => id(view.id)).join('\n'))
    return E.right(EXIT.ok)
  })
}

/** Prints an array of those that were found; for each of the others a line of complaint, and the status of the first. */
export const inspectAll = <A, B>(
  io: Io,
  store: Place,
  words: ReadonlyArray<string>,
  find: (model: Model, word: string) => Either<Problem, A>,
  view: (model: Model, found: A) => B,
): Promise<Either<Problem, number>> =>
  withStored(store, async ({ core }) => {
    const found = words.map((word) => find(core.model, word))
    io.out(jsonText(found.flatMap((each) => (E.isRight(each) ? [view(core.model, each.right)] : []))))
    const failed = found.flatMap((each) => (E.isLeft(each) ? [each.left] : []))
    for (const { lines } of failed) for (const line of lines) io.err(line)
    return E.right(failed[0]?.exit ?? EXIT.ok)
  })
