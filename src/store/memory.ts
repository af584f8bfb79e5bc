// The store that forgets: for simulations, tests, and runs that take everything down again. It keeps its whole history,
// so that a watch may start at any revision.

import { emptyMap, entriesUnder, getIn, type PMap, removeIn, setIn } from '../net/pmap.ts'
import { TE } from '../prelude.ts'
import type { Entry, News, Revision, Store, Transaction } from './store.ts'

type Watcher = Readonly<{ prefix: string; tell: (news: News) => void }>

const below = (prefix: string, news: News): News | null => {
  const writes = news.writes.filter(({ key }) => key.startsWith(prefix))
  return writes.length === 0 ? null : { ...news, writes }
}

export const memoryStore = (): Store => {
  let entries: PMap<Entry> = emptyMap()
  let revision: Revision = 0
  const history: News[] = []
  const watchers = new Set<Watcher>()

  const announce = ({ prefix, tell }: Watcher, news: News): void => {
    const part = below(prefix, news)
    if (part !== null) tell(part)
  }
  const commit = ({ writes }: Transaction): Revision => {
    revision += 1
    for (const { key, value } of writes)
      entries = value === null ? removeIn(entries, key) : setIn(entries, key, { key, value, revision })
    const news: News = { revision, writes }
    history.push(news)
    for (const watcher of watchers) announce(watcher, news)
    return revision
  }

  return {
    get: (key) => TE.fromIO(() => getIn(entries, key) ?? null),
    list: (prefix) =>
      TE.fromIO(() => ({ entries: [...entriesUnder(entries, prefix)].map(([, entry]) => entry), revision })),
    transact: (transaction) => async () => {
      const stale = transaction.compares.find((each) => (getIn(entries, each.key)?.revision ?? 0) !== each.revision)
      return stale === undefined
        ? { _tag: 'Right', right: commit(transaction) }
        : { _tag: 'Left', left: { tag: 'StoreConflict', key: stale.key } }
    },
    watch: (prefix, since, tell) => {
      const watcher: Watcher = { prefix, tell }
      for (const news of history) if (news.revision > since) announce(watcher, news)
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
      }
    },
  }
}
