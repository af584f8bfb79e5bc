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
  /** All that others wrote up to here was heard; up to there, the model was told of it. */
  heard: () => Revision
  told: () => Revision
  /** For compares: as the model knows it; 0: it is not there. */
  revisionOf: (key: string) => Revision
  /** Those that were here and have not been forgotten; and those whose engines run. */
  members: () => ReadonlyArray<Member>
  isPresent: (host: HostId) => boolean
  hear: (revision: Revision, writes: ReadonlyArray<Write>) => void
  /** A key was read. News that was told together bears the last revision of all; this is its own. */
  read: (entry: Entry) => void
  /** This host wrote these. */
  wrote: (revision: Revision, writes: ReadonlyArray<Write>) => void
  /** What is new since it was asked last; null: nothing. Left: it is not of our making. */
  news: () => Either<string, SharedNews | null>
}>

export const MORTAL = 'mortal'
export const GUEST = 'guest'
const memberOf = (host: HostId, value: string): Member => ({ host, mortal: value === MORTAL })

/** What is known of the keys that transactions rest on. Of an endpoint's record nothing is: it has one writer. */
const makeKnown = () => {
  const known = new Map<string, Revision>()
  /** Until everything before was heard. */
  const gone = new Map<string, Revision>()
  const know = (key: string, revision: Revision, isGone: boolean): void => {
    const [here, there] = isGone ? [gone, known] : [known, gone]
    here.set(key, revision)
    there.delete(key)
  }
  return {
    of: (key: string): Revision => known.get(key) ?? 0,
    know,
    /** False: it is older than what is known. */
    learn: (key: string, revision: Revision, isGone: boolean): boolean => {
      if (revision <= (known.get(key) ?? gone.get(key) ?? 0)) return false
      know(key, revision, isGone)
      return true
    },
    forget: (upTo: Revision): void => {
      for (const [key, last] of gone) if (last <= upTo) gone.delete(key)
    },
  }
}

/** How a record is read; where many hosts are one process, once for all of them. */
export type ReadRecord = typeof decodeStored

/** What a listing of `g/` says. What is heard later counts once the model is told of it: what it does not know, nothing may rest on. */
export const viewOf = (
  entries: ReadonlyArray<Entry>,
  at: Revision,
  host: HostId,
  readRecord: ReadRecord = decodeStored,
): View => {
  let heard = at
  let told = at
  const known = makeKnown()
  const members = new Map<HostId, Member>()
  const present = new Map<HostId, boolean>()
  let queue: Array<() => void> = []
  const pending = new Map<string, string | null>()

  /** Who is there is known at once. */
  const meet = (key: string, value: string | null): void => {
    const about = readKey(key)
    if (about?.of === 'presence') present.set(about.host, value !== null)
    if (about?.of !== 'member') return
    if (value === null) members.delete(about.host)
    else members.set(about.host, memberOf(about.host, value))
  }
  const learn = (key: string, value: string | null, revision: Revision): void => {
    const about = readKey(key)
    if (about?.of === 'endpoint') {
      if (value === null || !isRecordOf(host, value)) pending.set(key, value)
      else pending.delete(key)
    } else if (known.learn(key, revision, value === null) && about?.of === 'network') pending.set(key, value)
  }
  for (const { key, value, revision } of entries) {
    meet(key, value)
    if (readKey(key)?.of !== 'endpoint') known.learn(key, revision, false)
  }

  const news = (): Either<string, SharedNews | null> => {
    const due = queue
    queue = []
    for (const work of due) work()
    told = heard
    known.forget(told)
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
      const event = readRecord(`${about.of === 'network' ? 'network' : 'peer'}/${about.id}`, value)
      if (E.isLeft(event)) return event
      if (event.right?.tag === 'NetworkCreated') networks.push(event.right.network)
      if (event.right?.tag === 'PeerIs') peers.push(event.right.peer)
    }
    pending.clear()
    const count = networks.length + peers.length + gone.networks.length + gone.endpoints.length
    return E.right(count === 0 ? null : { tag: 'SharedNews', networks, peers, gone })
  }

  return {
    heard: () => heard,
    told: () => told,
    revisionOf: known.of,
    members: () => [...members.values()],
    isPresent: (each) => present.get(each) === true,
    hear: (revision, writes) => {
      heard = Math.max(heard, revision)
      for (const { key, value } of writes) meet(key, value)
      queue.push(() => {
        for (const { key, value } of writes) learn(key, value, revision)
      })
    },
    read: ({ key, revision }) => {
      if (revision <= heard) queue.push(() => known.know(key, revision, false))
    },
    wrote: (revision, writes) => {
      for (const { key, value } of writes) {
        const about = readKey(key)
        if (about?.of === 'network' || about?.of === 'space' || about?.of === 'use')
          known.know(key, revision, value === null)
      }
    },
    news,
  }
}
