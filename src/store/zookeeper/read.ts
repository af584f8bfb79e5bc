// Reading many znodes as they were together. ZooKeeper reads one at a time, so the log tells what changed from before the first to
// after the last: those changes, put over what was read, give what was there at the last of them.
// Every reading begins with a sync, so that it sees what anybody had been answered before.

import { E } from '../../prelude.ts'
import type { Entry, Listing, News, Revision } from '../store.ts'
import { type Answer, type Connection, ifThere } from './connection.ts'
import type { Follower } from './follow.ts'
import { keyOf, type Layout } from './layout.ts'
import { getChildren, getData, sync } from './protocol.ts'

const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : 1)

const readEntry = async (connection: Connection, layout: Layout, key: string): Promise<Answer<Entry | null>> => {
  const read = ifThere(await connection.request(getData(layout.entry(key))))
  if (E.isLeft(read)) return read
  if (read.right === null) return E.right(null)
  return E.right({ key, value: read.right.data, revision: read.right.stat.mzxid })
}

export const get = async (connection: Connection, layout: Layout, key: string): Promise<Answer<Entry | null>> => {
  void connection.request(sync(layout.prefix))
  return readEntry(connection, layout, key)
}

/** Each asked at once, all answered; the first that fails is the answer. */
const all = async <A, B>(
  items: ReadonlyArray<A>,
  ask: (item: A) => Promise<Answer<B>>,
): Promise<Answer<ReadonlyArray<B>>> => {
  const found: B[] = []
  for (const asked of items.map(ask)) {
    const answer = await asked
    if (E.isLeft(answer)) return answer
    found.push(answer.right)
  }
  return E.right(found)
}

const keysUnder = async (
  connection: Connection,
  layout: Layout,
  prefix: string,
): Promise<Answer<ReadonlyArray<string>>> => {
  const names = await all(layout.buckets, (bucket) => connection.request(getChildren(bucket)))
  if (E.isLeft(names)) return names
  const keys = names.right.flat().map(keyOf)
  return E.right(keys.filter((key) => key !== null).filter((key) => key.startsWith(prefix)))
}

type Keys = (connection: Connection) => Promise<Answer<ReadonlyArray<string>>>

const consistent = async (
  connection: Connection,
  layout: Layout,
  follower: Follower,
  prefix: string,
  keys: Keys,
): Promise<Answer<Listing>> => {
  const since = await follower.caughtUp(connection)
  if (E.isLeft(since)) return since
  const told: News[] = []
  const stop = follower.watch(prefix, since.right, (news) => told.push(news))
  const read = async (): Promise<Answer<Readonly<{ found: ReadonlyArray<Entry | null>; revision: Revision }>>> => {
    void connection.request(sync(layout.prefix))
    const asked = await keys(connection)
    if (E.isLeft(asked)) return asked
    const found = await all(asked.right, (key) => readEntry(connection, layout, key))
    if (E.isLeft(found)) return found
    const until = await follower.caughtUp(connection)
    return E.isLeft(until) ? until : E.right({ found: found.right, revision: until.right })
  }
  const done = await read()
  stop()
  if (E.isLeft(done)) return done
  const entries = new Map<string, Entry>()
  for (const entry of done.right.found) if (entry !== null) entries.set(entry.key, entry)
  let { revision } = done.right
  for (const news of told) {
    if (news.tag === 'Ended') return E.left({ tag: 'Lost', why: 'the log of transactions has a gap' })
    for (const { key, value } of news.writes)
      if (value === null) entries.delete(key)
      else entries.set(key, { key, value, revision: news.revision })
    revision = Math.max(revision, news.revision)
  }
  return E.right({ entries: [...entries.values()].sort(byKey), revision })
}

export const list = (
  connection: Connection,
  layout: Layout,
  follower: Follower,
  prefix: string,
): Promise<Answer<Listing>> =>
  consistent(connection, layout, follower, prefix, (over) => keysUnder(over, layout, prefix))

/** Those of the keys that there are. */
export const getAll = async (
  connection: Connection,
  layout: Layout,
  follower: Follower,
  keys: ReadonlySet<string>,
): Promise<Answer<Listing>> => {
  const listed = await consistent(connection, layout, follower, '', async () => E.right([...keys]))
  if (E.isLeft(listed)) return listed
  return E.right({ ...listed.right, entries: listed.right.entries.filter(({ key }) => keys.has(key)) })
}
