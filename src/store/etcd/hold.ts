// Entries that belong to a lease of their own.

import { E, type Either } from '../../prelude.ts'
import type { Clock } from '../clock.ts'
import type { StoreError } from '../error.ts'
import type { Hold } from '../lease.ts'
import { packed } from '../packed.ts'
import { kvsOf, rangesOf, revisionOf } from './answer.ts'
import type { Client } from './client.ts'
import { asStoreError } from './fault.ts'
import { bytesOf, type Layout } from './layout.ts'
import { grant, keepLease, revoke } from './lease.ts'
import { isAt, lookAtKey } from './txn.ts'

type Wanted = Readonly<{ key: string; value: string; ttlMs: number; lost: (error: StoreError) => void }>

/** Says that what is held is lost; resolves when the server knows, too, if it can be told. */
export type Lose = (error: StoreError) => Promise<void>

/** `losing`: what is called when the store is closed. */
export const holdOn = async (
  { client, place, layout, head }: Readonly<{ client: Client; place: string; layout: Layout; head: number }>,
  clock: Clock,
  losing: Set<Lose>,
  { key, value, ttlMs, lost }: Wanted,
): Promise<Either<StoreError, Hold>> => {
  const granted = await grant(client, ttlMs)
  if (E.isLeft(granted)) return E.left(asStoreError(place, granted.left, 'nothing is held'))
  const { id: lease } = granted.right
  const at = layout.entries + key
  // Sent again it does nothing: either it happened, and the entry is this lease's, or it may happen now.
  const answer = await client.ask('txn', {
    compare: [isAt(layout.head, head), isAt(at, 0)],
    success: [{ request_put: { key: bytesOf(at), value: packed(value), lease } }],
    failure: [lookAtKey(at)],
  })
  const [found] = E.isRight(answer) ? rangesOf(answer.right).flatMap(kvsOf) : []
  const isHeld = E.isRight(answer) && (answer.right['succeeded'] === true || found?.lease === lease)
  if (!isHeld) {
    // What may be under way fails for want of its lease.
    await revoke(client, lease)
    if (E.isLeft(answer)) return E.left(asStoreError(place, answer.left, 'nothing is held'))
    return E.left(
      found === undefined
        ? { tag: 'StoreUnavailable', what: `the store of ${place} was removed or replaced`, hint: 'begin again' }
        : { tag: 'StoreConflict', key },
    )
  }
  const end = (): boolean => {
    stop()
    return losing.delete(lose)
  }
  const lose: Lose = async (error) => {
    if (!end()) return
    lost(error)
    if (error.tag === 'StoreClosed') await revoke(client, lease)
  }
  const stop = keepLease({ client, clock }, lease, granted.right.ttlMs, () =>
    lose({ tag: 'StoreUnavailable', what: `${place} may have given up ${JSON.stringify(key)}`, hint: 'hold it again' }),
  )
  losing.add(lose)
  return E.right({
    revision: found?.revision ?? revisionOf(answer.right),
    release: async () => {
      if (end()) await revoke(client, lease)
    },
  })
}
