// The kinds of links, with what each can be told (IFLA_LINKINFO). A kind that is not here decodes as `other`, with its name.
// To add one: its table, a member of LinkInfo, a line in each of the two functions; properties/netlink.properties.ts asks the rest.
// Source: include/uapi/linux/if_link.h; drivers/net/{veth,macvlan,ipvlan/ipvlan_main,vxlan/vxlan_core}.c, net/8021q/vlan_netlink.c.

import { putAttr } from '../attr.ts'
import { LITTLE_ENDIAN, type Out, putBytes, putText, take } from '../bytes.ts'
import { be16, bool, type Field, fields, ip4Address, ip6Address, text, u8, u16, u32, type ValuesOf } from '../field.ts'
import * as L from '../uapi/if-link.ts'
import { NLA_F_NESTED } from '../uapi/netlink.ts'
import { type BridgeOptions, bridgeOptions, type PortOptions, portOptions } from './bridge.ts'
import { type Peer, peerIn, putPeer } from './link-base.ts'

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
  write: (out, { flags, mask }) => {
    const at = take(out, 8)
    out.view.setUint32(at, flags, LITTLE_ENDIAN)
    out.view.setUint32(at + 4, mask, LITTLE_ENDIAN)
  },
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

const vethOptions = fields({
  peer: { type: L.VETH_INFO_PEER, flags: 0, write: putPeer, read: peerIn } satisfies Field<Peer>,
})

const putData = (out: Out, info: LinkInfo): void => {
  switch (info.kind) {
    case 'dummy':
    case 'other':
      break
    case 'veth':
      vethOptions.write(out, info.peer === undefined ? {} : { peer: info.peer })
      break
    case 'bridge':
      bridgeOptions.write(out, info.options)
      break
    case 'vxlan':
      vxlanOptions.write(out, info.options)
      break
    case 'vlan':
      vlanOptions.write(out, info.options)
      break
    case 'macvlan':
    case 'macvtap':
      macvlanOptions.write(out, info.options)
      break
    case 'ipvlan':
    case 'ipvtap':
      ipvlanOptions.write(out, info.options)
      break
  }
}

type Span = Readonly<{ view: DataView; from: number; to: number }>
const EMPTY: Span = { view: new DataView(new ArrayBuffer(0)), from: 0, to: 0 }

const infoOf = (kind: string, { view, from, to }: Span): LinkInfo | null => {
  switch (kind) {
    case 'dummy':
      return { kind }
    case 'veth': {
      const data = vethOptions.decode(view, from, to)
      return data === null ? null : { kind, ...data }
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

/** Where a payload is: it can be read when its kind is known, which the kernel puts before it but need not. */
const span = (type: number): Field<Span> => ({
  type,
  flags: NLA_F_NESTED,
  write: (out, { view, from, to }) => putBytes(out, new Uint8Array(view.buffer, view.byteOffset + from, to - from)),
  read: (view, from, to) => ({ view, from, to }),
})

const INFO = fields({
  kind: text(L.IFLA_INFO_KIND),
  data: span(L.IFLA_INFO_DATA),
  slaveKind: text(L.IFLA_INFO_SLAVE_KIND),
  slaveData: span(L.IFLA_INFO_SLAVE_DATA),
})

export const putLinkInfos = (out: Out, { info, slave }: LinkInfos): void => {
  if (info !== undefined) {
    putAttr(out, L.IFLA_INFO_KIND, 0, putText, info.kind === 'other' ? info.name : info.kind)
    putAttr(out, L.IFLA_INFO_DATA, NLA_F_NESTED, putData, info)
  }
  if (slave === undefined) return
  putAttr(out, L.IFLA_INFO_SLAVE_KIND, 0, putText, slave.kind === 'other' ? slave.name : slave.kind)
  if (slave.kind === 'bridge') putAttr(out, L.IFLA_INFO_SLAVE_DATA, NLA_F_NESTED, portOptions.write, slave.options)
}

/** Undefined: not well-formed. */
export const linkInfosIn = (view: DataView, from: number, to: number): LinkInfos | undefined => {
  const parts = INFO.decode(view, from, to)
  if (parts === null) return undefined
  const { kind, data = EMPTY, slaveKind, slaveData = EMPTY } = parts
  const info = kind === undefined ? undefined : infoOf(kind, data)
  const slave = slaveKind === undefined ? undefined : slaveOf(slaveKind, slaveData)
  if (info === null || slave === null) return undefined
  return { ...(info === undefined ? {} : { info }), ...(slave === undefined ? {} : { slave }) }
}
