// The head as it was last seen. Every transaction rests on it, so one that was sent while it was so cannot happen any more once it is
// another.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { asStoreError } from '../http/fault.ts'
import { type Ground, type Head, headIn, RETRY_HINT, replaced } from './ground.ts'

export type Heads = Readonly<{
  /** Null: it was never read. */
  known: () => Head | null
  learn: (head: Head) => void
  /** Left also if it is that of another store, or of another version. */
  read: (patienceMs?: number) => Promise<Either<StoreError, Head>>
}>

export const makeHeads = (ground: Ground): Heads => {
  const { client, place, layout } = ground
  let known: Head | null = null
  const learn = (head: Head): void => {
    if (known === null || head.index > known.index) known = head
  }
  return {
    known: () => known,
    learn,
    read: async (patienceMs) => {
      const answer = await client.get(layout.head, patienceMs)
      if (E.isLeft(answer)) return E.left(asStoreError(place, answer.left, RETRY_HINT))
      const head = headIn(ground, answer.right)
      if (head === null) return E.left(replaced(place))
      learn(head)
      return E.right(head)
    },
  }
}
