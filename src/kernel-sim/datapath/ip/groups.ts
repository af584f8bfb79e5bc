// The multicast groups that a device takes part in: everybody's, its addresses', a router's, and those that VXLAN devices on it
// flood to. Programs join none here.
// Sources: net/ipv4/igmp.c (ip_mc_up), net/ipv6/mcast.c (ipv6_chk_mcast_addr), net/ipv6/addrconf.c (addrconf_join_solict,
// dev_forward_change), drivers/net/vxlan/vxlan_multicast.c.

import { maskIp } from '../../../net/cidr.ts'
import { type Ip, type Ip4, type Ip6, ip6, ip as ipOf, isIp4, isMulticast } from '../../../net/ip.ts'
import { entriesOf, type PMap } from '../../../net/pmap.ts'
import { isTentative, type LinkEntry } from '../../link-entry.ts'
import { memoised } from '../../memo.ts'
import type { ProxyEntry } from '../../state.ts'
import { type Device, deviceAt } from '../plane.ts'
import { policyOf } from './policy.ts'

const ALL_HOSTS4 = ipOf('224.0.0.1')
export const ALL_NODES = ipOf('ff02::1')
const EVERYBODY6: ReadonlyArray<Ip> = [ALL_NODES, ipOf('ff01::1')]
const ROUTERS6: ReadonlyArray<Ip> = [ipOf('ff02::2'), ipOf('ff01::2'), ipOf('ff05::2')]

const SOLICITED = (0xff02n << 112n) | 0x1ff000000n
/** ff02::1:ff00:0/104 and the low 24 bits of the address (RFC 4291 section 2.7.1). */
export const solicitedNode = (ip: Ip6): Ip6 => ip6(SOLICITED | (ip & 0xffffffn))

const addressGroups = memoised((link: LinkEntry): ReadonlySet<Ip> => {
  const groups = new Set<Ip>()
  for (const address of link.addresses) {
    const { cidr } = address
    if (isIp4(cidr.ip)) continue
    groups.add(solicitedNode(cidr.ip))
    const anycast = maskIp(cidr.ip, cidr.bits)
    if (!isTentative(address) && cidr.bits < 127 && !isIp4(anycast) && (link.conf[6].forwarding ?? '0') !== '0')
      groups.add(solicitedNode(anycast))
  }
  return groups
})

/** By the names of devices, the groups of the addresses that are answered for there (pndisc_constructor). */
const proxyGroups = memoised((proxies: PMap<ProxyEntry>): ReadonlyMap<string, ReadonlySet<Ip>> => {
  const groups = new Map<string, Set<Ip>>()
  for (const [key, { ip }] of entriesOf(proxies)) {
    if (isIp4(ip)) continue
    const dev = key.slice(0, key.indexOf(' '))
    groups.set(dev, (groups.get(dev) ?? new Set()).add(solicitedNode(ip)))
  }
  return groups
})

const isTunnelled = ({ space, link }: Device, group: Ip): boolean =>
  link.above.some((place) => {
    const spec = deviceAt(space, place)?.link.spec
    return spec?.type === 'vxlan' && spec.remote === group && isMulticast(group)
  })

export const inGroup4 = (dev: Device, group: Ip4): boolean => group === ALL_HOSTS4 || isTunnelled(dev, group)

export const inGroup6 = (dev: Device, group: Ip6): boolean =>
  EVERYBODY6.includes(group) ||
  addressGroups(dev.link).has(group) ||
  proxyGroups(dev.space.entry.proxies).get(dev.name)?.has(group) === true ||
  (policyOf(dev).router6 && ROUTERS6.includes(group)) ||
  isTunnelled(dev, group)
