// The sysctls that forwarding looks at, by device. The control plane keeps a device's own values as Linux does (what
// `all` and `default` write reaches the devices there), so one that is absent was never anything but 0.
// Source: Documentation/networking/ip-sysctl.rst, include/linux/inetdevice.h (IN_DEV_ORCONF, IN_DEV_MAXCONF).

import { type DeviceKey, deviceSysctl, FORWARD6, type SysctlName } from '../kernel/sysctl.ts'
import { type IfName, ifName } from '../net/name.ts'
import { getIn, type PMap } from '../net/pmap.ts'
import { memoised } from './memo.ts'
import type { NsEntry } from './state.ts'

/** `rpFilter`: 0 off, 1 strict, 2 loose (RFC 3704). `forwarding6` is the namespace's. */
export type Policy = Readonly<{
  forwarding4: boolean
  forwarding6: boolean
  routeLocalnet: boolean
  rpFilter: number
  disabled6: boolean
}>

const ALL = ifName('all')

const build = (sysctls: PMap<string>, dev: IfName): Policy => {
  const number = (name: SysctlName): number => Number(getIn(sysctls, name) ?? 0)
  const own = (family: 4 | 6, key: DeviceKey): number => number(deviceSysctl(family, dev, key))
  const all = (key: DeviceKey): number => number(deviceSysctl(4, ALL, key))
  return {
    forwarding4: own(4, 'forwarding') !== 0,
    forwarding6: number(FORWARD6) !== 0,
    routeLocalnet: own(4, 'route_localnet') !== 0 || all('route_localnet') !== 0,
    rpFilter: Math.max(own(4, 'rp_filter'), all('rp_filter')),
    disabled6: own(6, 'disable_ipv6') !== 0,
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
