// Devices on others (802.1Q, macvlan, ipvlan): what they may stand on, and what a new one is.
// Source: drivers/net/macvlan.c (macvlan_common_newlink, macvlan_port_create), drivers/net/ipvlan/ipvlan_main.c (ipvlan_link_new),
// net/8021q/vlan_netlink.c (vlan_newlink), vlan.c (vlan_check_real_dev).

import type { Errno } from '../../kernel/errno.ts'
import type { NewKind } from '../../kernel/rtnl/kind.ts'
import type { NewLink } from '../../kernel/rtnl/request.ts'
import type { Ip } from '../../net/ip.ts'
import type { Mac } from '../../net/mac.ts'
import type { IpvlanSpec, LinkEntry, Place, Spec } from '../link-entry.ts'
import { change, found, linkOf, type Space } from './draft.ts'
import { forgetNeighbours } from './neigh.ts'

/** What a new one is. `mac` null: drawn, or the one that was asked for. `follows`: its MAC is that of the device below, for good. */
export type Plan = Readonly<{ spec: Spec; below: Place; mtu: number; mac: Mac | null; follows: boolean }>

export type On = Readonly<{ space: Space; link: LinkEntry }>

/** The devices of a kind on this one, in the order in which they came. */
export const thoseOn = (space: Space, { above }: LinkEntry, type: Spec['type']): ReadonlyArray<On> =>
  above.flatMap((place) => {
    const on = found(space, place)
    return on !== null && on.link.spec.type === type ? [on] : []
  })

/** Somebody takes all frames that come in (netdev_is_rx_handler_busy). */
export const isTapped = (space: Space, link: LinkEntry): boolean =>
  link.port !== null || thoseOn(space, link, 'macvlan').length > 0 || thoseOn(space, link, 'ipvlan').length > 0

/** One that is put on its like stands beside it. */
const realLower = (space: Space, link: LinkEntry, type: Spec['type']): On => {
  const below = link.spec.type === type && link.below !== null ? found(space, link.below) : null
  return below ?? { space, link }
}

const lowerOf = (near: Space, ask: NewLink, type: Spec['type']): On | Errno => {
  if (ask.dev === undefined) return 'EINVAL'
  const link = linkOf(near, ask.dev)
  return link === null ? 'ENODEV' : realLower(near, link, type)
}

const placeOf = ({ space, link }: On): Place => ({ ns: space.ns, name: link.name })

const macvlan = (near: Space, ask: NewLink, kind: Extract<NewKind, { kind: 'macvlan' }>): Plan | Errno => {
  const lower = lowerOf(near, ask, 'macvlan')
  if (typeof lower === 'string') return lower
  const { space, link } = lower
  const mtu = ask.mtu ?? link.mtu
  if (mtu > link.mtu) return 'EINVAL'
  const others = thoseOn(space, link, 'macvlan')
  if (others.length === 0) {
    if (link.spec.type === 'loopback') return 'EINVAL'
    if (isTapped(space, link)) return 'EBUSY'
    if (link.spec.type === 'ipvlan') return 'EINVAL'
  }
  const { mode = 'vepa' } = kind
  const isAlone =
    mode === 'passthru' || others.some((on) => on.link.spec.type === 'macvlan' && isPassthru(on.link.spec))
  if (isAlone && others.length > 0) return 'EINVAL'
  const follows = mode === 'passthru'
  const spec = { type: 'macvlan', mode, restore: follows ? link.mac : null } as const
  return { spec, below: placeOf(lower), mtu, mac: follows ? link.mac : null, follows }
}

export const isPassthru = ({ mode }: Readonly<{ mode: string }>): boolean => mode === 'passthru'

const vlan = (near: Space, ask: NewLink, kind: Extract<NewKind, { kind: 'vlan' }>): Plan | Errno => {
  const link = ask.dev === undefined ? null : linkOf(near, ask.dev)
  if (ask.dev === undefined) return 'EINVAL'
  if (link === null) return 'ENODEV'
  const { id, protocol = '802.1Q' } = kind
  if (link.spec.type === 'loopback' || link.spec.type === 'ipvlan') return 'EOPNOTSUPP'
  const isThere = thoseOn(near, link, 'vlan').some(
    ({ link: { spec } }) => spec.type === 'vlan' && spec.id === id && spec.protocol === protocol,
  )
  if (isThere) return 'EEXIST'
  const mtu = ask.mtu ?? link.mtu
  if (mtu > link.mtu) return 'EINVAL'
  const spec = { type: 'vlan', id, protocol, lowerMac: link.mac } as const
  const follows = ask.mac === undefined
  return { spec, below: { ns: near.ns, name: link.name }, mtu, mac: follows ? link.mac : null, follows }
}

/** Numbers begin anew when a device had none on it. */
const nextIpvlan = (others: ReadonlyArray<On>): number =>
  others.reduce((next, { link: { spec } }) => (spec.type === 'ipvlan' ? spec.next : next), 1)

const ipvlan = (near: Space, ask: NewLink, kind: Extract<NewKind, { kind: 'ipvlan' }>): Plan | Errno => {
  const lower = lowerOf(near, ask, 'ipvlan')
  if (typeof lower === 'string') return lower
  const { space, link } = lower
  const others = thoseOn(space, link, 'ipvlan')
  if (others.length === 0) {
    if (link.spec.type === 'loopback') return 'EINVAL'
    if (isTapped(space, link)) return 'EBUSY'
  }
  const id = nextIpvlan(others)
  const first = others[0]?.link.spec
  const held = first?.type === 'ipvlan' && kind.mode === undefined ? first.flag : 'bridge'
  const { mode = 'l3', flag = held } = kind
  const spec: IpvlanSpec = { type: 'ipvlan', mode, flag, id, next: id + 1 }
  return { spec, below: placeOf(lower), mtu: ask.mtu ?? link.mtu, mac: link.mac, follows: true }
}

export const planned = (near: Space, ask: NewLink): Plan | Errno => {
  const { kind } = ask
  switch (kind.kind) {
    case 'macvlan':
      return macvlan(near, ask, kind)
    case 'vlan':
      return vlan(near, ask, kind)
    case 'ipvlan':
      return ipvlan(near, ask, kind)
    default:
      return 'EOPNOTSUPP'
  }
}

/** Another ipvlan on the device below has this address (ipvlan_addr_busy). */
export const isAddressTaken = (space: Space, link: LinkEntry, ip: Ip): boolean => {
  const lower = link.spec.type === 'ipvlan' && link.below !== null ? found(space, link.below) : null
  return (
    lower !== null &&
    thoseOn(lower.space, lower.link, 'ipvlan').some((on) => on.link.addresses.some(({ cidr }) => cidr.ip === ip))
  )
}

/**
 * Mode and flag are those of the device below: all on it have them. One that is up and begins or ceases to ask for neighbours forgets
 * them (ipvlan_set_port_mode, arp_netdev_event).
 */
export const shareIpvlan = (space: Space, link: LinkEntry, to: Partial<IpvlanSpec>): void => {
  const lower = link.below === null ? null : found(space, link.below)
  if (lower === null) return
  for (const on of thoseOn(lower.space, lower.link, 'ipvlan')) {
    const { spec, up, name } = on.link
    if (spec.type !== 'ipvlan') continue
    const next = { ...spec, ...to }
    change(on.space, on.link, { spec: next })
    if (up && (next.mode === 'l2') !== (spec.mode === 'l2')) forgetNeighbours(on.space, name)
  }
}
