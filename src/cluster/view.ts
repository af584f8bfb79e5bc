// What a host has heard of what hosts share: which revisions it knows, who is there, and the news that its model has not been told yet. News
// comes late, doubled, and behind what this host wrote itself meanwhile; what is older than what is known of a key is none.

import { decodeStored } from '../model/codec.ts'
import type { SharedNews } from '../model/command.ts'
import type { EndpointId, HostId, Network, NetworkId, Peer } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import type { Entry, Revision, Write } from '../store/store.ts'
import { isRecordOf, readKey } from './layout.ts'

/** `mortal`: it is cleared by the others if its presence ends without a word. */
export type Member = Readonly<{ host: HostId; mortal: boolean }>

export type View = Readonly<{
  /** All that others wrote up to here was heard. */
  heard: () => Revision
  /** For compares; 0: it is not there. */
  revisionOf: (key: string) => Revision
  /** Those that were here and have not been forgotten; and those whose engines run. */
  members: () => ReadonlyArray<Member>
  isPresent: (host: HostId) => boolean
  hear: (revision: Revision, writes: ReadonlyArray<Write>) => void
  /** This host wrote these. */
  wrote: (revision: Revision, writes: ReadonlyArray<Write>) => void
  /** The key was last written at this revision, as the store said after everything up to `heard` was heard. */
  found: (key: string, revision: Revision, heard: Revision) => void
  /** What is new since it was asked last; null: nothing. Left: it is not of our making. */
  news: () => Either<string, SharedNews | null>
}>

const memberOf = (host: HostId, value: string): Member => ({ host, mortal: value === MORTAL })
export const MORTAL = 'mortal'
export const GUEST = 'guest'

const NOTHING: SharedNews = { tag: 'SharedNews', networks: [], peers: [], gone: { networks: [], endpoints: [] } }

/** Reads a record: what is there by it. */
export type ReadRecord = typeof decodeStored

/** What a listing of `g/` says. */
export const viewOf = (
  entries: ReadonlyArray<Entry>,
  at: Revision,
  host: HostId,
  read: ReadRecord = decodeStored,
): View => {
  let heard = at
  /** Of all keys but endpoints', of which each has one writer. `isGone` until everything before was heard. */
  const known = new Map<string, Readonly<{ revision: Revision; isGone: boolean }>>()
  const goneKeys = new Set<string>()
  const members = new Map<HostId, Member>()
  const present = new Set<HostId>()
  const pending = new Map<string, string | null>()

  const know = (key: string, revision: Revision, isGone: boolean): void => {
    known.set(key, { revision, isGone })
    if (isGone) goneKeys.add(key)
    else goneKeys.delete(key)
  }
  /** Nothing older of what is gone can come any more. */
  const forgetGone = (): void => {
    for (const key of goneKeys) {
      if ((known.get(key)?.revision ?? 0) > heard) continue
      known.delete(key)
      goneKeys.delete(key)
    }
  }
  /** False: it is older than what is known. */
  const learn = (key: string, value: string | null, revision: Revision): boolean => {
    const about = readKey(key)
    if (about === null) return false
    if (about.of === 'endpoint') return true
    if (revision <= (known.get(key)?.revision ?? 0)) return false
    know(key, revision, value === null)
    if (about.of === 'presence') {
      if (value === null) present.delete(about.host)
      else present.add(about.host)
    }
    if (about.of === 'member') {
      if (value === null) members.delete(about.host)
      else members.set(about.host, memberOf(about.host, value))
    }
    return about.of === 'network'
  }
  for (const { key, value, revision } of entries) learn(key, value, revision)

  const hear = (revision: Revision, writes: ReadonlyArray<Write>): void => {
    heard = Math.max(heard, revision)
    for (const { key, value } of writes) {
      if (!learn(key, value, revision)) continue
      if (value === null || !isRecordOf(host, value)) pending.set(key, value)
      else pending.delete(key)
    }
    forgetGone()
  }

  const news = (): Either<string, SharedNews | null> => {
    if (pending.size === 0) return E.right(null)
    const networks: Network[] = []
    const peers: Peer[] = []
    const gone: { networks: NetworkId[]; endpoints: EndpointId[] } = { networks: [], endpoints: [] }
    for (const [key, value] of pending) {
      const about = readKey(key)
      if (about?.of !== 'network' && about?.of !== 'endpoint') continue
      if (value === null) {
        if (about.of === 'network') gone.networks.push(about.id)
        else gone.endpoints.push(about.id)
        continue
      }
      const event = read(`${about.of === 'network' ? 'network' : 'peer'}/${about.id}`, value)
      if (E.isLeft(event)) return event
      if (event.right?.tag === 'NetworkCreated') networks.push(event.right.network)
      if (event.right?.tag === 'PeerIs') peers.push(event.right.peer)
    }
    pending.clear()
    const isNothing = networks.length + peers.length + gone.networks.length + gone.endpoints.length === 0
    return E.right(isNothing ? null : { ...NOTHING, networks, peers, gone })
  }

  return {
    heard: () => heard,
    revisionOf: (key) => {
      const found = known.get(key)
      return found === undefined || found.isGone ? 0 : found.revision
    },
    members: () => [...members.values()],
    isPresent: (each) => present.has(each),
    hear,
    wrote: (revision, writes) => {
      for (const { key, value } of writes) {
        const about = readKey(key)
        // What came to a network before was not heard of, so its last use is not what is known (change.ts).
        if (about?.of !== 'network' && about?.of !== 'space' && about?.of !== 'use') continue
        know(key, revision, value === null)
        pending.delete(key)
      }
    },
    found: (key, revision, then) => {
      const before = known.get(key)
      if (before !== undefined && !before.isGone && revision <= then && before.revision <= then)
        know(key, revision, false)
    },
    news,
  }
}
