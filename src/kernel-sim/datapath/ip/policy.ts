// The sysctls of a device that IP looks at, as numbers and truth values. The control plane keeps a device's own values as Linux
// does (what `all` and `default` write reaches the devices there), so one that is absent was never anything but the default.
// Source: Documentation/networking/ip-sysctl.rst, include/linux/inetdevice.h (IN_DEV_ORCONF, IN_DEV_MAXCONF).

import type { DeviceKey } from '../../../kernel/sysctl.ts'
import { deviceDefault } from '../../control/sysctl.ts'
import type { DeviceConf } from '../../link-entry.ts'
import { memoised } from '../../memo.ts'
import type { Device } from '../plane.ts'

/**
 * `rpFilter`: 0 off, 1 strict, 2 loose (RFC 3704). `forwarding4` and `router6` are the device's own; `forwarding6` is the
 * namespace's, which alone decides whether IPv6 forwards. `acceptRedirects` (of IPv4) nobody writes: that of `all` turns with its
 * `forwarding` (inet_forward_change), and who forwards needs both (IN_DEV_RX_REDIRECTS).
 */
export type Policy = Readonly<{
  forwarding4: boolean
  forwarding6: boolean
  router6: boolean
  routeLocalnet: boolean
  acceptLocal: boolean
  rpFilter: number
  sendRedirects: boolean
  acceptRedirects: boolean
  arpIgnore: number
  arpAnnounce: number
  arpFilter: boolean
  proxyArp: boolean
  proxyNdp: boolean
  disabled6: boolean
}>

const build = (all: DeviceConf, own: DeviceConf): Policy => {
  const of = (conf: DeviceConf, family: 4 | 6, key: DeviceKey): number =>
    Number(conf[family][key] ?? deviceDefault(family, key))
  const either = (family: 4 | 6, key: DeviceKey): boolean => of(own, family, key) !== 0 || of(all, family, key) !== 0
  const greater = (key: DeviceKey): number => Math.max(of(own, 4, key), of(all, 4, key))
  return {
    forwarding4: of(own, 4, 'forwarding') !== 0,
    forwarding6: of(all, 6, 'forwarding') !== 0,
    router6: of(own, 6, 'forwarding') !== 0,
    routeLocalnet: either(4, 'route_localnet'),
    acceptLocal: either(4, 'accept_local'),
    rpFilter: greater('rp_filter'),
    sendRedirects: either(4, 'send_redirects'),
    acceptRedirects: of(own, 4, 'forwarding') === 0 || of(all, 4, 'forwarding') === 0,
    arpIgnore: greater('arp_ignore'),
    arpAnnounce: greater('arp_announce'),
    arpFilter: either(4, 'arp_filter'),
    proxyArp: either(4, 'proxy_arp'),
    proxyNdp: either(6, 'proxy_ndp'),
    disabled6: of(own, 6, 'disable_ipv6') !== 0,
  }
}

const policiesUnder = memoised((all: DeviceConf) => memoised((own: DeviceConf) => build(all, own)))

export const policyOf = ({ space, link }: Device): Policy => policiesUnder(space.entry.confAll)(link.conf)
