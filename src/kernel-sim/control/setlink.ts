// A link is told several things in one message, which the kernel obeys one after the other: where it refuses one, those before
// are done. Invariant: the order is that of do_setlink, after what the link's own kind is told (rtnl_changelink).
// Source: net/core/rtnetlink.c (do_setlink, rtnl_changelink), net/core/dev.c (dev_change_name, __dev_change_net_namespace).

import type { Errno } from '../../kernel/errno.ts'
import type { KindChange, MacvlanMode } from '../../kernel/rtnl/kind.ts'
import type { SetLink } from '../../kernel/rtnl/request.ts'
import { indexInName } from '../../kernel/rtnl/unasked.ts'
import type { IfName } from '../../net/name.ts'
import { emptyMap, getIn, setIn } from '../../net/pmap.ts'
import { type AddressEntry, type LinkEntry, linkWith } from '../link-entry.ts'
import { isSince } from '../version.ts'
import { start6 } from './addrconf.ts'
import { refusesMaster, setMaster } from './bridge.ts'
import { invalidBridge, setOptions } from './bridge-options.ts'
import { passCarrier } from './carrier.ts'
import { bornConf } from './dad.ts'
import { removeLink, strip } from './dellink.ts'
import { fitsMtu, setDown, setMtu, setUp } from './device.ts'
import { addLink, change, dropLink, found, linkAt, linkOf, type Space, spaceOf } from './draft.ts'
import { syncChange } from './fib-frontend.ts'
import { runs6 } from './inet.ts'
import { takenIndex } from './link-facts.ts'
import { askMac, fitsMac } from './mac.ts'
import { suspectNeighbours } from './neigh.ts'
import { refusesOpen } from './open.ts'
import { checkCarrier } from './port-state.ts'
import { followName, followPlace } from './relations.ts'
import { isPassthru, shareIpvlan, thoseOn } from './stacked.ts'
import { isReserved } from './sysctl.ts'
import { amendRoute, routesThrough } from './table.ts'
import { changeVxlan, refusesVxlanMtu } from './vxlan.ts'

/** IFALIASZ less its NUL. */
const MAX_ALIAS = 255

/** IFNAMSIZ less its NUL. */
const MAX_LABEL = 15

/** The labels of renamed addresses: the name, and a number from the second on, for which a long name makes room (inetdev_changename). */
const relabelled = (addresses: ReadonlyArray<AddressEntry>, name: IfName): ReadonlyArray<AddressEntry> => {
  let named = 0
  return addresses.map((address) => {
    if (address.label === null) return address
    named += 1
    const colon = address.label.indexOf(':')
    const rest = named === 1 ? '' : colon < 0 ? `:${named}` : address.label.slice(colon)
    return { ...address, label: name.slice(0, MAX_LABEL - rest.length) + rest }
  })
}

/** Gives a device a name that is free. */
const rename = (space: Space, link: LinkEntry, name: IfName): void => {
  const from = { ns: space.ns, name: link.name }
  followPlace(space, link, from, { ns: space.ns, name })
  followName(space, link, name)
  const now = linkOf(space, link.name) ?? link
  const tally = getIn(space.now.tallies, link.name)
  for (const family of [4, 6] as const)
    for (const route of routesThrough(space, now, family))
      amendRoute(space, route, { hops: route.hops.map((one) => (one.dev === link.name ? { ...one, dev: name } : one)) })
  dropLink(space, now)
  addLink(space, linkWith(now, { name, addresses: relabelled(now.addresses, name) }))
  if (tally !== undefined) space.now.tallies = setIn(space.now.tallies, name, tally)
}

const askName = (space: Space, link: LinkEntry, name: IfName): Errno | null => {
  if (link.name === name) return null
  if (link.up && !isSince(space.draft.world.linux, 6, 2)) return 'EBUSY'
  if (linkOf(space, name) !== null) return 'EEXIST'
  // It is IPv6 that minds, whose sysctls would have no directory (addrconf_notify); IPv4 goes on without, and back.
  if (isReserved(name) && runs6(link)) {
    const addresses = relabelled(relabelled(link.addresses, name), link.name)
    change(space, link, { addresses })
    return 'EINVAL'
  }
  rename(space, link, name)
  return null
}

/**
 * Where a device is moved to; it is down there, with the sysctls of a new one, and hears nothing but its own MAC. Without a free name
 * it takes `name`. The VXLANs on it are gone; since 6.6 it has its index before.
 */
