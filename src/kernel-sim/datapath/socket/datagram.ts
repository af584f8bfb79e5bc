// UDP sockets and those that send echo requests: bind, connect, send, receive, and errors that wait for the next call.
// Sources: net/ipv4/{udp,ping}.c, net/ipv6/{udp,ping}.c, udp(7), icmp(7).

import { type Ip, isIp4, isLinkLocal } from '../../../net/ip.ts'
import type { Body } from '../../wire/body.ts'
import type { Packet } from '../../wire/nested.ts'
import type { Device, SendErrno, Space } from '../plane.ts'
import type { Sending } from '../skb.ts'
import type { EchoSocket, End, Message, Service, Socket, SocketErrno, SocketOptions, UdpSocket } from './entry.ts'
import { addSocket, isBound, takePort } from './table.ts'

const NOTHING: ReadonlyArray<Message> = []

/** What the IP layer is to send for a socket. */
export const sendingFor = (
  { options: { ttl, tos, df, dev, mark } }: Pick<Socket, 'options'>,
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
  mark,
})

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
    remote: null,
    options,
    error: null,
    service,
    inbox: NOTHING,
  })
}

/** A socket that talks to one end only, from the address that the way there prefers; or why there is none. */
const connected = (
  space: Space,
  proto: 'udp' | 'echo',
  to: End,
  from: Ip | null,
  options: SocketOptions,
): Readonly<{ src: Ip; port: number }> | SocketErrno => {
  const way = space.plane.parts.wayOf(space, { src: from, dst: to.ip, dev: options.dev, mark: options.mark })
  if (typeof way === 'string') return way
  const port = takePort(space, proto, proto === 'udp' ? to.port : null)
  return port === null ? 'EADDRINUSE' : { src: way.src, port }
}

export const connectUdp = (space: Space, to: End, from: Ip | null, options: SocketOptions): UdpSocket | SocketErrno => {
  const own = connected(space, 'udp', to, from, options)
  if (typeof own === 'string') return own
  return addSocket(space, {
    id: 0,
    proto: 'udp',
    family: isIp4(to.ip) ? 4 : 6,
    local: { ip: own.src, port: own.port },
    remote: to,
    options,
    error: null,
    service: null,
    inbox: NOTHING,
  })
}

export const openEcho = (space: Space, to: Ip, from: Ip | null, options: SocketOptions): EchoSocket | SocketErrno => {
  const own = connected(space, 'echo', { ip: to, port: 0 }, from, options)
  if (typeof own === 'string') return own
  return addSocket(space, {
    id: 0,
    proto: 'echo',
    family: isIp4(to) ? 4 : 6,
    local: { ip: own.src, port: own.port },
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

export const sendUdp = (space: Space, socket: UdpSocket, to: End, bytes: Uint8Array): SendErrno | null => {
  const body = datagram(socket.local.port, to.port, bytes)
  return space.plane.parts.send(space, sendingFor(socket, socket.local.ip, to.ip, body))
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

/** A server answers from the address that it was asked at, as one with a socket for each address does. */
export const hearUdp = (space: Space, dev: Device, socket: UdpSocket, message: Message) => {
  if (socket.service === null) {
    socket.inbox = [...socket.inbox, message]
    return
  }
  const bytes = answerTo(socket.service, message.bytes)
  if (bytes === null) return
  const { from, to } = message
  const { parts } = space.plane
  const src = parts.typeOf(space, to, dev) === 'local' ? to : null
  const options = { ...socket.options, dev: socket.options.dev ?? scopeOf(from.ip, dev) }
  parts.send(space, sendingFor({ options }, src, from.ip, datagram(socket.local.port, from.port, bytes)))
}
