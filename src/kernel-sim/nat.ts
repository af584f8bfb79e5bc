// Network address translation. A decision is made once, for the first packet of a conversation, and kept as the
// difference between its two tuples; every later packet, answers and the errors about them included, follows from those.
// Sources: net/netfilter/nf_nat_core.c, nf_nat_proto.c, nf_nat_masquerade.c.

import type { Ip } from '../net/ip.ts'
import { type Flow, isTaken } from './conntrack.ts'
import { mirror, type Packet, quotedBy, tupleOf, withDestination, withQuoted, withSource } from './packet.ts'
import type { Connection, NsEntry, Tuple } from './state.ts'

/** What a NAT hook may rewrite: destinations before routing, sources after it. */
export type Part = 'source' | 'destination'

/** The conversation sent elsewhere. Its `dnat` mark (`ct status dnat`) means that something did change. */
export const bindDestination = (connection: Connection, to: Readonly<{ ip: Ip; port: number }>): Connection => {
  const { reply } = connection
  if (reply.src === to.ip && reply.sport === to.port) return connection
  return { ...connection, reply: { ...reply, src: to.ip, sport: to.port }, dnat: true }
}

/** The ports that may stand in for another: one privileged range never becomes the other (nf_nat_l4proto_unique_tuple). */
const rangeFor = (proto: Tuple['proto'], port: number): readonly [first: number, last: number] => {
  if (proto === 'icmp') return [0, 65535]
  if (port < 512) return [1, 511]
  return port < 1024 ? [600, 1023] : [1024, 65535]
}

/** Where to begin the search; Linux begins at random. A prime, so that neighbours in time begin far apart. */
const STRIDE = 7919

/**
 * The conversation from another source, which keeps its port if the answers' tuple is free, and gets another if not.
 * Null: every port is taken.
 */
export const bindSource = (space: NsEntry, connection: Connection, ip: Ip, nowMs: number): Connection | null => {
  const { reply, original } = connection
  const wanted = { ...reply, dst: ip }
  const changed = (tuple: Tuple): Connection =>
    tuple.dst === reply.dst && tuple.dport === reply.dport ? connection : { ...connection, reply: tuple, snat: true }
  if (!isTaken(space, wanted, nowMs)) return changed(wanted)
  const [first, last] = rangeFor(original.proto, original.sport)
  const count = last - first + 1
  for (let i = 0; i < count; i++) {
    const dport = first + ((original.sport + space.nextConnection * STRIDE + i) % count)
    // An echo has one id for both ends.
    const tuple = original.proto === 'icmp' ? { ...wanted, sport: dport, dport } : { ...wanted, dport }
    if (!isTaken(space, tuple, nowMs)) return changed(tuple)
  }
  return null
}

const rewrite = (packet: Packet, part: Part, like: Tuple): Packet => {
  if (part === 'source')
    return packet.src === like.src && tupleOf(packet)?.sport === like.sport
      ? packet
      : withSource(packet, like.src, like.sport)
  return packet.dst === like.dst && tupleOf(packet)?.dport === like.dport
    ? packet
    : withDestination(packet, like.dst, like.dport)
}

/**
 * The packet as it is after the NAT hook for `part`. In the direction of answers source and destination change places:
 * what was done to one is undone on the other. An error is translated with the packet it quotes.
 */
export const translate = (packet: Packet, flow: Flow, part: Part): Packet => {
  const { connection, isReply } = flow
  if (connection === null) return packet
  const applies = (part === 'source') !== isReply ? connection.snat : connection.dnat
  if (!applies) return packet
  const other = isReply ? connection.original : connection.reply
  const like = mirror(other)
  const quoted = quotedBy(packet)
  if (quoted === null) return rewrite(packet, part, like)
  const outer = part === 'source' ? { ...packet, src: like.src } : { ...packet, dst: like.dst }
  return withQuoted(outer, rewrite(quoted, part === 'source' ? 'destination' : 'source', other))
}
