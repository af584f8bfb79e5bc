// The numbers by which one namespace knows others: RTM_NEWNSID, RTM_GETNSID. A veth's other end is told by such a number.
// Source: include/uapi/linux/net_namespace.h, net/core/net_namespace.c.

import { take, viewOf, written } from '../bytes.ts'
import { fields, s32, u32, type ValuesOf } from '../field.ts'
import type { Request } from '../message.ts'
import { NLM_F_DUMP } from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_GETNSID, RTM_NEWNSID } from '../uapi/rtnetlink.ts'

const NSID = {
  /** NETNSA_NSID_NOT_ASSIGNED (-1): it has none, or the kernel is to choose. */
  nsid: s32(R.NETNSA_NSID),
  pid: u32(R.NETNSA_PID),
  fd: u32(R.NETNSA_FD),
  targetNsid: s32(R.NETNSA_TARGET_NSID),
  currentNsid: s32(R.NETNSA_CURRENT_NSID),
}
const nsid = fields(NSID)

export type NsidMessage = ValuesOf<typeof NSID>

/** struct rtgenmsg, padded. */
const HEADER_SIZE = 4

export const encodeNsid = (message: NsidMessage): Uint8Array =>
  written((out) => {
    take(out, HEADER_SIZE)
    nsid.write(out, message)
  })

/** Null: not well-formed. */
export const decodeNsid = (body: Uint8Array): NsidMessage | null =>
  body.length < HEADER_SIZE ? null : nsid.decode(viewOf(body), HEADER_SIZE, body.length)

type Which = Readonly<{ fd: number } | { pid: number }>

/** Gives a namespace a number; without one the kernel chooses. EEXIST if it has one. */
export const setNsid = (which: Which, number: number = R.NETNSA_NSID_NOT_ASSIGNED): Request => ({
  type: RTM_NEWNSID,
  flags: 0,
  body: encodeNsid({ ...which, nsid: number }),
})

/** The number of a namespace, in a conversation's `ask`: `nsid` -1 if it has none. */
export const getNsid = (which: Which): Request => ({ type: RTM_GETNSID, flags: 0, body: encodeNsid(which) })

export const dumpNsids = (): Request => ({ type: RTM_GETNSID, flags: NLM_F_DUMP, body: encodeNsid({}) })
