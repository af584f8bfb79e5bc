// Interface addresses. Sources: net/ipv4/devinet.c (inet_insert_ifa, __inet_del_ifa), net/ipv6/addrconf.c (ipv6_add_addr).

import type { Errno } from '../../kernel/errno.ts'
import type { Address } from '../../kernel/object.ts'
import { type Cidr, networkOf, sameCidr } from '../../net/cidr.ts'
import { isIp4, isLoopback, isMulticast, isUnspecified } from '../../net/ip.ts'
import { getIn } from '../../net/pmap.ts'
import type { LinkEntry, NsEntry, World } from '../state.ts'
import { clash, connect, disabled6, disconnect, isPrimary, runs4, runs6 } from './inet.ts'
import { flushRoutes } from './table.ts'
import { done, nsOf, putLink, putNs, type Result, refuse } from './world.ts'

const holds = (link: LinkEntry, cidr: Cidr): boolean => link.addresses.some((entry) => sameCidr(entry.cidr, cidr))

const refusal4 = (link: LinkEntry, cidr: Cidr): Errno | null => {
  if (!runs4(link)) return 'ENOBUFS'
  return holds(link, cidr) ? 'EEXIST' : null
}

const refusal6 = (space: NsEntry, link: LinkEntry, cidr: Cidr): Errno | null => {
  const { ip } = cidr
  if (!runs6(link)) return 'EINVAL'
  const disabled = disabled6(space, link.name)
  if (disabled && link.spec.type !== 'loopback') return 'EACCES'
  if (isUnspecified(ip) || isMulticast(ip)) return 'EADDRNOTAVAIL'
  if (isLoopback(ip) && link.spec.type !== 'loopback') return 'EADDRNOTAVAIL'
  if (disabled) return 'EACCES'
  return link.addresses.some((entry) => clash(entry.cidr, cidr)) ? 'EEXIST' : null
}

export const addAddress = (world: World, { ns, dev, cidr }: Address): Result => {
  const space = nsOf(world, ns)
  if (space === undefined) return refuse('ENOENT')
  const link = getIn(space.links, dev)
  if (link === undefined) return refuse('ENODEV')
  const refusal = isIp4(cidr.ip) ? refusal4(link, cidr) : refusal6(space, link, cidr)
  if (refusal !== null) return refuse(refusal)
  // Linux accepts 0.0.0.0 and forgets it.
  if (cidr.ip === 0) return done(putNs(world, putLink(space, { ...link, pinned4: 'all' })))
  const addresses = [...link.addresses, { cidr, origin: 'user' as const }]
  const next: LinkEntry = isIp4(cidr.ip) ? { ...link, addresses, pinned4: 'all' } : { ...link, addresses }
  const held = putLink(space, next)
  return done(putNs(world, link.up ? connect(held, next, cidr) : held))
}

/** A primary address takes the other addresses of its subnet along; the last IPv4 address, the device's IPv4 routes. */
const remove4 = (space: NsEntry, link: LinkEntry, cidr: Cidr): NsEntry => {
  const network = networkOf(cidr)
  const primary = isPrimary(link, cidr)
  const addresses = link.addresses.filter((entry) =>
    primary ? !sameCidr(networkOf(entry.cidr), network) : !sameCidr(entry.cidr, cidr),
  )
  const next = { ...link, addresses }
  const held = putLink(space, next)
  if (!addresses.some((entry) => isIp4(entry.cidr.ip))) return flushRoutes(held, link.name, 4)
  return primary ? disconnect(held, next, cidr) : held
}

const remove6 = (space: NsEntry, link: LinkEntry, cidr: Cidr): NsEntry => {
  const next = { ...link, addresses: link.addresses.filter((entry) => entry.cidr.ip !== cidr.ip) }
  return disconnect(putLink(space, next), next, cidr)
}

export const deleteAddress = (world: World, { ns, dev, cidr }: Address): Result => {
  const space = nsOf(world, ns)
  if (space === undefined) return refuse('ENOENT')
  const link = getIn(space.links, dev)
  if (link === undefined) return refuse('ENODEV')
  const four = isIp4(cidr.ip)
  if (four && !runs4(link)) return refuse('ENODEV')
  if (!four && !runs6(link)) return refuse('ENXIO')
  if (!holds(link, cidr)) return refuse('EADDRNOTAVAIL')
  return done(putNs(world, four ? remove4(space, link, cidr) : remove6(space, link, cidr)))
}
