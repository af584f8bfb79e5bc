// What the sender of a packet is told when it cannot go on. Never about errors, later fragments, and what was for many or from
// nobody. Linux also limits how often it says so (icmp_ratelimit, icmp_msgs_per_sec); here everything is said but what peer.ts withholds.
// Sources: net/ipv4/icmp.c (__icmp_send), net/ipv6/icmp.c (icmp6_send), RFC 1122 section 3.2.2, RFC 1812 section 4.3.2,
// RFC 4443 section 2.4.

import { type Ip, type Ip6, isLinkLocal, isMulticast, isUnspecified } from '../../../net/ip.ts'
import type { Body } from '../../wire/body.ts'
import type { Error4 } from '../../wire/icmp4.ts'
import type { Error6 } from '../../wire/icmp6.ts'
import type { Packet4 } from '../../wire/ip4.ts'
import type { Packet6 } from '../../wire/ip6.ts'
import { quote4, quote6 } from '../../wire/quote.ts'
import type { Device, IcmpError, Parts, Space } from '../plane.ts'
import type { Meta } from '../skb.ts'
import { ownersOf, select6 } from './address.ts'
import { isWay, wayOut } from './fib.ts'
import { isBroadcast, typeOf } from './lookup.ts'
import { pathMtu } from './path-mtu.ts'
import { hearError6 } from './peer.ts'
import { send } from './send.ts'

/** Internetwork control, and of the packet's own type of service what is not its precedence (IPTOS_TOS_MASK). */
const tosOf = ({ tos }: Packet4): number => (tos & 0x1e) | 0xc0

const isError4 = ({ body }: Packet4): boolean => body.proto === 'icmp' && 'about' in body
const isRawIcmp = (body: Body, protocol: number): boolean => body.proto === 'raw' && body.protocol === protocol

/** Whether an ICMP message that stayed bytes is an error, by its type; one without any is taken for one. */
const isRawError4 = ({ body }: Packet4): boolean =>
  body.proto === 'raw' && isRawIcmp(body, 1) && [undefined, 3, 4, 5, 11, 12].includes(body.bytes[0])

const mayTell4 = ({ entry }: Space, packet: Packet4): boolean =>
  packet.offset === 0 &&
  !isMulticast(packet.dst) &&
  !isBroadcast(entry, packet.dst) &&
  !isMulticast(packet.src) &&
  !isUnspecified(packet.src) &&
  !isError4(packet) &&
  !isRawError4(packet)

const CODES4 = {
  net: 'net',
  host: 'host',
  port: 'port',
  protocol: 'protocol',
  prohibited: 'admin-prohibited',
  'beyond-scope': 'net',
} as const

const body4 = (about: Packet4, error: IcmpError, mtu: number): Error4 => {
  const quote = quote4(about, mtu)
  switch (error.tag) {
    case 'unreachable':
      return { proto: 'icmp', type: 'unreachable', code: CODES4[error.code], mtu: 0, ...quote }
    case 'too-big':
      return { proto: 'icmp', type: 'unreachable', code: 'fragmentation-needed', mtu: error.mtu, ...quote }
    case 'time-exceeded':
      return { proto: 'icmp', type: 'time-exceeded', code: error.code, ...quote }
  }
}

const MAX_QUOTE = 576

/**
 * Sends an ICMP message about a packet; from the address that it was for, if it was for us (RTCF_LOCAL), and not to go `onward`. Where rules of
 * somebody's own say what is for us, that may be an address that nobody can send from.
 */
export const tell4 = (space: Space, about: Packet4, bodyFor: (mtu: number) => Error4, onward: boolean): void => {
  if (!mayTell4(space, about)) return
  const src: Ip | null = onward ? null : about.dst
  const [dst, tos] = [about.src, tosOf(about)]
  const way = wayOut(space, { dst, src, dev: null, tos, mark: 0, foreign: false })
  const mtu = isWay(way) ? pathMtu(space, way, dst).mtu : MAX_QUOTE
  send(space, { src, dst, body: bodyFor(mtu), tos, df: false })
}

const isError6 = ({ body }: Packet6): boolean =>
  (body.proto === 'icmp6' && 'about' in body) ||
  (body.proto === 'raw' && body.protocol === 58 && (body.bytes[0] ?? 0) < 128)

const mayTell6 = ({ dst, src, ...packet }: Packet6, { tag }: IcmpError): boolean =>
  (tag === 'too-big' || !isMulticast(dst)) &&
  !isMulticast(src) &&
  !isUnspecified(src) &&
  ((packet.fragment?.offset ?? 0) > 0 || !isError6({ dst, src, ...packet }))

const CODES6 = {
  net: 'no-route',
  host: 'address',
  port: 'port',
  prohibited: 'admin-prohibited',
  'beyond-scope': 'beyond-scope',
} as const

/** Where the header says which protocol follows. */
const NEXT_HEADER = 6

const body6 = (about: Packet6, error: IcmpError): Error6 => {
  const quote = quote6(about)
  switch (error.tag) {
    case 'unreachable':
      return error.code === 'protocol'
        ? { proto: 'icmp6', type: 'parameter-problem', code: 'next-header', pointer: NEXT_HEADER, ...quote }
        : { proto: 'icmp6', type: 'unreachable', code: CODES6[error.code], ...quote }
    case 'too-big':
      return { proto: 'icmp6', type: 'packet-too-big', mtu: error.mtu, ...quote }
    case 'time-exceeded':
      return { proto: 'icmp6', type: 'time-exceeded', code: error.code, ...quote }
  }
}

/** From the address that it was for, if that is ours; else from one of the device by which it came in. */
const source6 = ({ entry }: Space, dev: Device | null, dst: Ip6, to: Ip6): Ip6 | null => {
  const isOurs = isLinkLocal(dst)
    ? dev !== null && ownersOf(entry, dst).includes(dev.name)
    : ownersOf(entry, dst).length > 0
  if (isOurs) return dst
  return dev === null ? null : select6(entry, dev.link, to)
}

const tell6 = (space: Space, dev: Device | null, about: Packet6, error: IcmpError): void => {
  if (!mayTell6(about, error)) return
  const dst = about.src
  const src = source6(space, dev, about.dst, dst)
  const by = isLinkLocal(dst) ? dev : null
  const way = wayOut(space, { dst, src, dev: by, tos: 0, mark: 0, foreign: false })
  if (error.tag !== 'too-big' && isWay(way) && way.dev.link.spec.type !== 'loopback') hearError6(space, dst)
  send(space, { src, dst, body: body6(about, error), ...(by === null ? {} : { dev: by.name }) })
}

/** Sent to our loopback device by name, and to none of our addresses: from there no error can come (__icmp_send, RTCF_LOCAL). */
const isStray = ({ entry }: Space, dev: Device | null, { dst }: Packet4, { onward }: Meta): boolean =>
  dev?.link.spec.type === 'loopback' && onward !== true && typeOf(entry, dst) !== 'local'

/**
 * `dev`: where the packet came in; null for one of our own, unless it has a link-local source: then where it was to leave. Never about what
 * came in a frame for many.
 */
export const sendError: Parts['sendError'] = (space, dev, { packet, meta }, error, onward = false) => {
  if (meta.forMany === true) return
  if (packet.tag === 'ip4') {
    if (!isStray(space, dev, packet, meta)) tell4(space, packet, (mtu) => body4(packet, error, mtu), onward)
  } else tell6(space, dev, packet, error)
}
