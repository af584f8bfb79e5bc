// Who hears everything in a namespace: a packet socket at all of its devices, and raw sockets at what is delivered to it past its
// hooks. They keep the namespace alive until they are closed.

import type { Ip } from '../../net/ip.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { LITTLE_ENDIAN, viewOf } from '../netlink/bytes.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { Libc } from '../netlink/libc.ts'
import { openPath } from '../netlink/thread.ts'
import { type Peeked, peekFrame, peekMessage, peekPacket } from './peek.ts'
import { AF_INET, AF_INET6, AF_PACKET } from './sockaddr.ts'
import {
  close,
  closeAside,
  IP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6,
  nameOfDevice,
  openIn,
  type Receiver,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
  setInt,
} from './socket.ts'

export type Captured = Readonly<{ ns: Ns; dev: IfName; way: 'in' | 'out'; peeked: Peeked }>
export type Delivered = Readonly<{ ns: Ns; peeked: Peeked }>

export type Ears = Readonly<{
  ns: Ns
  /** The namespace, open. */
  nsFd: number
  /** What was heard since the last time. */
  captured: () => ReadonlyArray<Captured>
  delivered: () => ReadonlyArray<Delivered>
  close: () => void
}>

const ETH_P_ALL_BE = 0x0300
const PACKET_OUTGOING = 4
const RECEIVE_BYTES = 8 << 20
/** What goes round in a loop comes as fast as it is read. */
const AT_ONCE = 5000
const [ICMP, TCP, UDP, ICMP6] = [1, 6, 17, 58]
const PMTUDISC_INTERFACE = 4

type Ear = Readonly<{ fd: number; family: 4 | 6; protocol: number }>

const openAll = (
  libc: Libc,
  nsFd: number,
): Either<NetlinkError, Readonly<{ packet: number; raw: ReadonlyArray<Ear> }>> => {
  const open: number[] = []
  const fail = (error: NetlinkError): Either<NetlinkError, never> => {
    for (const fd of open) close(fd)
    return E.left(error)
  }
  const packet = openIn(libc, nsFd, AF_PACKET, SOCK_RAW, ETH_P_ALL_BE)
  if (E.isLeft(packet)) return packet
  open.push(packet.right)
  setInt(libc, packet.right, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
  const raw: Ear[] = []
  for (const [family, protocol] of [
    [4, ICMP],
    [4, UDP],
    [4, TCP],
    [6, ICMP6],
    [6, UDP],
    [6, TCP],
  ] as const) {
    const opened = openIn(libc, nsFd, family === 4 ? AF_INET : AF_INET6, SOCK_RAW, protocol)
    if (E.isLeft(opened)) return fail(opened.left)
    open.push(opened.right)
    // Who hears that a packet was too long would learn that, for a way that the sender may not have asked for (ip_sk_accept_pmtu).
    if (family === 4) setInt(libc, opened.right, IPPROTO_IP, IP.MTU_DISCOVER, PMTUDISC_INTERFACE)
    else {
      setInt(libc, opened.right, IPPROTO_IPV6, IPV6.RECVPKTINFO, 1)
      setInt(libc, opened.right, IPPROTO_IPV6, IPV6.RECVHOPLIMIT, 1)
    }
    raw.push({ fd: opened.right, family, protocol })
  }
  return E.right({ packet: packet.right, raw })
}

/** Over IPv6 a raw socket has the message alone, and the rest beside it. */
const delivered6 = (
  protocol: number,
  bytes: Uint8Array,
  from: Ip,
  to: Ip | null,
  hopLimit: number | null,
  vxlanPorts: ReadonlySet<number>,
): Peeked | null =>
  to === null || hopLimit === null
    ? null
    : peekMessage(bytes, 0, protocol, { src: from, dst: to, ttl: hopLimit }, vxlanPorts)

/** `path`: of the namespace's file. Left: it is not there, or we may not. */
export const openEars = (
  libc: Libc,
  receive: Receiver,
  ns: Ns,
  path: string,
  vxlanPorts: ReadonlySet<number>,
): Either<NetlinkError, Ears> => {
  const nsFd = openPath(path)
  if (E.isLeft(nsFd)) return nsFd
  const opened = openAll(libc, nsFd.right)
  if (E.isLeft(opened)) {
    close(nsFd.right)
    return opened
  }
  const { packet, raw } = opened.right
  const names = new Map<number, string | null>()
  const nameOf = (index: number): string | null => {
    if (!names.has(index)) names.set(index, nameOfDevice(libc, packet, index))
    return names.get(index) ?? null
  }
  return E.right({
    ns,
    nsFd: nsFd.right,
    captured: () => {
      const heard: Captured[] = []
      // A device may have got another name since.
      names.clear()
      let left = AT_ONCE
      for (let next = receive(packet); next !== null && left > 0; next = receive(packet)) {
        left -= 1
        // A device that went down is an error that waits.
        if ('errno' in next) continue
        const peeked = peekFrame(next.bytes, vxlanPorts)
        const address = viewOf(next.address)
        const dev = nameOf(address.getInt32(4, LITTLE_ENDIAN))
        if (peeked === null || dev === null) continue
        // A cast: the kernel's own name of a device.
        heard.push({ ns, dev: dev as IfName, way: address.getUint8(10) === PACKET_OUTGOING ? 'out' : 'in', peeked })
      }
      return heard
    },
    delivered: () => {
      const heard: Delivered[] = []
      for (const { fd, family, protocol } of raw)
        for (let next = receive(fd); next !== null; next = receive(fd)) {
          if ('errno' in next) continue
          const { bytes, from, to, hopLimit } = next
          const peeked =
            family === 4
              ? peekPacket(bytes, vxlanPorts)
              : from === null
                ? null
                : delivered6(protocol, bytes, from.ip, to, hopLimit, vxlanPorts)
          if (peeked !== null) heard.push({ ns, peeked })
        }
      return heard
    },
    close: () => {
      closeAside(packet)
      for (const fd of [...raw.map((each) => each.fd), nsFd.right]) close(fd)
    },
  })
}
