// Attributes: length, type, payload, padded to four bytes; a payload may hold attributes again. The decoder believes nothing:
// it never reads outside what it was given and never throws (properties/netlink.properties.ts).
// Source: include/uapi/linux/netlink.h (struct nlattr), lib/nlattr.c.

import { align, LITTLE_ENDIAN, type Out, pad, putBytes, viewOf, written } from './bytes.ts'
import { NLA_HDRLEN, NLA_TYPE_MASK } from './uapi/netlink.ts'

/** `type` has 14 bits; `flags` are NLA_F_NESTED and NLA_F_NET_BYTEORDER. A payload has at most 65531 bytes. */
export type Attr = Readonly<{ type: number; flags: number; payload: Uint8Array }>

const MAX_PAYLOAD = 0xffff - NLA_HDRLEN

/** Writes one attribute; `payload` writes what is in it. Throws if that is too long to have a length: our own are far below. */
export const putAttr = <A>(
  out: Out,
  type: number,
  flags: number,
  payload: (out: Out, value: A) => void,
  value: A,
): void => {
  const start = out.at
  out.at += NLA_HDRLEN
  payload(out, value)
  const size = out.at - start
  if (size > NLA_HDRLEN + MAX_PAYLOAD) throw new Error(`attribute ${type}: ${size} bytes do not fit its length`)
  out.view.setUint16(start, size, LITTLE_ENDIAN)
  out.view.setUint16(start + 2, (type & NLA_TYPE_MASK) | flags, LITTLE_ENDIAN)
  pad(out)
}

export const encodeAttrs = (attrs: ReadonlyArray<Attr>): Uint8Array =>
  written((out) => {
    for (const { type, flags, payload } of attrs) putAttr(out, type, flags, putBytes, payload)
  })

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
