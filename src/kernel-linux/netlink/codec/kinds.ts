// The kinds of links, with what each can be told (IFLA_LINKINFO). A kind that is not here decodes as `other`, with its name.
// To add one: its table, and a line in KINDS; properties/netlink.properties.ts asks the rest.
// Source: include/uapi/linux/if_link.h; drivers/net/{veth,macvlan,ipvlan/ipvlan_main,vxlan/vxlan_core}.c, net/8021q/vlan_netlink.c.

import { eachAttr, putAttr } from '../attr.ts'
import { putText, textIn } from '../bytes.ts'
import { be16, bool, field, fields, ip4Address, ip6Address, u8, u16, u32 } from '../field.ts'
import { type Format, type Read, U32 } from '../format.ts'
import { struct } from '../struct.ts'
import * as L from '../uapi/if-link.ts'
import { NLA_F_NESTED } from '../uapi/netlink.ts'
import { bridgeOptions, portOptions } from './bridge.ts'
import { PEER, type Peer } from './link-base.ts'

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
const IFLA_VLAN_FLAGS = struct(8, { flags: [0, U32], mask: [4, U32] })
const VLAN = {
  id: u16(L.IFLA_VLAN_ID),
  flags: field(L.IFLA_VLAN_FLAGS, IFLA_VLAN_FLAGS),
  protocol: be16(L.IFLA_VLAN_PROTOCOL),
}
/** `mode`: MACVLAN_MODE_*. */
const MACVLAN = { mode: u32(L.IFLA_MACVLAN_MODE), flags: u16(L.IFLA_MACVLAN_FLAGS) }
/** `mode`: IPVLAN_MODE_*, `flags`: IPVLAN_F_*. */
const IPVLAN = { mode: u16(L.IFLA_IPVLAN_MODE), flags: u16(L.IFLA_IPVLAN_FLAGS) }

/** `type`: 1 a tun, 2 a tap. Only told: they are made through /dev/net/tun. */
const TUN = { type: u8(L.IFLA_TUN_TYPE) }

/** The attributes of a kind under the key `options`. */
const options = <V>(format: Format<V>): Format<Readonly<{ options: V }>> => ({
  write: (out, { options }) => format.write(out, options),
  read: (view, from, to) => {
    const options = format.read(view, from, to)
    return options && { options }
  },
})

/** What a link is. */
const KINDS = {
  dummy: fields({}),
  /** The kernel never tells the peer: see `link` and `linkNetnsid` of the message. */
  veth: fields({ peer: field<Peer, Peer>(L.VETH_INFO_PEER, PEER) }),
  bridge: options(bridgeOptions),
  vxlan: options(fields(VXLAN)),
  vlan: options(fields(VLAN)),
  macvlan: options(fields(MACVLAN)),
  macvtap: options(fields(MACVLAN)),
  ipvlan: options(fields(IPVLAN)),
  ipvtap: options(fields(IPVLAN)),
  tun: options(fields(TUN)),
}
/** What a link is for its master. */
const SLAVES = { bridge: options(portOptions) }

type Kinds = Readonly<Record<string, Format<object>>>
type OneOf<K extends Kinds> = Readonly<
  { [N in keyof K]: { kind: N } & Read<K[N]> }[keyof K] | { kind: 'other'; name: string }
>
export type LinkInfo = OneOf<typeof KINDS>
export type SlaveInfo = OneOf<typeof SLAVES>

/** A kind's name in one attribute, and what it is told in another, which can be read when both are known. */
const oneOf = <P extends string, K extends Kinds>(key: P, kinds: K, kindType: number, dataType: number) => {
  type V = { readonly [_ in P]?: OneOf<K> }
  const formats = new Map(Object.entries(kinds))
  const format: Format<Readonly<Record<string, Readonly<{ kind: string; name?: string }>>>> = {
    write: (out, { [key]: info }) => {
      if (info === undefined) return
      putAttr(out, kindType, 0, putText, info.name ?? info.kind)
      const data = formats.get(info.kind)
      if (data !== undefined) putAttr(out, dataType, NLA_F_NESTED, data.write, info)
    },
    read: (view, from, to) => {
      let kind: string | undefined
      let start = to
      let end = to
      const fine = eachAttr(view, from, to, (type, _, first, last) => {
        if (type === kindType) kind = textIn(view, first, last)
        if (type !== dataType) return
        start = first
        end = last
      })
      if (!fine || kind === undefined) return fine ? {} : undefined
      const data = formats.get(kind)
      if (data === undefined) return { [key]: { kind: 'other', name: kind } }
      const told = data.read(view, start, end)
      return told && { [key]: Object.assign(told, { kind }) }
    },
  }
  // What stands under the key was read by the format of its kind.
  return format as Format<V>
}

const INFO = oneOf('info', KINDS, L.IFLA_INFO_KIND, L.IFLA_INFO_DATA)
const SLAVE = oneOf('slave', SLAVES, L.IFLA_INFO_SLAVE_KIND, L.IFLA_INFO_SLAVE_DATA)

/** IFLA_LINKINFO. */
export const LINK_INFOS: Format<Read<typeof INFO> & Read<typeof SLAVE>> = {
  write: (out, infos) => {
    INFO.write(out, infos)
    SLAVE.write(out, infos)
  },
  read: (view, from, to) => {
    const info = INFO.read(view, from, to)
    const slave = SLAVE.read(view, from, to)
    return info && slave && Object.assign(info, slave)
  },
}
