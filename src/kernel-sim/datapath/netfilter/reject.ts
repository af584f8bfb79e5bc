// What the sender of a rejected packet is told: an ICMP error, or a segment that resets its connection.
// Sources: net/ipv4/netfilter/nf_reject_ipv4.c, net/ipv6/netfilter/nf_reject_ipv6.c; RFC 9293 section 3.5.2.

import { isMulticast, isUnspecified } from '../../../net/ip.ts'
import type { Reject } from '../../nft/expression.ts'
import { NO_BYTES } from '../../wire/bytes.ts'
import type { Frame } from '../../wire/ethernet.ts'
import { UNREACHABLE4 } from '../../wire/icmp4.ts'
import { UNREACHABLE6 } from '../../wire/icmp6.ts'
import { type Packet4, packet4 } from '../../wire/ip4.ts'
import { type Packet6, packet6 } from '../../wire/ip6.ts'
import type { Packet } from '../../wire/nested.ts'
import { quote4, quote6 } from '../../wire/quote.ts'
import { FLAG, type Tcp } from '../../wire/tcp.ts'
import { NO_OPTIONS } from '../../wire/tcp-options.ts'
import { transmit } from '../device.ts'
import type { HookAt, Space } from '../plane.ts'
import { type Held, NO_META } from '../skb.ts'
import type { Flow } from './flow.ts'
import { isLaterFragment } from './payload.ts'
import { quotedBy } from './rewrite.ts'

/** A segment that answers one for which there is no connection. */
export const resetFor = (tcp: Tcp): Tcp => {
  const acknowledges = (tcp.flags & FLAG.ACK) !== 0
  const length = tcp.payload.length + ((tcp.flags & FLAG.SYN) !== 0 ? 1 : 0) + ((tcp.flags & FLAG.FIN) !== 0 ? 1 : 0)
  return {
    proto: 'tcp',
    sport: tcp.dport,
    dport: tcp.sport,
    seq: acknowledges ? tcp.ack : 0,
    ack: acknowledges ? 0 : (tcp.seq + length) >>> 0,
    flags: acknowledges ? FLAG.RST : FLAG.RST | FLAG.ACK,
    window: 0,
    urgent: 0,
    options: NO_OPTIONS,
    payload: NO_BYTES,
  }
}

const bodyFor = (packet: Packet, code: number): Packet['body'] | null => {
  if (packet.tag === 'ip4') {
    const name = UNREACHABLE4[code]
    return name === undefined ? null : { proto: 'icmp', type: 'unreachable', code: name, mtu: 0, ...quote4(packet) }
  }
  const name = UNREACHABLE6[code]
  return name === undefined ? null : { proto: 'icmp6', type: 'unreachable', code: name, ...quote6(packet) }
}

/** Errors are not told about errors, nor to groups (RFC 1122 section 3.2.2). */
const mayBeTold = (packet: Packet): boolean =>
  quotedBy(packet) === null && !isUnspecified(packet.src) && !isMulticast(packet.src) && !isLaterFragment(packet)

/** Of a destination unreachable of each family, by the codes of `icmpx` (nft_reject_icmp_code, nft_reject_icmpv6_code). */
const ABSTRACT = { ip4: [0, 3, 1, 13], ip6: [0, 4, 3, 1] } as const

const codeOf = (packet: Packet, reject: Exclude<Reject, { with: 'tcp reset' }>): number =>
  reject.with === 'icmpx' ? (ABSTRACT[packet.tag][reject.code] ?? 0) : reject.code

// Casts: an answer has the ends of what it answers, and is of its family.
const answerTo = (packet: Packet, body: Packet['body']): Packet =>
  packet.tag === 'ip4'
    ? packet4(packet.dst, packet.src, body as Packet4['body'])
    : packet6(packet.dst, packet.src, body as Packet6['body'])

const resetTo = (packet: Packet): Packet | null => {
  const { body } = packet
  return body.proto !== 'tcp' || (body.flags & FLAG.RST) !== 0 ? null : answerTo(packet, resetFor(body))
}

/** A reset belongs to the conversation that it ends, and so is translated as its answers are (nf_ct_attach). */
const attached = ({ meta: { flow } }: Held): Flow | null =>
  flow === null || flow.connection === null
    ? null
    : { state: 'related', connection: flow.connection, isReply: !flow.isReply }

export const reject = (space: Space, { iif, hook }: HookAt, held: Held, rejection: Reject): void => {
  const { packet } = held
  const { parts } = space.plane
  if (rejection.with === 'tcp reset') {
    const reset = resetTo(packet)
    if (reset !== null) parts.sendPacket(space, reset, { mark: 0, flow: attached(held) }, null)
    return
  }
  const body = mayBeTold(packet) && held.meta.forMany !== true ? bodyFor(packet, codeOf(packet, rejection)) : null
  if (body === null) return
  const isForUs = packet.tag === 'ip6' || hook !== 'forward'
  const own = isForUs && parts.typeOf(space, packet.dst, iif) === 'local' ? packet.dst : null
  const from = iif === null ? {} : { dev: iif.name }
  parts.send(space, { src: own, dst: packet.src, body, ...from })
}

/** What is rejected at a device is answered by it, with the ends of what came in (nft_reject_netdev.c, nft_reject_bridge.c). */
export const rejectFrame = ({ iif }: HookAt, frame: Frame, rejection: Reject): void => {
  const { payload, src, dst, tags } = frame
  if (iif === null || (payload.tag !== 'ip4' && payload.tag !== 'ip6')) return
  const unreachable =
    rejection.with === 'tcp reset' || !mayBeTold(payload) ? null : bodyFor(payload, codeOf(payload, rejection))
  const answer =
    rejection.with === 'tcp reset' ? resetTo(payload) : unreachable === null ? null : answerTo(payload, unreachable)
  if (answer === null) return
  transmit(iif, { frame: { src: dst, dst: src, tags, payload: answer, trailer: NO_BYTES }, meta: NO_META })
}
