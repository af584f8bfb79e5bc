// The hosts of a store: who is there, who was, and clearing what a host had that is gone. It is cleared behind its fence: whatever it still
// believes to be, it writes nothing any more before it has read what is left. Each record goes together with what it claims, and only as it
// was read: several may clear at once, and what one has freed may be taken again before the other gets on.

import { decodeStored } from '../model/codec.ts'
import type { Endpoint, HostId } from '../model/types.ts'
import { E, type Either, type TaskEither } from '../prelude.ts'
import type { StoreError } from '../store/error.ts'
import type { Compare, Entry, Revision, Store, Write } from '../store/store.ts'
import {
  claimsOfEndpoint,
  endpointKey,
  fenceKey,
  isRecordOf,
  LAST,
  localPrefix,
  memberKey,
  presenceKey,
  readKey,
  SHARED,
} from './layout.ts'
import { GUEST, MORTAL } from './view.ts'

/** `holder`: what the process that is this host wrote of itself; null: there is none. `mortal`: cleared by the others if it dies. */
export type HostStatus = Readonly<{ host: HostId; holder: string | null; mortal: boolean; endpoints: number }>

/** Endpoints whose records and claims go in one transaction. */
const AT_ONCE = 50

const statusOf = (entries: ReadonlyArray<Entry>, member: Entry, host: HostId): HostStatus => ({
  host,
  holder: entries.find(({ key }) => key === presenceKey(host))?.value ?? null,
  mortal: member.value === MORTAL,
  endpoints: entries.filter(({ key, value }) => readKey(key)?.of === 'endpoint' && isRecordOf(host, value)).length,
})

/** All that were ever here and have not been forgotten, by name. */
export const listHosts =
  (store: Store): TaskEither<StoreError, ReadonlyArray<HostStatus>> =>
  async () => {
    const listed = await store.list(SHARED)()
    if (E.isLeft(listed)) return listed
    const { entries } = listed.right
    return E.right(
      entries.flatMap((entry) => {
        const about = readKey(entry.key)
        return about?.of === 'member' ? [statusOf(entries, entry, about.host)] : []
      }),
    )
  }

/** As it lies in the store. */
type Found = Readonly<{ endpoint: Endpoint; revision: Revision }>

const endpointsOf = async (
  store: Store,
  host: HostId,
  place: string,
): Promise<Either<StoreError, ReadonlyArray<Found>>> => {
  const listed = await store.list(SHARED)()
  if (E.isLeft(listed)) return listed
  const found: Found[] = []
  for (const { key, value, revision } of listed.right.entries) {
    const about = readKey(key)
    if (about?.of !== 'endpoint' || !isRecordOf(host, value)) continue
    const event = decodeStored(`peer/${about.id}`, value)
    if (E.isLeft(event))
      return E.left({ tag: 'StoreNotOurs', file: place, why: `holds what is none of cnm: ${event.left}` })
    if (event.right?.tag === 'PeerIs') found.push({ endpoint: event.right.peer.endpoint, revision })
  }
  return E.right(found)
}

const removalOf = ({ endpoint }: Found): ReadonlyArray<Write> =>
  [endpointKey(endpoint.id), ...claimsOfEndpoint(endpoint)].map((key) => ({ key, value: null }))
const asFound = ({ endpoint, revision }: Found): Compare => ({ key: endpointKey(endpoint.id), revision })

/** Whether the host is there, in the words of a store; `place`: the store, for sentences. */
const isThere = (host: HostId, place: string): StoreError => ({
  tag: 'StoreHeld',
  place: `host ${host} of ${place}`,
  by: 'its engine',
})

/** Of a transaction that rests on the host being gone, and on its records: whether it was one of these that somebody else has changed. */
const isOfRecord = (error: StoreError): boolean =>
  error.tag === 'StoreConflict' && readKey(error.key)?.of === 'endpoint'

/**
 * Takes from a host that is gone what it had of what hosts share: addresses, names. Its own part stays, for when it comes back. Right: how
 * many endpoints. Left `StoreHeld`: it is there, or came back meanwhile.
 */
export const clearHost =
  (store: Store, host: HostId, place: string): TaskEither<StoreError, number> =>
  async () => {
    const gone: ReadonlyArray<Compare> = [{ key: presenceKey(host), revision: 0 }]
    const outside: ReadonlyArray<Compare> = [...gone, { key: fenceKey(host), revision: 0 }]
    const change = async (
      compares: ReadonlyArray<Compare>,
      writes: ReadonlyArray<Write>,
    ): Promise<StoreError | null> => {
      const done = await store.transact({ compares, writes })()
      if (E.isRight(done)) return null
      return done.left.tag === 'StoreConflict' && !isOfRecord(done.left) ? isThere(host, place) : done.left
    }
    const fenced = await change(gone, [{ key: fenceKey(host), value: null }])
    if (fenced !== null) return E.left(fenced)
    let removed = 0
    for (let isSettled = false; !isSettled; ) {
      const found = await endpointsOf(store, host, place)
      if (E.isLeft(found)) return found
      isSettled = true
      for (let at = 0; isSettled && at < found.right.length; at += AT_ONCE) {
        const some = found.right.slice(at, at + AT_ONCE)
        const writes = [...some.flatMap(removalOf), { key: LAST, value: host }]
        const failed = await change([...outside, ...some.map(asFound)], writes)
        if (failed === null) removed += some.length
        else if (isOfRecord(failed)) isSettled = false
        else return E.left(failed)
      }
    }
    const last = await change(outside, [{ key: memberKey(host), value: GUEST }])
    return last === null ? E.right(removed) : E.left(last)
  }

/**
 * What a cleared host kept for itself, and that it ever was. Whoever comes as this host or clears it writes its member key, so that nothing is
 * taken that was not there when this began; `Changed`: somebody has.
 */
const forgetOwn = async (store: Store, host: HostId): Promise<Either<StoreError | { tag: 'Changed' }, void>> => {
  const member = await store.get(memberKey(host))()
  if (E.isLeft(member)) return member
  const own = await store.list(localPrefix(host))()
  if (E.isLeft(own)) return own
  const compares: ReadonlyArray<Compare> = [
    { key: presenceKey(host), revision: 0 },
    { key: fenceKey(host), revision: 0 },
    { key: memberKey(host), revision: member.right?.revision ?? 0 },
  ]
  const keys = [...own.right.entries.map(({ key }) => key), memberKey(host)]
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const writes = keys.slice(at, at + AT_ONCE).map((key) => ({ key, value: null }))
    const done = await store.transact({ compares, writes })()
    if (E.isLeft(done)) return E.left(done.left.tag === 'StoreConflict' ? { tag: 'Changed' } : done.left)
  }
  return E.right(undefined)
}

/** Clears a host, and forgets what it kept for itself. Right: how many endpoints it had of what hosts share. */
export const forgetHost =
  (store: Store, host: HostId, place: string): TaskEither<StoreError, number> =>
  async () => {
    for (let removed = 0; ; ) {
      const cleared = await clearHost(store, host, place)()
      if (E.isLeft(cleared)) return cleared
      removed += cleared.right
      const forgotten = await forgetOwn(store, host)
      if (E.isRight(forgotten)) return E.right(removed)
      if (forgotten.left.tag !== 'Changed') return E.left(forgotten.left)
    }
  }
