// What a message of ICMP (RFC 792) and of ICMPv6 (RFC 4443 section 2.1) begins with: a type, a code, a checksum, and four bytes
// that are each type's own.

import { put8 } from './bytes.ts'

export const ICMP_HEADER = 8

/** The names of a type's codes, in the order of their numbers. */
export type Codes = ReadonlyArray<string>
export type CodeOf<C extends Codes> = C[number]

/** All but the checksum. */
export const putHead = (to: Uint8Array, at: number, type: number, codes: Codes, code: string): void => {
  put8(to, at, type)
  put8(to, at + 1, codes.indexOf(code))
}
