// Takes down what was held: when the servers have ended the session of a holder, its lock is open, and whoever has the store open removes
// the entry, by a transaction as any other: Consul's own removal would tell no watch, and fail no compare.
// Invariant: an entry is removed only if it is still the one that was made with the hold, and its holder is gone or gives it up.

import { setTimeout as sleep } from 'node:timers/promises'
import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { asStoreError } from '../http/fault.ts'
import type { Kv } from './client.ts'
import { type Committer, plain } from './commit.ts'
import { type Ground, RETRY_HINT } from './ground.ts'
import { entryAt, revisionIn } from './layout.ts'
import { isAt, removalOf, treeOf } from './txn.ts'

type Found = Readonly<{ hold: Kv; entry: Kv | null }>
const keyIn = ({ value }: Kv): string => Buffer.from(value, 'base64').toString()

/** Null: there is no such hold. `name`: its own, in Consul. */
const find = async (
  { client, place, layout }: Ground,
  name: string,
  patienceMs?: number,
): Promise<Either<StoreError, Found | null>> => {
  const first = await client.get(name, patienceMs)
  if (E.isLeft(first)) return E.left(asStoreError(place, first.left, RETRY_HINT))
  if (first.right === null) return E.right(null)
  const held = entryAt(layout, keyIn(first.right))
  const read = await client.read([name, held].map(treeOf), patienceMs)
  if (E.isLeft(read)) return E.left(asStoreError(place, read.left, RETRY_HINT))
  const at = (wanted: string): Kv | null => read.right.find(({ key }) => key === wanted) ?? null
  const hold = at(name)
  return E.right(hold === null ? null : { hold, entry: at(held) })
}

/** `givenUp`: although its holder lives, which asks for it. */
export const takeDown = async (
  ground: Ground,
  { commit }: Committer,
  name: string,
  givenUp: boolean,
  patienceMs?: number,
): Promise<Either<StoreError, null>> => {
  for (;;) {
    const found = await find(ground, name, patienceMs)
    if (E.isLeft(found)) return found
    if (found.right === null || (found.right.hold.session !== null && !givenUp)) return E.right(null)
    const { hold, entry } = found.right
    if (entry === null || entry.made !== hold.made) {
      const done = await ground.client.txn([isAt(name, hold.index), removalOf(name)], true, patienceMs)
      if (E.isLeft(done)) return E.left(asStoreError(ground.place, done.left, RETRY_HINT))
      if (E.isRight(done.right)) return E.right(null)
      continue
    }
    const key = keyIn(hold)
    const compares = [{ key, revision: revisionIn(entry.flags, entry.index) }]
    const task = { ...plain({ compares, writes: [{ key, value: null }] }), also: [removalOf(name)] }
    const done = await commit(task, patienceMs)
    if (E.isRight(done)) return E.right(null)
    // It was written to meanwhile, or others have taken it down.
    if (done.left.tag !== 'StoreConflict') return done
  }
}

const openIn = ({ layout }: Ground, kvs: ReadonlyArray<Kv>): ReadonlyArray<string> =>
  kvs.filter(({ key, session }) => key !== layout.holds && session === null).map(({ key }) => key)

/** Takes down whatever has lost its holder; those that live are left. */
export const sweep = async (ground: Ground, committer: Committer): Promise<Either<StoreError, null>> => {
  const read = await ground.client.read([treeOf(ground.layout.holds)])
  if (E.isLeft(read)) return E.left(asStoreError(ground.place, read.left, RETRY_HINT))
  for (const name of openIn(ground, read.right)) {
    const done = await takeDown(ground, committer, name, false)
    if (E.isLeft(done)) return done
  }
  return E.right(null)
}

/** Of several who see that a holder is gone one is the first, and most of the others then find nothing to do. */
const LONGEST_WAIT_MS = 100
const RETRY_MS = 1000

/** Goes on until it is stopped. Returns how to stop it. */
export const keepReaping = (ground: Ground, committer: Committer): (() => void) => {
  const { client, layout, waitMs } = ground
  let isOver = false
  const run = async (): Promise<void> => {
    let [at, index] = [client.preferred(), 0]
    while (!isOver) {
      const next = await client.next(at, layout.holds, index, waitMs)
      if (isOver) return
      if (E.isLeft(next)) {
        at += 1
        await sleep(RETRY_MS, undefined, { ref: false })
        continue
      }
      const { right: tree } = next
      // Without the key that is always there, the store was removed: there is nothing to wait for.
      if (tree.kvs.length === 0) await sleep(RETRY_MS, undefined, { ref: false })
      index = tree.index < index ? 0 : tree.index
      const open = openIn(ground, tree.kvs)
      if (open.length > 0) await sleep(Math.random() * LONGEST_WAIT_MS, undefined, { ref: false })
      for (const name of open) if (!isOver) await takeDown(ground, committer, name, false)
    }
  }
  void run()
  return () => {
    isOver = true
  }
}
