// Neighbours and proxies that are put in by hand, and when they are forgotten.
// Source: net/core/neighbour.c (neigh_add, __neigh_update, neigh_delete, neigh_changeaddr, neigh_carrier_down), ip-neighbour(8).

import type { Errno } from '../../kernel/errno.ts'
import type { NeighbourRequest } from '../../kernel/rtnl/request.ts'
import { type Family, familyOf, type Ip, isIp4 } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { entriesUnder, getIn, hasIn, removeIn, setIn, sizeOfMap } from '../../net/pmap.ts'
import type { LinkEntry, NeighbourEntry } from '../state.ts'
import { linkOf, type Space } from './draft.ts'
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

/** A device without carrier keeps those that are permanent. */
export const suspectNeighbours = (space: Space, dev: IfName): void =>
  forget(space, dev, ({ set }) => set !== 'permanent')

/** With a family that ends on a device its proxies go, too. */
export const forgetAll = (space: Space, dev: IfName, family: Family | null): void => {
  forgetNeighbours(space, dev, family)
  if (sizeOfMap(space.now.proxies) === 0) return
  for (const [key, ip] of entriesUnder(space.now.proxies, `${dev} `))
    if (family === null || familyOf(ip) === family) space.now.proxies = removeIn(space.now.proxies, key)
}

const runs = (link: LinkEntry, ip: Ip): boolean => (isIp4(ip) ? runs4(link) : runs6(link))

const askProxy = (space: Space, link: LinkEntry, { do: verb, ip }: NeighbourRequest): Errno | null => {
  const key = keyOf(link.name, ip)
  if (verb === 'delete') {
    if (!hasIn(space.now.proxies, key)) return 'ENOENT'
    space.now.proxies = removeIn(space.now.proxies, key)
    return null
  }
  if (!runs(link, ip)) return 'ENOBUFS'
  space.now.proxies = setIn(space.now.proxies, key, ip)
  return null
}

/** Without a MAC where none is known, the kernel has made an entry that says nothing, and keeps it. */
const update = (space: Space, known: NeighbourEntry, { mac, state = 'permanent' }: NeighbourRequest): Errno | null => {
  const put = (to: Partial<NeighbourEntry>): void => {
    space.now.neighbours = setIn(space.now.neighbours, keyOf(known.dev, known.ip), { ...known, ...to })
  }
  if (state === 'failed') {
    put({ mac: null, set: 'failed' })
    return null
  }
  const next = mac ?? known.mac
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
  return update(space, known ?? { ip, dev: link.name, mac: null, seenMs: space.draft.world.nowMs, set: 'none' }, ask)
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
