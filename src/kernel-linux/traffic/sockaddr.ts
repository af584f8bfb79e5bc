// Socket addresses as the C library has them (ip(7), ipv6(7), packet(7)).

import { type Ip, ip4, ip6, isIp4 } from '../../net/ip.ts'
import { LITTLE_ENDIAN, viewOf } from '../netlink/bytes.ts'

export const AF_INET = 2
export const AF_INET6 = 10
export const AF_PACKET = 17

export const familyNumber = (ip: Ip): number => (isIp4(ip) ? AF_INET : AF_INET6)

const IP6_BYTES = 16

export const putIp6 = (view: DataView, at: number, ip: bigint): void => {
  view.setBigUint64(at, ip >> 64n)
  view.setBigUint64(at + 8, ip & 0xffffffffffffffffn)
}

export const getIp6 = (view: DataView, at: number): Ip =>
  ip6((view.getBigUint64(at) << 64n) | view.getBigUint64(at + IP6_BYTES / 2))

/** `scope`: the index of the device that a link-local address is on, else 0. */
export const sockaddr = (ip: Ip, port: number, scope = 0): Uint8Array => {
  const bytes = new Uint8Array(isIp4(ip) ? 16 : 28)
  const view = viewOf(bytes)
  view.setUint16(0, familyNumber(ip), LITTLE_ENDIAN)
  view.setUint16(2, port)
  if (isIp4(ip)) view.setUint32(4, ip)
  else {
    putIp6(view, 8, ip)
    view.setUint32(24, scope, LITTLE_ENDIAN)
  }
  return bytes
}

/** Bytes that any of our addresses fits into. */
export const SOCKADDR_ROOM = 32

/** Null: of another family. */
export const readSockaddr = (bytes: Uint8Array): Readonly<{ ip: Ip; port: number }> | null => {
  const view = viewOf(bytes)
  switch (view.getUint16(0, LITTLE_ENDIAN)) {
    case AF_INET:
      return { ip: ip4(view.getUint32(4)), port: view.getUint16(2) }
    case AF_INET6:
      return { ip: getIp6(view, 8), port: view.getUint16(2) }
    default:
      return null
  }
}
