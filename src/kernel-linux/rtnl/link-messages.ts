// Requests about links, ports and VLANs as the one message that ip(8) or bridge(8) sends for each
// (test/kernel-linux/rtnl/messages.test.ts compares them). Source: iproute2's iplink.c, iplink_*.c, bridge/link.c, bridge/vlan.c.

import type {
  BridgeOptions,
  IpvlanFlag,
  IpvlanMode,
  KindChange,
  MacvlanMode,
  NewKind,
  NewPeer,
  VxlanOptions,
} from '../../kernel/rtnl/kind.ts'
import { VXLAN_PORT } from '../../kernel/rtnl/link-words.ts'
import type { DeleteLink, LinkSettings, NewLink, SetLink, SetPort, VlanRequest } from '../../kernel/rtnl/request.ts'
import { type Ip, isIp4, isIp6 } from '../../net/ip.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { encodeBridgePort } from '../netlink/codec/bridge-port.ts'
import type { LinkInfo } from '../netlink/codec/kinds.ts'
import { encodeLink } from '../netlink/codec/link.ts'
import type { LinkAttrs } from '../netlink/codec/link-base.ts'
import { IPVLAN_FLAGS, IPVLAN_MODES, MACVLAN_MODES, VLAN_PROTOCOLS } from '../netlink/codec/modes.ts'
import { ADD, type Request } from '../netlink/message.ts'
import * as L from '../netlink/uapi/if-link.ts'
import { AF_BRIDGE } from '../netlink/uapi/netlink.ts'
import { RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK } from '../netlink/uapi/rtnetlink.ts'

/** What a request mentions, which is there: the number of a device, an open file of a namespace. */
export type Found = Readonly<{ indexOf: (dev: IfName) => number; fdOf: (ns: Ns) => number }>

/** `f` of what is given. */
export const given = <A, B>(value: A | undefined, f: (value: A) => B): B | undefined =>
  value === undefined ? undefined : f(value)

type Options<K extends LinkInfo['kind']> = Extract<LinkInfo, { kind: K; options: unknown }>['options']

/** Without what is undefined: a record of the codec has a key or has it not. */
const only = <A extends object>(values: { [K in keyof A]: A[K] | undefined }): A =>
  // What is left is defined.
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as A

const bridgeOptions = (bridge: BridgeOptions): Options<'bridge'> =>
  only({
    ageingTime: bridge.ageingTime,
    stpState: given(bridge.stp, Number),
    priority: bridge.priority,
    vlanFiltering: bridge.vlanFiltering,
    vlanProtocol: given(bridge.vlanProtocol, (protocol) => VLAN_PROTOCOLS[protocol]),
    vlanDefaultPvid: bridge.vlanDefaultPvid,
    mcastSnooping: bridge.mcastSnooping,
  })

const by4 = (ip: Ip | undefined) => (ip !== undefined && isIp4(ip) ? ip : undefined)
const by6 = (ip: Ip | undefined) => (ip !== undefined && isIp6(ip) ? ip : undefined)

/** Port 0 is not asked for: it would mean the kernel's own. */
const vxlanOptions = (vxlan: Partial<VxlanOptions>, { indexOf }: Found): Options<'vxlan'> =>
  only({
    id: vxlan.vni,
    group: by4(vxlan.remote),
    group6: by6(vxlan.remote),
    local: by4(vxlan.local),
    local6: by6(vxlan.local),
    link: given(vxlan.dev, indexOf),
    port: vxlan.port === 0 ? undefined : vxlan.port,
    ttl: vxlan.ttl,
    learning: vxlan.learning,
    ageing: vxlan.ageing,
    proxy: vxlan.proxy,
    rsc: vxlan.rsc,
    l2miss: vxlan.l2miss,
    l3miss: vxlan.l3miss,
    udpCsum: vxlan.udpCsum,
    udpZeroCsum6Tx: vxlan.udpZeroCsum6Tx,
    udpZeroCsum6Rx: vxlan.udpZeroCsum6Rx,
  })

const peerInfo = ({ name, ns, mac, mtu }: NewPeer, { fdOf }: Found): LinkInfo => {
  const peer = only<LinkAttrs>({ name, mac, mtu, netNsFd: given(ns, fdOf) })
  return Object.keys(peer).length === 0 ? { kind: 'veth' } : { kind: 'veth', peer }
}

const macvlanInfo = (mode: MacvlanMode | undefined): LinkInfo => ({
  kind: 'macvlan',
  options: only({ mode: given(mode, (one) => MACVLAN_MODES[one]) }),
})
/** Where ip-link(8) says anything, it also says of the flags which there are. */
const ipvlanInfo = ({ mode, flag }: Readonly<{ mode?: IpvlanMode; flag?: IpvlanFlag }>): LinkInfo => ({
  kind: 'ipvlan',
  options:
    mode === undefined && flag === undefined
      ? {}
      : only({ mode: given(mode, (one) => IPVLAN_MODES[one]), flags: IPVLAN_FLAGS[flag ?? 'bridge'] }),
})

