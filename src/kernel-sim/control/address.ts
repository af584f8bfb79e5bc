// Interface addresses. Sources: net/ipv4/devinet.c (inet_insert_ifa, __inet_del_ifa), net/ipv6/addrconf.c (ipv6_add_addr).

import type { Errno } from '../../kernel/errno.ts'
import type { Address } from '../../kernel/object.ts'
import { type Cidr, networkOf, sameCidr } from '../../net/cidr.ts'
import { isIp4, isLoopback, isMulticast, isUnspecified } from '../../net/ip.ts'
import type { LinkEntry } from '../state.ts'
import { change, type Draft, linkOf, type Space, spaceOf } from './draft.ts'
import { clash, connect, disabled6, disconnect, isPrimary, runs4, runs6 } from './inet.ts'
import { flushRoutes } from './table.ts'

const holds = (link: LinkEntry, cidr: Cidr): boolean => link.addresses.some((entry) => sameCidr(entry.cidr, cidr))

const refusal4 = (link: LinkEntry, cidr: Cidr): Errno | null => {
  if (!runs4(link)) return 'ENOBUFS'
  return holds(link, cidr) ? 'EEXIST' : null
}

const refusal6 = (link: LinkEntry, cidr: Cidr): Errno | null => {
  const { ip } = cidr
  if (!runs6(link)) return 'EINVAL'
  const disabled = disabled6(link)
  if (disabled && link.spec.type !== 'loopback') return 'EACCES'
  if (isUnspecified(ip) || isMulticast(ip)) return 'EADDRNOTAVAIL'
  if (isLoopback(ip) && link.spec.type !== 'loopback') return 'EADDRNOTAVAIL'
  if (disabled) return 'EACCES'
  return link.addresses.some((entry) => clash(entry.cidr, cidr)) ? 'EEXIST' : null
}

export const addAddress = (draft: Draft, { ns, dev, cidr }: Address): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const link = linkOf(space, dev)
  if (link === null) return 'ENODEV'
  const four = isIp4(cidr.ip)
  const errno = four ? refusal4(link, cidr) : refusal6(link, cidr)
  if (errno !== null) return errno
  const pinned4 = four ? 'all' : link.pinned4
  // Linux accepts 0.0.0.0 and forgets it.
  const addresses = cidr.ip === 0 ? link.addresses : [...link.addresses, { cidr, origin: 'user' as const }]
  const held = change(space, link, { addresses, pinned4 })
  if (link.up && cidr.ip !== 0) connect(space, held, cidr)
  return null
}

/** A primary address takes the other addresses of its subnet along; the last IPv4 address, the device's IPv4 routes. */
const remove4 = (space: Space, link: LinkEntry, cidr: Cidr): void => {
  const network = networkOf(cidr)
  const primary = isPrimary(link, cidr)
  const addresses = link.addresses.filter((entry) =>
    primary ? !sameCidr(networkOf(entry.cidr), network) : !sameCidr(entry.cidr, cidr),
  )
  const held = change(space, link, { addresses })
  if (!addresses.some((entry) => isIp4(entry.cidr.ip))) flushRoutes(space, held, 4)
  else if (primary) disconnect(space, held, cidr)
}

const remove6 = (space: Space, link: LinkEntry, cidr: Cidr): void => {
  const addresses = link.addresses.filter((entry) => entry.cidr.ip !== cidr.ip)
  disconnect(space, change(space, link, { addresses }), cidr)
}

export const deleteAddress = (draft: Draft, { ns, dev, cidr }: Address): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const link = linkOf(space, dev)
  if (link === null) return 'ENODEV'
  const four = isIp4(cidr.ip)
  if (four && !runs4(link)) return 'ENODEV'
  if (!four && !runs6(link)) return 'ENXIO'
  if (!holds(link, cidr)) return 'EADDRNOTAVAIL'
  if (four) remove4(space, link, cidr)
  else remove6(space, link, cidr)
  return null
}
