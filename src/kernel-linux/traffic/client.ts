// The program that tries: one socket, which sends once and says how that ended.

import type { SendOptions, Try } from '../../kernel/traffic.ts'
import { type Ip, isIp4, isLinkLocal } from '../../net/ip.ts'
import { E, type Either } from '../../prelude.ts'
import { viewOf } from '../netlink/bytes.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { Called, Libc } from '../netlink/libc.ts'
import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_ROOM, sockaddr } from './sockaddr.ts'
import {
  bindToDevice,
  close,
  failed,
  IP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6,
  indexOfDevice,
  isNotYet,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  openIn,
  pendingError,
  type Receiver,
  readInto,
  SO_MARK,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  setInt,
} from './socket.ts'

/** `port`: its own; of an echo, the id. `look`: how it ended, null while that is open. */
export type Client = Readonly<{
  port: number
  look: () => 'answered' | Readonly<{ errno: string }> | null
  close: () => void
}>

type Socketed = Extract<Try, { to: Ip }>

const [ICMP, ICMP6] = [1, 58]
const EINPROGRESS = 115
export const DEFAULT_PING = 56

const PMTUDISC_DONT = 0
const PMTUDISC_DO = 2

const applied = (libc: Libc, fd: number, isV4: boolean, { ttl, tos, df, mark, dev }: SendOptions): string | null => {
  const level = isV4 ? IPPROTO_IP : IPPROTO_IPV6
  const calls: ReadonlyArray<() => Called> = [
    ...(ttl === undefined ? [] : [() => setInt(libc, fd, level, isV4 ? IP.TTL : IPV6.UNICAST_HOPS, ttl)]),
    ...(tos === undefined ? [] : [() => setInt(libc, fd, level, isV4 ? IP.TOS : IPV6.TCLASS, tos)]),
    ...(df === undefined
      ? []
      : [() => setInt(libc, fd, level, isV4 ? IP.MTU_DISCOVER : IPV6.MTU_DISCOVER, df ? PMTUDISC_DO : PMTUDISC_DONT)]),
    ...(mark === undefined ? [] : [() => setInt(libc, fd, SOL_SOCKET, SO_MARK, mark)]),
    ...(dev === undefined ? [] : [() => bindToDevice(libc, fd, dev)]),
  ]
  for (const call of calls) {
    const errno = failed(call())
    if (errno !== null) return errno
  }
  return null
}

const ended = (errno: string): Client => ({ port: 0, look: () => ({ errno }), close: () => {} })

const ownPort = (libc: Libc, fd: number): number => {
  const address = new Uint8Array(SOCKADDR_ROOM)
  libc.getsockname(fd, address, Uint32Array.of(SOCKADDR_ROOM))
  return readSockaddr(address)?.port ?? 0
}