const newInfo = (kind: NewKind, found: Found): LinkInfo => {
  switch (kind.kind) {
    case 'dummy':
      return { kind: 'dummy' }
    case 'veth':
      return peerInfo(kind.peer, found)
    case 'bridge':
      return { kind: 'bridge', options: bridgeOptions(kind) }
    case 'vlan':
      return {
        kind: 'vlan',
        options: only({ id: kind.id, protocol: given(kind.protocol, (one) => VLAN_PROTOCOLS[one]) }),
      }
    case 'vxlan':
      // ip(8) always says whether a new one learns.
      return { kind: 'vxlan', options: vxlanOptions({ learning: true, port: VXLAN_PORT, ...kind }, found) }
    case 'macvlan':
      return macvlanInfo(kind.mode)
    case 'ipvlan':
      return ipvlanInfo(kind)
  }
}

const changedInfo = (kind: KindChange, found: Found): LinkInfo => {
  switch (kind.kind) {
    case 'bridge':
      return { kind: 'bridge', options: bridgeOptions(kind) }
    case 'vxlan':
      return { kind: 'vxlan', options: vxlanOptions(kind, found) }
    case 'macvlan':
      return macvlanInfo(kind.mode)
    case 'ipvlan':
      return ipvlanInfo(kind)
  }
}

const settings = ({ up, mac, mtu, txqlen, group }: LinkSettings) => ({
  flags: up === true ? L.IFF_UP : 0,
  change: up === undefined ? 0 : L.IFF_UP,
  mac,
  mtu,
  txqlen,
  group,
})

export const newLinkMessage = (ask: NewLink, found: Found): Request => ({
  type: RTM_NEWLINK,
  flags: ADD,
  body: encodeLink({
    ...settings(ask),
    name: ask.name,
    index: ask.index,
    link: given(ask.dev, found.indexOf),
    master: given(ask.master, found.indexOf),
    netNsFd: given(ask.to, found.fdOf),
    linkinfo: { info: newInfo(ask.kind, found) },
  }),
})

const GEN_MODES = { eui64: L.IN6_ADDR_GEN_MODE_EUI64, none: L.IN6_ADDR_GEN_MODE_NONE }

export const setLinkMessage = (ask: SetLink, found: Found): Request => ({
  type: RTM_NEWLINK,
  flags: 0,
  body: encodeLink({
    ...settings(ask),
    index: found.indexOf(ask.dev),
    // Its own name is not asked for.
    name: ask.name === ask.dev ? undefined : ask.name,
    alias: ask.alias,
    master: given(ask.master, (master) => (master === null ? 0 : found.indexOf(master))),
    netNsFd: given(ask.to, found.fdOf),
    linkinfo: given(ask.kind, (kind) => ({ info: changedInfo(kind, found) })),
    afSpec: given(ask.addrGenMode, (mode) => ({ inet6: { addrGenMode: GEN_MODES[mode] } })),
  }),
})

export const deleteLinkMessage = (ask: DeleteLink, { indexOf }: Found): Request => ({
  type: RTM_DELLINK,
  flags: 0,
  body: encodeLink('dev' in ask ? { index: indexOf(ask.dev) } : { group: ask.group }),
})

/** A cost of 0 is not asked for. */
export const portMessage = ({ dev, options }: SetPort, { indexOf }: Found): Request => {
  const { cost, ...rest } = options
  return {
    type: RTM_SETLINK,
    flags: 0,
    body: encodeBridgePort({
      family: AF_BRIDGE,
      index: indexOf(dev),
      options: cost === undefined || cost === 0 ? rest : { ...rest, cost },
    }),
  }
}

export const vlanMessage = (ask: VlanRequest, { indexOf }: Found): Request => {
  const flags =
    (ask.pvid === true ? L.BRIDGE_VLAN_INFO_PVID : 0) | (ask.untagged === true ? L.BRIDGE_VLAN_INFO_UNTAGGED : 0)
  const vlans =
    ask.until === undefined
      ? [{ vid: ask.id, flags }]
      : [
          { vid: ask.id, flags: flags | L.BRIDGE_VLAN_INFO_RANGE_BEGIN },
          { vid: ask.until, flags: flags | L.BRIDGE_VLAN_INFO_RANGE_END },
        ]
  return {
    type: ask.do === 'add' ? RTM_SETLINK : RTM_DELLINK,
    flags: 0,
    body: encodeBridgePort({
      family: AF_BRIDGE,
      index: indexOf(ask.dev),
      spec: { flags: ask.self === true ? L.BRIDGE_FLAGS_SELF : 0, vlans },
    }),
  }
}