export const move = (space: Space, link: LinkEntry, target: Space, name: IfName): void => {
  const isFirst = isSince(space.draft.world.linux, 6, 6)
  const reserved = isFirst ? takenIndex(target, link.index) : null
  if (link.up) setDown(space, link)
  strip(space, link.name)
  for (const on of thoseOn(space, link, 'vxlan')) removeLink(on.space, on.link)
  const now = linkOf(space, link.name) ?? link
  const to = { ns: target.ns, name }
  followPlace(space, now, { ns: space.ns, name: link.name }, to)
  const there = linkOf(space, link.name) ?? now
  dropLink(space, there)
  addLink(
    target,
    linkWith(there, {
      name,
      index: reserved ?? takenIndex(target, there.index),
      filter: { ...there.filter, macs: emptyMap() },
      conf: bornConf(target, there),
      pinned4: [],
      addrGen: 0,
      started: false,
    }),
  )
}

/** Devices that never leave their namespace (netns_immutable). */
const STAYS: ReadonlySet<LinkEntry['spec']['type']> = new Set(['loopback', 'bridge'])

type Moved = Readonly<{ space: Space; name: IfName }>

/** IPv6 must be on a device that it is told of (validate_linkmsg), before that is moved. */
const askMove = (space: Space, link: LinkEntry, ask: SetLink): Moved | Errno => {
  if (ask.addrGenMode !== undefined && !runs6(link)) return 'EAFNOSUPPORT'
  const target = ask.to === undefined ? space : spaceOf(space.draft, ask.to)
  if (target === null) return 'ENOENT'
  // Before 6.13 those that stay could not even be told to stay.
  const isHere = target === space
  const stays = STAYS.has(link.spec.type)
  if (stays && ask.to !== undefined && !(isHere && isSince(space.draft.world.linux, 6, 13))) return 'EINVAL'
  if (isHere) return { space, name: link.name }
  const free = linkOf(target, link.name) === null
  const name = free ? link.name : ask.name
  if (name === undefined || linkOf(target, name) !== null) return 'EEXIST'
  move(space, link, target, name)
  return { space: target, name }
}

/** Some devices are no larger than what they are on. */
const refusesMtu = (space: Space, { spec, below }: LinkEntry, mtu: number): Errno | null => {
  if (!fitsMtu(spec.type, mtu)) return 'EINVAL'
  if (spec.type === 'vxlan') return refusesVxlanMtu(space, spec, mtu) ? 'EINVAL' : null
  const under = below === null ? null : found(space, below)
  if (under === null || under.link.mtu >= mtu) return null
  if (spec.type === 'vlan') return 'ERANGE'
  return spec.type === 'macvlan' ? 'EINVAL' : null
}

const askMtu = (space: Space, link: LinkEntry, mtu: number): Errno | null => {
  if (link.mtu === mtu) return null
  const errno = refusesMtu(space, link, mtu)
  if (errno === null) setMtu(space, link, mtu, true)
  return errno
}

/** EUI64 and NONE of IN6_ADDR_GEN_MODE_*. */
const GEN_MODES = { eui64: 0, none: 1 } as const

export const askUp = (space: Space, link: LinkEntry, up: boolean, gen?: SetLink['addrGenMode']): Errno | null => {
  if (link.up === up) return null
  if (!up) {
    setDown(space, link)
    return null
  }
  const errno = refusesOpen(space, link)
  if (errno !== null) return errno
  // IPv6 waits for linkwatch to find the carrier, which is when the whole message is done (addrconf_link_ready), or its rest is refused.
  const waits = link.oper !== 'up' && link.oper !== 'unknown'
  setUp(space, waits && gen !== undefined && runs6(link) ? change(space, link, { addrGen: GEN_MODES[gen] }) : link)
  return null
}

const UTF8 = new TextEncoder()
/** A unit of UTF-16 is at most three bytes of UTF-8. */
const askAlias = (space: Space, link: LinkEntry, alias: string): Errno | null => {
  if (alias.length * 3 > MAX_ALIAS && UTF8.encode(alias).length > MAX_ALIAS) return 'EINVAL'
  change(space, link, { alias: alias === '' ? null : alias })
  return null
}

const setPlain = (space: Space, link: LinkEntry, to: Partial<LinkEntry>): null => {
  change(space, link, to)
  return null
}

const askAddrGen = (space: Space, link: LinkEntry, addrGen: number): Errno | null =>
  runs6(link) ? setPlain(space, link, { addrGen }) : 'EAFNOSUPPORT'

/** The number of a device that a message names, by which the kernel knows it whatever else the message says. Null: of none. */
export const indexAsked = (space: Space, name: IfName | null | undefined): number | null =>
  name === undefined || name === null ? null : (linkOf(space, name)?.index ?? indexInName(name) ?? 0)

/** What a message may say, in the order in which the kernel obeys it. */
const PARTS = ['mac', 'mtu', 'group', 'name', 'alias', 'up', 'master', 'txqlen', 'addrGenMode'] as const
type Part = (typeof PARTS)[number]

