// The part of a link's message that a veth's peer has too: struct ifinfomsg and the attributes of any device.
// Source: include/uapi/linux/{rtnetlink,if_link}.h, net/core/rtnetlink.c (ifla_policy).

import { bareText, bool, type Given, macAddress, s32, text, u8, u32, type ValuesOf } from '../field.ts'
import { type Read, S32, U8, U16, U32 } from '../format.ts'
import { body, struct } from '../struct.ts'
import * as L from '../uapi/if-link.ts'

/**
 * struct ifinfomsg. `type`: ARPHRD_*. `flags`: IFF_*; `change` says which of them count in a request. `index` 0 lets the kernel
 * choose.
 */
export const IFINFOMSG = struct(16, {
  family: [0, U8],
  type: [2, U16],
  index: [4, S32],
  flags: [8, U32],
  change: [12, U32],
})
export type LinkHeader = Read<typeof IFINFOMSG>

/** Indices are the kernel's (`ifi_index`); a master of 0 means none. File descriptors are of this process. */
export const BASE = {
  name: text(L.IFLA_IFNAME),
  mac: macAddress(L.IFLA_ADDRESS),
  broadcast: macAddress(L.IFLA_BROADCAST),
  /** Bytes. */
  mtu: u32(L.IFLA_MTU),
  /** The device below, or a veth's other end: an index in `linkNetnsid`, or here. */
  link: u32(L.IFLA_LINK),
  linkNetnsid: s32(L.IFLA_LINK_NETNSID),
  master: u32(L.IFLA_MASTER),
  txqlen: u32(L.IFLA_TXQLEN),
  operstate: u8(L.IFLA_OPERSTATE),
  carrier: bool(L.IFLA_CARRIER),
  /** Empty: none. At most 255 bytes, and the kernel would count a NUL. */
  alias: bareText(L.IFLA_IFALIAS),
  group: u32(L.IFLA_GROUP),
  promiscuity: u32(L.IFLA_PROMISCUITY),
  numTxQueues: u32(L.IFLA_NUM_TX_QUEUES),
  numRxQueues: u32(L.IFLA_NUM_RX_QUEUES),
  netNsPid: u32(L.IFLA_NET_NS_PID),
  netNsFd: u32(L.IFLA_NET_NS_FD),
  /** The namespace to act in, by the asker's number for it. */
  targetNetnsid: s32(L.IFLA_TARGET_NETNSID),
  /** Where a link that moved away went, and its index there. */
  newNetnsid: s32(L.IFLA_NEW_NETNSID),
  newIfindex: s32(L.IFLA_NEW_IFINDEX),
  minMtu: u32(L.IFLA_MIN_MTU),
  maxMtu: u32(L.IFLA_MAX_MTU),
  /** RTEXT_FILTER_*. */
  extMask: u32(L.IFLA_EXT_MASK),
}
export type LinkAttrs = ValuesOf<typeof BASE>

/** A veth's other end, in the message that makes both. It is down: the kernel refuses one that is up (ENOTCONN). */
export type Peer = Given<LinkHeader> & LinkAttrs
export const PEER = body(IFINFOMSG, BASE)
