// Links as the kernel tells them, as facts of a stack: names in the place of numbers. What an older kernel does not tell has the
// value that it cannot be changed from.

import type { KindFacts, LinkFacts, OperState, VlanFacts } from '../../kernel/rtnl/stack.ts'
import { ZERO_MAC } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { parseIfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import type { BridgePortMessage } from '../netlink/codec/bridge-port.ts'
import type { LinkInfo, SlaveInfo } from '../netlink/codec/kinds.ts'
import type { LinkMessage } from '../netlink/codec/link.ts'
import { IPVLAN_MODES, MACVLAN_MODES, VLAN_PROTOCOLS } from '../netlink/codec/modes.ts'
import * as L from '../netlink/uapi/if-link.ts'

/** The names of a namespace's devices by their numbers; without those that are no names for us. */
export type DevNames = ReadonlyMap<number, IfName>
/** A device elsewhere by the asker's number for its namespace (null: here), and its own; null: out of sight. */
export type Elsewhere = (nsid: number | null, index: number) => Readonly<{ ns: Ns; name: IfName }> | null

export const devNames = (links: ReadonlyArray<LinkMessage>): DevNames =>
  new Map(
    links.flatMap(({ index, name }) => {
      const parsed = parseIfName(name ?? '')
      return E.isRight(parsed) ? [[index, parsed.right] as const] : []
    }),
  )

const keyOf = <K extends string>(table: Readonly<Record<K, number>>, value: number | undefined, otherwise: K): K => {
  for (const key in table) if (table[key] === value) return key
  return otherwise
}

type Options<I, K> = Extract<I, { kind: K; options: unknown }> extends { options: infer O } ? O : never

const bridgeFacts = (options: Options<LinkInfo, 'bridge'>): KindFacts => ({
  kind: 'bridge',
  ageingTime: options.ageingTime ?? 0,
  stp: (options.stpState ?? 0) !== 0,
  priority: options.priority ?? 0,
  vlanFiltering: options.vlanFiltering ?? false,
  vlanProtocol: keyOf(VLAN_PROTOCOLS, options.vlanProtocol, '802.1Q'),
  vlanDefaultPvid: options.vlanDefaultPvid ?? 1,
  mcastSnooping: options.mcastSnooping ?? false,
})

const vxlanFacts = (options: Options<LinkInfo, 'vxlan'>): KindFacts => {
  const remote = options.group ?? options.group6
  const local = options.local ?? options.local6
  return {
    kind: 'vxlan',
    vni: options.id ?? 0,
    ...(remote === undefined ? {} : { remote }),
    ...(local === undefined ? {} : { local }),
    port: options.port ?? 0,
    ttl: options.ttl ?? 0,
    learning: options.learning ?? false,
    ageing: options.ageing ?? 0,
    proxy: options.proxy ?? false,
    rsc: options.rsc ?? false,
    l2miss: options.l2miss ?? false,
    l3miss: options.l3miss ?? false,
    udpCsum: options.udpCsum ?? false,
    udpZeroCsum6Tx: options.udpZeroCsum6Tx ?? false,
    udpZeroCsum6Rx: options.udpZeroCsum6Rx ?? false,
  }
}

/** Of IFLA_TUN_TYPE. */
const IFF_TAP = 2

const kindFacts = ({ type, link, linkNetnsid, linkinfo }: LinkMessage, elsewhere: Elsewhere): KindFacts => {
  if (type === L.ARPHRD_LOOPBACK) return { kind: 'loopback' }
  const info = linkinfo?.info
  if (info === undefined) return { kind: 'other', name: '' }
  switch (info.kind) {
    case 'dummy':
      return { kind: 'dummy' }
    case 'veth':
      return { kind: 'veth', peer: link === undefined ? null : elsewhere(linkNetnsid ?? null, link) }
    case 'bridge':
      return bridgeFacts(info.options)
    case 'vxlan':
      return vxlanFacts(info.options)
    case 'vlan':
      return {
        kind: 'vlan',
        id: info.options.id ?? 0,
        protocol: keyOf(VLAN_PROTOCOLS, info.options.protocol, '802.1Q'),
      }
    case 'macvlan':
      return { kind: 'macvlan', mode: keyOf(MACVLAN_MODES, info.options.mode, 'vepa') }
    case 'ipvlan': {
      const { mode, flags = 0 } = info.options
      const flag = (flags & L.IPVLAN_F_PRIVATE) !== 0 ? 'private' : (flags & L.IPVLAN_F_VEPA) !== 0 ? 'vepa' : 'bridge'
      return { kind: 'ipvlan', mode: keyOf(IPVLAN_MODES, mode, 'l3'), flag }
    }
    case 'tun':
      return info.options.type === IFF_TAP ? { kind: 'tap' } : { kind: 'other', name: info.kind }
    case 'other':
      return { kind: 'other', name: info.name }
    default:
      return { kind: 'other', name: info.kind }
  }
}

const portFacts = (options: Options<SlaveInfo, 'bridge'>): LinkFacts['port'] => ({
  state: options.state ?? 0,
  priority: options.priority ?? 0,
  cost: options.cost ?? 0,
  hairpin: options.hairpin ?? false,
  guard: options.guard ?? false,
  rootBlock: options.rootBlock ?? false,
  fastLeave: options.fastLeave ?? false,
  learning: options.learning ?? false,
  flood: options.flood ?? false,
  mcastFlood: options.mcastFlood ?? false,
  bcastFlood: options.bcastFlood ?? false,
  neighSuppress: options.neighSuppress ?? false,
  isolated: options.isolated ?? false,
  locked: options.locked ?? false,
})

/** By IF_OPER_* of include/uapi/linux/if.h. */
const OPER_STATES: ReadonlyArray<OperState> = [
  'unknown',
  'notpresent',
  'down',
  'lowerlayerdown',
  'testing',
  'dormant',
  'up',
]

/** A VXLAN tells the device below among its options. */
const belowOf = ({ link, linkNetnsid, linkinfo }: LinkMessage, names: DevNames): IfName | null => {
  const info = linkinfo?.info
  if (info?.kind === 'veth') return null
  const index = info?.kind === 'vxlan' ? info.options.link : link
  return index === undefined || linkNetnsid !== undefined ? null : (names.get(index) ?? null)
}

const farOf = ({ link, linkNetnsid, linkinfo }: LinkMessage, elsewhere: Elsewhere): LinkFacts['far'] => {
  const kind = linkinfo?.info?.kind
  if (kind === 'veth' || kind === 'vxlan' || link === undefined || linkNetnsid === undefined) return null
  return elsewhere(linkNetnsid, link)
}

export const linkFacts = (
  links: ReadonlyArray<LinkMessage>,
  names: DevNames,
  elsewhere: Elsewhere,
): ReadonlyArray<LinkFacts> =>
  links.flatMap((link) => {
    const name = names.get(link.index)
    const slave = link.linkinfo?.slave
    if (name === undefined) return []
    return [
      {
        index: link.index,
        name,
        kind: kindFacts(link, elsewhere),
        below: belowOf(link, names),
        far: farOf(link, elsewhere),
        mac: link.mac ?? ZERO_MAC,
        mtu: link.mtu ?? 0,
        up: (link.flags & L.IFF_UP) !== 0,
        carrier: (link.flags & L.IFF_LOWER_UP) !== 0,
        operstate: OPER_STATES[link.operstate ?? 0] ?? 'unknown',
        promiscuity: link.promiscuity ?? 0,
        master: link.master === undefined ? null : (names.get(link.master) ?? null),
        alias: link.alias ?? null,
        group: link.group ?? 0,
        qdisc: link.qdisc ?? 'noop',
        txqlen: link.txqlen ?? 0,
        addrGenMode: link.afSpec?.inet6?.addrGenMode ?? 0,
        port: slave?.kind === 'bridge' ? portFacts(slave.options) : null,
      },
    ]
  })

export const vlanFacts = (ports: ReadonlyArray<BridgePortMessage>, names: DevNames): ReadonlyArray<VlanFacts> =>
  ports
    .flatMap(({ index, spec }) => {
      const dev = names.get(index)
      return (spec?.vlans ?? []).flatMap(({ vid, flags }) =>
        dev === undefined
          ? []
          : [
              {
                dev,
                id: vid,
                pvid: (flags & L.BRIDGE_VLAN_INFO_PVID) !== 0,
                untagged: (flags & L.BRIDGE_VLAN_INFO_UNTAGGED) !== 0,
              },
            ],
      )
    })
    .sort((a, b) => (a.dev === b.dev ? a.id - b.id : a.dev < b.dev ? -1 : 1))
