// The sysctls that forwarding looks at, by device, with the kernel's defaults for those that were never written.
// Not kept: the order of writes. Linux copies `ip_forward` into every device when it is written; here a device's own
// value, once written, wins.
// Source: Documentation/networking/ip-sysctl.rst.

import { deviceSysctl, FORWARD4, FORWARD6, type SysctlName } from '../kernel/sysctl.ts'
import { type IfName, ifName } from '../net/name.ts'
import { getIn, type PMap } from '../net/pmap.ts'
import { memoised } from './memo.ts'
import type { NsEntry } from './state.ts'

/** `rpFilter`: 0 off, 1 strict, 2 loose (RFC 3704). */
export type Policy = Readonly<{
  forwarding4: boolean
  forwarding6: boolean
  routeLocalnet: boolean
  rpFilter: number
  disabled6: boolean
}>

const ALL = ifName('all')

const build = (sysctls: PMap<string>, dev: IfName): Policy => {
  const number = (name: SysctlName): number | null => {
    const value = getIn(sysctls, name)
    return value === undefined ? null : Number(value)
  }
  const own = (family: 4 | 6, key: Parameters<typeof deviceSysctl>[2]): number | null =>
    number(deviceSysctl(family, dev, key))
  const all = (family: 4 | 6, key: Parameters<typeof deviceSysctl>[2]): number | null =>
    number(deviceSysctl(family, ALL, key))
  return {
    forwarding4: (own(4, 'forwarding') ?? number(FORWARD4) ?? all(4, 'forwarding') ?? 0) !== 0,
    forwarding6: (number(FORWARD6) ?? 0) !== 0,
    routeLocalnet: (own(4, 'route_localnet') ?? 0) !== 0 || (all(4, 'route_localnet') ?? 0) !== 0,
    rpFilter: Math.max(own(4, 'rp_filter') ?? 0, all(4, 'rp_filter') ?? 0),
    disabled6: (own(6, 'disable_ipv6') ?? all(6, 'disable_ipv6') ?? 0) !== 0,
  }
}

const devicesOf = memoised((_sysctls: PMap<string>) => new Map<IfName, Policy>())

export const policyOf = ({ sysctls }: NsEntry, dev: IfName): Policy => {
  const devices = devicesOf(sysctls)
  const known = devices.get(dev)
  if (known !== undefined) return known
  const fresh = build(sysctls, dev)
  devices.set(dev, fresh)
  return fresh
}
