// The words in which ip(8) and bridge(8) are told of links, ports and VLANs (words.ts).

import { isMulticast, showIp } from '../../net/ip.ts'
import { showMac } from '../../net/mac.ts'
import { flag, said, type Words } from './address-words.ts'
import type { BridgeOptions, KindChange, NewKind, NewPeer, PortOptions, VxlanOptions } from './kind.ts'
import type { DeleteLink, LinkSettings, NewLink, SetLink, SetPort, VlanRequest } from './request.ts'

/** How a namespace is written where a command names one. */
export type NsWords = (ns: NonNullable<NewLink['to']>) => string

/** The port that Linux gives a VXLAN, said aloud: ip-link(8) complains where nothing is said. */
export const VXLAN_PORT = 8472

const bit = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value))
const onOff = (key: string, value: boolean | undefined): Words =>
  value === undefined ? [] : [key, value ? 'on' : 'off']
/** A word, or the same with `no` before it. */
const yesNo = (word: string, value: boolean | undefined): Words =>
  value === undefined ? [] : [value ? word : `no${word}`]
const macWords = (mac: LinkSettings['mac']): Words => said('address', mac === undefined ? undefined : showMac(mac))

const bridgeWords = (options: BridgeOptions): Words => [
  ...said('ageing_time', options.ageingTime),
  ...said('stp_state', bit(options.stp)),
  ...said('priority', options.priority),
  ...said('vlan_filtering', bit(options.vlanFiltering)),
  ...said('vlan_protocol', options.vlanProtocol),
  ...said('vlan_default_pvid', options.vlanDefaultPvid),
  ...said('mcast_snooping', bit(options.mcastSnooping)),
]

const vxlanWords = (options: Partial<VxlanOptions>): Words => [
  ...said('id', options.vni),
  ...said('local', options.local === undefined ? undefined : showIp(options.local)),
  ...(options.remote === undefined ? [] : [isMulticast(options.remote) ? 'group' : 'remote', showIp(options.remote)]),
  ...said('dev', options.dev),
  ...said('dstport', options.port),
  ...said('ttl', options.ttl),
  ...yesNo('learning', options.learning),
  ...said('ageing', options.ageing),
  ...yesNo('proxy', options.proxy),
  ...yesNo('rsc', options.rsc),
  ...yesNo('l2miss', options.l2miss),
  ...yesNo('l3miss', options.l3miss),
  ...yesNo('udpcsum', options.udpCsum),
  ...yesNo('udp6zerocsumtx', options.udpZeroCsum6Tx),
  ...yesNo('udp6zerocsumrx', options.udpZeroCsum6Rx),
]

const peerWords = ({ name, ns, mac, mtu }: NewPeer, nsWords: NsWords): Words => {
  const words = [
    ...said('name', name),
    ...macWords(mac),
    ...said('mtu', mtu),
    ...said('netns', ns === undefined ? undefined : nsWords(ns)),
  ]
  return words.length === 0 ? [] : ['peer', ...words]
}

const newKindWords = (kind: NewKind, nsWords: NsWords): Words => {
  switch (kind.kind) {
    case 'dummy':
      return []
    case 'veth':
      return peerWords(kind.peer, nsWords)
    case 'bridge':
      return bridgeWords(kind)
    case 'vlan':
      return [...said('protocol', kind.protocol), ...said('id', kind.id)]
    case 'vxlan':
      return vxlanWords({ ...kind, port: kind.port ?? VXLAN_PORT })
    case 'macvlan':
      return said('mode', kind.mode)
    case 'ipvlan':
      return [...said('mode', kind.mode), ...(kind.flag === undefined ? [] : [kind.flag])]
  }
}

const changedKindWords = (kind: KindChange): Words => {
  switch (kind.kind) {
    case 'bridge':
      return bridgeWords(kind)
    case 'vxlan':
      return vxlanWords(kind)
    case 'macvlan':
      return said('mode', kind.mode)
    case 'ipvlan':
      return [...said('mode', kind.mode), ...(kind.flag === undefined ? [] : [kind.flag])]
  }
}

const settingsWords = ({ mac, mtu, txqlen, group, up }: LinkSettings): Words => [
  ...macWords(mac),
  ...said('mtu', mtu),
  ...said('txqueuelen', txqlen),
  ...said('group', group),
  ...(up === undefined ? [] : [up ? 'up' : 'down']),
]

export const newLinkWords = (ask: NewLink, nsWords: NsWords): Words => [
  'link',
  'add',
  ...said('link', ask.dev),
  'name',
  ask.name,
  ...said('index', ask.index),
  ...settingsWords(ask),
  ...said('master', ask.master),
  ...said('netns', ask.to === undefined ? undefined : nsWords(ask.to)),
  'type',
  ask.kind.kind,
  ...newKindWords(ask.kind, nsWords),
]

export const setLinkWords = (ask: SetLink, nsWords: NsWords): Words => [
  'link',
  'set',
  'dev',
  ask.dev,
  ...said('name', ask.name),
  ...settingsWords(ask),
  ...said('alias', ask.alias),
  ...said('addrgenmode', ask.addrGenMode),
  ...(ask.master === null ? ['nomaster'] : said('master', ask.master)),
  ...said('netns', ask.to === undefined ? undefined : nsWords(ask.to)),
  ...(ask.kind === undefined ? [] : ['type', ask.kind.kind, ...changedKindWords(ask.kind)]),
]

export const deleteLinkWords = (ask: DeleteLink): Words => [
  'link',
  'delete',
  ...('dev' in ask ? ['dev', ask.dev] : ['group', String(ask.group)]),
]

/** By the words of bridge(8). */
const PORT_FLAGS: ReadonlyArray<
  readonly [word: string, key: Exclude<keyof PortOptions, 'state' | 'priority' | 'cost'>]
> = [
  ['hairpin', 'hairpin'],
  ['guard', 'guard'],
  ['root_block', 'rootBlock'],
  ['fastleave', 'fastLeave'],
  ['learning', 'learning'],
  ['flood', 'flood'],
  ['mcast_flood', 'mcastFlood'],
  ['bcast_flood', 'bcastFlood'],
  ['neigh_suppress', 'neighSuppress'],
  ['isolated', 'isolated'],
  ['locked', 'locked'],
]

export const portWords = ({ dev, options }: SetPort): Words => [
  'link',
  'set',
  'dev',
  dev,
  ...said('state', options.state),
  ...said('priority', options.priority),
  ...said('cost', options.cost),
  ...PORT_FLAGS.flatMap(([word, key]) => onOff(word, options[key])),
]

export const vlanWords = (ask: VlanRequest): Words => [
  'vlan',
  ask.do === 'add' ? 'add' : 'del',
  'dev',
  ask.dev,
  'vid',
  ask.until === undefined ? String(ask.id) : `${ask.id}-${ask.until}`,
  ...flag('pvid', ask.pvid),
  ...flag('untagged', ask.untagged),
  ...flag('self', ask.self),
]
