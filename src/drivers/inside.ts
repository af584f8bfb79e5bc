// What every driver's interface has inside a sandbox, beside the link itself: addresses, link-local addresses and sysctls.

import type { KernelObject, Place } from '../kernel/object.ts'
import { asKept, interfaceSysctl } from '../kernel/sysctl.ts'
import type { Endpoint } from '../model/types.ts'
import type { Cidr } from '../net/cidr.ts'
import { familyOf, type Ip } from '../net/ip.ts'

/** Link-local addresses have the prefix lengths that libnetwork gives them. */
const inLinkLocal = (ip: Ip): Cidr => ({ ip, bits: familyOf(ip) === 4 ? 16 : 64 })

const addressesOf = ({ addresses, linkLocal }: Endpoint, { ns, name }: Place): ReadonlyArray<KernelObject> =>
  [...addresses.map(({ cidr }) => cidr), ...linkLocal.map(inLinkLocal)].map((cidr) => ({
    kind: 'address',
    ns,
    dev: name,
    cidr,
  }))

/** They go with the interface, so there is nothing that they would be set back to. */
const sysctlsOf = ({ sysctls }: Endpoint, { ns, name }: Place): ReadonlyArray<KernelObject> =>
  Object.entries(sysctls).map(([sysctl, value]) => ({
    kind: 'sysctl',
    ns,
    name: interfaceSysctl(sysctl, name),
    value: asKept(value),
    otherwise: asKept(value),
  }))

export const insideOf = (endpoint: Endpoint, place: Place): ReadonlyArray<KernelObject> => [
  ...addressesOf(endpoint, place),
  ...sysctlsOf(endpoint, place),
]
