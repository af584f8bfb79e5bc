// The beginning of a message whose rest is elsewhere: in later fragments, or not quoted by the ICMP error. Its ports or its id
// can be seen; its length and its checksum are those of the whole, so they are carried and not computed.
// A quoted message that is all there but has another checksum (a device would have computed it later) is one of these, too.

import { get16, put16 } from './bytes.ts'
import { type Echo, lengthOfEcho, parseEcho, writeEcho } from './echo.ts'
import { ICMP } from './icmp4.ts'
import { ICMP6 } from './icmp6.ts'
import type { Nested } from './nested.ts'
import { lengthOfTcp, parseTcp, TCP, type Tcp, writeTcp } from './tcp.ts'
import { lengthOfUdp, parseUdp, UDP, type Udp, writeUdp } from './udp.ts'

/** `length` is what a UDP header says; the others' say none, and have 0. The payload of `of` is what is there of it. */
export type Head<Proto extends 'icmp' | 'icmp6'> = Readonly<{
  proto: 'head'
  of: Tcp | Udp | Echo<Proto>
  length: number
  checksum: number
}>

export type AnyHead = Head<'icmp' | 'icmp6'>

export const lengthOfHead = ({ of }: AnyHead, nested: Nested): number => {
  switch (of.proto) {
    case 'tcp':
      return lengthOfTcp(of)
    case 'udp':
      return lengthOfUdp(of, nested)
    case 'icmp':
    case 'icmp6':
      return lengthOfEcho(of)
  }
}

export const writeHead = (to: Uint8Array, at: number, end: number, head: AnyHead, nested: Nested) => {
  const { of, checksum } = head
  switch (of.proto) {
    case 'tcp':
      writeTcp(to, at, end, of, 0)
      return put16(to, at + 16, checksum)
    case 'udp':
      writeUdp(to, at, end, of, 0, nested)
      put16(to, at + 4, head.length)
      return put16(to, at + 6, checksum)
    case 'icmp':
    case 'icmp6':
      writeEcho(to, at, of)
      return put16(to, at + 2, checksum)
  }
}

/** Null if not even the header is there, and for what has neither ports nor an id. */
export const readHead = <Proto extends 'icmp' | 'icmp6'>(
  proto: Proto,
  protocol: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): Head<Proto> | null => {
  switch (protocol) {
    case TCP: {
      const of = parseTcp(bytes, at, end)
      return of === null ? null : { proto: 'head', of, length: 0, checksum: get16(bytes, at + 16) }
    }
    case UDP: {
      const of = parseUdp(bytes, at, end)
      return of === null ? null : { proto: 'head', of, length: get16(bytes, at + 4), checksum: get16(bytes, at + 6) }
    }
    case proto === 'icmp' ? ICMP : ICMP6: {
      const of = parseEcho(proto, bytes, at, end)
      return of === null ? null : { proto: 'head', of, length: 0, checksum: get16(bytes, at + 2) }
    }
    default:
      return null
  }
}
