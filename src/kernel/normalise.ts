// What the kernel adds by itself, so that what is observed can equal what was asked for. Both kernels leave these out of
// `observe`: link-local addresses formed from the MAC, loopback's own addresses, routes of protocol `kernel` (those are
// left out where routes are read, for only there the protocol is known).

import { isLinkLocal, isLoopback } from '../net/ip.ts'
import { linkLocal6, type Mac, numberedLinkLocal6 } from '../net/mac.ts'
import { LO } from '../net/name.ts'
import type { Address, LinkSpec } from './object.ts'

/** Where a MAC makes an address by its number among those that share it (dev_id), and not by ff:fe. */
const NUMBER = 0xffffn << 24n

/** Whether Linux added this address without being asked: `mac` is its device's, which several ipvlans share. */
export const kernelMade = (address: Address, mac: Mac, type: LinkSpec['type']): boolean => {
  const { ip } = address.cidr
  if (address.dev === LO) return isLoopback(ip)
  if (typeof ip !== 'bigint' || !isLinkLocal(ip)) return false
  return type === 'ipvlan' ? (ip & ~NUMBER) === numberedLinkLocal6(mac, 0) : ip === linkLocal6(mac)
}
