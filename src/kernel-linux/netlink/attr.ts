// Attributes: length, type, payload, padded to four bytes; a payload may hold attributes again. The decoder believes nothing:
// it never reads outside what it was given and never throws (properties/netlink.properties.ts).
// Source: include/uapi/linux/netlink.h (struct nlattr), lib/nlattr.c.

import { align, concat, LITTLE_ENDIAN, struct, viewOf } from './bytes.ts'
import { NLA_HDRLEN, NLA_TYPE_MASK } from './uapi/netlink.ts'

/** `type` has 14 bits; `flags` are NLA_F_NESTED and NLA_F_NET_BYTEORDER. A payload has at most 65531 bytes. */
export type Attr = Readonly<{ type: number; flags: number; payload: Uint8Array }>

const MAX_PAYLOAD = 0xffff - NLA_HDRLEN

const encodeAttr = ({ type, flags, payload }: Attr): Uint8Array => {
  if (payload.length > MAX_PAYLOAD) throw new Error(`attribute ${type}: ${payload.length} bytes do not fit its length`)
  const size = NLA_HDRLEN + payload.length
  const bytes = struct(align(size), (view) => {
    view.setUint16(0, size, LITTLE_ENDIAN)
    view.setUint16(2, (type & NLA_TYPE_MASK) | flags, LITTLE_ENDIAN)
  })
  bytes.set(payload, NLA_HDRLEN)
  return bytes
}

/** Throws if a payload is too long to have a length: our own requests are far below. */
export const encodeAttrs = (attrs: ReadonlyArray<Attr>): Uint8Array => concat(attrs.map(encodeAttr))

/** Called with an attribute's type, its flags, and where its payload begins and ends. */
export type Visit = (type: number, flags: number, from: number, to: number) => void

/** Visits the attributes between two places; false if they are not well-formed, after visiting those before the fault. */
export const eachAttr = (view: DataView, from: number, to: number, visit: Visit): boolean => {
  let at = from
  while (at + NLA_HDRLEN <= to) {
    const size = view.getUint16(at, LITTLE_ENDIAN)
    const end = at + size
    if (size < NLA_HDRLEN || end > to) return false
    const type = view.getUint16(at + 2, LITTLE_ENDIAN)
    visit(type & NLA_TYPE_MASK, type & ~NLA_TYPE_MASK, at + NLA_HDRLEN, end)
    at += align(size)
  }
  return at >= to
}

/** Null: not well-formed. Payloads are views of `bytes`, not copies. */
export const decodeAttrs = (bytes: Uint8Array): ReadonlyArray<Attr> | null => {
  const attrs: Attr[] = []
  const fine = eachAttr(viewOf(bytes), 0, bytes.length, (type, flags, from, to) => {
    attrs.push({ type, flags, payload: bytes.subarray(from, to) })
  })
  return fine ? attrs : null
}
