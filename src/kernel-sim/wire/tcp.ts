// The Transmission Control Protocol's segments (RFC 9293 section 3.1; ECN's flags: RFC 3168, RFC 3540).

import { E } from '../../prelude.ts'
import { copyOf, get8, get16, get32, put8, put16, put32 } from './bytes.ts'
import { checksum, verdictOf } from './checksum.ts'
import { type Read, unknown, wrong } from './error.ts'
import type { Source } from './nested.ts'
import { lengthOfOptions, readOptions, type TcpOptions, writeOptions } from './tcp-options.ts'

/** The nine flags are a set of bits: `FLAG.SYN | FLAG.ACK`. */
export const FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128, NS: 256 } as const

/** Options in an order that is not Linux's, or of a kind without a value, stay bytes: a multiple of 4, at most 40. */
export type Tcp = Readonly<{
  proto: 'tcp'
  sport: number
  dport: number
  seq: number
  ack: number
  flags: number
  window: number
  urgent: number
  options: TcpOptions | Uint8Array
  payload: Uint8Array
}>

export const TCP = 6
const HEADER = 20
/** Where the checksum is. */
const CHECKSUM = 16

const lengthOfHeader = ({ options }: Tcp): number =>
  HEADER + (options instanceof Uint8Array ? options.length : lengthOfOptions(options))

export const lengthOfTcp = (tcp: Tcp): number => lengthOfHeader(tcp) + tcp.payload.length

/** `pseudo`: the sum of the packet's addresses. */
export const writeTcp = (to: Uint8Array, at: number, end: number, tcp: Tcp, pseudo: number): void => {
  const { options } = tcp
  const data = at + lengthOfHeader(tcp)
  put16(to, at, tcp.sport)
  put16(to, at + 2, tcp.dport)
  put32(to, at + 4, tcp.seq)
  put32(to, at + 8, tcp.ack)
  put8(to, at + 12, ((data - at) << 2) | (tcp.flags >>> 8))
  put8(to, at + 13, tcp.flags)
  put16(to, at + 14, tcp.window)
  put16(to, at + 18, tcp.urgent)
  if (options instanceof Uint8Array) to.set(options, at + HEADER)
  else writeOptions(to, at + HEADER, options)
  to.set(tcp.payload, data)
  put16(to, at + CHECKSUM, checksum(to, at, end, pseudo + TCP + end - at))
}

/** Where the data begins, as the header says. */
const dataOf = (bytes: Uint8Array, at: number): number => at + (get8(bytes, at + 12) >>> 4) * 4

/** Without a look at the checksum; null if the header is not all there, or has reserved bits set. */
export const parseTcp = (bytes: Uint8Array, at: number, end: number): Tcp | null => {
  if (end - at < HEADER) return null
  const data = dataOf(bytes, at)
  if (data < at + HEADER || data > end || (get8(bytes, at + 12) & 0xe) !== 0) return null
  return {
    proto: 'tcp',
    sport: get16(bytes, at),
    dport: get16(bytes, at + 2),
    seq: get32(bytes, at + 4),
    ack: get32(bytes, at + 8),
    flags: get16(bytes, at + 12) & 0x1ff,
    window: get16(bytes, at + 14),
    urgent: get16(bytes, at + 18),
    options: readOptions(bytes, at + HEADER, data) ?? copyOf(bytes, at + HEADER, data),
    payload: copyOf(bytes, data, end),
  }
}

export const readTcp = ({ bytes }: Source, at: number, end: number, pseudo: number): Read<Tcp> => {
  if (end - at < HEADER) return wrong('tcp', 'truncated', at)
  const data = dataOf(bytes, at)
  if (data < at + HEADER || data > end) return wrong('tcp', 'length', at)
  const found = verdictOf(bytes, at, end, at + CHECKSUM, pseudo + TCP + end - at)
  if (found === 'wrong') return wrong('tcp', 'checksum', at)
  return found === 'right' ? E.right(parseTcp(bytes, at, end)) : unknown
}
