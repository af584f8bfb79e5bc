// IPv4 addresses of devices: which are accepted, in which order they stand, which are secondary, and what goes with one.
// Source: net/ipv4/devinet.c (inet_rtm_newaddr, __inet_insert_ifa, __inet_del_ifa), iproute2's ip/ipaddress.c.

import type { Errno } from '../../kernel/errno.ts'
import { addressScope, broadcastOf } from '../../kernel/rtnl/chosen.ts'
import type { AddressRequest } from '../../kernel/rtnl/request.ts'
import { contains, sameCidr } from '../../net/cidr.ts'
import { type Ip4, ip4, isIp4 } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import type { AddressEntry, LinkEntry } from '../link-entry.ts'
import { change, linkOf, type Space } from './draft.ts'
import {
  type Address4,
  addRoutesOf,
  addresses4,
  changeMetric,
  deleteRoutesOf,
  disable4,
  LOOPBACK4,
  subnetOf,
  syncUp,
} from './fib-frontend.ts'
import { runs4 } from './inet.ts'
import { forgetAll } from './neigh.ts'
import { isAddressTaken } from './stacked.ts'

/** IPv4's in the order given, before IPv6's as they are. */
const withAddresses4 = (link: LinkEntry, four: ReadonlyArray<Address4>): ReadonlyArray<AddressEntry> => [
  ...four,
  ...link.addresses.filter(({ cidr }) => !isIp4(cidr.ip)),
]

/** Among primaries after those of the same scope or a narrower one; secondaries come last. */
const placeOf = (four: ReadonlyArray<Address4>, address: Address4): number => {
  if (address.secondary) return four.length
  let place = 0
  for (const [at, other] of four.entries()) if (!other.secondary && address.scope <= other.scope) place = at + 1
  return place
}

/** Of another scope than its subnet's addresses none can be. */
const insert = (space: Space, link: LinkEntry, address: Address4): Errno | null => {
  if (address.cidr.ip === 0) return null
  const four = addresses4(link)
  const near = four.filter((other) => sameCidr(subnetOf(other), subnetOf(address)))
  for (const other of near) {
    if (other.cidr.ip === address.cidr.ip) return 'EEXIST'
    if (other.scope !== address.scope) return 'EINVAL'
  }
  if (isAddressTaken(space, link, address.cidr.ip)) return 'EADDRINUSE'
  const added: Address4 = { ...address, secondary: near.length > 0, order: space.now.nextOrder++ }
  const place = placeOf(four, added)
  const addresses = withAddresses4(link, [...four.slice(0, place), added, ...four.slice(place)])
  const held = change(space, link, { addresses, pinned4: 'all' })
  addRoutesOf(space, held, added)
  syncUp(space, linkOf(space, link.name) ?? held)
  return null
}

const entryOf = (ask: AddressRequest, ip: Ip4): Address4 => ({
  cidr: { ip, bits: ask.cidr.bits },
  peer: ask.peer === undefined || ask.peer === ip ? null : ask.peer,
  broadcast: broadcastOf(ask) ?? null,
  scope: addressScope(ask),
  label: ask.label ?? ask.dev,
  metric: ask.metric ?? 0,
  secondary: false,
  noprefixroute: ask.noprefixroute ?? false,
  nodad: false,
  dad: 'over',
  order: 0,
})

const put = (space: Space, link: LinkEntry, address: Address4, replace: boolean): Errno | null => {
  const same = (other: Address4): boolean =>
    other.cidr.ip === address.cidr.ip && sameCidr(subnetOf(other), subnetOf(address))
  const known = addresses4(link).find(same)
  if (known === undefined) return insert(space, change(space, link, { pinned4: 'all' }), address)
  if (!replace) return 'EEXIST'
  if (known.metric === address.metric) return null
  changeMetric(space, link, known, address.metric)
  const now = linkOf(space, link.name) ?? link
  const addresses = now.addresses.map((other) => (other === known ? { ...known, metric: address.metric } : other))
  change(space, now, { addresses })
  return null
}

/** Takes one address from a device, and with the last one IPv4's routes. */
const takeOff = (space: Space, dev: IfName, address: Address4): void => {
  const link = linkOf(space, dev)
  if (link === null) return
  const left = change(space, link, { addresses: link.addresses.filter((other) => other !== address) })
  deleteRoutesOf(space, left, address)
  const now = linkOf(space, dev)
  if (now === null || addresses4(now).length > 0) return
  disable4(space, now, true)
  forgetAll(space, dev, 4)
}

/** A primary address takes the secondary ones of its subnet along, which go first. */
const remove = (space: Space, link: LinkEntry, address: Address4): void => {
  const along = address.secondary
    ? []
    : addresses4(link).filter((other) => other.secondary && sameCidr(subnetOf(other), subnetOf(address)))
  for (const one of [...along, address]) takeOff(space, link.name, one)
}

const removeAsked = (space: Space, link: LinkEntry, ask: AddressRequest): Errno | null => {
  const meant = (other: Address4): boolean =>
    other.cidr.ip === ask.cidr.ip &&
    other.cidr.bits === ask.cidr.bits &&
    (ask.label === undefined || other.label === ask.label) &&
    contains(subnetOf(other), ask.peer ?? ask.cidr.ip)
  const found = addresses4(link).find(meant)
  if (found === undefined) return 'EADDRNOTAVAIL'
  remove(space, link, found)
  return null
}

export const askAddress4 = (space: Space, link: LinkEntry, ask: AddressRequest, ip: Ip4): Errno | null => {
  if (ask.do === 'delete') return runs4(link) ? removeAsked(space, link, ask) : 'ENODEV'
  if (!runs4(link)) return 'ENOBUFS'
  return put(space, link, entryOf(ask, ip), ask.do === 'replace')
}

/** What IPv4 does when a device comes up: its addresses' routes, and on a loopback 127.0.0.1/8. */
export const start4 = (space: Space, link: LinkEntry): void => {
  if (!runs4(link)) return
  const { name: dev } = link
  if (link.spec.type === 'loopback') {
    const ip = ip4(Number(LOOPBACK4.ip))
    const own = { on: 'address', do: 'add', dev, cidr: LOOPBACK4, scope: 'host' } as const
    insert(space, change(space, link, { pinned4: 'all' }), entryOf(own, ip))
  }
  for (const address of addresses4(link)) addRoutesOf(space, linkOf(space, dev) ?? link, address)
  syncUp(space, linkOf(space, dev) ?? link)
}

/**
 * Takes IPv4 from a device that is too small for it, or goes: addresses and routes. One address after the other goes, primary ones first; with the
 * last secondary one of a subnet nobody looks for routes that prefer it, for there is no primary one left (__inet_del_ifa, fib_del_ifaddr).
 */
export const stop4 = (space: Space, dev: IfName): void => {
  for (;;) {
    const link = linkOf(space, dev)
    const first = link === null ? undefined : addresses4(link)[0]
    if (link === null) return
    if (first === undefined) {
      disable4(space, link, true)
      forgetAll(space, dev, 4)
      return
    }
    takeOff(space, dev, first)
  }
}
