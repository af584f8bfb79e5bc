// Frames from hex digits, and back; and what tests of the wire take for granted.

import { type Frame, frame } from '../../../src/kernel-sim/wire/ethernet.ts'
import type { Packet } from '../../../src/kernel-sim/wire/nested.ts'
import { decodeFrame } from '../../../src/kernel-sim/wire/wire.ts'
import { type Ip4, type Ip6, ip, isIp4, isIp6 } from '../../../src/net/ip.ts'
import { mac } from '../../../src/net/mac.ts'
import { E, type Either } from '../../../src/prelude.ts'

/** Blanks do not count. */
export const unhex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits.replaceAll(/\s/g, ''), 'hex'))
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The value, or a failure of the test. */
export const right = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

export const decoded = (digits: string): Frame => right(decodeFrame(unhex(digits)))

export const four = (text: string): Ip4 => {
  const address = ip(text)
  if (!isIp4(address)) throw new Error(`${text} is not an IPv4 address`)
  return address
}
export const six = (text: string): Ip6 => {
  const address = ip(text)
  if (!isIp6(address)) throw new Error(`${text} is not an IPv6 address`)
  return address
}

export const A = mac(0x02000000000a)
export const B = mac(0x02000000000b)
export const fromAToB = (payload: Packet): Frame => frame(A, B, payload)
