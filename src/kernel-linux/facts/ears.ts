// How the host is asked: in process (in-process.ts) or through tools (tools.ts), which witness each other.

import type { Cidr } from '../../net/cidr.ts'
import type { HostDevice, HostSocket } from '../../net/host-facts.ts'
import { type Ip, type Ip6, ip4, isIp4 } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import type { Result } from '../transport.ts'

export type Ears = Readonly<{
  /** Those of these names that are there, in this order. */
  devices: (asked: ReadonlyArray<IfName>) => Result<ReadonlyArray<HostDevice>>
  /** Where the host's own neighbours are, as the main table says: what is behind a router, somebody else may route. */
  prefixes: () => Result<ReadonlyArray<Cidr>>
  /** Where programs wait for strangers. */
  sockets: () => Result<ReadonlyArray<HostSocket>>
}>

const MAPPED = 0xffffn
const isMapped = (ip: Ip6): boolean => ip >> 32n === MAPPED

/** A socket of IPv6 may wait at an address of IPv4 (::ffff:192.0.2.1). */
export const realIp = (ip: Ip): Ip => (isIp4(ip) || !isMapped(ip) ? ip : ip4(Number(BigInt.asUintN(32, ip))))
