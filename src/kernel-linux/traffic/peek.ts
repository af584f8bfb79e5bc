// What a captured packet is, by its headers alone: captures on the machine that sends have no checksums yet (offloading), so that
// wire/ would refuse them. Tunnels are looked into, and of errors what they quote.
// Sources: RFC 791, 8200, 792, 4443, 768, 9293, 7348.

import { type Ip, ip4, ip6 } from '../../net/ip.ts'
import { viewOf } from '../netlink/bytes.ts'

/** `data`: where the payload of UDP or an echo begins. `error`: an ICMP error, and what it quotes (null: something else). */
export type Peeked = Readonly<
  { src: Ip; dst: Ip; ttl: number } & (
    | { is: 'echo'; reply: boolean; id: number; data: number }
    | { is: 'udp'; sport: number; dport: number; data: number }
    | { is: 'tcp'; sport: number; dport: number; flags: number }
    | { is: 'error'; about: Peeked | null }
  )
>

const ETHERNET = 14
const TAG = 4
const VXLAN_HEADER = 8
const MORE_FRAGMENTS = 0x2000
const [ICMP, TCP, UDP, FRAGMENT, ICMP6, HOP_BY_HOP] = [1, 6, 17, 44, 58, 0]

/** What an error is about is not looked into, for that a tunnel's packet was lost is no news of the try; nor is what is in pieces. */
const NO_TUNNEL: ReadonlySet<number> = new Set()

type Addresses = Readonly<{ src: Ip; dst: Ip; ttl: number }>

/** `at`: behind the headers of IP. Null: nothing that a try sends. */
export const peekMessage = (
  bytes: Uint8Array,
  at: number,
  protocol: number,
  addresses: Addresses,
  vxlanPorts: ReadonlySet<number>,
): Peeked | null => {
  const view = viewOf(bytes)
  if (bytes.length < at + 8) return null
  switch (protocol) {
    case UDP: {
      const [sport, dport] = [view.getUint16(at), view.getUint16(at + 2)]
      return vxlanPorts.has(dport)
        ? peekFrame(bytes.subarray(at + 8 + VXLAN_HEADER), vxlanPorts)
        : { ...addresses, is: 'udp', sport, dport, data: at + 8 }
    }
    case TCP:
      return bytes.length < at + 14
        ? { ...addresses, is: 'tcp', sport: view.getUint16(at), dport: view.getUint16(at + 2), flags: 0 }
        : {
            ...addresses,
            is: 'tcp',
            sport: view.getUint16(at),
            dport: view.getUint16(at + 2),
            flags: view.getUint8(at + 13),
          }
    case ICMP:
    case ICMP6: {
      const type = view.getUint8(at)
      const [request, answer] = protocol === ICMP ? [8, 0] : [128, 129]
      if (type === request || type === answer)
        return { ...addresses, is: 'echo', reply: type === answer, id: view.getUint16(at + 4), data: at + 8 }
      const isError = protocol === ICMP ? type === 3 || type === 11 || type === 12 || type === 5 : type < 128
      return isError ? { ...addresses, is: 'error', about: peekPacket(bytes.subarray(at + 8), NO_TUNNEL) } : null
    }
    default:
      return null
  }
}

/** Later fragments tell nothing of what they are. */
const peek6 = (bytes: Uint8Array, vxlanPorts: ReadonlySet<number>): Peeked | null => {
  const view = viewOf(bytes)
  if (bytes.length < 40) return null
  const ipAt = (at: number): Ip => ip6((view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8))
  let [protocol, at, tunnels] = [view.getUint8(6), 40, vxlanPorts]
  while ((protocol === HOP_BY_HOP || protocol === FRAGMENT) && bytes.length >= at + 8) {
    if (protocol === FRAGMENT && view.getUint16(at + 2) >>> 3 !== 0) return null
    if (protocol === FRAGMENT) tunnels = NO_TUNNEL
    const next = view.getUint8(at)
    at += protocol === FRAGMENT ? 8 : 8 + view.getUint8(at + 1) * 8
    protocol = next
  }
  return peekMessage(bytes, at, protocol, { src: ipAt(8), dst: ipAt(24), ttl: view.getUint8(7) }, tunnels)
}

export const peekPacket = (bytes: Uint8Array, vxlanPorts: ReadonlySet<number>): Peeked | null => {
  const view = viewOf(bytes)
  if (bytes.length < 20) return null
  if (view.getUint8(0) >>> 4 === 6) return peek6(bytes, vxlanPorts)
  if (view.getUint8(0) >>> 4 !== 4 || (view.getUint16(6) & 0x1fff) !== 0) return null
  const addresses = { src: ip4(view.getUint32(12)), dst: ip4(view.getUint32(16)), ttl: view.getUint8(8) }
  const tunnels = (view.getUint16(6) & MORE_FRAGMENTS) === 0 ? vxlanPorts : NO_TUNNEL
  return peekMessage(bytes, (view.getUint8(0) & 0xf) * 4, view.getUint8(9), addresses, tunnels)
}

/** Null: no IP, or nothing that a try sends. */
export const peekFrame = (bytes: Uint8Array, vxlanPorts: ReadonlySet<number>): Peeked | null => {
  const view = viewOf(bytes)
  let at = 12
  while (bytes.length >= at + 2 + TAG && (view.getUint16(at) === 0x8100 || view.getUint16(at) === 0x88a8)) at += TAG
  if (bytes.length < ETHERNET) return null
  const type = view.getUint16(at)
  return type === 0x0800 || type === 0x86dd ? peekPacket(bytes.subarray(at + 2), vxlanPorts) : null
}
