// What an ICMP error quotes of the packet that it is about: as much as Linux quotes, which is the whole packet in most cases.
// Sources: RFC 1812 section 4.3.2.3 and __icmp_send in net/ipv4/icmp.c; RFC 4443 section 3 and icmp6_send in net/ipv6/icmp.c;
// RFC 4861 section 4.6.3 and ndisc_send_redirect in net/ipv6/ndisc.c.

import { partOf, protocolOf } from './body.ts'
import { lengthOfHeader4, type Packet4 } from './ip4.ts'
import { lengthOfHeader6, type Packet6 } from './ip6.ts'
import type { Quote } from './nested.ts'
import { encodePacket, lengthOfPacket } from './wire.ts'

/** An error is no longer than this (for IPv6: than the least MTU), so that it need not be fragmented. */
const MAX4 = 576
const MAX6 = 1280
/** Headers of the error itself. */
const ICMP_OVER_IP4 = 20 + 8
const ICMP_OVER_IP6 = 40 + 8
const REDIRECT_OVER_IP6 = 40 + 40
const OPTION_HEADER = 8

/** The first `room` bytes; enough for the headers of IP. */
const cut4 = (packet: Packet4, room: number): Quote<Packet4> => {
  const missing = lengthOfPacket(packet) - room
  if (missing <= 0) return { about: packet, missing: 0 }
  const [bytes, at] = [encodePacket(packet), lengthOfHeader4(packet)]
  const body = partOf('icmp', protocolOf(packet.body), bytes, at, room, packet.offset === 0)
  return { about: { ...packet, body }, missing }
}

const cut6 = (packet: Packet6, room: number): Quote<Packet6> => {
  const missing = lengthOfPacket(packet) - room
  if (missing <= 0) return { about: packet, missing: 0 }
  const [bytes, at] = [encodePacket(packet), lengthOfHeader6(packet)]
  const isFirst = packet.fragment === null || packet.fragment.offset === 0
  const body = partOf('icmp6', protocolOf(packet.body), bytes, at, room, isFirst)
  return { about: { ...packet, body }, missing }
}

/** For an ICMP error that leaves by a route of this MTU, at least 68. */
export const quote4 = (packet: Packet4, mtu = MAX4): Quote<Packet4> => cut4(packet, Math.min(mtu, MAX4) - ICMP_OVER_IP4)

/** For an ICMPv6 error. */
export const quote6 = (packet: Packet6): Quote<Packet6> => cut6(packet, MAX6 - ICMP_OVER_IP6)

/** For the option of a redirect behind `others` bytes of other options: a multiple of eight bytes, what is over is left out. */
export const quoteOfRedirect = (packet: Packet6, others: number): Quote<Packet6> => {
  const room = Math.min(MAX6 - REDIRECT_OVER_IP6 - others - OPTION_HEADER, lengthOfPacket(packet))
  return cut6(packet, room - (room % 8))
}
