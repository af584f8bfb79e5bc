// The kinds of links, with what each can be told (IFLA_LINKINFO). A kind that is not here decodes as `other`, with its name.
// To add one: its table, a member of LinkInfo, a line in each of the two functions; properties/netlink.properties.ts asks the rest.
// Source: include/uapi/linux/if_link.h; drivers/net/{veth,macvlan,ipvlan/ipvlan_main,vxlan/vxlan_core}.c, net/8021q/vlan_netlink.c.

import { LITTLE_ENDIAN, struct, viewOf } from '../bytes.ts'
import {
  be16,
  bool,
  type Field,
  fields,
  ip4Address,
  ip6Address,
  raw,
  text,
  u8,
  u16,
  u32,
  type ValuesOf,
} from '../field.ts'
import * as L from '../uapi/if-link.ts'
import { NLA_F_NESTED } from '../uapi/netlink.ts'
import { type BridgeOptions, bridgeOptions, type PortOptions, portOptions } from './bridge.ts'
import { decodeBaseLink, encodeBaseLink, type Peer } from './link-base.ts'

const VXLAN = {
  id: u32(L.IFLA_VXLAN_ID),
  group: ip4Address(L.IFLA_VXLAN_GROUP),
  group6: ip6Address(L.IFLA_VXLAN_GROUP6),
  local: ip4Address(L.IFLA_VXLAN_LOCAL),
  local6: ip6Address(L.IFLA_VXLAN_LOCAL6),
  /** The index of the device that carries it. */
  link: u32(L.IFLA_VXLAN_LINK),
  port: be16(L.IFLA_VXLAN_PORT),
  ttl: u8(L.IFLA_VXLAN_TTL),
  tos: u8(L.IFLA_VXLAN_TOS),
  df: u8(L.IFLA_VXLAN_DF),
  learning: bool(L.IFLA_VXLAN_LEARNING),
  /** Seconds. */
  ageing: u32(L.IFLA_VXLAN_AGEING),
  limit: u32(L.IFLA_VXLAN_LIMIT),
  proxy: bool(L.IFLA_VXLAN_PROXY),
  rsc: bool(L.IFLA_VXLAN_RSC),
  l2miss: bool(L.IFLA_VXLAN_L2MISS),
  l3miss: bool(L.IFLA_VXLAN_L3MISS),
  udpCsum: bool(L.IFLA_VXLAN_UDP_CSUM),
  udpZeroCsum6Tx: bool(L.IFLA_VXLAN_UDP_ZERO_CSUM6_TX),
  udpZeroCsum6Rx: bool(L.IFLA_VXLAN_UDP_ZERO_CSUM6_RX),
  collectMetadata: bool(L.IFLA_VXLAN_COLLECT_METADATA),
}

/** struct ifla_vlan_flags: which flags, of those that the mask names. */
const vlanFlags: Field<Readonly<{ flags: number; mask: number }>> = {
  type: L.IFLA_VLAN_FLAGS,
  flags: 0,
  write: ({ flags, mask }) =>
    struct(8, (view) => {
      view.setUint32(0, flags, LITTLE_ENDIAN)
      view.setUint32(4, mask, LITTLE_ENDIAN)
    }),
  read: (view, from, to) =>
    to - from === 8
      ? { flags: view.getUint32(from, LITTLE_ENDIAN), mask: view.getUint32(from + 4, LITTLE_ENDIAN) }
      : undefined,
}
const VLAN = { id: u16(L.IFLA_VLAN_ID), flags: vlanFlags, protocol: be16(L.IFLA_VLAN_PROTOCOL) }
/** `mode`: MACVLAN_MODE_*. */
const MACVLAN = { mode: u32(L.IFLA_MACVLAN_MODE), flags: u16(L.IFLA_MACVLAN_FLAGS) }
/** `mode`: IPVLAN_MODE_*, `flags`: IPVLAN_F_*. */
const IPVLAN = { mode: u16(L.IFLA_IPVLAN_MODE), flags: u16(L.IFLA_IPVLAN_FLAGS) }

export type VxlanOptions = ValuesOf<typeof VXLAN>
export type VlanOptions = ValuesOf<typeof VLAN>
export type MacvlanOptions = ValuesOf<typeof MACVLAN>
export type IpvlanOptions = ValuesOf<typeof IPVLAN>
export const vxlanOptions = fields(VXLAN)
export const vlanOptions = fields(VLAN)
export const macvlanOptions = fields(MACVLAN)
export const ipvlanOptions = fields(IPVLAN)

/** What a link is. The kernel never tells a veth's peer: see `link` and `linkNetnsid` of the message. */
export type LinkInfo = Readonly<
  | { kind: 'dummy' }
  | { kind: 'veth'; peer?: Peer }
  | { kind: 'bridge'; options: BridgeOptions }
  | { kind: 'vxlan'; options: VxlanOptions }
  | { kind: 'vlan'; options: VlanOptions }
  | { kind: 'macvlan' | 'macvtap'; options: MacvlanOptions }
  | { kind: 'ipvlan' | 'ipvtap'; options: IpvlanOptions }
  | { kind: 'other'; name: string }
