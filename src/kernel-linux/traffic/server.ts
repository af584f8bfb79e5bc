// A server for the time of a try: it listens on all addresses of both families, and gives back what it hears, from the address at
// which it was asked.

import { type Ip, ip4, ip6, isLinkLocal } from '../../net/ip.ts'
import type { Port } from '../../net/port.ts'
import { E, type Either } from '../../prelude.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { Libc } from '../netlink/libc.ts'
import { AF_INET, AF_INET6, familyNumber, sockaddr } from './sockaddr.ts'
import {
  ACCEPTED,
  close,
  failed,
  IP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  openIn,
  type Receiver,
  readInto,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  setInt,
} from './socket.ts'

/** `serve`: answers what is there. `isTaken`: the port is somebody else's, in one family or both. */
export type Server = Readonly<{ serve: () => void; isTaken: boolean; close: () => void }>

const BACKLOG = 16
const SHUT_WR = 1

const listening = (
  libc: Libc,
  nsFd: number,
  proto: 'udp' | 'tcp',
  family: 4 | 6,
  port: Port,
): Either<NetlinkError, number | null> => {
  const opened = openIn(libc, nsFd, family === 4 ? AF_INET : AF_INET6, proto === 'udp' ? SOCK_DGRAM : SOCK_STREAM, 0)
  if (E.isLeft(opened)) return opened
  const fd = opened.right
  setInt(libc, fd, SOL_SOCKET, SO_REUSEADDR, 1)
  if (family === 6) {
    setInt(libc, fd, IPPROTO_IPV6, IPV6.V6ONLY, 1)
    setInt(libc, fd, IPPROTO_IPV6, IPV6.RECVPKTINFO, 1)
  } else setInt(libc, fd, IPPROTO_IP, IP.PKTINFO, 1)
  const address = sockaddr(family === 4 ? ip4(0) : ip6(0n), port)
  const wrong =
    failed(libc.bind(fd, address, address.length)) ?? (proto === 'tcp' ? failed(libc.listen(fd, BACKLOG)) : null)
  if (wrong === null) return E.right(fd)
  close(fd)
  return E.right(null)
}

/** A socket bound to the very address, which answers once. */
const answerDatagram = (libc: Libc, receive: Receiver, nsFd: number, fd: number, port: Port): boolean => {
  const heard = receive(fd)
  if (heard === null) return false
  if ('errno' in heard) return true
  const { from, to, via } = heard
  const bytes = heard.bytes.slice()
  if (from === null || to === null) return true
  const opened = openIn(libc, nsFd, familyNumber(to), SOCK_DGRAM, 0)
  if (E.isLeft(opened)) return true
  setInt(libc, opened.right, SOL_SOCKET, SO_REUSEADDR, 1)
  const scopeOf = (ip: Ip): number => (isLinkLocal(ip) ? via : 0)
  const [here, there] = [sockaddr(to, port, scopeOf(to)), sockaddr(from.ip, from.port, scopeOf(from.ip))]
  if (libc.bind(opened.right, here, here.length).value === 0)
    libc.sendto(opened.right, bytes, bytes.length, MSG_DONTWAIT, there, there.length)
  close(opened.right)
  return true
}

/** True: it is over. */
const echo = (libc: Libc, fd: number, into: Uint8Array): boolean => {
  for (;;) {
    const { value } = readInto(libc, fd, into)
    if (value < 0) return false
    if (value === 0) {
      libc.shutdown(fd, SHUT_WR)
      return true
    }
    libc.send(fd, into, value, MSG_DONTWAIT | MSG_NOSIGNAL)
  }
}

export const startServer = (
  libc: Libc,
  receive: Receiver,
  nsFd: number,
  proto: 'udp' | 'tcp',
  port: Port,
): Either<NetlinkError, Server> => {
  const listeners: number[] = []
  for (const family of [4, 6] as const) {
    const fd = listening(libc, nsFd, proto, family, port)
    if (E.isLeft(fd)) {
      for (const each of listeners) close(each)
      return fd
    }
    if (fd.right !== null) listeners.push(fd.right)
  }
  const into = new Uint8Array(1 << 16)
  let connections: ReadonlyArray<number> = []
  return E.right({
    isTaken: listeners.length < 2,
    serve: () => {
      for (const fd of listeners) {
        if (proto === 'udp') while (answerDatagram(libc, receive, nsFd, fd, port));
        else
          for (let { value } = libc.accept4(fd, null, null, ACCEPTED); value >= 0; ) {
            connections = [...connections, value]
            value = libc.accept4(fd, null, null, ACCEPTED).value
          }
      }
      connections = connections.filter((fd) => {
        const isOver = echo(libc, fd, into)
        if (isOver) close(fd)
        return !isOver
      })
    },
    close: () => {
      for (const fd of [...listeners, ...connections]) close(fd)
    },
  })
}
