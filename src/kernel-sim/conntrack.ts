// Connection tracking: which conversation a packet belongs to, in which direction, and whether it is new. A conversation
// is entered in the table only when its first packet has survived all hooks (`confirm`).
// Sources: net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_{tcp,udp,icmp,icmpv6}.c.

import type { CtState } from '../kernel/firewall/rule.ts'
import { getIn, removeIn, setIn } from '../net/pmap.ts'
import { mirror, type Packet, quotedBy, tupleOf } from './packet.ts'
import { type Connection, type NsEntry, nsWith, type Tuple } from './state.ts'

/**
 * What conntrack knows of a packet. `fresh`: the connection is not in the table yet, so NAT is still to be decided.
 * `connection` null: the packet belongs to none (state `invalid`), and passes untranslated.
 */
export type Flow = Readonly<{ state: CtState; connection: Connection | null; isReply: boolean; fresh: boolean }>

export const tupleKey = (t: Tuple): string => `${t.proto} ${t.src} ${t.sport} ${t.dst} ${t.dport}`
const sameTuple = (a: Tuple, b: Tuple): boolean =>
  a.src === b.src && a.dst === b.dst && a.sport === b.sport && a.dport === b.dport && a.proto === b.proto

/** How long an idle conversation is remembered (nf_conntrack_*_timeout; a probe's TCP is closed at once: time_wait). */
const lifetimeMs = ({ original, assured }: Connection): number => {
  switch (original.proto) {
    case 'icmp':
      return 30_000
    case 'udp':
      return assured ? 120_000 : 30_000
    case 'tcp':
      return 120_000
  }
}

const find = (space: NsEntry, tuple: Tuple, nowMs: number): Connection | null => {
  const id = getIn(space.tuples, tupleKey(tuple))
  const connection = id === undefined ? undefined : getIn(space.connections, String(id))
  return connection === undefined || nowMs - connection.seenMs > lifetimeMs(connection) ? null : connection
}

/** Whether a live conversation has this tuple, in either direction. */
export const isTaken = (space: NsEntry, tuple: Tuple, nowMs: number): boolean => find(space, tuple, nowMs) !== null

const INVALID: Flow = { state: 'invalid', connection: null, isReply: false, fresh: false }

/** Only these may begin a conversation (tcp_new with nf_conntrack_tcp_loose, icmp_packet's valid_new). */
const mayBegin = ({ body }: Packet): boolean => {
  switch (body.proto) {
    case 'tcp':
      return body.flags === 'SYN' || body.flags === 'ACK'
    case 'udp':
      return true
    case 'icmp':
      return body.type === 'echo-request'
  }
}

const begin = (original: Tuple, nowMs: number): Flow => ({
  state: 'new',
  connection: {
    id: 0,
    original,
    reply: mirror(original),
    assured: false,
    dnat: false,
    snat: false,
    seenMs: nowMs,
  },
  isReply: false,
  fresh: true,
})

/** An error travels the way an answer to the packet it quotes would. */
const related = (space: NsEntry, quoted: Packet, outer: Packet, nowMs: number): Flow => {
  const tuple = tupleOf(quoted)
  if (tuple === null) return INVALID
  const answer = mirror(tuple)
  const connection = find(space, answer, nowMs)
  if (connection === null || outer.dst !== answer.dst) return INVALID
  return { state: 'related', connection, isReply: !sameTuple(connection.original, answer), fresh: false }
}

/** The flow of a packet that has just met conntrack. Nothing is entered or refreshed yet. */
export const track = (space: NsEntry, packet: Packet, nowMs: number): Flow => {
  const quoted = quotedBy(packet)
  if (quoted !== null) return related(space, quoted, packet, nowMs)
  const tuple = tupleOf(packet)
  if (tuple === null) return INVALID
  const connection = find(space, tuple, nowMs)
  if (connection === null) return mayBegin(packet) ? begin(tuple, nowMs) : INVALID
  const isReply = !sameTuple(connection.original, tuple)
  return { state: isReply || connection.assured ? 'established' : 'new', connection, isReply, fresh: false }
}

/** The namespace that has seen this packet of a conversation it knows: the answer marks it assured, any renews it. */
export const refresh = (space: NsEntry, flow: Flow, nowMs: number): NsEntry => {
  const { connection } = flow
  if (connection === null || flow.fresh || flow.state === 'related') return space
  const assured = connection.assured || flow.isReply
  if (assured === connection.assured && connection.seenMs === nowMs) return space
  const seen = { ...connection, assured, seenMs: nowMs }
  return nsWith(space, { connections: setIn(space.connections, String(connection.id), seen) })
}

/** Forgets the conversations that held these tuples; they have expired, or `isTaken` would have been heeded. */
const without = (space: NsEntry, tuples: ReadonlyArray<Tuple>): NsEntry => {
  let kept = space
  for (const tuple of tuples) {
    const id = getIn(kept.tuples, tupleKey(tuple))
    const old = id === undefined ? undefined : getIn(kept.connections, String(id))
    if (old === undefined) continue
    kept = nsWith(kept, {
      tuples: removeIn(removeIn(kept.tuples, tupleKey(old.original)), tupleKey(old.reply)),
      connections: removeIn(kept.connections, String(old.id)),
    })
  }
  return kept
}

/** Enters a fresh conversation in the table; the flow is fresh no more. */
export const confirm = (space: NsEntry, flow: Flow): readonly [NsEntry, Flow] => {
  if (!flow.fresh || flow.connection === null) return [space, flow]
  const connection = { ...flow.connection, id: space.nextConnection }
  const { original, reply, id } = connection
  const kept = without(space, [original, reply])
  return [
    nsWith(kept, {
      tuples: setIn(setIn(kept.tuples, tupleKey(original), id), tupleKey(reply), id),
      connections: setIn(kept.connections, String(id), connection),
      nextConnection: id + 1,
    }),
    { ...flow, connection, fresh: false },
  ]
}
