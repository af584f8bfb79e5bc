// What an endpoint's interface has inside, whatever it is made of: its addresses.

import type { KernelObject } from '../kernel/object.ts'
import type { Cidr } from '../net/cidr.ts'
import { familyOf, type Ip } from '../net/ip.ts'
import type { EndpointView } from './driver.ts'

/** Link-local addresses have the prefix lengths that libnetwork gives them. */
const inLinkLocal = (ip: Ip): Cidr => ({ ip, bits: familyOf(ip) === 4 ? 16 : 64 })

export const addressesInside = ({ endpoint, sandbox }: EndpointView): ReadonlyArray<KernelObject> =>
  [...endpoint.addresses.map(({ cidr }) => cidr), ...endpoint.linkLocal.map(inLinkLocal)].map((cidr) => ({
    kind: 'address',
    ns: sandbox.ns,
    dev: endpoint.attachment.ifName,
    cidr,
  }))
