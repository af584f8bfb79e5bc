// What the sender behind a bridge is told of a packet that does not fit into a VXLAN's: an ICMP error that seems to come from whom it
// sent to.
// Sources: net/ipv4/ip_tunnel_core.c (skb_tunnel_check_pmtu, iptunnel_pmtud_check_icmp, iptunnel_pmtud_check_icmpv6),
// net/ipv6/exthdrs_core.c (ipv6_skip_exthdr), measured.

import { isLoopback, isMulticast, isUnspecified, MAX4 } from '../../../net/ip.ts'
import { get8, get16 } from '../../wire/bytes.ts'
import { type Frame, frame as frameOf } from '../../wire/ethernet.ts'
import { type Packet4, packet4 } from '../../wire/ip4.ts'
import { type Packet6, packet6 } from '../../wire/ip6.ts'
import { quote4, quote6 } from '../../wire/quote.ts'
import { encodePacket } from '../../wire/wire.ts'
import { ETHERNET } from '../device.ts'

const MIN_MTU4 = 576
const MIN_MTU6 = 1280

const isError4 = ({ body }: Packet4): boolean => body.proto === 'icmp' && 'about' in body

const NEXT_HEADER = 6
const HEADER = 40
const [FRAGMENT, AUTH, NONE] = [44, 51, 59]
/** What has another header behind it: hop-by-hop and destination options, routing, and those three. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60, FRAGMENT, AUTH, NONE])
const ICMP6 = 58
/** Of ICMPv6: errors, and a redirect. */
const UNTOLD: ReadonlySet<number> = new Set([1, 2, 3, 4, 137])

/**
 * Whether a packet may be answered, as Linux finds out: it counts from the start of the IPv6 header but reads from the start of the
 * frame, so where there is an extension header it takes the destination's bytes for it. Pieces of packets are answered or not
 * by what these are, and what is behind them.
 */
const isAnswered6 = (packet: Packet6): boolean => {
  const bytes = encodePacket(packet)
  let next = get8(bytes, NEXT_HEADER)
  let behind = HEADER
  while (EXTENSIONS.has(next)) {
    const at = behind - ETHERNET
    if (next === NONE || at + (next === FRAGMENT ? 4 : 2) > bytes.length) return false
    if (next === FRAGMENT && get16(bytes, at + 2) > 7) return false
    const length = get8(bytes, at + 1)
    behind += next === FRAGMENT ? 8 : next === AUTH ? (length + 2) * 4 : (length + 1) * 8
    next = get8(bytes, at)
  }
  return next !== ICMP6 || (behind < bytes.length && !UNTOLD.has(get8(bytes, behind)))
}

const answer4 = (packet: Packet4, mtu: number): Packet4 | null => {
  const { src, dst } = packet
  const isWhole = packet.df && !packet.mf && packet.offset === 0
  if (mtu < MIN_MTU4 || !isWhole || isError4(packet)) return null
  if (dst === MAX4 || isMulticast(dst) || src === MAX4 || isMulticast(src) || src >>> 24 === 0 || isLoopback(src))
    return null
  const error = { proto: 'icmp', type: 'unreachable', code: 'fragmentation-needed', mtu, ...quote4(packet) } as const
  return { ...packet4(dst, src, error), ttl: packet.ttl }
}

/** Also one from ::1: Linux asks whether its type is loopback and no more, and it is unicast as well (ipv6_addr_type). */
const answer6 = (packet: Packet6, mtu: number): Packet6 | null => {
  const { src, dst } = packet
  if (mtu < MIN_MTU6 || isUnspecified(src) || isMulticast(src) || !isAnswered6(packet)) return null
  return { ...packet6(dst, src, { proto: 'icmp6', type: 'packet-too-big', mtu, ...quote6(packet) }), ttl: packet.ttl }
}

/** The frame that goes back to the sender of a frame; null: nobody is told. */
export const tooBigAnswer = ({ src, dst, payload }: Frame, mtu: number): Frame | null => {
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return null
  const answer = payload.tag === 'ip4' ? answer4(payload, mtu) : answer6(payload, mtu)
  return answer === null ? null : frameOf(dst, src, answer)
}
