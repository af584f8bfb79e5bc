// What netfilter has noted since the plane was opened, over what the entry says: conversations, and what packets have done to
// the ruleset. Connections are loaded from the entry when a packet first asks for them, and put back by `closeFilter`.

import type { Ip } from '../../../net/ip.ts'
import { draftOf, getIn } from '../../../net/pmap.ts'
import { settled } from '../../nft/evaluate.ts'
import { type NsEntry, nsWith } from '../../state.ts'
import type { Space } from '../plane.ts'
import type { Asked } from './asked.ts'
import { type Connection, connectionOf, entryOf, NOTHING_TRACKED, tupleKey } from './connection.ts'
import type { Tuple } from './tuple.ts'

/** By protocol and zone, both addresses, and both ports. Null: the entry has none either. */
type Index = Map<number, Map<Ip, Map<Ip, Map<number, Connection | null>>>>

export type FilterMemory = {
  readonly index: Index
  /** Those that are known here, by their ids; null: forgotten. */
  readonly known: Map<number, Connection | null>
  next: number
  /** The ruleset, if a packet has asked it. */
  asked: Asked | null
}

export const filterOf = (space: Space): FilterMemory => {
  space.filter ??= {
    index: new Map(),
    known: new Map(),
    next: (space.entry.tracked ?? NOTHING_TRACKED).next,
    asked: null,
  }
  return space.filter
}

const FIRST = 0x10000
const ZONE = 0x100

/** Null: forgotten; undefined: nobody has asked yet. */
const known = ({ index }: FilterMemory, { proto, zone, src, dst, sport, dport }: Tuple) =>
  index
    .get(zone * ZONE + proto)
    ?.get(src)
    ?.get(dst)
    ?.get(sport * FIRST + dport)

const levelOf = <K, V>(map: Map<K, V>, key: K, empty: () => V): V => {
  const there = map.get(key)
  if (there !== undefined) return there
  const fresh = empty()
  map.set(key, fresh)
  return fresh
}

const put = ({ index }: FilterMemory, { proto, zone, src, dst, sport, dport }: Tuple, it: Connection | null): void => {
  const bySource = levelOf(index, zone * ZONE + proto, () => new Map())
  const byDestination = levelOf(bySource, src, () => new Map())
  levelOf(byDestination, dst, () => new Map()).set(sport * FIRST + dport, it)
}

/** As the entry has it, if nobody has touched it yet. */
const load = (space: Space, memory: FilterMemory, tuple: Tuple): Connection | null => {
  const { tracked } = space.entry
  const id = tracked === null || tracked.tuples.root === null ? undefined : getIn(tracked.tuples, tupleKey(tuple))
  if (tracked === null || id === undefined) return null
  const loaded = memory.known.get(id)
  if (loaded !== undefined) return loaded
  const entry = getIn(tracked.connections, String(id))
  if (entry === undefined) return null
  const connection = connectionOf(entry)
  memory.known.set(id, connection)
  put(memory, connection.original, connection)
  put(memory, connection.reply, connection)
  return connection
}

export const forget = (space: Space, connection: Connection): void => {
  const memory = filterOf(space)
  put(memory, connection.original, null)
  put(memory, connection.reply, null)
  if (connection.id > 0) memory.known.set(connection.id, null)
}

/** The live conversation with this tuple, in either direction, or null. */
export const find = (space: Space, tuple: Tuple): Connection | null => {
  const memory = filterOf(space)
  const met = known(memory, tuple)
  const found = met === undefined ? load(space, memory, tuple) : met
  if (found === null || found.expiresMs > space.plane.nowMs) return found
  forget(space, found)
  return null
}

/** Enters a conversation in the table. False: another one has one of its tuples (nf_conntrack_confirm drops its packet). */
export const enter = (space: Space, connection: Connection): boolean => {
  if (find(space, connection.original) !== null || find(space, connection.reply) !== null) return false
  const memory = filterOf(space)
  connection.id = memory.next++
  memory.known.set(connection.id, connection)
  put(memory, connection.original, connection)
  put(memory, connection.reply, connection)
  return true
}

/** The live conversations that have been touched, and those that have not. Off the hot path. */
export const closeFilter = (space: Space, entry: NsEntry): NsEntry => {
  const { filter: memory, plane } = space
  if (memory === null) return entry
  const firewall = memory.asked === null ? entry.firewall : settled(memory.asked.run)
  const withRules = firewall === entry.firewall ? entry : nsWith(entry, { firewall })
  if (memory.known.size === 0) return withRules
  const was = entry.tracked ?? NOTHING_TRACKED
  const tuples = draftOf(was.tuples)
  const connections = draftOf(was.connections)
  // What is gone goes first: another may have its tuples by now.
  for (const [id, connection] of memory.known) {
    const old = getIn(was.connections, String(id))
    const isGone = connection === null || connection.expiresMs <= plane.nowMs
    if (old === undefined || !isGone) continue
    tuples.remove(tupleKey(old.original))
    tuples.remove(tupleKey(old.reply))
    connections.remove(String(id))
  }
  for (const [id, connection] of memory.known) {
    if (connection === null || connection.expiresMs <= plane.nowMs) continue
    connections.set(String(id), entryOf(connection))
    if (getIn(was.connections, String(id)) !== undefined) continue
    tuples.set(tupleKey(connection.original), id)
    tuples.set(tupleKey(connection.reply), id)
  }
  return nsWith(withRules, { tracked: { tuples: tuples.done(), connections: connections.done(), next: memory.next } })
}
