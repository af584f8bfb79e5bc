// Where a packet's journey ends: the protocols of a host, their sockets, and what the kernel answers by itself.
// Sources: net/ipv4/{ip_input,icmp,udp}.c, net/ipv6/{ip6_input,icmp,udp}.c; RFC 1122 section 3.2.2, RFC 4443 section 2.4.

import { isLoopback } from '../../../net/ip.ts'
import type { Body } from '../../wire/body.ts'
import type { Echo } from '../../wire/echo.ts'
import type { Error4 } from '../../wire/icmp4.ts'
import type { Error6 } from '../../wire/icmp6.ts'
import type { Packet } from '../../wire/nested.ts'
import type { Tcp } from '../../wire/tcp.ts'
import type { Udp } from '../../wire/udp.ts'
import { tupleOf } from '../netfilter/tuple.ts'
import {
  type Device,
  deviceOf,
  type Happening,
  loopbackOf,
  type Plane,
  type Redirect,
  type Space,
  spaceOf,
} from '../plane.ts'
import type { Held } from '../skb.ts'
import { drop, note } from '../step.ts'
import { hearUdp, scopeOf } from './datagram.ts'
import type { Message, Socket, SocketErrno, TcpSocket } from './entry.ts'
import { mtuIn, toldOf } from './error.ts'
import { isForMany } from './many.ts'
import { type Ends, findSocket, socketsOf } from './table.ts'
import { receiveTcp, serve } from './tcp.ts'
import { expire, fail, narrow } from './tcp-flow.ts'

/** A sysctl of the namespace that is no device's, by its name in full; the kernel's default unless somebody wrote it. */
const isOn = ({ entry }: Space, name: string, byDefault: boolean): boolean => {
  const written: Readonly<Partial<Record<string, string>>> = entry.sysctls
  const value = written[name]
  return value === undefined ? byDefault : value !== '0'
}

/** Echo requests to many are answered over IPv6 only, unless a sysctl says otherwise. */
const isIgnored = (space: Space, isFour: boolean, isToMany: boolean): boolean => {
  if (isOn(space, isFour ? 'net.ipv4.icmp_echo_ignore_all' : 'net.ipv6.icmp.echo_ignore_all', false)) return true
  if (!isToMany) return false
  return isFour
    ? isOn(space, 'net.ipv4.icmp_echo_ignore_broadcasts', true)
    : isOn(space, 'net.ipv6.icmp.echo_ignore_multicast', false)
}

const messageOf = ({ src, dst, ttl }: Packet, port: number, bytes: Uint8Array): Message => ({
  from: { ip: src, port },
  to: dst,
  ttl,
  bytes,
})

/** An answer over IPv6 had better leave by the device that the request came in by, unless it is for ::1 (icmpv6_echo_reply). */
const answerEcho = (space: Space, dev: Device, { packet, meta }: Held, echo: Echo<'icmp' | 'icmp6'>) => {
  const { src, dst, tos } = packet
  const isGroup = isForMany(space, dst)
  if (isIgnored(space, packet.tag === 'ip4', isGroup))
    return drop(space, dev, 'transport', packet, { tag: 'no-socket' })
  const scope = scopeOf(src, dev)
  const near = packet.tag === 'ip4' || isLoopback(src) ? {} : { near: dev.name }
  space.plane.parts.send(space, {
    src: isGroup ? null : dst,
    dst: src,
    // A cast: the answer is of the request's protocol, and so of the packet's family.
    body: { ...echo, type: 'echo-reply' } as Body,
    df: false,
    ...(tos === 0 ? {} : { tos }),
    ...(scope === null ? near : { dev: scope }),
    mark: isOn(space, 'net.ipv4.fwmark_reflect', false) ? meta.mark : 0,
  })
}

const hearEcho = (space: Space, dev: Device, held: Held, echo: Echo<'icmp' | 'icmp6'>) => {
  if (echo.type === 'echo-request') return answerEcho(space, dev, held, echo)
  const { src, dst } = held.packet
  const socket = findSocket(space, 'echo', { local: dst, port: echo.id, remote: src, remotePort: 0, dev })
  if (socket === null) return drop(space, dev, 'transport', held.packet, { tag: 'no-socket' })
  socket.inbox = [...socket.inbox, messageOf(held.packet, echo.seq, echo.payload)]
}

