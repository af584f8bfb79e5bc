// Names derived from ids, so that a second attempt finds the first one's link, and the marks by which links are known as
// ours. Interface names have 15 bytes at most.

import { aliasFor } from '../kernel/owned.ts'
import type { EndpointId, NetworkId } from '../model/types.ts'
import { type Mac, macFromHex } from '../net/mac.ts'
import { type IfName, ifName } from '../net/name.ts'

/** `br-` and 12 digits of the network's id, as Docker's bridges are named. */
export const bridgeName = (network: NetworkId): IfName => ifName(`br-${network.slice(0, 12)}`)
/** The end of an endpoint's veth that stays in the host. */
export const hostEndName = (endpoint: EndpointId): IfName => ifName(`veth${endpoint.slice(0, 11)}`)
/** Not the endpoint's own MAC: that is inside. */
export const hostEndMac = (endpoint: EndpointId): Mac => macFromHex(endpoint.slice(16, 28))
/** What stands in for the parent of a network that was given none, as Docker calls it. */
export const dummyName = (prefix: 'dm' | 'di', network: NetworkId): IfName =>
  ifName(`${prefix}-${network.slice(0, 12)}`)
export const dummyMac = (network: NetworkId): Mac => macFromHex(network.slice(16, 28))
export const bridgeMac = (network: NetworkId): Mac => macFromHex(network.slice(16, 28))

export const networkAlias = (network: NetworkId): string => aliasFor(`network/${network.slice(0, 12)}`)
export const endpointAlias = (endpoint: EndpointId): string => aliasFor(`endpoint/${endpoint.slice(0, 12)}`)
