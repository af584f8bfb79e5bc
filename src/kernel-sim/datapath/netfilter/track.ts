// Connection tracking: which conversation a packet belongs to, in which direction, and whether it is new. A conversation is
// entered in the table only when its first packet has survived all hooks (hooks.ts).
// Sources: net/netfilter/nf_conntrack_core.c (nf_conntrack_in, resolve_normal_ct), nf_conntrack_proto_{tcp,udp,icmp,icmpv6}.c.

import { ICMP } from '../../wire/icmp4.ts'
import { ICMP6 } from '../../wire/icmp6.ts'
import type { Packet } from '../../wire/nested.ts'
import { FLAG } from '../../wire/tcp.ts'
import { UDP } from '../../wire/udp.ts'
import type { Space } from '../plane.ts'
import type { Connection } from './connection.ts'
import { type Flow, INVALID, UNTRACKED } from './flow.ts'
import { filterOf, find, forget } from './memory.ts'
import { quotedBy } from './rewrite.ts'
import { nextState, segmentOf, TCP_TIMEOUTS, UNACKNOWLEDGED } from './tcp-state.ts'
import { isIcmp, isQuestion, mirror, rawTypeOf, sameTuple, type Tuple, tupleOf } from './tuple.ts'

const SECOND = 1000
const UDP_TIMEOUT = 30 * SECOND
const UDP_STREAM_TIMEOUT = 120 * SECOND
/** There must be talk in both directions for so long (nf_conntrack_udp_packet). */
const UDP_STREAM_AFTER = 2 * SECOND
const ICMP_TIMEOUT = 30 * SECOND
const GENERIC_TIMEOUT = 600 * SECOND

const begin = (original: Tuple, reply: Tuple, nowMs: number): Connection => ({
  id: 0,
  original,
  reply,
  seenReply: false,
  assured: false,
  snat: false,
  dnat: false,
  mark: 0,
  tcp: original.proto === 6 ? 'none' : null,
  closing: false,
  streamMs: nowMs + UDP_STREAM_AFTER,
  expiresMs: Number.POSITIVE_INFINITY,
  sourceDone: false,
  destinationDone: false,
})

type Heard = 'heard' | 'invalid' | 'again'

const touch = (space: Space, connection: Connection, timeoutMs: number): void => {
  connection.expiresMs = space.plane.nowMs + timeoutMs
  if (connection.id > 0) filterOf(space).known.set(connection.id, connection)
}

/** `again`: it was over, and is forgotten; this packet begins another one. */
const hearTcp = (space: Space, connection: Connection, flags: number, isReply: boolean): Heard => {
  const state = connection.tcp ?? 'none'
  const segment = segmentOf(flags)
  const next = nextState(state, segment, isReply)
  if (next === 'invalid') return 'invalid'
  if (next === 'ignored') return 'heard'
  const isOver = state === 'time-wait' || state === 'close'
  if (next === 'syn-sent' && isOver && connection.closing) {
    forget(space, connection)
    return 'again'
  }
  if (segment === 'fin' || segment === 'rst') connection.closing = true
  connection.tcp = next
  if (!connection.seenReply) {
    // Only a RST has answered: there never was a connection.
    if (segment === 'rst' && connection.id > 0) {
      forget(space, connection)
      return 'heard'
    }
    touch(space, connection, next === 'established' ? UNACKNOWLEDGED : TCP_TIMEOUTS[next])
    return 'heard'
  }
  if (next === 'established' && (state === 'syn-recv' || state === 'established')) connection.assured = true
  touch(space, connection, segment === 'rst' ? TCP_TIMEOUTS.close : TCP_TIMEOUTS[next])
  return 'heard'
}

const hearUdp = (space: Space, connection: Connection): Heard => {
  const isStream = connection.seenReply && space.plane.nowMs > connection.streamMs
  if (isStream) connection.assured = true
  touch(space, connection, isStream ? UDP_STREAM_TIMEOUT : UDP_TIMEOUT)
  return 'heard'
}

const flagsOf = ({ body }: Packet): number => {
  if (body.proto === 'tcp') return body.flags
  return body.proto === 'head' && body.of.proto === 'tcp' ? body.of.flags : FLAG.ACK
}

const hear = (space: Space, connection: Connection, packet: Packet, isReply: boolean): Heard => {
  const { proto } = connection.original
  if (connection.tcp !== null) return hearTcp(space, connection, flagsOf(packet), isReply)
  if (proto === UDP) return hearUdp(space, connection)
  touch(space, connection, isIcmp(proto) ? ICMP_TIMEOUT : GENERIC_TIMEOUT)
  return 'heard'
}

/** An error travels the way an answer to the packet it quotes would. */
const related = (space: Space, quoted: Packet, outer: Packet, zone: number): Flow => {
  const tuple = tupleOf(quoted, zone)
  const answer = tuple === null ? null : mirror(tuple)
  const connection = answer === null ? null : find(space, answer)
  if (answer === null || connection === null || outer.dst !== answer.dst) return INVALID
  return { state: 'related', connection, isReply: !sameTuple(connection.original, answer) }
}

/** Discovery and listener reports, which nobody tracks; of redirects Linux says that they are invalid. */
const isOfTheLink = ({ body }: Packet): boolean => {
  if (body.proto === 'icmp6') return !('payload' in body) && !('about' in body) && body.type !== 'redirect'
  const type = body.proto === 'raw' && body.protocol === ICMP6 ? rawTypeOf(body) : -1
  return (type >= 130 && type <= 136) || type === 143
}

const flowOf = (space: Space, packet: Packet, tuple: Tuple, isAgain: boolean): Flow => {
  const known = find(space, tuple)
  if (known === null) {
    const reply = mirror(tuple)
    if (reply === null || !isQuestion(tuple)) return INVALID
    const connection = begin(tuple, reply, space.plane.nowMs)
    return hear(space, connection, packet, false) === 'invalid' ? INVALID : { state: 'new', connection, isReply: false }
  }
  const isReply = !sameTuple(known.original, tuple)
  const heard = hear(space, known, packet, isReply)
  if (heard === 'invalid') return INVALID
  if (heard === 'again' && !isAgain) return flowOf(space, packet, tuple, true)
  if (isReply) known.seenReply = true
  return { state: known.seenReply ? 'established' : 'new', connection: known, isReply }
}

/** The flow of a packet that has just met conntrack: it renews what is known of its conversation. */
export const track = (space: Space, packet: Packet, zone: number): Flow => {
  if (isOfTheLink(packet)) return UNTRACKED
  const quoted = quotedBy(packet)
  if (quoted !== null) return related(space, quoted, packet, zone)
  const tuple = tupleOf(packet, zone)
  return tuple === null || (tuple.proto === ICMP && packet.tag === 'ip6')
    ? INVALID
    : flowOf(space, packet, tuple, false)
}
