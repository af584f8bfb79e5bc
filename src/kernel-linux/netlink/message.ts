// Messages: a header and a body, one after the other in a datagram; and what the kernel answers to a request: an errno, and
// with NETLINK_EXT_ACK its own sentence and the attribute it stumbled over.
// Source: include/uapi/linux/netlink.h, net/netlink/af_netlink.c (netlink_ack_tlv_fill).

import { align, LITTLE_ENDIAN, viewOf } from './bytes.ts'
import { fields, text, u32 } from './field.ts'
import { U16, U32 } from './format.ts'
import { struct } from './struct.ts'
import {
  NLM_F_ACK_TLVS,
  NLM_F_APPEND,
  NLM_F_CAPPED,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLMSG_HDRLEN,
  NLMSGERR_ATTR_MISS_TYPE,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
} from './uapi/netlink.ts'

/** What is asked, before it has a number. `flags` without NLM_F_REQUEST and NLM_F_ACK, which the conversation adds. */
export type Request = Readonly<{ type: number; flags: number; body: Uint8Array }>
/** `port` is the netlink port id of the asker; 0 in what the kernel says of its own accord. */
export type Message = Readonly<{ type: number; flags: number; seq: number; port: number; body: Uint8Array }>

/** What iproute2 calls add, replace and append. */
export const ADD = NLM_F_CREATE | NLM_F_EXCL
export const REPLACE = NLM_F_CREATE | NLM_F_REPLACE
export const APPEND = NLM_F_CREATE | NLM_F_APPEND

/** A sort of request: its type, its flags, and how its body is made of what is wished. */
export const request =
  <W extends ReadonlyArray<unknown>>(type: number, flags: number, encode: (...wish: W) => Uint8Array) =>
  (...wish: W): Request => ({ type, flags, body: encode(...wish) })

/** `size` counts the body too. */
const NLMSGHDR = struct(NLMSG_HDRLEN, {
  size: [0, U32],
  type: [4, U16],
  flags: [6, U16],
  seq: [8, U32],
  port: [12, U32],
})

export const messageSize = (request: Request): number => align(NLMSG_HDRLEN + request.body.length)

/** Writes a message at a place where `messageSize` bytes are free, and gives the place after it. */
export const writeMessage = (into: Uint8Array, at: number, message: Message): number => {
  const { type, flags, seq, port, body } = message
  const size = NLMSG_HDRLEN + body.length
  NLMSGHDR.put(viewOf(into), at, { size, type, flags, seq, port })
  into.set(body, at + NLMSG_HDRLEN)
  const end = at + align(size)
  into.fill(0, at + size, end)
  return end
}

/** Null: not well-formed. Bodies are views of `datagram`, not copies. */
export const decodeMessages = (datagram: Uint8Array): ReadonlyArray<Message> | null => {
  const view = viewOf(datagram)
  const messages: Message[] = []
  let at = 0
  while (at + NLMSG_HDRLEN <= datagram.length) {
    const { size, type, flags, seq, port } = NLMSGHDR.get(view, at)
    if (size < NLMSG_HDRLEN || size > datagram.length - at) return null
    messages.push({ type, flags, seq, port, body: datagram.subarray(at + NLMSG_HDRLEN, at + size) })
    at += align(size)
  }
  return at >= datagram.length ? messages : null
}

/**
 * `code`: 0, or the errno as a positive number. `text`: the kernel's own words. `offset`: where in our message, counted from
 * its header, the offending attribute begins. `missing`: the type of an attribute that should have been there.
 */
export type Verdict = Readonly<{ code: number; text: string | null; offset: number | null; missing: number | null }>

const ACK = fields({
  text: text(NLMSGERR_ATTR_MSG),
  offset: u32(NLMSGERR_ATTR_OFFS),
  missing: u32(NLMSGERR_ATTR_MISS_TYPE),
})

/** Where the attributes of an NLMSG_ERROR begin: after the errno and the request, which NETLINK_CAP_ACK cuts to its header. */
const attrsOfError = (view: DataView, flags: number): number => {
  if ((flags & NLM_F_CAPPED) !== 0) return 4 + NLMSG_HDRLEN
  const size = view.byteLength < 8 ? view.byteLength : view.getUint32(4, LITTLE_ENDIAN)
  return size > view.byteLength ? view.byteLength : 4 + align(size)
}

const verdictIn = (message: Message, attrsFrom: (view: DataView) => number): Verdict | null => {
  const view = viewOf(message.body)
  if (view.byteLength < 4) return null
  const code = -view.getInt32(0, LITTLE_ENDIAN)
  const from = attrsFrom(view)
  const told = (message.flags & NLM_F_ACK_TLVS) !== 0 && from <= view.byteLength
  const {
    text = null,
    offset = null,
    missing = null,
  } = (told ? ACK.read(view, from, view.byteLength) : undefined) ?? {}
  return { code: code === 0 ? 0 : code, text, offset, missing }
}

/** Of an NLMSG_ERROR, which is also how success is told. Null: not well-formed. */
export const verdictOf = (message: Message): Verdict | null =>
  verdictIn(message, (view) => attrsOfError(view, message.flags))

/** Of the NLMSG_DONE that ends a dump; older kernels send it empty. */
export const verdictOfDone = (message: Message): Verdict =>
  verdictIn(message, () => 4) ?? { code: 0, text: null, offset: null, missing: null }
