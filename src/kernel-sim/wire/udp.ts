// The User Datagram Protocol (RFC 768), without a checksum over IPv6 too where a tunnel asks for that (RFC 6935).

import { E } from '../../prelude.ts'
import { copyOf, get16, put16 } from './bytes.ts'
import { checksum, verdictOf } from './checksum.ts'
import { type Read, unknown, wrong } from './error.ts'
import type { Nested, Source } from './nested.ts'
import { lengthOfVxlan, readVxlan, type Vxlan, writeVxlan } from './vxlan.ts'

/** `checked`: whether it carries a checksum. VXLAN is a value where its destination is a port of VXLAN. */
export type Udp = Readonly<{
  proto: 'udp'
  sport: number
  dport: number
  checked: boolean
  payload: Uint8Array | Vxlan
}>

export const UDP = 17
const HEADER = 8

export const lengthOfUdp = ({ payload }: Udp, nested: Nested): number =>
  HEADER + ('tag' in payload ? lengthOfVxlan(payload, nested) : payload.length)

/** `pseudo`: the sum of the packet's addresses. */
export const writeUdp = (to: Uint8Array, at: number, end: number, udp: Udp, pseudo: number, nested: Nested): void => {
  const { payload } = udp
  put16(to, at, udp.sport)
  put16(to, at + 2, udp.dport)
  put16(to, at + 4, end - at)
  if ('tag' in payload) writeVxlan(to, at + HEADER, end, payload, nested)
  else to.set(payload, at + HEADER)
  // 0 says that there is none; its other form stands for a sum that is 0.
  if (udp.checked) put16(to, at + 6, checksum(to, at, end, pseudo + UDP + end - at) || 0xffff)
}

/** A header and bytes, neither length nor checksum looked at; null if the header is not all there. */
export const parseUdp = (bytes: Uint8Array, at: number, end: number): Udp | null =>
  end - at < HEADER
    ? null
    : {
        proto: 'udp',
        sport: get16(bytes, at),
        dport: get16(bytes, at + 2),
        checked: get16(bytes, at + 6) !== 0,
        payload: copyOf(bytes, at + HEADER, end),
      }

/** Bytes of the packet behind the datagram have no place in a value. */
export const readUdp = (from: Source, at: number, end: number, pseudo: number, nested: Nested): Read<Udp> => {
  const { bytes, vxlanPorts } = from
  const udp = parseUdp(bytes, at, end)
  if (udp === null) return wrong('udp', 'truncated', at)
  const length = get16(bytes, at + 4)
  if (length < HEADER || length > end - at) return wrong('udp', 'length', at)
  if (udp.checked) {
    const found = verdictOf(bytes, at, at + length, at + 6, pseudo + UDP + length)
    // A checksum of 0xffff is what a computed 0 is sent as.
    if (found === 'wrong') return wrong('udp', 'checksum', at)
  }
  if (length < end - at) return unknown
  if (!vxlanPorts.has(udp.dport)) return E.right(udp)
  const vxlan = readVxlan(from, at + HEADER, end, nested)
  if (E.isLeft(vxlan)) return vxlan
  return E.right(vxlan.right === null ? udp : { ...udp, payload: vxlan.right })
}
