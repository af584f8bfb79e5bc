// Which addresses a namespace has in use, and which of them a packet of its own gets.
// Sources: net/ipv4/devinet.c (inet_select_addr, inet_lookup_ifaddr_rcu), net/ipv6/addrconf.c (ipv6_dev_get_saddr),
// net/ipv6/addrlabel.c, RFC 6724 section 5.

import { type Cidr, cidr, contains } from '../../../net/cidr.ts'
import { type Ip, type Ip4, type Ip6, isIp4, isLinkLocal, isLoopback, isMulticast, numberOf } from '../../../net/ip.ts'
import type { IfName } from '../../../net/name.ts'
import { type PMap, valuesOf } from '../../../net/pmap.ts'
import { SCOPES } from '../../control/scope.ts'
import { type AddressEntry, isTentative, type LinkEntry } from '../../link-entry.ts'
import { memoisedByShape } from '../../memo.ts'
import type { NsEntry } from '../../state.ts'

/** `links` in the order of their indexes; `owners`: the devices that have an address, the last that got it first. */
type Addresses = Readonly<{
  links: ReadonlyArray<LinkEntry>
  owners: ReadonlyMap<Ip, ReadonlyArray<IfName>>
}>

const addressesIn = memoisedByShape((links: PMap<LinkEntry>): Addresses => {
  const inOrder = [...valuesOf(links)].sort((a, b) => a.index - b.index)
  const held = inOrder.flatMap(({ name, addresses }) =>
    addresses.filter((address) => !isTentative(address)).map(({ cidr: { ip }, order }) => ({ ip, name, order })),
  )
  const owners = new Map<Ip, IfName[]>()
  for (const { ip, name } of held.sort((a, b) => b.order - a.order)) {
    const known = owners.get(ip)
    if (known === undefined) owners.set(ip, [name])
    else known.push(name)
  }
  return { links: inOrder, owners }
})

const NOBODY: ReadonlyArray<IfName> = []
/** The devices that have this very address; of IPv4, the last that got it first (inet_addr_lst). */
export const ownersOf = ({ links }: NsEntry, ip: Ip): ReadonlyArray<IfName> =>
  addressesIn(links).owners.get(ip) ?? NOBODY

export const hasAddress = ({ addresses }: LinkEntry, ip: Ip): boolean =>
  addresses.some((address) => address.cidr.ip === ip && !isTentative(address))

/** Whether an address is in the subnet of one that is on the device (inet_ifa_match; of a peer, the other end's). */
const isNear = ({ cidr: on, peer }: AddressEntry, ip: Ip): boolean => contains({ ip: peer ?? on.ip, bits: on.bits }, ip)

/** Whether two addresses are of one subnet of the device, or (`b` 0) `a` of any (inet_addr_onlink). */
export const isOnLink4 = ({ addresses }: LinkEntry, a: Ip4, b: Ip4): boolean =>
  addresses.some(
    (address) => isIp4(address.cidr.ip) && !address.secondary && isNear(address, a) && (b === 0 || isNear(address, b)),
  )

// Casts: an address that is a number is one of IPv4.
const firstOf = ({ addresses }: LinkEntry, dst: Ip, widest: number, local: number): Ip4 | null => {
  let first: Ip4 | null = null
  for (const address of addresses) {
    const { ip } = address.cidr
    if (!isIp4(ip) || address.secondary || Math.min(address.scope, local) > widest) continue
    if (dst === 0 || isNear(address, dst)) return ip
    first ??= ip
  }
  return first
}

/**
 * inet_select_addr: the device's first primary address of a scope that is wide enough, in the subnet of `dst` if there is one (0:
 * any), else the first of any device; null if there is none. `localnet`: for a neighbour the host's own addresses (127.0.0.1) will do, too.
 */