/** After which others are told of the device's state once the message is done (DO_SETLINK_NOTIFY). */
const NOTABLE: ReadonlySet<Part> = new Set(['group', 'alias', 'addrGenMode'])

/** One of the things that a message says; `master` by its index. */
const obey = (space: Space, link: LinkEntry, part: Part, ask: SetLink, master: number | null): Errno | null => {
  const { mac = link.mac, mtu = link.mtu, group = link.group, txqlen = link.txqlen, up = link.up } = ask
  switch (part) {
    case 'mac':
      return askMac(space, link, mac)
    case 'mtu':
      return askMtu(space, link, mtu)
    case 'group':
      return setPlain(space, link, { group })
    case 'name':
      return askName(space, link, ask.name ?? link.name)
    case 'alias':
      return askAlias(space, link, ask.alias ?? '')
    case 'up':
      return askUp(space, link, up, refusesMaster(space, link, master) === null ? ask.addrGenMode : undefined)
    case 'master':
      return setMaster(space, link.name, master)
    case 'txqlen':
      return setPlain(space, link, { txqlen })
    case 'addrGenMode':
      return askAddrGen(space, link, GEN_MODES[ask.addrGenMode ?? 'eui64'])
  }
}

/** netdev_state_change: who listens looks at the carrier again, though it is as it was. */
const tellState = (space: Space, link: LinkEntry): void => {
  if (!link.up) return
  syncChange(space, link)
  if (!link.lower) suspectNeighbours(space, link.name)
  start6(space, link.name)
  checkCarrier(space, linkOf(space, link.name) ?? link)
  passCarrier(space, linkOf(space, link.name) ?? link, checkCarrier)
}

/** What the kind that is named says of the rest before anything is looked at (`validate` of its rtnl_link_ops). */
const invalid = (space: Space, { kind, mac, mtu }: SetLink): Errno | null => {
  if (kind === undefined || kind.kind === 'ipvlan') return null
  if (mac !== undefined && !fitsMac(mac)) return 'EADDRNOTAVAIL'
  if (kind.kind === 'bridge') return invalidBridge(space, kind)
  return kind.kind === 'vxlan' && mtu !== undefined && !fitsMtu('vxlan', mtu) ? 'EINVAL' : null
}

const changeMacvlan = (space: Space, link: LinkEntry, mode: MacvlanMode): Errno | null => {
  const { spec } = link
  if (spec.type !== 'macvlan') return 'EOPNOTSUPP'
  if (isPassthru({ mode }) !== isPassthru(spec)) return 'EINVAL'
  change(space, link, { spec: { ...spec, mode } })
  return null
}

/** rtnl_changelink: only the kind that it is can be told of itself. `mtu`: what the same message says of that. */
const changeKind = (space: Space, link: LinkEntry, asked: KindChange, mtu: number | undefined): Errno | null => {
  if (asked.kind !== link.spec.type) return 'EOPNOTSUPP'
  switch (asked.kind) {
    case 'bridge': {
      const { kind: _, ...options } = asked
      return setOptions(space, link, options)
    }
    case 'vxlan': {
      const { kind: _, ...options } = asked
      return changeVxlan(space, link, options, mtu)
    }
    case 'macvlan':
      return changeMacvlan(space, link, asked.mode)
    case 'ipvlan': {
      // Where ip-link(8) says anything, it also says of the flags which there are.
      const { kind: _, ...said } = asked
      if (Object.keys(said).length > 0) shareIpvlan(space, link, { flag: 'bridge', ...said })
      return null
    }
  }
}

/** A device keeps its index through a message, whatever its name and place. */
export const setLink = (space: Space, ask: SetLink): Errno | null => {
  const link = linkOf(space, ask.dev)
  if (link === null) return 'ENODEV'
  const refused = invalid(space, ask) ?? (ask.kind === undefined ? null : changeKind(space, link, ask.kind, ask.mtu))
  if (refused !== null) return refused
  const master = indexAsked(space, ask.master)
  const moved = askMove(space, linkOf(space, ask.dev) ?? link, ask)
  if (typeof moved === 'string') return moved
  const { index } = linkOf(moved.space, moved.name) ?? link
  let notable = ask.kind !== undefined
  let no: Errno | null = null
  for (const part of PARTS) {
    if (ask[part] === undefined) continue
    const now = linkAt(moved.space, index)
    no = now === null ? null : obey(moved.space, now, part, ask, master)
    if (no !== null) break
    notable ||= NOTABLE.has(part)
  }
  const now = linkAt(moved.space, index)
  if (notable && now !== null) tellState(moved.space, now)
  return no
}
