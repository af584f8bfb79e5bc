// The groups that a device hears, as its filter has them: by their MACs (dev->mc). Programs join none here; those that VXLANs join are
// joined on the device below, which has no such filter.
// Sources: net/ipv4/igmp.c (ip_mc_up), net/ipv6/mcast.c, net/ipv6/addrconf.c (addrconf_join_solict, dev_forward_change,
// addrconf_join_anycast); drivers/net/macvlan.c (macvlan_compute_filter): Linux compares 8 bits of a hash only, which now and then
// lets a group pass that nobody asked for.

import { maskIp } from '../../../net/cidr.ts'
import { type Ip6, ip6, isIp4 } from '../../../net/ip.ts'
import { BROADCAST, type Mac, mac, macOfGroup6 } from '../../../net/mac.ts'
import type { LinkEntry } from '../../link-entry.ts'
import { memoised } from '../../memo.ts'
import type { Device } from '../plane.ts'
import { isPromiscuous } from './stacked.ts'

const ALL_HOSTS4 = mac(0x01005e000001)
const ALL_NODES6 = mac(0x333300000001)
const ALL_ROUTERS6 = mac(0x333300000002)

/** Of ff02::1:ff00:0/104 and the low 24 bits of the address (RFC 4291 section 2.7.1). */
const solicitedNode = (ip: Ip6): Mac => macOfGroup6(ip6(0xff000000n | (ip & 0xffffffn)))

const groupsOf = memoised((link: LinkEntry): ReadonlySet<Mac> => {
  const groups = new Set<Mac>([BROADCAST, ALL_HOSTS4])
  if (link.conf[6].disable_ipv6 === '1') return groups
  const routes = (link.conf[6].forwarding ?? '0') !== '0'
  groups.add(ALL_NODES6)
  if (routes) groups.add(ALL_ROUTERS6)
  for (const { cidr } of link.addresses) {
    if (isIp4(cidr.ip)) continue
    groups.add(solicitedNode(cidr.ip))
    const anycast = maskIp(cidr.ip, cidr.bits)
    if (routes && cidr.bits < 127 && !isIp4(anycast)) groups.add(solicitedNode(anycast))
  }
  return groups
})

/** Whether a device wants frames for a group; all of them, if others hear by it. */
export const hearsGroup = (dev: Device, group: Mac): boolean =>
  groupsOf(dev.link).has(group) || dev.link.above.length > 0 || isPromiscuous(dev)
