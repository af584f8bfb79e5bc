// The sysctls that forwarding looks at, by device. The control plane keeps a device's own values as Linux does (what
// `all` and `default` write reaches the devices there), so one that is absent was never anything but 0.
// Source: Documentation/networking/ip-sysctl.rst, include/linux/inetdevice.h (IN_DEV_ORCONF, IN_DEV_MAXCONF).

import type { DeviceKey } from '../kernel/sysctl.ts'
import type { IfName } from '../net/name.ts'
import { getIn } from '../net/pmap.ts'
import { type DeviceConf, NO_CONF } from './link-entry.ts'
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

const build = (all: DeviceConf, own: DeviceConf): Policy => {
  const number = (conf: DeviceConf, family: 4 | 6, key: DeviceKey): number => Number(conf[family][key] ?? 0)
  return {
    forwarding4: number(own, 4, 'forwarding') !== 0,
    forwarding6: number(all, 6, 'forwarding') !== 0,
    routeLocalnet: number(own, 4, 'route_localnet') !== 0 || number(all, 4, 'route_localnet') !== 0,
    rpFilter: Math.max(number(own, 4, 'rp_filter'), number(all, 4, 'rp_filter')),
    disabled6: number(own, 6, 'disable_ipv6') !== 0,
  }
}

const policiesUnder = memoised((all: DeviceConf) => memoised((own: DeviceConf) => build(all, own)))

export const policyOf = ({ confAll, links }: NsEntry, dev: IfName): Policy =>
  policiesUnder(confAll)(getIn(links, dev)?.conf ?? NO_CONF)
