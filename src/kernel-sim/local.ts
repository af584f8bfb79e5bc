// Which addresses are a namespace's own. Linux keeps them in the routing table `local`, whatever device they are on: that
// is the weak host model (RFC 1122 section 3.3.4.2). Derived from `links` and memoised by reference.
// Sources: net/ipv4/fib_frontend.c (fib_add_ifaddr), net/ipv6/addrconf.c.

import { type Cidr, contains, lastOf, maskIp, sameCidr } from '../net/cidr.ts'
import { type Ip, type Ip4, type Ip6, isIp4, isIp6, isLinkLocal, isLoopback, isMulticast, MAX4 } from '../net/ip.ts'
import type { IfName } from '../net/name.ts'
import { type PMap, valuesOf } from '../net/pmap.ts'
import type { LinkEntry } from './link-entry.ts'
import { memoisedByShape } from './memo.ts'
import type { NsEntry } from './state.ts'

/** An own address, its device, and the source that packets to it get: the primary address of its subnet. */
type Own = Readonly<{ dev: IfName; source: Ip }>

/** `primary4`: addresses that may be a source, subnets' first ones, loopback's left out. Lists are in device order. */
type Locals = Readonly<{
  own: ReadonlyMap<Ip, Own>
  /** Link-local addresses may be on several devices at once. */
  linkLocal: ReadonlySet<string>
  /** Whole networks of loopback devices are local: 127.0.0.0/8. */
  wholes: ReadonlyArray<Readonly<{ cidr: Cidr; own: Own }>>
  broadcasts: ReadonlySet<Ip>
  primary4: ReadonlyArray<Readonly<{ dev: IfName; cidr: Cidr & { ip: Ip4 } }>>
  all6: ReadonlyArray<Readonly<{ dev: IfName; cidr: Cidr & { ip: Ip6 } }>>
}>

const at6 = (dev: IfName, ip: Ip): string => `${dev} ${ip}`

const build = (links: PMap<LinkEntry>): Locals => {
  const own = new Map<Ip, Own>()
  const linkLocal = new Set<string>()
  const wholes: Array<Readonly<{ cidr: Cidr; own: Own }>> = []
  const broadcasts = new Set<Ip>()
  const primary4: Array<Locals['primary4'][number]> = []
  const all6: Array<Locals['all6'][number]> = []
  for (const link of [...valuesOf(links)].sort((a, b) => a.index - b.index)) {
    const primaries: Cidr[] = []
    for (const { cidr } of link.addresses) {
      const { ip, bits } = cidr
      if (isIp6(ip)) {
        if (isLinkLocal(ip)) linkLocal.add(at6(link.name, ip))
        else if (!own.has(ip)) own.set(ip, { dev: link.name, source: ip })
        all6.push({ dev: link.name, cidr: { ip, bits } })
        continue
      }
      const net = { ip: maskIp(ip, bits), bits }
      const primary = primaries.find((p) => sameCidr({ ip: maskIp(p.ip, p.bits), bits: p.bits }, net))
      if (primary === undefined) {
        primaries.push(cidr)
        if (!isLoopback(ip)) primary4.push({ dev: link.name, cidr: { ip, bits } })
      }
      const entry = { dev: link.name, source: primary?.ip ?? ip }
      if (!own.has(ip)) own.set(ip, entry)
      if (!link.up) continue
      if (link.spec.type === 'loopback' && bits < 32) wholes.push({ cidr: net, own: entry })
      if (bits < 31) broadcasts.add(lastOf(net))
    }
  }
  return { own, linkLocal, wholes, broadcasts, primary4, all6 }
}

const locals = memoisedByShape(build)
export const localsOf = ({ links }: NsEntry): Locals => locals(links)

/** The own address that `ip` is, or null. A link-local one only counts on its device. */
export const ownAddress = (space: NsEntry, ip: Ip, dev: IfName | null): Own | null => {
  const { own: owned, linkLocal, wholes } = localsOf(space)
  if (isIp6(ip) && isLinkLocal(ip)) return dev !== null && linkLocal.has(at6(dev, ip)) ? { dev, source: ip } : null
  const own = owned.get(ip)
  if (own !== undefined) return own
  return isIp4(ip) ? (wholes.find((whole) => contains(whole.cidr, ip))?.own ?? null) : null
}

/** `fib ... type local` of nft: whether it is an own address on whatever device. */
export const isLocal = (space: NsEntry, ip: Ip): boolean => {
  if (!isIp6(ip) || !isLinkLocal(ip)) return ownAddress(space, ip, null) !== null
  return localsOf(space).all6.some((entry) => entry.cidr.ip === ip)
}

/** Whether `ip` means more than one receiver: a group, or the broadcast address of an own subnet. */
export const isBroadcast = (space: NsEntry, ip: Ip): boolean =>
  isMulticast(ip) || ip === MAX4 || (isIp4(ip) && localsOf(space).broadcasts.has(ip))
