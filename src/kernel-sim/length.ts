// How long what is sent would be: a packet is a decision here and has no bytes, but its length follows from what it stands for.
// Of payloads that are not fixed, those of the probes that Linux is tried with: 56 bytes of ping(8), "cnm?\n" of a datagram.
// Sources: RFC 791, 8200, 792, 4443, 768, 826, 4861; net/ipv4/{icmp,tcp_output}.c, net/ipv6/icmp.c.

import { isIp4 } from '../net/ip.ts'
import type { Body, Packet, Payload } from './packet.ts'

/** Without the checksum behind a frame, which no device of ours has (ETH_HLEN). */
export const ETHERNET = 14

const IP4 = 20
const IP6 = 40
const ICMP = 8
const UDP = 8
const TCP = 20
const ARP = 28
/** The target's address, and the option with the MAC. */
const DISCOVERY = ICMP + 16 + 8

const PING = 56
const DATAGRAM = 5

/** MSS, SACK permitted, time stamps and window scale; later segments have the time stamps only. */
const TCP_OPTIONS = { SYN: 20, 'SYN-ACK': 20, ACK: 12, RST: 0 } as const

const bodyLength = (body: Body): number => {
  switch (body.proto) {
    case 'tcp':
      return TCP + TCP_OPTIONS[body.flags]
    case 'udp':
      return UDP + DATAGRAM
    case 'icmp':
      // Whole, for nothing that is sent here is longer than what an error may quote.
      return ICMP + ('about' in body ? packetLength(body.about) : PING)
  }
}

const packetLength = ({ src, body }: Packet): number => (isIp4(src) ? IP4 : IP6) + bodyLength(body)

/** Bytes, without the Ethernet header before it. */
export const lengthOf = (payload: Payload): number => {
  switch (payload.tag) {
    case 'arp':
      return ARP
    case 'nd':
      return IP6 + DISCOVERY
    case 'ip':
      return packetLength(payload)
  }
}
