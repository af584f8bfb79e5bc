// What the sender of a rejected packet is told: an ICMP error, or a segment that resets its connection.
// Sources: net/ipv4/netfilter/nf_reject_ipv4.c, net/ipv6/netfilter/nf_reject_ipv6.c; RFC 9293 section 3.5.2.

import { isMulticast, isUnspecified } from '../../../net/ip.ts'
import { NO_BYTES } from '../../wire/bytes.ts'
import { UNREACHABLE4 } from '../../wire/icmp4.ts'
import { UNREACHABLE6 } from '../../wire/icmp6.ts'
import type { Packet } from '../../wire/nested.ts'
import { quote4, quote6 } from '../../wire/quote.ts'
import { FLAG, type Tcp } from '../../wire/tcp.ts'
import { NO_OPTIONS } from '../../wire/tcp-options.ts'
import type { HookAt, Space } from '../plane.ts'
import type { Held } from '../skb.ts'
import { quotedBy } from './rewrite.ts'
import type { Rejection } from './rules.ts'

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
  quotedBy(packet) === null && !isUnspecified(packet.src) && !isMulticast(packet.src)

export const reject = (space: Space, { iif }: HookAt, { packet }: Held, rejection: Rejection): void => {
  const { parts } = space.plane
  const { src, dst } = packet
  const dev = iif?.name
  const from = dev === undefined ? {} : { dev }
  if (rejection.with === 'unreachable') {
    const body = mayBeTold(packet) ? bodyFor(packet, rejection.code) : null
    if (body === null) return
    const own = parts.typeOf(space, dst, iif) === 'local' ? dst : null
    parts.send(space, { src: own, dst: src, body, ...from })
    return
  }
  if (packet.body.proto !== 'tcp' || (packet.body.flags & FLAG.RST) !== 0) return
  parts.send(space, { src: dst, dst: src, body: resetFor(packet.body), ...from })
}