/** ICMP's checksum; over IPv6 the kernel makes it. */
const checksum = (bytes: Uint8Array): number => {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const echoRequest = (isV4: boolean, id: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(8 + size)
  const view = viewOf(bytes)
  view.setUint8(0, isV4 ? 8 : 128)
  view.setUint16(4, id)
  view.setUint16(6, 1)
  if (isV4) view.setUint16(2, checksum(bytes))
  return bytes
}

let lastId = 0

/** Opens the socket, sets it up and connects it: null if all that went well. */
const connected = (libc: Libc, fd: number, { to, from, ...rest }: Socketed, port: number): string | null => {
  const wrong = applied(libc, fd, isIp4(to), rest)
  if (wrong !== null) return wrong
  const scope = rest.dev !== undefined && isLinkLocal(to) ? (indexOfDevice(libc, fd, rest.dev) ?? 0) : 0
  if (from !== undefined) {
    const address = sockaddr(from, 0, isLinkLocal(from) ? scope : 0)
    const bound = failed(libc.bind(fd, address, address.length))
    if (bound !== null) return bound
  }
  const address = sockaddr(to, port, scope)
  const called = libc.connect(fd, address, address.length)
  return called.value < 0 && called.errno === EINPROGRESS ? null : failed(called)
}

const ping = (libc: Libc, fd: number, receive: Receiver, attempt: Extract<Try, { send: 'ping' }>): Client => {
  const isV4 = isIp4(attempt.to)
  lastId = (lastId + 1) & 0xffff
  const id = lastId
  setInt(libc, fd, isV4 ? IPPROTO_IP : IPPROTO_IPV6, isV4 ? IP.RECVERR : IPV6.RECVERR, 1)
  const errno = connected(libc, fd, attempt, 0)
  if (errno !== null) return ended(errno)
  const bytes = echoRequest(isV4, id, attempt.size ?? DEFAULT_PING)
  const sent = failed(libc.send(fd, bytes, bytes.length, MSG_DONTWAIT))
  if (sent !== null) return { ...ended(sent), port: id, close: () => close(fd) }
  /** Raw sockets have the header of IPv4. Replies only: a host that pings itself hears the request too. */
  const isReply = (heard: Uint8Array): boolean => {
    const at = isV4 ? ((heard[0] ?? 0) & 0xf) * 4 : 0
    return heard[at] === (isV4 ? 0 : 129) && ((heard[at + 4] ?? 0) << 8) + (heard[at + 5] ?? 0) === id
  }
  return {
    port: id,
    look: () => {
      for (let next = receive(fd); next !== null; next = receive(fd)) {
        if ('errno' in next) return next
        if (isReply(next.bytes)) return 'answered'
      }
      return null
    },
    close: () => close(fd),
  }
}

const udp = (libc: Libc, fd: number, attempt: Extract<Try, { send: 'udp' | 'tcp' }>): Client => {
  const errno = connected(libc, fd, attempt, attempt.port)
  if (errno !== null) return ended(errno)
  const port = ownPort(libc, fd)
  const bytes = new Uint8Array(attempt.size ?? 0)
  const sent = failed(libc.send(fd, bytes, bytes.length, MSG_DONTWAIT))
  if (sent !== null) return { ...ended(sent), port, close: () => close(fd) }
  const into = new Uint8Array(1 << 16)
  return {
    port,
    look: () => {
      const called = readInto(libc, fd, into)
      if (called.value >= 0) return 'answered'
      const error = failed(called)
      return isNotYet(called) || error === null ? null : { errno: error }
    },
    close: () => close(fd),
  }
}

/** Connects, sends `size` bytes, has them back, and closes. */
const tcp = (libc: Libc, fd: number, attempt: Extract<Try, { send: 'udp' | 'tcp' }>): Client => {
  const errno = connected(libc, fd, attempt, attempt.port)
  if (errno !== null) return ended(errno)
  const port = ownPort(libc, fd)
  const size = attempt.size ?? 0
  const bytes = new Uint8Array(size)
  const into = new Uint8Array(1 << 16)
  let [sent, heard, isOpen] = [0, 0, false]
  const isConnected = (): boolean => {
    // Sending nothing fails with ENOTCONN or EAGAIN while the handshake lasts.
    return libc.send(fd, into, 0, MSG_DONTWAIT | MSG_NOSIGNAL).value === 0
  }
  return {
    port,
    look: () => {
      const error = pendingError(libc, fd)
      if (error !== null) return { errno: error }
      isOpen ||= isConnected()
      if (!isOpen) return null
      while (sent < size) {
        const { value } = libc.send(fd, bytes.subarray(sent), size - sent, MSG_DONTWAIT | MSG_NOSIGNAL)
        if (value <= 0) break
        sent += value
      }
      while (heard < size) {
        const { value } = readInto(libc, fd, into)
        if (value <= 0) break
        heard += value
      }
      return heard === size ? 'answered' : null
    },
    close: () => close(fd),
  }
}

/** Begins a try in an open namespace. Left: no socket was to be had. */
export const startClient = (
  libc: Libc,
  receive: Receiver,
  nsFd: number,
  attempt: Socketed,
): Either<NetlinkError, Client> => {
  const isV4 = isIp4(attempt.to)
  const domain = isV4 ? AF_INET : AF_INET6
  const kind = { ping: SOCK_RAW, udp: SOCK_DGRAM, tcp: SOCK_STREAM }[attempt.send]
  const opened = openIn(libc, nsFd, domain, kind, attempt.send === 'ping' ? (isV4 ? ICMP : ICMP6) : 0)
  if (E.isLeft(opened)) return opened
  const fd = opened.right
  const client =
    attempt.send === 'ping'
      ? ping(libc, fd, receive, attempt)
      : attempt.send === 'udp'
        ? udp(libc, fd, attempt)
        : tcp(libc, fd, attempt)
  if (client.port === 0 && client.look() !== null) close(fd)
  return E.right(client)
}
