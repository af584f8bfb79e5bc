// cnm journal export: what was done on this host since the last checkpoint but one, as a file that cnm replay reads.

import { soleOf } from '../../cluster/prefix.ts'
import { CHECKPOINTS, readJournal, TURNS } from '../../engine/journal.ts'
import { writeJournalFile } from '../../engine/journal-file.ts'
import { loadModel } from '../../model/codec.ts'
import { freshModel } from '../../model/model.ts'
import { E, type Either } from '../../prelude.ts'
import { showStoreUrl } from '../../store/url.ts'
import { EXIT } from '../exit.ts'
import { withExisting } from '../host/kept.ts'
import { noHostYet, type Place } from '../host/place.ts'
import { storeProblem } from '../host/refusal.ts'
import type { Io } from '../io.ts'
import { type Problem, problem } from '../problem.ts'

export const journalExport = async (io: Io, place: Place): Promise<Either<Problem, number>> => {
  if (place.tag === 'host') return noHostYet('journal export', 'no journal is kept of a host that shares its store')
  return withExisting(place, async (store) => {
    const listed = await store.list('')()
    if (E.isLeft(listed)) return E.left(storeProblem(listed.left))
    const { entries } = listed.right
    const sole = soleOf(entries, showStoreUrl(place))
    if (E.isLeft(sole)) return E.left(storeProblem(sole.left))
    const journal = readJournal(entries.filter(({ key }) => key.startsWith(CHECKPOINTS) || key.startsWith(TURNS)))
    const model = loadModel(freshModel(), entries)
    if (E.isLeft(journal)) return problem(EXIT.refused, journal.left)
    if (E.isLeft(model)) return problem(EXIT.refused, model.left)
    io.out(writeJournalFile(journal.right, model.right).replace(/\n$/, ''))
    return E.right(EXIT.ok)
  })
}
