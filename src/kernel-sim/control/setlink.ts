// A link is told several things in one message, which the kernel obeys one after the other: where it refuses one, those before
// are done. Invariant: the order is that of do_setlink, after what the link's own kind is told (rtnl_changelink).
// Source: net/core/rtnetlink.c (do_setlink, rtnl_changelink), net/core/dev.c (dev_change_name, __dev_change_net_namespace).

import type { Errno } from '../../kernel/errno.ts'
import type { SetLink } from '../../kernel/rtnl/request.ts'
import type { Mac } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { getIn, setIn } from '../../net/pmap.ts'
import { type AddressEntry, type LinkEntry, linkWith } from '../state.ts'
import { stop6 } from './addrconf.ts'
import { leave, setMaster } from './bridge.ts'
import { changeBridge } from './bridge-options.ts'
import { found } from './carrier.ts'
import { fitsMac, fitsMtu, giveMac, setDown, setMtu, setUp } from './device.ts'
import { stop4 } from './devinet.ts'
import { addLink, change, dropLink, linkOf, type Space, spaceOf } from './draft.ts'
import { runs6 } from './inet.ts'
import { takenIndex } from './link-facts.ts'
import { forgetAll } from './neigh.ts'
import { followName, followPlace } from './relations.ts'
import { isReserved } from './sysctl.ts'
import { amendRoute, routesThrough } from './table.ts'

/** IFALIASZ less its NUL. */
const MAX_ALIAS = 255

