// Neighbours and proxies that are put in by hand, and when they are forgotten.
// Source: net/core/neighbour.c (neigh_add, __neigh_update, neigh_delete, neigh_changeaddr, neigh_carrier_down), ip-neighbour(8).

import type { Errno } from '../../kernel/errno.ts'
import type { NeighbourRequest } from '../../kernel/rtnl/request.ts'
import { type Family, familyOf, type Ip, type Ip4, ip4, isIp4, isMulticast } from '../../net/ip.ts'
import { BROADCAST, type Mac, mac, macOfGroup6 } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { entriesUnder, getIn, hasIn, removeIn, setIn, sizeOfMap } from '../../net/pmap.ts'
import type { LinkEntry } from '../link-entry.ts'
import { type NeighbourEntry, type ProxyEntry, TABLES } from '../state.ts'
import { found, linkOf, type Space } from './draft.ts'
import { typeOf } from './fib-trie.ts'
import { disabled6, runs4, runs6 } from './inet.ts'

const keyOf = (dev: IfName, ip: Ip): string => `${dev} ${ip}`

/** Whether a neighbour goes with what has happened to its device. */
type Goes = (entry: NeighbourEntry) => boolean

const forget = (space: Space, dev: IfName, goes: Goes): void => {
  if (sizeOfMap(space.now.neighbours) === 0) return
  for (const [key, entry] of entriesUnder(space.now.neighbours, `${dev} `))
    if (goes(entry)) space.now.neighbours = removeIn(space.now.neighbours, key)
}

/** The neighbours known on a device are forgotten, however they were known; `family` null: of both. */
export const forgetNeighbours = (space: Space, dev: IfName, family: Family | null = null): void =>
  forget(space, dev, ({ ip }) => family === null || familyOf(ip) === family)

const forgetProxies = (space: Space, dev: IfName, goes: (entry: ProxyEntry) => boolean): void => {
  if (sizeOfMap(space.now.proxies) === 0) return
  for (const [key, entry] of entriesUnder(space.now.proxies, `${dev} `))
    if (goes(entry)) space.now.proxies = removeIn(space.now.proxies, key)
}

/** A device without carrier keeps what is permanent. */
export const suspectNeighbours = (space: Space, dev: IfName): void => {
  forget(space, dev, ({ set }) => set !== 'permanent')
  forgetProxies(space, dev, ({ permanent }) => !permanent)
}

/** With a family that ends on a device its proxies go, too. */
export const forgetAll = (space: Space, dev: IfName, family: Family | null): void => {
  forgetNeighbours(space, dev, family)
  forgetProxies(space, dev, ({ ip }) => family === null || familyOf(ip) === family)
}

/** An address has become a broadcast address: who was looked for at it in vain is forgotten (arp_invalidate). */
export const invalidate = (space: Space, dev: IfName, ip: Ip): void => {
  const key = keyOf(dev, ip)
  const known = getIn(space.now.neighbours, key)
  if (known?.set === 'failed' || known?.set === 'none') space.now.neighbours = removeIn(space.now.neighbours, key)
}

const runs = (link: LinkEntry, ip: Ip): boolean => (isIp4(ip) ? runs4(link) : runs6(link))

const askProxy = (space: Space, link: LinkEntry, { do: verb, ip, state }: NeighbourRequest): Errno | null => {
  const key = keyOf(link.name, ip)
  if (verb === 'delete') {
    if (!hasIn(space.now.proxies, key)) return 'ENOENT'
    space.now.proxies = removeIn(space.now.proxies, key)
    return null
  }
  if (!runs(link, ip)) return 'ENOBUFS'
  const permanent = state === undefined || state === 'permanent'
  space.now.proxies = setIn(space.now.proxies, key, { ip, permanent })
  return null
}

/** RFC 1112, section 6.4. */
const macOfGroup4 = (group: Ip4): Mac => mac(0x01005e000000 + (group & 0x7fffff))

/**
 * Nobody is asked for neighbours on it (IFF_NOARP): a dummy, an ipvlan that leaves that to the stack below once it was opened, a VLAN
 * on one of these.
 */
const hasNoArp = (space: Space, { spec, up, started, below }: LinkEntry): boolean => {
  if (spec.type === 'dummy') return true
  if (spec.type === 'ipvlan') return spec.mode !== 'l2' && (up || started)
  const lower = spec.type === 'vlan' && below !== null ? found(space, below) : null
  return lower !== null && hasNoArp(lower.space, lower.link)
}

/** The MAC that follows from an address (arp_constructor, ndisc_constructor); null: it is to be found out. */
const derivedMac = (space: Space, link: LinkEntry, ip: Ip): Mac | null => {
  if (isMulticast(ip)) return isIp4(ip) ? macOfGroup4(ip) : macOfGroup6(ip)
  if (link.spec.type === 'loopback' || hasNoArp(space, link)) return link.mac
  return isIp4(ip) && typeOf(space, ip, TABLES.local) === 'broadcast' ? BROADCAST : null
}

/** ARP keeps one entry for all of a loopback device, which nobody finds again by the address that was asked for (arp_constructor). */
const placeOf = ({ spec }: LinkEntry, ip: Ip): Ip => (spec.type === 'loopback' && isIp4(ip) ? ip4(0) : ip)

/** Without a MAC where none is known, the kernel has made an entry that says nothing, and keeps it. */
const update = (space: Space, known: NeighbourEntry, ask: NeighbourRequest): Errno | null => {
  const { state = 'permanent' } = ask
  const put = (to: Partial<NeighbourEntry>): void => {
    space.now.neighbours = setIn(space.now.neighbours, keyOf(known.dev, known.ip), { ...known, ...to })
  }
  if (state === 'failed') {
    put({ mac: null, set: 'failed' })
    return null
  }
  const next = ask.mac ?? known.mac
  if (next === null) {
    put({})
    return 'EINVAL'
  }
  put({ mac: next, set: state })
  return null
}

const put = (space: Space, link: LinkEntry, ask: NeighbourRequest): Errno | null => {
  const { ip } = ask
  if (!isIp4(ip) && (!runs6(link) || disabled6(link))) return 'EINVAL'
  const known = getIn(space.now.neighbours, keyOf(link.name, ip))
  if (known === undefined && ask.do === 'change') return 'ENOENT'
  if (known !== undefined && ask.do === 'add') return 'EEXIST'
  if (!runs(link, ip)) return 'EINVAL'
  const place = placeOf(link, ip)
  const own = derivedMac(space, link, place)
  const fresh = {
    ip: place,
    dev: link.name,
    mac: own,
    seenMs: space.draft.world.nowMs,
    set: own === null ? 'none' : 'noarp',
  } as const
  return update(space, getIn(space.now.neighbours, keyOf(link.name, place)) ?? fresh, ask)
}

export const askNeighbour = (space: Space, ask: NeighbourRequest): Errno | null => {
  const link = linkOf(space, ask.dev)
  if (link === null) return 'ENODEV'
  if (ask.proxy === true) return askProxy(space, link, ask)
  if (ask.do !== 'delete') return put(space, link, ask)
  const key = keyOf(link.name, ask.ip)
  if (!hasIn(space.now.neighbours, key)) return 'ENOENT'
  space.now.neighbours = removeIn(space.now.neighbours, key)
  return null
}
