// Network address translation. A decision is made once, for the first packet of a conversation, and kept as the difference between
// its two tuples; every later packet, answers and the errors about them included, follows from those.
// Sources: net/netfilter/nf_nat_core.c (get_unique_tuple, nf_nat_setup_info), nf_nat_proto.c (nf_nat_icmp_reply_translation).

import type { Ip } from '../../../net/ip.ts'
import type { Packet } from '../../wire/nested.ts'
import { TCP } from '../../wire/tcp.ts'
import { UDP } from '../../wire/udp.ts'
import type { Space } from '../plane.ts'
import { below } from '../random.ts'
import { addressIn, type Range } from './address.ts'
import type { Connection } from './connection.ts'
import type { Flow } from './flow.ts'
import { find } from './memory.ts'
import { movedTo, type Part, quotedBy, withQuoted } from './rewrite.ts'
import { isIcmp, mirror, type Tuple } from './tuple.ts'

/** Where an end may be moved to. `port` null: the one it has, or another if that is taken. */
export type Place = Readonly<{
  address: Range<Ip>
  port: Range<number> | null
  random: boolean
  persistent: boolean
}>

/** Whether answers to this tuple would be somebody else's. */
const isTaken = (space: Space, tuple: Tuple): boolean => {
  const reply = mirror(tuple)
  return reply !== null && find(space, reply) !== null
}

const portOf = ({ proto, sport, dport }: Tuple, part: Part): number =>
  part === 'source' || isIcmp(proto) ? sport : dport
const withPort = (tuple: Tuple, part: Part, port: number): Tuple =>
  part === 'source' || isIcmp(tuple.proto) ? { ...tuple, sport: port } : { ...tuple, dport: port }

const isWithin = (port: number, { from, to }: Range<number>): boolean => port >= from && port <= to

/** The ports that may stand in for another: one privileged range never becomes the other. */
const rangeFor = ({ proto, sport }: Tuple): Range<number> => {
  if (isIcmp(proto)) return { from: 0, to: 65535 }
  if (sport < 512) return { from: 1, to: 511 }
  return sport < 1024 ? { from: 600, to: 1023 } : { from: 1024, to: 65535 }
}

const MANY_ATTEMPTS = 128
const FEW_ATTEMPTS = 16

/** Tries ports from one by chance on, and again from another one; what comes last is taken all the same, and then not entered. */
const search = (space: Space, tuple: Tuple, part: Part, { from, to }: Range<number>, byChance: boolean): Tuple => {
  const { random } = space.plane
  const size = Math.max(1, to - from + 1)
  let tried = tuple
  let attempts = Math.min(size, MANY_ATTEMPTS)
  let offset = byChance ? below(random, 0x10000) : 0
  for (;;) {
    for (let i = 0; i < attempts; i++) {
      tried = withPort(tuple, part, from + (offset++ % size))
      if (!isTaken(space, tried)) return tried
    }
    if (attempts >= size || attempts < FEW_ATTEMPTS) return tried
    attempts = Math.floor(attempts / 2)
    offset = below(random, 0x10000)
  }
}

const hasPorts = ({ proto }: Tuple): boolean => proto === TCP || proto === UDP || isIcmp(proto)

/** The tuple of the first packet with another end, such that its answers are nobody else's. */
const uniqueTuple = (space: Space, tuple: Tuple, part: Part, place: Place): Tuple => {
  const { port, random } = place
  const moved =
    part === 'source' ? { ...tuple, src: addressIn(place, tuple) } : { ...tuple, dst: addressIn(place, tuple) }
  const isFree = (): boolean => !isTaken(space, moved)
  if (!hasPorts(tuple)) return moved
  if (!random) {
    if (port === null && isFree()) return moved
    if (port !== null && isWithin(portOf(moved, part), port) && (port.from === port.to || isFree())) return moved
  }
  // A destination keeps its port unless a rule names another; an echo has one id for both ends.
  if (port === null && part === 'destination' && !isIcmp(tuple.proto)) return moved
  return search(space, moved, part, port ?? rangeFor(moved), random || part === 'source')
}

/** Decides one part of a fresh conversation's translation. */
export const bind = (space: Space, connection: Connection, part: Part, place: Place): void => {
  if (part === 'source') connection.sourceDone = true
  else connection.destinationDone = true
  const now = mirror(connection.reply)
  if (now === null) return
  const tuple = uniqueTuple(space, now, part, place)
  const isSame =
    tuple.src === now.src && tuple.dst === now.dst && tuple.sport === now.sport && tuple.dport === now.dport
  const reply = isSame ? null : mirror(tuple)
  if (reply === null) return
  connection.reply = reply
  if (part === 'source') connection.snat = true
  else connection.dnat = true
}

/** Without a rule an end stays, but a source may need another port. */
export const bindNowhere = (space: Space, connection: Connection, part: Part): void => {
  const ip = part === 'source' ? connection.reply.dst : connection.reply.src
  bind(space, connection, part, { address: { from: ip, to: ip }, port: null, random: false, persistent: false })
}

const endOf = (tuple: Tuple, part: Part): readonly [Ip, number] => [
  part === 'source' ? tuple.src : tuple.dst,
  portOf(tuple, part),
]

const move = (packet: Packet, part: Part, like: Tuple): Packet => {
  const [ip, port] = endOf(like, part)
  return movedTo(packet, part, ip, port)
}

/**
 * The packet as it is after the NAT hook for `part`. In the direction of answers source and destination change places: what was
 * done to one is undone on the other. An error is translated with the packet it quotes.
 */
export const translate = (packet: Packet, { connection, isReply }: Flow, part: Part): Packet => {
  if (connection === null) return packet
  const applies = (part === 'source') !== isReply ? connection.snat : connection.dnat
  if (!applies) return packet
  const other = isReply ? connection.original : connection.reply
  const like = mirror(other)
  if (like === null) return packet
  const quoted = quotedBy(packet)
  if (quoted === null) return move(packet, part, like)
  const outer = movedTo(packet, part, endOf(like, part)[0], 0)
  return withQuoted(outer, move(quoted, part === 'source' ? 'destination' : 'source', other))
}