/** The labels of renamed addresses: the name, and a number from the second on (inetdev_changename). */
const relabelled = (addresses: ReadonlyArray<AddressEntry>, name: IfName): ReadonlyArray<AddressEntry> => {
  let named = 0
  return addresses.map((address) => {
    if (address.label === null) return address
    named += 1
    const colon = address.label.indexOf(':')
    const rest = named === 1 ? '' : colon < 0 ? `:${named}` : address.label.slice(colon)
    return { ...address, label: (name + rest).slice(-15) }
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
  if (linkOf(space, name) !== null) return 'EEXIST'
  if (isReserved(name)) return 'EINVAL'
  rename(space, link, name)
  return null
}

/** Takes from a device all that its namespace had put on it. */
export const strip = (space: Space, name: IfName): void => {
  forgetAll(space, name, null)
  leave(space, name)
  stop6(space, name)
  stop4(space, name)
}

/** Where a device is moved to; it is down there, with the sysctls of a new one. Without a free name it takes `name`. */
const move = (space: Space, link: LinkEntry, target: Space, name: IfName): void => {
  if (link.up) setDown(space, link)
  strip(space, link.name)
  const now = linkOf(space, link.name) ?? link
  const to = { ns: target.ns, name }
  followPlace(space, now, { ns: space.ns, name: link.name }, to)
  const there = linkOf(space, link.name) ?? now
  dropLink(space, there)
  const conf = target.now.confDefault
  addLink(
    target,
    linkWith(there, {
      name,
      index: takenIndex(target, there.index),
      conf: runs6(there) ? conf : { ...conf, 6: {} },
      pinned4: [],
      addrGen: 0,
    }),
  )
}

/** Devices that never leave their namespace (netns_immutable). */
const STAYS: ReadonlySet<LinkEntry['spec']['type']> = new Set(['loopback', 'bridge'])

type Moved = Readonly<{ space: Space; name: IfName }>

const askMove = (space: Space, link: LinkEntry, ask: SetLink): Moved | Errno => {
  const target = ask.to === undefined ? space : spaceOf(space.draft, ask.to)
  if (target === null) return 'ENOENT'
  if (target === space) return { space, name: link.name }
  if (STAYS.has(link.spec.type)) return 'EINVAL'
  const free = linkOf(target, link.name) === null
  const name = free ? link.name : ask.name
  if (name === undefined || linkOf(target, name) !== null) return 'EEXIST'
  move(space, link, target, name)
  return { space: target, name }
}

const askMac = (space: Space, link: LinkEntry, mac: Mac): Errno | null => {
  if (!fitsMac(mac)) return 'EADDRNOTAVAIL'
  giveMac(space, link, mac)
  return null
}

/** Some devices are no larger than what they are on. */
const refusesMtu = (space: Space, { spec, below }: LinkEntry, mtu: number): Errno | null => {
  if (!fitsMtu(spec.type, mtu)) return 'EINVAL'
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

/** What opening a device may be refused for (ndo_open). */
const refusesUp = (space: Space, { spec, below }: LinkEntry): Errno | null => {
  const under = below === null ? null : found(space, below)
  return spec.type === 'vlan' && under !== null && !under.link.up ? 'ENETDOWN' : null
}

export const askUp = (space: Space, link: LinkEntry, up: boolean): Errno | null => {
  if (link.up === up) return null
  if (!up) {
    setDown(space, link)
    return null
  }
  const errno = refusesUp(space, link)
  if (errno === null) setUp(space, link)
  return errno
}

const askAlias = (space: Space, link: LinkEntry, alias: string): Errno | null => {
  if (new TextEncoder().encode(alias).length > MAX_ALIAS) return 'EINVAL'
  change(space, link, { alias: alias === '' ? null : alias })
  return null
}

const setPlain = (space: Space, link: LinkEntry, to: Partial<LinkEntry>): null => {
  change(space, link, to)
  return null
}

/** EUI64 and NONE of IN6_ADDR_GEN_MODE_*. */
const GEN_MODES = { eui64: 0, none: 1 } as const

/** One thing that a message may say, and what the kernel makes of it. */
type Part = (space: Space, link: LinkEntry) => Errno | null

const partsOf = (ask: SetLink): ReadonlyArray<Part> => {
  const parts: Part[] = []
  const { mac, mtu, group, name, alias, master, up, txqlen, addrGenMode } = ask
  if (mac !== undefined) parts.push((space, link) => askMac(space, link, mac))
  if (mtu !== undefined) parts.push((space, link) => askMtu(space, link, mtu))
  if (group !== undefined) parts.push((space, link) => setPlain(space, link, { group }))
  if (name !== undefined) parts.push((space, link) => askName(space, link, name))
  if (alias !== undefined) parts.push((space, link) => askAlias(space, link, alias))
  if (up !== undefined) parts.push((space, link) => askUp(space, link, up))
  if (master !== undefined) parts.push((space, link) => setMaster(space, link.name, master))
  if (txqlen !== undefined) parts.push((space, link) => setPlain(space, link, { txqlen }))
  if (addrGenMode !== undefined) parts.push((space, link) => setPlain(space, link, { addrGen: GEN_MODES[addrGenMode] }))
  return parts
}

/** Before anything is done: the kind that is named looks at the MAC, and IPv6 must be on a device that it is told of. */
const refusal = (space: Space, ask: SetLink): Errno | null => {
  const link = linkOf(space, ask.dev)
  if (link === null) return 'ENODEV'
  if (ask.kind !== undefined && ask.mac !== undefined && !fitsMac(ask.mac)) return 'EADDRNOTAVAIL'
  return ask.addrGenMode !== undefined && !runs6(link) ? 'EAFNOSUPPORT' : null
}

/** A device keeps its index through a message, whatever its name and place. */
export const setLink = (space: Space, ask: SetLink): Errno | null => {
  const errno = refusal(space, ask)
  const link = linkOf(space, ask.dev)
  if (errno !== null || link === null) return errno
  const refused = ask.kind === undefined ? null : changeBridge(space, link, ask.kind)
  if (refused !== null) return refused
  const moved = askMove(space, linkOf(space, ask.dev) ?? link, ask)
  if (typeof moved === 'string') return moved
  let { name } = moved
  for (const part of partsOf(ask)) {
    const now = linkOf(moved.space, name) ?? (ask.name === undefined ? null : linkOf(moved.space, ask.name))
    if (now === null) return null
    const no = part(moved.space, now)
    if (no !== null) return no
    if (ask.name !== undefined && linkOf(moved.space, name) === null) name = ask.name
  }
  return null
}

export const forgetLink = (space: Space, link: LinkEntry): void => {
  followPlace(space, link, { ns: space.ns, name: link.name }, null)
  dropLink(space, linkOf(space, link.name) ?? link)
}