/** The segment that an error quotes must be on its way: others say nothing about now (tcp_v4_err). */
const isOnItsWay = ({ sndUna, sndNxt }: TcpSocket, quoted: Packet): boolean => {
  const { body } = quoted
  const tcp = body.proto === 'head' ? body.of : body
  if (tcp.proto !== 'tcp') return true
  return ((tcp.seq - sndUna) | 0) >= 0 && ((sndNxt - tcp.seq) | 0) >= 0
}

const NOBODYS = { dev: null, mark: 0 }

/**
 * How long packets may be is learned for the way of the socket that has sent too long a one; over IPv6 but for TCP for any that leads there
 * (ip6_update_pmtu). What we answer to echo requests is of no socket, and so is what a tunnel sends.
 */
const learnMtu = (by: Device, dev: Device, about: Packet, socket: Socket | null, mtu: number) => {
  const { noteTooBig, hasTunnel } = by.space.plane.parts
  const quoted = about.body.proto === 'head' ? about.body.of : about.body
  const { proto } = quoted
  const isLoose = about.tag === 'ip6' && proto !== 'tcp'
  const isAnswer = 'payload' in quoted && 'type' in quoted && quoted.type === 'echo-reply'
  if (socket !== null && !isLoose) {
    const { dev: bound, mark } = socket.options
    if (socket.proto !== 'tcp' || isOnItsWay(socket, about))
      noteTooBig(by, about, mtu, { dev: bound === null ? null : dev, mark })
  } else if (socket !== null || proto === 'icmp6' || isAnswer || (proto === 'udp' && hasTunnel(by.space, about)))
    noteTooBig(by, about, mtu, NOBODYS)
}

/** Only an attempt ends with an error; and over IPv6 not while connect() itself is still sending, as on cables without delay. */
const tellTcp = (space: Space, socket: TcpSocket, quoted: Packet, errno: SocketErrno, mtu: number | null) => {
  if (!isOnItsWay(socket, quoted)) return
  if (mtu !== null) return narrow(space, socket)
  const isOpening = socket.state === 'syn-sent' || socket.state === 'syn-received'
  const isHeld = quoted.tag === 'ip6' && socket.openedMs === space.plane.nowMs
  if (isOpening && isHeld) socket.soft = errno
  else if (isOpening) fail(space, socket, errno)
}

/**
 * By which device an error came in, as its protocol sees it: over loopback, some look at that and not at whose address it is for
 * (udp_err, raw_icmp_error, tcp_v6_err).
 */
const deviceOfError = (by: Device, { meta }: Held, { about }: Error4 | Error6): Device => {
  if (meta.via === undefined) return by
  const { proto } = about.body.proto === 'head' ? about.body.of : about.body
  const seesOwner = (about.tag === 'ip4') === (proto === 'tcp')
  return seesOwner ? by : (loopbackOf(by.space) ?? by)
}

/** A redirect is for the socket that has sent what it is about; what we answer to echo requests is from none, and so is what a tunnel sends. */
const hearRedirect = (by: Device, { packet }: Held, redirect: Redirect, ends: Ends) => {
  const { space } = by
  const { body } = redirect.about
  const quoted = body.proto === 'head' ? body.of : body
  if (quoted.proto !== 'udp' && quoted.proto !== 'tcp' && quoted.proto !== 'icmp') return
  const { redirected, hasTunnel } = space.plane.parts
  if (quoted.proto === 'icmp' && 'payload' in quoted && quoted.type === 'echo-reply')
    return redirected(by, packet.src, redirect, NOBODYS)
  const socket =
    quoted.proto === 'icmp'
      ? findSocket(space, 'echo', { ...ends, remotePort: 0 })
      : findSocket(space, quoted.proto, ends)
  if (socket === null && hasTunnel(space, redirect.about)) return redirected(by, packet.src, redirect, NOBODYS)
  if (socket === null || (socket.proto === 'tcp' && !isOnItsWay(socket, redirect.about))) return
  const { dev, mark } = socket.options
  redirected(by, packet.src, redirect, { dev: dev === null ? null : deviceOf(space, dev), mark })
}

