// Sockets in namespaces of others, which never wait: what is not there at once is null. A socket stays in the namespace that it was
// opened in. Sources: socket(7), ip(7), ipv6(7), raw(7), packet(7), cmsg(3).

import { close as closeLater, closeSync } from 'node:fs'
import type { Ip } from '../../net/ip.ts'
import { ip4 } from '../../net/ip.ts'
import { E, type Either } from '../../prelude.ts'
import { LITTLE_ENDIAN, viewOf } from '../netlink/bytes.ts'
import { EAGAIN, EINTR, errnoName } from '../netlink/errno.ts'
import { type NetlinkError, systemCall } from '../netlink/error.ts'
import type { Called, Libc } from '../netlink/libc.ts'
import { within } from '../netlink/thread.ts'
import { getIp6, readSockaddr, SOCKADDR_ROOM } from './sockaddr.ts'

export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
export const ACCEPTED = SOCK_NONBLOCK | SOCK_CLOEXEC

/** Levels and options, by their names in the manual. */
export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const SO_ERROR = 4
export const SO_RCVBUFFORCE = 33
export const SO_BINDTODEVICE = 25
export const SO_MARK = 36
export const IPPROTO_IP = 0
export const IPPROTO_IPV6 = 41
export const IP = { TOS: 1, TTL: 2, PKTINFO: 8, MTU_DISCOVER: 10, RECVERR: 11 } as const
export const IPV6 = {
  UNICAST_HOPS: 16,
  MTU_DISCOVER: 23,
  RECVERR: 25,
  V6ONLY: 26,
  RECVPKTINFO: 49,
  PKTINFO: 50,
  RECVHOPLIMIT: 51,
  HOPLIMIT: 52,
  TCLASS: 67,
} as const

export const MSG_DONTWAIT = 0x40
export const MSG_NOSIGNAL = 0x4000

/** An open file in a namespace. */
export const openIn = (
  libc: Libc,
  nsFd: number,
  domain: number,
  type: number,
  protocol: number,
): Either<NetlinkError, number> => {
  const opened = within(libc, nsFd, () => libc.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol))
  if (E.isLeft(opened)) return opened
  const { value, errno } = opened.right
  return value < 0 ? E.left(systemCall('socket', errno, `family ${domain}, protocol ${protocol}`)) : E.right(value)
}

export const setInt = (libc: Libc, fd: number, level: number, name: number, value: number): Called =>
  libc.setsockopt(fd, level, name, Int32Array.of(value), 4)

/** The name of the call's errno, or null if it succeeded. */
export const failed = ({ value, errno }: Called): string | null => (value < 0 ? errnoName(errno) : null)
export const isNotYet = ({ value, errno }: Called): boolean => value < 0 && (errno === EAGAIN || errno === EINTR)

/** What is there to read: its size, 0 at the end of a stream. Whose it is is not asked. */
export const readInto = (libc: Libc, fd: number, into: Uint8Array): Called =>
  libc.recvfrom(fd, into, into.length, MSG_DONTWAIT, new Uint8Array(SOCKADDR_ROOM), Uint32Array.of(0))

/** The error that waits on a socket, which is gone then; null: none. */
export const pendingError = (libc: Libc, fd: number): string | null => {
  const value = new Int32Array(1)
  const asked = failed(libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, Uint32Array.of(4)))
  return asked ?? (value[0] === 0 ? null : errnoName(value[0] ?? 0))
}

const nameBytes = new TextEncoder()
export const bindToDevice = (libc: Libc, fd: number, dev: string): Called => {
  const bytes = nameBytes.encode(`${dev}\0`)
  return libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bytes, bytes.length)
}

const SIOCGIFNAME = 0x8910
const SIOCGIFINDEX = 0x8933
const IFNAMSIZ = 16

/** A device's name by its index in the socket's namespace; null: there is none. */
export const nameOfDevice = (libc: Libc, fd: number, index: number): string | null => {
  const request = new Uint8Array(40)
  viewOf(request).setInt32(IFNAMSIZ, index, LITTLE_ENDIAN)
  if (libc.ioctl(fd, SIOCGIFNAME, request).value !== 0) return null
  return new TextDecoder().decode(request.subarray(0, request.indexOf(0)))
}

const SIOCGIFFLAGS = 0x8913
/** IFF_* of a device, as netdevice(7) has them; null: there is none. */
export const flagsOfDevice = (libc: Libc, fd: number, name: string): number | null => {
  const request = new Uint8Array(40)
  request.set(nameBytes.encode(name).subarray(0, IFNAMSIZ - 1))
  return libc.ioctl(fd, SIOCGIFFLAGS, request).value === 0 ? viewOf(request).getUint16(IFNAMSIZ, LITTLE_ENDIAN) : null
}

