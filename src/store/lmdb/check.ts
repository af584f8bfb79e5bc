// Looks at a store's file without opening it as one: for people who want to know whether it is well. Changes nothing, but holds
// the directory's lock meanwhile, so that nobody writes under its eyes.

import { existsSync } from 'node:fs'
import { resolve as absolute } from 'node:path'
import { E, type TaskEither } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import type { Revision } from '../store.ts'
import { audit } from './audit.ts'
import { filesIn, unavailable } from './files.ts'
import { whileLocked } from './lock.ts'

/** `problems` empty: every page and every record is as it was written. `entries` counts those that are well. */
export type Report = Readonly<{
  file: string
  id: string
  schema: number
  revision: Revision
  entries: number
  problems: ReadonlyArray<StoreError>
}>

/** Left: there is none, it is in use, or so damaged, or so strange, that nothing can be said of its records. */
export const checkStore =
  (at: string): TaskEither<StoreError, Report> =>
  async () => {
    const files = filesIn(absolute(at))
    const { dir, data: file } = files
    if (!existsSync(file))
      return E.left({ tag: 'StoreUnavailable', what: `there is no store in ${dir}`, hint: 'name the state directory' })
    try {
      return await whileLocked(files, async (release) => {
        const audited = audit(file)
        if (E.isLeft(audited)) return audited
        const { head, entries, problems } = audited.right
        release()
        const { id, schema, revision } = head
        return E.right({ file, id, schema, revision, entries: entries.length, problems })
      })
    } catch (defect) {
      return E.left(unavailable(dir, defect))
    }
  }
