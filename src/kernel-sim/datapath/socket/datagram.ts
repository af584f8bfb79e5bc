// UDP sockets and those that send echo requests: bind, connect, send, receive, and errors that wait for the next call.
// Sources: net/ipv4/{udp,ping}.c, net/ipv6/{udp,ping}.c, udp(7), icmp(7).

import { type Ip, ip4, ip6, isIp4, isLinkLocal, isUnspecified } from '../../../net/ip.ts'
import type { Body } from '../../wire/body.ts'
import { type Packet4, packet4 } from '../../wire/ip4.ts'
import { type Packet6, packet6 } from '../../wire/ip6.ts'
import type { Packet } from '../../wire/nested.ts'
import type { Device, SendErrno, Space } from '../plane.ts'
import type { Sending } from '../skb.ts'
import { drop } from '../step.ts'
import { boundTo, destinationOf } from './bind.ts'
import type { EchoSocket, End, Message, Service, Socket, SocketErrno, SocketOptions, UdpSocket } from './entry.ts'
import { addSocket, isBound, takePort } from './table.ts'

const NOTHING: ReadonlyArray<Message> = []

/** What the IP layer is to send for a socket. */
export const sendingFor = (
  { options: { ttl, tos, df, dev, mark }, kept }: Pick<Socket, 'options'> & Readonly<{ kept?: boolean }>,
  src: Ip | null,
  dst: Ip,
  body: Packet['body'],
): Sending => ({
  src,
  dst,
  body,
  ...(ttl === null ? {} : { ttl }),
  ...(tos === null ? {} : { tos }),
  ...(df === null ? {} : { df }),
  ...(dev === null ? {} : { dev }),
  ...(kept === true ? { kept } : {}),
  mark,
})

/** A packet that there was no way for, as whoever looks for why it died is to see it. Its errno, as the sending call says. */
export const unsent = (
  space: Space,
  options: SocketOptions,
  src: Ip | null,
  dst: Ip,
  body: Body,
  errno: SocketErrno,
): SocketErrno => {
  const isSource = errno === 'EADDRNOTAVAIL'
  // What is for nobody, and so for us, may have a way that connect(2) does not look for.
  if (!isSource && !isUnspecified(dst))
    return space.plane.parts.send(space, sendingFor({ options }, src, dst, body)) ?? errno
  // Casts: a body without a family of its own, or of the one of its destination.
  const packet = isIp4(dst)
    ? packet4(ip4(0), dst, body as Packet4['body'])
    : packet6(ip6(0n), dst, body as Packet6['body'])
  drop(space, null, 'ip', packet, { tag: isSource ? 'no-source' : 'no-route', to: dst })
  return errno
}

export type Binding = Readonly<{ family: 4 | 6 | null; ip: Ip | null; port: number | null; options: SocketOptions }>

/** Left without a port, it gets one that is free. */
export const openUdp = (space: Space, at: Binding, service: Service | null): UdpSocket | SocketErrno => {
  if (at.port !== null && isBound(space, 'udp', at.family, at.ip, at.port)) return 'EADDRINUSE'
  const port = at.port ?? takePort(space, 'udp', null)
  if (port === null) return 'EADDRINUSE'
  const { family, ip, options } = at
  return addSocket(space, {
    id: 0,
    proto: 'udp',
    family,
    local: { ip, port },
    heardAt: null,
    remote: null,
    options,
    kept: false,
    error: null,
    service,
    inbox: NOTHING,
  })
}

/** `src` null: there is none to be had, and what comes to any is heard. */
type Own = Readonly<{ src: Ip | null; heardAt: Ip | null; port: number; to: Ip; isKept: boolean }>

/** The address that the way there prefers, and a free port; or why there is none. `request`: what would have been sent. */
const ownEnd = (
  space: Space,
  proto: 'udp' | 'echo',
  to: End,
  from: Ip | null,
  options: SocketOptions,
  request: (port: number) => Body,
): Own | SocketErrno => {
  const port = takePort(space, proto, proto === 'udp' ? to.port : null)
  if (port === null) return 'EADDRNOTAVAIL'
  const src = boundTo(space, from, options.dev)
  if (typeof src === 'string') return src
  const way = space.plane.parts.wayOf(space, destinationOf(src, to.ip, options))
  if (typeof way === 'string') return unsent(space, options, src, to.ip, request(port), way)
  return {
    src: isUnspecified(way.src) ? null : way.src,
    heardAt: src !== null || from === null || isUnspecified(from) ? null : from,
    port,
    to: way.dst,
    isKept: src === null && !isIp4(to.ip),
  }
}

