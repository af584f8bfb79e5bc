// What there is at one moment. A transaction that is being written in pieces has happened when the first of them was written, so what it
// writes is laid over what is there.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { asStoreError } from '../http/fault.ts'
import { decodeWrites } from '../logged.ts'
import { unpacked } from '../packed.ts'
import type { Entry, Listing, Revision, Write } from '../store.ts'
import type { Kv } from './client.ts'
import { damaged, type Ground, headIn, RETRY_HINT, replaced } from './ground.ts'
import { entryAt, keyOf, revisionIn } from './layout.ts'
import { MOST_OPS, treeOf } from './txn.ts'

/** `logged`: its name in the log. */
export type Pending = Readonly<{ logged: string; writes: ReadonlyArray<Write> }>

/** The name in the log stands in a line of its own, before what is written. */
export const encodePending = (logged: string, writes: string): string => `${logged}\n${writes}`

export const decodePending = (place: string, { key, value }: Kv): Either<StoreError, Pending> => {
  const text = unpacked(Buffer.from(value, 'base64'))
  if (E.isLeft(text)) return E.left(damaged(place, key, text.left))
  const at = text.right.indexOf('\n')
  const writes = decodeWrites(text.right.slice(at + 1))
  if (E.isLeft(writes)) return E.left(damaged(place, key, writes.left))
  return E.right({ logged: text.right.slice(0, at), writes: writes.right })
}

/** `index`: the entry's ModifyIndex; null while it is still to be written. */
export type Found = Readonly<{ entry: Entry; index: number | null }>
export type Seen = Readonly<{ found: ReadonlyMap<string, Found>; revision: Revision }>

const entryOf = (place: string, key: string, kv: Kv): Either<StoreError, Found> => {
  const text = unpacked(Buffer.from(kv.value, 'base64'))
  if (E.isLeft(text)) return E.left(damaged(place, kv.key, text.left))
  return E.right({ entry: { key, value: text.right, revision: revisionIn(kv.flags, kv.index) }, index: kv.index })
}

/** Entries of which the names begin so, as far as they are wanted. */
const see = async (
  ground: Ground,
  trees: ReadonlyArray<string>,
  wants: (key: string) => boolean,
): Promise<Either<StoreError, Seen>> => {
  const { client, place, layout } = ground
  const answer = await client.read([layout.head, layout.last, layout.pending, ...trees].map(treeOf))
  if (E.isLeft(answer)) return E.left(asStoreError(place, answer.left, RETRY_HINT))
  const last = answer.right.find(({ key }) => key === layout.last)
  const head = headIn(ground, answer.right.find(({ key }) => key === layout.head) ?? null)
  if (last === undefined || head === null) return E.left(replaced(place))
  const found = new Map<string, Found>()
  for (const kv of answer.right) {
    const key = keyOf(layout, kv.key)
    if (key === null || !wants(key)) continue
    const entry = entryOf(place, key, kv)
    if (E.isLeft(entry)) return entry
    found.set(key, entry.right)
  }
  const over = answer.right.find(({ key }) => key === layout.pending)
  const pending = over === undefined ? null : decodePending(place, over)
  if (pending !== null && E.isLeft(pending)) return pending
  for (const { key, value } of pending?.right.writes ?? []) {
    if (!wants(key)) continue
    if (value === null) found.delete(key)
    else found.set(key, { entry: { key, value, revision: over?.index ?? 0 }, index: null })
  }
  return E.right({ found, revision: last.index })
}

const MOST_TREES = MOST_OPS - 3
/** Where more is asked for than one reading takes, nothing may happen in between; who is not left in peace reads all there is. */
const MOST_READINGS = 3

/** Those of the keys that there are, all at one moment. */
export const seeKeys = async (ground: Ground, keys: ReadonlyArray<string>): Promise<Either<StoreError, Seen>> => {
  const names = keys.map((key) => entryAt(ground.layout, key))
  const wanted = new Set(keys)
  const wants = (key: string): boolean => wanted.has(key)
  const readings = Math.max(1, Math.ceil(names.length / MOST_TREES))
  if (readings > MOST_READINGS) return see(ground, [ground.layout.entries], wants)
  const found = new Map<string, Found>()
  let revision: Revision | null = null
  for (let i = 0; i < readings; i++) {
    const seen = await see(ground, names.slice(i * MOST_TREES, (i + 1) * MOST_TREES), wants)
    if (E.isLeft(seen)) return seen
    if (revision !== null && seen.right.revision !== revision) return see(ground, [ground.layout.entries], wants)
    revision = seen.right.revision
    for (const [key, each] of seen.right.found) found.set(key, each)
  }
  return E.right({ found, revision: revision ?? 0 })
}

export const get = async (ground: Ground, key: string): Promise<Either<StoreError, Entry | null>> => {
  const seen = await seeKeys(ground, [key])
  return E.isLeft(seen) ? seen : E.right(seen.right.found.get(key)?.entry ?? null)
}

const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : 1)

export const list = async (ground: Ground, prefix: string): Promise<Either<StoreError, Listing>> => {
  const { layout } = ground
  const seen = await see(ground, [`${layout.entries}${prefix}`], (key) => key.startsWith(prefix))
  if (E.isLeft(seen)) return seen
  const entries = [...seen.right.found.values()].map(({ entry }) => entry).sort(byKey)
  return E.right({ entries, revision: seen.right.revision })
}