/** A device's index by its name. */
export const indexOfDevice = (libc: Libc, fd: number, name: string): number | null => {
  const request = new Uint8Array(40)
  request.set(nameBytes.encode(name).subarray(0, IFNAMSIZ - 1))
  return libc.ioctl(fd, SIOCGIFINDEX, request).value === 0 ? viewOf(request).getInt32(IFNAMSIZ, LITTLE_ENDIAN) : null
}

/** Closes it; what is not open is nothing to close. */
export const close = (fd: number): void => {
  try {
    closeSync(fd)
  } catch {
    // It has been closed.
  }
}

/** Closes it on another thread: a packet socket's end takes 10 ms of waiting (packet_release, synchronize_net). */
export const closeAside = (fd: number): void => {
  closeLater(fd, () => {
    // What is not open is nothing to close.
  })
}

/** A datagram: its bytes (until the next one comes), its sender, and what ip(7) and ipv6(7) tell beside it if they were asked to. */
export type Datagram = Readonly<{
  bytes: Uint8Array
  from: Readonly<{ ip: Ip; port: number }> | null
  /** The raw address, for families of which we know no more. */
  address: Uint8Array
  to: Ip | null
  hopLimit: number | null
  /** The index of the device that it came in by (IPv6; 0: not told). */
  via: number
}>

const ROOM = 1 << 16
const CONTROL_ROOM = 256
const CMSG_HEADER = 16

/** A struct msghdr of 64 bits over buffers of its own. */
export const receiver = (libc: Libc) => {
  const [into, from, control] = [new Uint8Array(ROOM), new Uint8Array(SOCKADDR_ROOM), new Uint8Array(CONTROL_ROOM)]
  const [vector, header] = [new Uint8Array(16), new Uint8Array(56)]
  viewOf(vector).setBigUint64(0, libc.addressOf(into), LITTLE_ENDIAN)
  viewOf(vector).setBigUint64(8, BigInt(into.length), LITTLE_ENDIAN)
  const view = viewOf(header)
  const told = viewOf(control)
  const fill = (): void => {
    view.setBigUint64(0, libc.addressOf(from), LITTLE_ENDIAN)
    view.setUint32(8, from.length, LITTLE_ENDIAN)
    view.setBigUint64(16, libc.addressOf(vector), LITTLE_ENDIAN)
    view.setBigUint64(24, 1n, LITTLE_ENDIAN)
    view.setBigUint64(32, libc.addressOf(control), LITTLE_ENDIAN)
    view.setBigUint64(40, BigInt(control.length), LITTLE_ENDIAN)
    view.setUint32(48, 0, LITTLE_ENDIAN)
  }
  /** Control messages: the destination and the hop limit. */
  const beside = (): Pick<Datagram, 'to' | 'hopLimit' | 'via'> => {
    let [to, hopLimit, via]: [Ip | null, number | null, number] = [null, null, 0]
    const end = Number(view.getBigUint64(40, LITTLE_ENDIAN))
    for (let at = 0; at + CMSG_HEADER <= end; ) {
      const size = Number(told.getBigUint64(at, LITTLE_ENDIAN))
      const [level, type] = [told.getInt32(at + 8, LITTLE_ENDIAN), told.getInt32(at + 12, LITTLE_ENDIAN)]
      if (level === IPPROTO_IP && type === IP.PKTINFO) to = ip4(told.getUint32(at + CMSG_HEADER + 8))
      if (level === IPPROTO_IPV6 && type === IPV6.PKTINFO) {
        to = getIp6(told, at + CMSG_HEADER)
        via = told.getInt32(at + CMSG_HEADER + 16, LITTLE_ENDIAN)
      }
      if (level === IPPROTO_IPV6 && type === IPV6.HOPLIMIT) hopLimit = told.getInt32(at + CMSG_HEADER, LITTLE_ENDIAN)
      at += Math.max(CMSG_HEADER, (size + 7) & ~7)
    }
    return { to, hopLimit, via }
  }
  /** The next datagram, or the error that waited on the socket; null: there is nothing now. */
  return (fd: number): Datagram | Readonly<{ errno: string }> | null => {
    fill()
    const called = libc.recvmsg(fd, header, MSG_DONTWAIT)
    const { value } = called
    if (value < 0) return isNotYet(called) ? null : { errno: errnoName(called.errno) }
    return { bytes: into.subarray(0, value), from: readSockaddr(from), address: from, ...beside() }
  }
}
export type Receiver = ReturnType<typeof receiver>
