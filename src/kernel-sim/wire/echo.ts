// Echo and echo reply, which ICMP (RFC 792) and ICMPv6 (RFC 4443 section 4) have alike but for their type numbers.

import { copyOf, get8, get16, put8, put16 } from './bytes.ts'
import { ICMP_HEADER } from './icmp-head.ts'

export type Echo<Proto extends 'icmp' | 'icmp6'> = Readonly<{
  proto: Proto
  type: 'echo-request' | 'echo-reply'
  id: number
  seq: number
  payload: Uint8Array
}>

const TYPES = {
  icmp: { 'echo-request': 8, 'echo-reply': 0 },
  icmp6: { 'echo-request': 128, 'echo-reply': 129 },
} as const

export const lengthOfEcho = (echo: Echo<'icmp' | 'icmp6'>): number => ICMP_HEADER + echo.payload.length

/** All but the checksum. */
export const writeEcho = (to: Uint8Array, at: number, echo: Echo<'icmp' | 'icmp6'>): void => {
  put8(to, at, TYPES[echo.proto][echo.type])
  put16(to, at + 4, echo.id)
  put16(to, at + 6, echo.seq)
  to.set(echo.payload, at + ICMP_HEADER)
}

/** Without a look at the checksum; null if it is another message, or the header is not all there. */
export const parseEcho = <Proto extends 'icmp' | 'icmp6'>(
  proto: Proto,
  bytes: Uint8Array,
  at: number,
  end: number,
): Echo<Proto> | null => {
  const types = TYPES[proto]
  const type = get8(bytes, at)
  const isEcho = type === types['echo-request'] || type === types['echo-reply']
  if (end - at < ICMP_HEADER || !isEcho || get8(bytes, at + 1) !== 0) return null
  return {
    proto,
    type: type === types['echo-request'] ? 'echo-request' : 'echo-reply',
    id: get16(bytes, at + 4),
    seq: get16(bytes, at + 6),
    payload: copyOf(bytes, at + ICMP_HEADER, end),
  }
}
