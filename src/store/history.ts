// The last transactions of a store that runs in this process, and who watches for more. Watchers are told of each once, in
// order. What a watcher throws is a defect of its own: it neither stops the transaction nor is it swallowed.

import type { StoreError } from './error.ts'
import type { News, Revision, Write } from './store.ts'
import { badPrefix } from './valid.ts'

/** How many transactions a store remembers unless told otherwise. */
export const HISTORY = 1000

type Change = Readonly<{ revision: Revision; writes: ReadonlyArray<Write> }>
type Watcher = Readonly<{ prefix: string; since: Revision; tell: (news: News) => void }>

export type History = Readonly<{
  /** Remembers a transaction and tells whoever watches what it wrote. */
  add: (change: Change) => void
  watch: (prefix: string, since: Revision, tell: (news: News) => void) => () => void
  /** Ends every watch, now and later. */
  end: (error: StoreError) => void
}>

/** What `tell` throws is thrown where nobody waits. */
export const tellSafely = (tell: (news: News) => void, news: News): void => {
  try {
    tell(news)
  } catch (defect) {
    setImmediate(() => {
      throw defect
    })
  }
}

const announce = ({ prefix, since, tell }: Watcher, { revision, writes }: Change): void => {
  if (revision <= since) return
  const below = writes.filter(({ key }) => key.startsWith(prefix))
  if (below.length > 0) tellSafely(tell, { tag: 'Changed', revision, writes: below })
}

/** `from`: the revision at which remembering begins. `limit`: how many transactions are remembered. */
export const historyFrom = (from: Revision, limit: number = HISTORY): History => {
  let changes: Change[] = []
  let forgotten = from
  let ended: StoreError | null = null
  const watchers = new Set<Watcher>()

  return {
    add: (change) => {
      changes.push(change)
      // Dropped in bulk, so that a long history does not move at each transaction.
      if (changes.length >= 2 * limit + 1) {
        const keep = limit === 0 ? [] : changes.slice(-limit)
        forgotten = changes[changes.length - keep.length - 1]?.revision ?? forgotten
        changes = keep
      }
      for (const watcher of [...watchers]) if (watchers.has(watcher)) announce(watcher, change)
    },
    watch: (prefix, since, tell) => {
      const refused = ended ?? badPrefix(prefix)
      const error: StoreError | null =
        refused ?? (since < forgotten ? { tag: 'StoreCompacted', since, oldest: forgotten } : null)
      if (error !== null) {
        tellSafely(tell, { tag: 'Ended', error })
        return () => undefined
      }
      const watcher: Watcher = { prefix, since, tell }
      for (const change of changes) announce(watcher, change)
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
      }
    },
    end: (error) => {
      ended = error
      const told = [...watchers]
      watchers.clear()
      for (const { tell } of told) tellSafely(tell, { tag: 'Ended', error })
    },
  }
}