/** A socket that talks to one end only. `first`: what it is about to say, to tell of it where there is no way. */
export const connectUdp = (
  space: Space,
  to: End,
  from: Ip | null,
  options: SocketOptions,
  first: Uint8Array,
): UdpSocket | SocketErrno => {
  const own = ownEnd(space, 'udp', to, from, options, (port) => datagram(port, to.port, first))
  if (typeof own === 'string') return own
  return addSocket(space, {
    id: 0,
    proto: 'udp',
    family: isIp4(to.ip) ? 4 : 6,
    local: { ip: own.src, port: own.port },
    heardAt: own.heardAt,
    remote: { ...to, ip: own.to },
    options,
    kept: own.isKept,
    error: null,
    service: null,
    inbox: NOTHING,
  })
}

/** A socket for echo requests. `first`: the data of its first one, as `connectUdp`. */
export const openEcho = (
  space: Space,
  to: Ip,
  from: Ip | null,
  options: SocketOptions,
  first: Uint8Array,
): EchoSocket | SocketErrno => {
  const own = ownEnd(space, 'echo', { ip: to, port: 0 }, from, options, (id) => echoRequest(to, id, 1, first))
  if (typeof own === 'string') return own
  return addSocket(space, {
    id: 0,
    proto: 'echo',
    family: isIp4(to) ? 4 : 6,
    local: { ip: own.src, port: own.port },
    heardAt: own.heardAt,
    remote: null,
    options,
    error: null,
    inbox: NOTHING,
  })
}

export const datagram = (sport: number, dport: number, payload: Uint8Array): Body => ({
  proto: 'udp',
  sport,
  dport,
  checked: true,
  payload,
})

/** That a device has lost something is told only to those who want to know of all errors (IP_RECVERR). */
export const sendUdp = (space: Space, socket: UdpSocket, to: End, bytes: Uint8Array): SendErrno | null => {
  const body = datagram(socket.local.port, to.port, bytes)
  const errno = space.plane.parts.send(space, sendingFor(socket, socket.local.ip, to.ip, body))
  return errno === 'ENOBUFS' ? null : errno
}

export const echoRequest = (to: Ip, id: number, seq: number, payload: Uint8Array): Body => ({
  proto: isIp4(to) ? 'icmp' : 'icmp6',
  type: 'echo-request',
  id,
  seq,
  payload,
})

export const sendEcho = (space: Space, socket: EchoSocket, to: Ip, seq: number, bytes: Uint8Array): SendErrno | null =>
  space.plane.parts.send(space, sendingFor(socket, socket.local.ip, to, echoRequest(to, socket.local.port, seq, bytes)))

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

/** Bytes of a question that are a number of its own. */
const NUMBER = 2

/** What a service says to what it was sent; null: nothing. */
export const answerTo = (service: Service, bytes: Uint8Array): Uint8Array | null => {
  if (service.tag === 'echo') return bytes
  const found = service.answers.find(({ question }) => isEqual(question, bytes.subarray(NUMBER)))
  if (found === undefined) return null
  const answer = new Uint8Array(NUMBER + found.answer.length)
  answer.set(bytes.subarray(0, NUMBER))
  answer.set(found.answer, NUMBER)
  return answer
}

/** The device that a link-local address is an address of; null for others, which need none. */
export const scopeOf = (ip: Ip, dev: Device): string | null => (!isIp4(ip) && isLinkLocal(ip) ? dev.name : null)

/**
 * A server answers from the address that it was asked at, as one with a socket for each address does; if that can be had. One that is
 * bound to a link-local address is bound to its device (__inet6_bind).
 */
export const hearUdp = (space: Space, dev: Device, socket: UdpSocket, message: Message) => {
  if (socket.service === null) {
    socket.inbox = [...socket.inbox, message]
    return
  }
  const bytes = answerTo(socket.service, message.bytes)
  if (bytes === null) return
  const { from, to } = message
  const { parts } = space.plane
  const scope = scopeOf(to, dev)
  const src = boundTo(space, to, scope)
  if (typeof src === 'string') return
  const options = { ...socket.options, dev: socket.options.dev ?? scope ?? scopeOf(from.ip, dev) }
  parts.send(space, sendingFor({ options }, src, from.ip, datagram(socket.local.port, from.port, bytes)))
}
