// The only makers of nft elements: one per set of the skeleton, typed by what the set holds. Their texts are canonical
// nft syntax, so equal elements have equal keys, and nothing else reaches an nft script.

import { type Cidr, cidrFamily, networkOf, showCidr } from '../../net/cidr.ts'
import { type Family, type Ip, isIp4, isUnspecified, showIp } from '../../net/ip.ts'
import type { IfName, Ns } from '../../net/name.ts'
import type { Port, Transport } from '../../net/port.ts'
import type { NftElement, NftTable } from '../object.ts'
import { type SetName, SKELETON_VERSION } from './skeleton.ts'

const element = (
  ns: Ns,
  set: SetName,
  key: ReadonlyArray<string>,
  value: ReadonlyArray<string> | null = null,
): NftElement => ({ kind: 'nft-element', ns, set, key, value })

/** nft prints a prefix as long as the address without its length. */
const showPrefix = (cidr: Cidr): string => {
  const network = networkOf(cidr)
  return network.bits === (isIp4(network.ip) ? 32 : 128) ? showIp(network.ip) : showCidr(network)
}

export const skeletonTable = (ns: Ns): NftTable => ({ kind: 'nft-table', ns, skeleton: SKELETON_VERSION })

export const bridgeElement = (ns: Ns, bridge: IfName): NftElement => element(ns, 'bridges', [bridge])
export const internalElement = (ns: Ns, bridge: IfName): NftElement => element(ns, 'internal', [bridge])
export const withinElement = (ns: Ns, bridge: IfName): NftElement => element(ns, 'within', [bridge, bridge])
/** Of the containers behind the bridge, that at `from` reaches this port of that at `to`. */
export const linkedElement = (
  ns: Ns,
  bridge: IfName,
  from: Ip,
  to: Readonly<{ ip: Ip; port: Port }>,
  transport: Transport,
): NftElement =>
  element(ns, isIp4(from) ? 'linked4' : 'linked6', [bridge, showIp(from), showIp(to.ip), transport, String(to.port)])
export const subnetElement = (ns: Ns, bridge: IfName, subnet: Cidr): NftElement =>
  element(ns, cidrFamily(subnet) === 4 ? 'subnet4' : 'subnet6', [bridge, showPrefix(subnet)])
export const masqueradeElement = (ns: Ns, subnet: Cidr): NftElement =>
  element(ns, cidrFamily(subnet) === 4 ? 'masquerade4' : 'masquerade6', [showPrefix(subnet)])
/** What leaves the subnet carries this address of the host. */
export const snatElement = (ns: Ns, subnet: Cidr, source: Ip): NftElement =>
  element(ns, cidrFamily(subnet) === 4 ? 'snat4' : 'snat6', [showPrefix(subnet)], [showIp(source)])

/** A bridge that lets in whatever comes, of one family. */
export const unprotectedElement = (ns: Ns, bridge: IfName, family: Family): NftElement =>
  element(ns, family === 4 ? 'unprotected4' : 'unprotected6', [bridge])
/** A bridge whose containers' open ports are reached straight, of one family. */
export const routedElement = (ns: Ns, bridge: IfName, family: Family): NftElement =>
  element(ns, family === 4 ? 'routed4' : 'routed6', [bridge])
/** What comes in by this interface of the host reaches open ports behind the bridge straight. */
export const trustedElement = (ns: Ns, from: IfName, bridge: IfName): NftElement =>
  element(ns, 'trusted', [from, bridge])
/** A container's port for those who may come straight to its address. */
export const openElement = (ns: Ns, { ip, port }: Readonly<{ ip: Ip; port: Port }>, transport: Transport): NftElement =>
  element(ns, isIp4(ip) ? 'open4' : 'open6', [showIp(ip), transport, String(port)])

/** A published port: `host` unspecified (0.0.0.0, ::) means every address of the host of that family. */
export const publishElement = (
  ns: Ns,
  host: Readonly<{ ip: Ip; port: Port }>,
  transport: Transport,
  container: Readonly<{ ip: Ip; port: Port }>,
): NftElement => {
  const value = [showIp(container.ip), String(container.port)]
  const tail = [transport, String(host.port)]
  const four = isIp4(host.ip)
  return isUnspecified(host.ip)
    ? element(ns, four ? 'publish4_any' : 'publish6_any', tail, value)
    : element(ns, four ? 'publish4' : 'publish6', [showIp(host.ip), ...tail], value)
}
