// What the kernel adds by itself, so that what is observed can equal what was asked for. Both kernels leave these out of
// `observe`: link-local addresses formed from the MAC, loopback's own addresses, routes of protocol `kernel` (those are
// left out where routes are read, for only there the protocol is known).

import { isLinkLocal, isLoopback } from '../net/ip.ts'
import { linkLocal6, type Mac } from '../net/mac.ts'
import { LO } from '../net/name.ts'
import type { Address } from './object.ts'

/** Whether Linux added this address without being asked: `mac` is its device's. */
export const kernelMade = (address: Address, mac: Mac): boolean => {
  const { ip } = address.cidr
  if (address.dev === LO) return isLoopback(ip)
  return typeof ip === 'bigint' && isLinkLocal(ip) && ip === linkLocal6(mac)
}
