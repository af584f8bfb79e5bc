// Takes down what was held: when ZooKeeper has removed a holder with its session, whoever has the store open removes the entry, by
// a transaction as any other, so that watches are told and compares fail.
// Invariant: an entry is removed only if it is still the one that was made with the hold, and its holder is gone or gives it up.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { commit, type Writing } from './commit.ts'
import { type Answer, type Connection, ifThere } from './connection.ts'
import { baseOf, type Layout } from './layout.ts'
import { addWatch, exists, getChildren, getData, multi, type Op, type Stat, sync, type WatchEvent } from './protocol.ts'
import type { Reach } from './reach.ts'

type Found = Readonly<{ key: string; made: number; holder: Stat | null; entry: Stat | null }>

/** Null: there is no such hold. */
const find = async (connection: Connection, layout: Layout, id: string): Promise<Answer<Found | null>> => {
  void connection.request(sync(layout.prefix))
  const hold = ifThere(await connection.request(getData(layout.hold(id))))
  if (E.isLeft(hold)) return hold
  if (hold.right === null) return E.right(null)
  const { data: key, stat } = hold.right
  const holder = ifThere(await connection.request(exists(layout.holder(id))))
  if (E.isLeft(holder)) return holder
  const entry = ifThere(await connection.request(exists(layout.entry(key))))
  return E.isLeft(entry) ? entry : E.right({ key, made: stat.czxid, holder: holder.right, entry: entry.right })
}

/** `givenUp`: although its holder lives, which asks for it. */
export const takeDown = async (
  reach: Reach,
  writing: Writing,
  id: string,
  givenUp: boolean,
): Promise<Either<StoreError, null>> => {
  const { layout } = writing
  for (;;) {
    const found = await reach.read((connection) => find(connection, layout, id))
    if (E.isLeft(found)) return found
    if (found.right === null || (found.right.holder !== null && !givenUp)) return E.right(null)
    const { key, made, holder, entry } = found.right
    const gone = [...(holder === null ? [] : [layout.holder(id)]), layout.hold(id)]
    const removal = gone.map((path): Op => ({ tag: 'delete', path, version: -1 }))
    if (entry === null || entry.czxid !== made) {
      const done = await reach.read((connection) => connection.request(multi(removal)))
      return E.isLeft(done) ? done : E.right(null)
    }
    const removed = { compares: [{ key, revision: entry.mzxid }], writes: [{ key, value: null }] }
    const done = await commit(reach, writing, removed, removal)
    if (E.isRight(done)) return E.right(null)
    // It was written to meanwhile, or others have taken it down.
    if (done.left.tag !== 'StoreConflict') return done
  }
}

export type Reaper = Readonly<{
  connected: (connection: Connection) => void
  event: (event: WatchEvent) => void
  /** Takes down whatever has lost its holder; those that live are left. */
  sweep: () => Promise<Either<StoreError, null>>
}>

/** Of several who see that a holder is gone one is the first, and most of the others then find nothing to do. */
const LONGEST_WAIT_MS = 100

export const reaper = (reach: Reach, writing: Writing): Reaper => {
  const { layout } = writing
  const later = (id: string): void => {
    setTimeout(() => void takeDown(reach, writing, id, false), Math.random() * LONGEST_WAIT_MS).unref()
  }
  return {
    connected: (connection) => {
      void connection.request(addWatch(layout.holds))
      void connection.request(getChildren(layout.holds)).then((ids) => {
        if (E.isRight(ids)) for (const id of ids.right) later(id)
      })
    },
    event: ({ kind, path }) => {
      const [id = '', child] = path.startsWith(`${layout.holds}/`) ? path.slice(layout.holds.length + 1).split('/') : []
      if (kind === 'deleted' && child === baseOf(layout.holder(id))) later(id)
    },
    sweep: async () => {
      const ids = await reach.read((connection) => connection.request(getChildren(layout.holds)))
      if (E.isLeft(ids)) return ids
      for (const id of ids.right) {
        const done = await takeDown(reach, writing, id, false)
        if (E.isLeft(done)) return done
      }
      return E.right(null)
    },
  }
}
