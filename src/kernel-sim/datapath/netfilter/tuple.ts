// What conntrack knows a packet by: its protocol and its two ends, in one direction.
// Sources: net/netfilter/nf_conntrack_core.c (nf_ct_get_tuple, nf_ct_invert_tuple), nf_conntrack_proto_{icmp,icmpv6}.c.

import type { Ip } from '../../../net/ip.ts'
import type { Body } from '../../wire/body.ts'
import { get8, get16 } from '../../wire/bytes.ts'
import { ICMP } from '../../wire/icmp4.ts'
import { ICMP6 } from '../../wire/icmp6.ts'
import type { Packet } from '../../wire/nested.ts'
import { TCP } from '../../wire/tcp.ts'
import { UDP } from '../../wire/udp.ts'

/** `proto`: IP's number. ICMP's id is `sport` in both directions, its type and code are `dport`. Without ports both are 0. */
export type Tuple = Readonly<{ proto: number; zone: number; src: Ip; dst: Ip; sport: number; dport: number }>

const CODE = 0x100

/** Which message answers which: echo, and time stamp, information and address mask (RFC 792, RFC 950), node information (RFC 4620). */
const ANSWERS: Readonly<Record<number, ReadonlyMap<number, number>>> = {
  [ICMP]: new Map([
    [8, 0],
    [0, 8],
    [13, 14],
    [14, 13],
    [15, 16],
    [16, 15],
    [17, 18],
    [18, 17],
  ]),
  [ICMP6]: new Map([
    [128, 129],
    [129, 128],
    [139, 140],
    [140, 139],
  ]),
}

/** The messages that begin a conversation. */
const QUESTIONS: Readonly<Record<number, ReadonlySet<number>>> = {
  [ICMP]: new Set([8, 13, 15, 17]),
  [ICMP6]: new Set([128, 139]),
}

export const isIcmp = (proto: number): boolean => proto === ICMP || proto === ICMP6

/** Whether a conversation may begin with this, as far as ICMP is concerned. */
export const isQuestion = ({ proto, dport }: Tuple): boolean =>
  !isIcmp(proto) || (QUESTIONS[proto]?.has(Math.floor(dport / CODE)) ?? false)

/** The tuple of an answer; null for a message of ICMP that nothing answers. */
export const mirror = ({ proto, zone, src, dst, sport, dport }: Tuple): Tuple | null => {
  if (!isIcmp(proto)) return { proto, zone, src: dst, dst: src, sport: dport, dport: sport }
  const type = ANSWERS[proto]?.get(Math.floor(dport / CODE))
  return type === undefined
    ? null
    : { proto, zone, src: dst, dst: src, sport, dport: type * CODE + (dport & (CODE - 1)) }
}

export const sameTuple = (a: Tuple, b: Tuple): boolean =>
  a.src === b.src &&
  a.dst === b.dst &&
  a.sport === b.sport &&
  a.dport === b.dport &&
  a.proto === b.proto &&
  a.zone === b.zone

const ECHO = {
  icmp: { 'echo-request': 8 * CODE, 'echo-reply': 0 },
  icmp6: { 'echo-request': 128 * CODE, 'echo-reply': 129 * CODE },
} as const

type Ends = Readonly<{ proto: number; sport: number; dport: number }>

const endsOfRaw = (protocol: number, bytes: Uint8Array): Ends | null => {
  if (protocol === TCP || protocol === UDP)
    return bytes.length < 8 ? null : { proto: protocol, sport: get16(bytes, 0), dport: get16(bytes, 2) }
  if (isIcmp(protocol))
    return bytes.length < 8 ? null : { proto: protocol, sport: get16(bytes, 4), dport: get16(bytes, 0) }
  return { proto: protocol, sport: 0, dport: 0 }
}

const endsOf = (body: Body): Ends | null => {
  switch (body.proto) {
    case 'tcp':
      return { proto: TCP, sport: body.sport, dport: body.dport }
    case 'udp':
      return { proto: UDP, sport: body.sport, dport: body.dport }
    case 'icmp':
      return 'payload' in body ? { proto: ICMP, sport: body.id, dport: ECHO.icmp[body.type] } : null
    case 'icmp6':
      return 'payload' in body ? { proto: ICMP6, sport: body.id, dport: ECHO.icmp6[body.type] } : null
    case 'head':
      return endsOf(body.of)
    case 'raw':
      return endsOfRaw(body.protocol, body.bytes)
    case 'igmp':
      return { proto: 2, sport: 0, dport: 0 }
  }
}

/** Null: the packet is an error or a message of a link, or has lost its ports. A later fragment has none either. */
export const tupleOf = ({ src, dst, body }: Packet, zone: number): Tuple | null => {
  const ends = endsOf(body)
  return ends === null ? null : { proto: ends.proto, zone, src, dst, sport: ends.sport, dport: ends.dport }
}

/** The ports of TCP and UDP, also of what is there of a message in part; null for all others. */
export const portsOf = (body: Body): Readonly<{ sport: number; dport: number }> | null => {
  const ends = endsOf(body)
  return ends !== null && (ends.proto === TCP || ends.proto === UDP) ? ends : null
}

/** Type of a message of ICMP that has no value of its own (wire/); -1 for anything else. */
export const rawTypeOf = (body: Body): number =>
  body.proto === 'raw' && isIcmp(body.protocol) && body.bytes.length > 0 ? get8(body.bytes, 0) : -1
