// As found.ts, of addresses, and of how IPv6 starts on devices.

import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import { ifName, LO } from '../../../src/net/name.ts'
import { down, has, LOOPBACK, neighbour, pair, route, set } from '../../kernel-sim/control/story.ts'
import type { FoundCase } from './found.ts'

/** Loopback with too small an MTU for IPv6, and an address of IPv6 all the same. */
const SMALL: ReadonlyArray<Ask> = [LOOPBACK, set('lo', { mtu: 1200 }), has('lo', 'fd00::9/128')]
/** Three addresses, of which the first and the last have labels of somebody's own. */
const LABELLED: ReadonlyArray<Ask> = [
  pair('v0', 'v1'),
  has('v0', '10.0.0.1/24', { label: 'x' }),
  has('v0', '10.0.0.2/24'),
  has('v0', '10.0.0.3/24', { label: 'v0:three' }),
]
const disable = (value: string): Ask => ({
  on: 'sysctl',
  do: 'write',
  name: 'net.ipv6.conf.lo.disable_ipv6' as SysctlName,
  value,
})

export const FOUND_ADDRESSES: ReadonlyArray<FoundCase> = [
  {
    says: 'loopback with too small an MTU for IPv6 keeps new addresses until anything is told of it',
    asks: SMALL,
    errno: null,
  },
  {
    says: 'then they go',
    asks: [...SMALL, has('lo', '10.0.0.1/32'), set('lo', { group: 2 })],
    errno: null,
  },
  {
    says: 'and its routes',
    asks: [
      ...SMALL,
      route('fd09::/64', { dev: 'lo' }),
      route('fd0a::/64', { type: 'blackhole' }),
      set('lo', { alias: 'one' }),
    ],
    errno: null,
  },
  {
    says: 'not while it is down',
    asks: [set('lo', { mtu: 1200 }), has('lo', 'fd00::9/128'), set('lo', { group: 2 })],
    errno: null,
  },
  {
    says: 'but when it comes up',
    asks: [set('lo', { mtu: 1200 }), has('lo', 'fd00::9/64'), LOOPBACK],
    errno: null,
  },
  {
    says: 'once more',
    asks: [...SMALL, down(LO), has('lo', 'fd00::a/128'), LOOPBACK],
    errno: null,
  },
  {
    says: 'or has IPv6 enabled',
    asks: [...SMALL, disable('1'), disable('0'), has('lo', 'fd00::a/128'), disable('0')],
    errno: null,
  },
  {
    says: 'and it starts anew with a larger MTU, once anything is told of it',
    asks: [...SMALL, set('lo', { mtu: 1280 })],
    errno: null,
  },
  {
    says: 'which is then',
    asks: [...SMALL, set('lo', { mtu: 1280 }), set('lo', { group: 2 })],
    errno: null,
  },
  {
    says: 'a device that is refused a name has its addresses labelled by its own again',
    asks: [...LABELLED, set('v0', { name: ifName('all') })],
    errno: 'EINVAL',
  },
  {
    says: 'as they are by a new one, which may not be too long for their numbers',
    asks: [...LABELLED, set('v0', { name: ifName('abcdefghijklmno') })],
    errno: null,
  },
  {
    says: 'neighbours of IPv6 go, too',
    asks: [...SMALL, neighbour('lo', 'fd00::5', { state: 'permanent' }), set('lo', { group: 2 })],
    errno: null,
  },
]
