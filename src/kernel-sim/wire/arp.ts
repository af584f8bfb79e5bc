// The Address Resolution Protocol for IPv4 over Ethernet (RFC 826), and what probes and announcements are in it (RFC 5227).

import { type Ip4, ip4 } from '../../net/ip.ts'
import { type Mac, ZERO_MAC } from '../../net/mac.ts'
import { E } from '../../prelude.ts'
import { get16, get32, getIp4, getMac, put16, put32, put48 } from './bytes.ts'
import { type Read, unknown, wrong } from './error.ts'
import type { Source } from './nested.ts'

export type Arp = Readonly<{
  tag: 'arp'
  op: 'request' | 'reply'
  senderMac: Mac
  sender: Ip4
  targetMac: Mac
  target: Ip4
}>

export const LENGTH_OF_ARP = 28

/** "Does anybody have this address?", from nobody: the question of duplicate address detection. */
export const arpProbe = (senderMac: Mac, target: Ip4): Arp => ({
  tag: 'arp',
  op: 'request',
  senderMac,
  sender: ip4(0),
  targetMac: ZERO_MAC,
  target,
})

/** "I have this address": a request for one's own, as Linux sends it for arp_notify (inetdev_send_gratuitous_arp). */
export const arpAnnouncement = (mac: Mac, ip: Ip4): Arp => ({
  tag: 'arp',
  op: 'request',
  senderMac: mac,
  sender: ip,
  targetMac: ZERO_MAC,
  target: ip,
})

const ETHERNET = 1
const IPV4 = 0x0800
/** Bytes of a MAC, and of an address. */
const SIZES = 0x0604
const REQUEST = 1
const REPLY = 2

export const writeArp = (to: Uint8Array, at: number, arp: Arp): void => {
  put16(to, at, ETHERNET)
  put16(to, at + 2, IPV4)
  put16(to, at + 4, SIZES)
  put16(to, at + 6, arp.op === 'request' ? REQUEST : REPLY)
  put48(to, at + 8, arp.senderMac)
  put32(to, at + 14, arp.sender)
  put48(to, at + 18, arp.targetMac)
  put32(to, at + 24, arp.target)
}

export const readArp = ({ bytes }: Source, at: number, end: number): Read<Arp> => {
  if (end - at < 8) return wrong('arp', 'truncated', at)
  const op = get16(bytes, at + 6)
  const isOurs = get32(bytes, at) === ETHERNET * 0x10000 + IPV4 && get16(bytes, at + 4) === SIZES
  if (!isOurs || (op !== REQUEST && op !== REPLY)) return unknown
  if (end - at < LENGTH_OF_ARP) return wrong('arp', 'truncated', at)
  return E.right({
    tag: 'arp',
    op: op === REQUEST ? 'request' : 'reply',
    senderMac: getMac(bytes, at + 8),
    sender: getIp4(bytes, at + 14),
    targetMac: getMac(bytes, at + 18),
    target: getIp4(bytes, at + 24),
  })
}
