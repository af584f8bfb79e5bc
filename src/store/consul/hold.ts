// Entries that last as long as their holder's session. Each hold has a session of its own, which locks a key that is written together with
// the entry. How it is taken down again: reap.ts.
// Invariant: the holder is told of the loss before Consul can have ended the session: it counts from when it asked what was last answered,
// and Consul from when that came, for the same time to live and up to twice that.

import { E, type Either } from '../../prelude.ts'
import type { Clock } from '../clock.ts'
import type { StoreError } from '../error.ts'
import { asStoreError } from '../http/fault.ts'
import { keepAlive, type Renewal } from '../keep-alive.ts'
import type { Hold } from '../lease.ts'
import { type Committer, plain } from './commit.ts'
import type { Ground } from './ground.ts'
import { newWord } from './layout.ts'
import { takeDown } from './reap.ts'
import { lockOf } from './txn.ts'

/** Consul's session_ttl_min, unless its servers were told otherwise, and its longest. */
const LEAST_TTL_MS = 10_000
const MOST_TTL_MS = 86_400_000
const END_PATIENCE_MS = 1000

type Session = Readonly<{ id: string; ttlMs: number }>

const begin = async ({ client, place }: Ground, ttlMs: number): Promise<Either<StoreError, Session>> => {
  const wanted = Math.min(ttlMs, MOST_TTL_MS)
  for (const each of [wanted, Math.max(wanted, LEAST_TTL_MS)]) {
    const made = await client.makeSession(each)
    if (E.isLeft(made)) return E.left(asStoreError(place, made.left, 'nothing is held'))
    if (made.right !== null) return E.right({ id: made.right, ttlMs: each })
  }
  const what = `${place} allows no session of ${LEAST_TTL_MS / 1000} s`
  return E.left({ tag: 'StoreUnavailable', what, hint: 'leave session_ttl_min of its servers at its default' })
}

export type Wanted = Readonly<{ key: string; value: string; ttlMs: number; lost: (error: StoreError) => void }>

/** Says that what is held is lost; resolves when the servers know, too, if they can be told. */
export type Lose = (error: StoreError) => Promise<void>

/** `losing`: what is called when the store is closed. */
export const holdOn = async (
  ground: Ground,
  committer: Committer,
  clock: Clock,
  losing: Set<Lose>,
  { key, value, ttlMs, lost }: Wanted,
): Promise<Either<StoreError, Hold>> => {
  const { client, place, layout } = ground
  const session = await begin(ground, ttlMs)
  if (E.isLeft(session)) return session
  const { id } = session.right
  const name = `${layout.holds}${newWord()}`
  const unavailable: StoreError = {
    tag: 'StoreUnavailable',
    what: `${place} may have given up ${JSON.stringify(key)}`,
    hint: 'hold it again',
  }
  let isLost = false
  let tell = (): void => {
    isLost = true
  }
  const renew = async (patienceMs: number): Promise<Renewal> => {
    const renewed = await client.renewSession(id, patienceMs)
    return E.isLeft(renewed) ? 'unheard' : renewed.right ? 'kept' : 'over'
  }
  const stop = keepAlive(clock, renew, session.right.ttlMs, () => tell())
  const made = await committer.commit({
    ...plain({ compares: [{ key, revision: 0 }], writes: [{ key, value }] }),
    also: [lockOf(name, key, id)],
  })
  if (E.isLeft(made) || isLost) {
    stop()
    await client.endSession(id, END_PATIENCE_MS)
    return E.isLeft(made) ? made : E.left(unavailable)
  }
  const giveUp = async (): Promise<void> => {
    await takeDown(ground, committer, name, true, END_PATIENCE_MS)
    await client.endSession(id, END_PATIENCE_MS)
  }
  const end = (): boolean => {
    stop()
    return losing.delete(lose)
  }
  const lose: Lose = async (error) => {
    if (!end()) return
    lost(error)
    if (error.tag === 'StoreClosed') await giveUp()
  }
  tell = () => void lose(unavailable)
  losing.add(lose)
  return E.right({
    revision: made.right,
    release: async () => {
      if (end()) await giveUp()
    },
  })
}