export const select4 = (
  { links }: NsEntry,
  dev: LinkEntry,
  dst: Ip,
  widest: number,
  localnet: boolean = false,
): Ip4 | null => {
  const here = firstOf(dev, dst, widest, localnet ? SCOPES.link : SCOPES.host)
  if (here !== null) return here
  for (const { addresses } of addressesIn(links).links)
    for (const { cidr: on, scope, secondary } of addresses)
      if (isIp4(on.ip) && !secondary && scope !== SCOPES.link && scope <= widest) return on.ip
  return null
}

/** The oldest link-local address of a device, which stands last (ipv6_get_lladdr). */
export const linkLocalOf = ({ addresses }: LinkEntry): Ip6 | null => {
  let oldest: Ip6 | null = null
  for (const address of addresses) {
    const { ip } = address.cidr
    if (!isIp4(ip) && isLinkLocal(ip) && !isTentative(address)) oldest = ip
  }
  return oldest
}

/** RFC 6724's policy table as in net/ipv6/addrlabel.c, longest prefix first. */
const LABELS: ReadonlyArray<readonly [Cidr, number]> = [
  [cidr('::1/128'), 0],
  [cidr('::ffff:0:0/96'), 4],
  [cidr('::/96'), 3],
  [cidr('2001::/32'), 6],
  [cidr('2001:10::/28'), 7],
  [cidr('2002::/16'), 2],
  [cidr('fec0::/10'), 11],
  [cidr('fc00::/7'), 5],
]
const labelOf = (ip: Ip6): number => LABELS.find(([network]) => contains(network, ip))?.[1] ?? 1
const ORCHID = cidr('2001:10::/28')

const [LINK, SITE, GLOBAL] = [2, 5, 14]

/** RFC 4007's scopes; the loopback address counts as link-local. */
const scopeOf = (ip: Ip6): number => {
  if (isMulticast(ip)) return Number((ip >> 112n) & 0xfn)
  if (isLinkLocal(ip) || isLoopback(ip)) return LINK
  return ip >> 118n === 0x3fbn ? SITE : GLOBAL
}

const commonBits = (a: Ip6, b: Ip6, most: number): number => {
  const difference = numberOf(a) ^ numberOf(b)
  return Math.min(most, difference === 0n ? 128 : 128 - difference.toString(2).length)
}

/** How fit an address is, rule by rule: 1, 2, 5, 6, ORCHID, 8; more is better. Ours are all preferred, public and at home. */
const scoreOf = ({ ip, bits }: Cidr & { ip: Ip6 }, isOut: boolean, dst: Ip6): ReadonlyArray<number> => {
  const [scope, wanted] = [scopeOf(ip), scopeOf(dst)]
  return [
    ip === dst ? 1 : 0,
    scope >= wanted ? -scope : scope - 128,
    isOut ? 1 : 0,
    labelOf(ip) === labelOf(dst) ? 1 : 0,
    contains(ORCHID, ip) === contains(ORCHID, dst) ? 1 : 0,
    commonBits(ip, dst, bits),
  ]
}

const isBetter = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean => {
  const differs = a.findIndex((part, i) => part !== b[i])
  return differs >= 0 && (a[differs] ?? 0) > (b[differs] ?? 0)
}

/**
 * ipv6_dev_get_saddr: the fittest address for `dst` by `dev` (null: not known), or null if there is none. To groups and link-local
 * addresses only those of `dev` are candidates.
 */
export const select6 = ({ links }: NsEntry, dev: LinkEntry | null, dst: Ip6): Ip6 | null => {
  const onlyOut = dev !== null && (isMulticast(dst) || scopeOf(dst) <= LINK)
  let best: Readonly<{ ip: Ip6; score: ReadonlyArray<number> }> | null = null
  for (const link of onlyOut ? [dev] : addressesIn(links).links)
    for (const address of link.addresses) {
      const { cidr: on } = address
      if (isIp4(on.ip) || isTentative(address)) continue
      const score = scoreOf({ ip: on.ip, bits: on.bits }, link.name === dev?.name, dst)
      if (best === null || isBetter(score, best.score)) best = { ip: on.ip, score }
    }
  return best?.ip ?? null
}
