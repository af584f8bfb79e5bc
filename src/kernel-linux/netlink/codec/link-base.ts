// The part of a link's message that a veth's peer has too: struct ifinfomsg and the attributes of any device.
// Source: include/uapi/linux/{rtnetlink,if_link}.h, net/core/rtnetlink.c (ifla_policy).

import { LITTLE_ENDIAN, type Out, take } from '../bytes.ts'
import { bool, fields, macAddress, s32, text, u8, u32, type ValuesOf } from '../field.ts'
import * as L from '../uapi/if-link.ts'

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
  /** Empty: none. */
  alias: text(L.IFLA_IFALIAS),
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
const base = fields(BASE)

/** `type`: ARPHRD_*. `flags`: IFF_*; `change` says which of them count in a request. `index` 0 lets the kernel choose. */
export type LinkHeader = Readonly<{ family: number; type: number; index: number; flags: number; change: number }>
export type LinkAttrs = ValuesOf<typeof BASE>
/** A veth's other end, in the message that makes both. The kernel refuses one that is up (ENOTCONN). */
export type Peer = LinkHeader & LinkAttrs

export const LINK_HEADER_SIZE = 16

export const putLinkHeader = (out: Out, { family, type, index, flags, change }: LinkHeader): void => {
  const { view } = out
  const at = take(out, LINK_HEADER_SIZE)
  view.setUint8(at, family)
  view.setUint16(at + 2, type, LITTLE_ENDIAN)
  view.setInt32(at + 4, index, LITTLE_ENDIAN)
  view.setUint32(at + 8, flags, LITTLE_ENDIAN)
  view.setUint32(at + 12, change, LITTLE_ENDIAN)
}

/** The caller guarantees LINK_HEADER_SIZE bytes. */
export const linkHeaderIn = (view: DataView, at: number): LinkHeader => ({
  family: view.getUint8(at),
  type: view.getUint16(at + 2, LITTLE_ENDIAN),
  index: view.getInt32(at + 4, LITTLE_ENDIAN),
  flags: view.getUint32(at + 8, LITTLE_ENDIAN),
  change: view.getUint32(at + 12, LITTLE_ENDIAN),
})

export const putPeer = (out: Out, peer: Peer): void => {
  putLinkHeader(out, peer)
  base.write(out, peer)
}

/** Undefined: not well-formed. */
export const peerIn = (view: DataView, from: number, to: number): Peer | undefined => {
  if (to - from < LINK_HEADER_SIZE) return undefined
  const attrs = base.decode(view, from + LINK_HEADER_SIZE, to)
  return attrs === null ? undefined : Object.assign(attrs, linkHeaderIn(view, from))
}