>

/** What a link is for its master. */
export type SlaveInfo = Readonly<{ kind: 'bridge'; options: PortOptions } | { kind: 'other'; name: string }>

/** IFLA_LINKINFO as a whole. */
export type LinkInfos = Readonly<{ info?: LinkInfo; slave?: SlaveInfo }>

const NO_ATTRS = new Uint8Array()

const peerField = fields({ peer: raw(L.VETH_INFO_PEER) })

const dataOf = (info: LinkInfo): Uint8Array => {
  switch (info.kind) {
    case 'dummy':
    case 'other':
      return NO_ATTRS
    case 'veth':
      return info.peer === undefined ? NO_ATTRS : peerField.encode({ peer: encodeBaseLink(info.peer) })
    case 'bridge':
      return bridgeOptions.encode(info.options)
    case 'vxlan':
      return vxlanOptions.encode(info.options)
    case 'vlan':
      return vlanOptions.encode(info.options)
    case 'macvlan':
    case 'macvtap':
      return macvlanOptions.encode(info.options)
    case 'ipvlan':
    case 'ipvtap':
      return ipvlanOptions.encode(info.options)
  }
}

type Span = Readonly<{ view: DataView; from: number; to: number }>
const EMPTY: Span = { view: viewOf(NO_ATTRS), from: 0, to: 0 }

const infoOf = (kind: string, { view, from, to }: Span): LinkInfo | null => {
  switch (kind) {
    case 'dummy':
      return { kind }
    case 'veth': {
      const data = peerField.decode(view, from, to)
      if (data === null) return null
      if (data.peer === undefined) return { kind }
      const peer = decodeBaseLink(data.peer)
      return peer === null ? null : { kind, peer }
    }
    case 'bridge': {
      const options = bridgeOptions.decode(view, from, to)
      return options === null ? null : { kind, options }
    }
    case 'vxlan': {
      const options = vxlanOptions.decode(view, from, to)
      return options === null ? null : { kind, options }
    }
    case 'vlan': {
      const options = vlanOptions.decode(view, from, to)
      return options === null ? null : { kind, options }
    }
    case 'macvlan':
    case 'macvtap': {
      const options = macvlanOptions.decode(view, from, to)
      return options === null ? null : { kind, options }
    }
    case 'ipvlan':
    case 'ipvtap': {
      const options = ipvlanOptions.decode(view, from, to)
      return options === null ? null : { kind, options }
    }
    default:
      return { kind: 'other', name: kind }
  }
}

const slaveOf = (kind: string, { view, from, to }: Span): SlaveInfo | null => {
  if (kind !== 'bridge') return { kind: 'other', name: kind }
  const options = portOptions.decode(view, from, to)
  return options === null ? null : { kind, options }
}

/** Where a payload is; it is read once its kind is known, which the kernel puts before it but need not. */
const span = (type: number): Field<Span> => ({
  type,
  flags: NLA_F_NESTED,
  write: ({ view, from, to }) => new Uint8Array(view.buffer, view.byteOffset + from, to - from),
  read: (view, from, to) => ({ view, from, to }),
})
const spanOf = (bytes: Uint8Array): Span => ({ view: viewOf(bytes), from: 0, to: bytes.length })

const INFO = fields({
  kind: text(L.IFLA_INFO_KIND),
  data: span(L.IFLA_INFO_DATA),
  slaveKind: text(L.IFLA_INFO_SLAVE_KIND),
  slaveData: span(L.IFLA_INFO_SLAVE_DATA),
})

export const encodeLinkInfos = ({ info, slave }: LinkInfos): Uint8Array =>
  INFO.encode({
    ...(info === undefined ? {} : { kind: info.kind === 'other' ? info.name : info.kind, data: spanOf(dataOf(info)) }),
    ...(slave === undefined
      ? {}
      : slave.kind === 'other'
        ? { slaveKind: slave.name }
        : { slaveKind: slave.kind, slaveData: spanOf(portOptions.encode(slave.options)) }),
  })

/** Null: not well-formed. */
export const decodeLinkInfos = (view: DataView, from: number, to: number): LinkInfos | null => {
  const parts = INFO.decode(view, from, to)
  if (parts === null) return null
  const { kind, data = EMPTY, slaveKind, slaveData = EMPTY } = parts
  const info = kind === undefined ? undefined : infoOf(kind, data)
  const slave = slaveKind === undefined ? undefined : slaveOf(slaveKind, slaveData)
  if (info === null || slave === null) return null
  return { ...(info === undefined ? {} : { info }), ...(slave === undefined ? {} : { slave }) }
}
