// What the sender behind a bridge is told of a packet that does not fit into a VXLAN's: an ICMP error that seems to come from whom it
// sent to.
// Source: net/ipv4/ip_tunnel_core.c (skb_tunnel_check_pmtu, iptunnel_pmtud_check_icmp, iptunnel_pmtud_check_icmpv6), measured.

import { isLoopback, isMulticast, isUnspecified, MAX4 } from '../../../net/ip.ts'
import { type Frame, frame as frameOf } from '../../wire/ethernet.ts'
import { type Packet4, packet4 } from '../../wire/ip4.ts'
import { type Packet6, packet6 } from '../../wire/ip6.ts'
import { quote4, quote6 } from '../../wire/quote.ts'

const MIN_MTU4 = 576
const MIN_MTU6 = 1280
const HOP_LIMIT = 255

const isError = ({ body }: Packet4 | Packet6): boolean =>
  (body.proto === 'icmp' || body.proto === 'icmp6') && 'about' in body

const answer4 = (packet: Packet4, mtu: number): Packet4 | null => {
  const { src, dst } = packet
  const isWhole = packet.df && !packet.mf && packet.offset === 0
  if (mtu < MIN_MTU4 || !isWhole || isError(packet)) return null
  if (dst === MAX4 || isMulticast(dst) || src === MAX4 || isMulticast(src) || src >>> 24 === 0 || isLoopback(src))
    return null
  const error = { proto: 'icmp', type: 'unreachable', code: 'fragmentation-needed', mtu, ...quote4(packet) } as const
  return { ...packet4(dst, src, error), ttl: packet.ttl }
}

const answer6 = (packet: Packet6, mtu: number): Packet6 | null => {
  const { src, dst } = packet
  if (mtu < MIN_MTU6 || isError(packet) || isUnspecified(src) || isMulticast(src) || isLoopback(src)) return null
  return { ...packet6(dst, src, { proto: 'icmp6', type: 'packet-too-big', mtu, ...quote6(packet) }), ttl: HOP_LIMIT }
}

/** The frame that goes back to the sender of a frame; null: nobody is told. */
export const tooBigAnswer = ({ src, dst, payload }: Frame, mtu: number): Frame | null => {
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return null
  const answer = payload.tag === 'ip4' ? answer4(payload, mtu) : answer6(payload, mtu)
  return answer === null ? null : frameOf(dst, src, answer)
}
