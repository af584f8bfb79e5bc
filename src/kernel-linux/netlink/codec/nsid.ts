// The numbers by which one namespace knows others: RTM_NEWNSID, RTM_GETNSID. A veth's other end is told by such a number.
// Source: include/uapi/linux/net_namespace.h, net/core/net_namespace.c.

import { s32, u32 } from '../field.ts'
import type { Read } from '../format.ts'
import { request } from '../message.ts'
import { body, struct } from '../struct.ts'
import { NLM_F_DUMP } from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_GETNSID, RTM_NEWNSID } from '../uapi/rtnetlink.ts'

/** struct rtgenmsg, padded. */
export const RTGENMSG = struct(4, {})

const NSID = body(RTGENMSG, {
  /** NETNSA_NSID_NOT_ASSIGNED (-1): it has none, or the kernel is to choose. */
  nsid: s32(R.NETNSA_NSID),
  pid: u32(R.NETNSA_PID),
  fd: u32(R.NETNSA_FD),
  targetNsid: s32(R.NETNSA_TARGET_NSID),
  currentNsid: s32(R.NETNSA_CURRENT_NSID),
})
export type NsidMessage = Read<typeof NSID>
export const { encode: encodeNsid, decode: decodeNsid } = NSID

type Which = Readonly<{ fd: number } | { pid: number }>

/** Gives a namespace a number; without one the kernel chooses. EEXIST if it has one. */
export const setNsid = request(RTM_NEWNSID, 0, (which: Which, nsid: number = R.NETNSA_NSID_NOT_ASSIGNED) =>
  encodeNsid({ ...which, nsid }),
)

/** The number of a namespace, in a conversation's `ask`: `nsid` -1 if it has none. */
export const getNsid = request(RTM_GETNSID, 0, (which: Which) => encodeNsid(which))

export const dumpNsids = request(RTM_GETNSID, NLM_F_DUMP, () => encodeNsid({}))
