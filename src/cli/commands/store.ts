// cnm store: keep, carry over and check what the state directory holds.

import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { withoutPresence } from '../../cluster/sight.ts'
import { E, type Either } from '../../prelude.ts'
import { exportStore, importStore } from '../../store/dump.ts'
import { explainStore } from '../../store/error.ts'
import { checkStore } from '../../store/lmdb/check.ts'
import { EXIT } from '../exit.ts'
import { withExisting, withoutKernel, withStore } from '../host/kept.ts'
import { noHostYet, type Place, showPlace } from '../host/place.ts'
import { storeProblem } from '../host/refusal.ts'
import type { Io } from '../io.ts'
import { type Problem, problem, readProblem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { counted } from '../render/table.ts'

type Result = Promise<Either<Problem, number>>

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

/** Whole or not at all: written beside its place and moved into it. */
const writeWhole = async (file: string, content: string): Promise<Either<Problem, number>> => {
  const beside = `${file}.${process.pid}.part`
  try {
    await writeFile(beside, content, { mode: 0o600 })
    await rename(beside, file)
    return E.right(EXIT.ok)
  } catch (error) {
    await rm(beside, { force: true })
    return problem(EXIT.wrong, `${file}: cannot be written (${codeOf(error)})`)
  }
}

/** Of a prefix that hosts share, all of it is one. */
const WHOLE = 'it carries all that a prefix holds, with all hosts that share it'

/** `file` "-" is the standard output. */
export const storeExport = async (io: Io, place: Place, file: string): Result => {
  if (place.tag === 'host') return noHostYet('store export', WHOLE)
  return withExisting(place, async (store) => {
    const content = await exportStore(withoutPresence(store))()
    if (E.isLeft(content)) return E.left(storeProblem(content.left))
    if (file !== '-') return writeWhole(file, content.right)
    io.out(content.right.replace(/\n$/, ''))
    return E.right(EXIT.ok)
  })
}

const readAll = async (file: string): Promise<Either<Problem, string>> => {
  try {
    return E.right(file === '-' ? await text(process.stdin) : await readFile(file, 'utf8'))
  } catch (error) {
    return E.left(readProblem(file, codeOf(error)))
  }
}

/** `file` "-" is the standard input. */
export const storeImport = async (io: Io, place: Place, file: string): Result => {
  if (place.tag === 'host') return noHostYet('store import', WHOLE)
  const content = await readAll(file)
  if (E.isLeft(content)) return content
  return withStore(place, async (store) => {
    const revision = await importStore(store, file === '-' ? 'the standard input' : file, content.right)()
    if (E.isLeft(revision)) return E.left(storeProblem(revision.left))
    const freed = await withoutKernel(store)
    if (E.isLeft(freed)) return freed
    io.out(`imported; the store is at revision ${revision.right}`)
    return E.right(EXIT.ok)
  })
}

export const storeCheck = async (io: Io, place: Place, json: boolean): Result => {
  if (place.tag !== 'lmdb')
    return problem(EXIT.wrong, `${showPlace(place)} has no file of ours to check; its servers check what they store`)
  const checked = await checkStore(place.dir)()
  if (E.isLeft(checked)) return E.left(storeProblem(checked.left))
  const { file, schema, revision, entries, problems } = checked.right
  const sentences = problems.map(explainStore)
  if (json) io.out(jsonText({ file, schema, revision, entries, problems: sentences }))
  else {
    io.out(`${file}: schema ${schema}, revision ${revision}, ${counted(entries, 'entry').replace('entrys', 'entries')}`)
    io.out(sentences.length === 0 ? 'every page and every record is as it was written' : sentences.join('\n'))
  }
  return E.right(sentences.length === 0 ? EXIT.ok : EXIT.unmet)
}