/** Who has sent what an error is about. */
const senderOf = (space: Space, { body }: Packet, ends: Ends): Socket | null => {
  const { proto } = body.proto === 'head' ? body.of : body
  if (proto === 'udp' || proto === 'tcp') return findSocket(space, proto, ends)
  return proto === 'icmp' || proto === 'icmp6' ? findSocket(space, 'echo', { ...ends, remotePort: 0 }) : null
}

/** Errors about what we have sent: `quoted` is that, so its source is our end. */
const hearError = (space: Space, by: Device, held: Held, error: Error4 | Error6) => {
  const dev = deviceOfError(by, held, error)
  const { about } = error
  const tuple = tupleOf(about, 0)
  if (tuple === null) return
  const ends: Ends = { local: about.src, port: tuple.sport, remote: about.dst, remotePort: tuple.dport, dev }
  if (error.type === 'redirect') return hearRedirect(by, held, error, ends)
  const socket = senderOf(space, about, ends)
  const told = toldOf(error)
  const mtu = mtuIn(error)
  if (mtu !== null) learnMtu(by, dev, about, socket, mtu)
  if (socket === null) return
  if (socket.proto === 'tcp') return tellTcp(space, socket, about, told.errno, mtu)
  // Who discovers the path's MTU wants to know that a packet was too long for it, in time to send shorter ones.
  const isHard = told.isHard || (mtu !== null && socket.options.df !== false)
  if (socket.proto === 'echo' || (socket.remote !== null && isHard)) socket.error = told.errno
}

const receiveUdp = (space: Space, dev: Device, held: Held, udp: Udp) => {
  const { packet } = held
  if (space.plane.parts.receiveTunnel(space, dev, held)) return
  const { src, dst } = packet
  const socket = findSocket(space, 'udp', { local: dst, port: udp.dport, remote: src, remotePort: udp.sport, dev })
  if (socket !== null && 'length' in udp.payload)
    return hearUdp(space, dev, socket, messageOf(packet, udp.sport, udp.payload))
  drop(space, dev, 'transport', packet, { tag: 'no-listener', proto: 'udp', port: udp.dport })
  if (!isForMany(space, dst)) space.plane.parts.sendError(space, dev, held, { tag: 'unreachable', code: 'port' })
}

const IGNORED: ReadonlySet<number> = new Set([1, 2, 58])

/** Nobody here speaks the protocol. Of ICMP there are messages that nobody needs to know. */
const refuse = (space: Space, dev: Device, held: Held, protocol: number) => {
  drop(space, dev, 'transport', held.packet, { tag: 'no-protocol', protocol })
  if (!IGNORED.has(protocol)) space.plane.parts.sendError(space, dev, held, { tag: 'unreachable', code: 'protocol' })
}

const toProtocol = (space: Space, dev: Device, held: Held, body: Body) => {
  switch (body.proto) {
    case 'tcp':
      return receiveTcp(space, dev, held, body satisfies Tcp)
    case 'udp':
      return receiveUdp(space, dev, held, body)
    case 'icmp':
    case 'icmp6':
      if ('payload' in body) return hearEcho(space, dev, held, body)
      if ('about' in body) hearError(space, dev, held, body)
      return
    case 'raw':
      return refuse(space, dev, held, body.protocol)
    case 'igmp':
    case 'head':
      return
  }
}

/** Discovery and listener reports are between neighbours, not for programs. */
const isOfTheLink = (body: Body): boolean =>
  body.proto === 'igmp' || (body.proto === 'icmp6' && !('payload' in body) && !('about' in body))

/** Hands a packet for this host to its protocol. */
export const deliver = (space: Space, dev: Device, held: Held) => {
  const { body } = held.packet
  if (space.plane.watch !== null && !isOfTheLink(body)) note(space, dev, 'transport', held.packet, { tag: 'delivered' })
  toProtocol(space, dev, held, body)
}

/** A socket's timer has come, or the turn of the program behind it. */
export const onSocketTimer = (
  plane: Plane,
  { host, ns, socket: id, timer }: Extract<Happening, { what: 'socket' }>,
) => {
  const of = plane.hosts.get(host)
  const space = of === undefined ? null : spaceOf(plane, of, ns)
  const socket = space === null ? undefined : socketsOf(space).open.get(id)
  if (space === null || socket?.proto !== 'tcp') return
  if (timer === 'serve') serve(space, socket)
  else expire(space, socket)
}
