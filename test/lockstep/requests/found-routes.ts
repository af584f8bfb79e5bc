// As found.ts, of routes: their hops, dead and alive, what a deletion means, and how gateways are looked for.

import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { ip } from '../../../src/net/ip.ts'
import { ifName, LO } from '../../../src/net/name.ts'
import { C, down, has, pair, route, set, up } from '../../kernel-sim/control/story.ts'
import type { FoundCase } from './found.ts'

const PAIR_UP = [pair('v0', 'v1'), up('v0')]
/** The first of two hops is dead, for its device has lost its address. */
const LOST_IPV4: ReadonlyArray<Ask> = [
  ...PAIR_UP,
  up('v1'),
  pair('v2', 'v3', { up: true }),
  up('v3'),
  has('v0', '10.0.0.1/24'),
  has('v2', '10.0.1.1/24'),
  route('0.0.0.0/0', { hops: [{ via: ip('10.0.0.9') }, { via: ip('10.0.1.9') }] }),
  has('v0', '10.0.0.1/24', { do: 'delete' }),
]

const NEAR_AND_FAR = ['10.0.0.9', '10.0.0.8'].map((via) => ({ via: ip(via) }))
const SEVERAL: ReadonlyArray<Ask> = [
  ...PAIR_UP,
  has('v0', '10.0.0.1/24'),
  route('10.9.0.0/24', { hops: NEAR_AND_FAR.map((one, n) => ({ ...one, weight: 3 - n })) }),
]

const SIBLINGS: ReadonlyArray<Ask> = [
  ...PAIR_UP,
  pair('v2', 'v3', { up: true }),
  ...['v0', 'v2'].map((dev, n) => has(dev, `fd0${n}::1/64`, { nodad: true })),
  route('fd09::/64', { hops: ['fd00::9', 'fd01::9'].map((via) => ({ via: ip(via) })) }),
]

const SOURCED: ReadonlyArray<Ask> = [
  ...PAIR_UP,
  up('v1'),
  has('v0', 'fd01::1/64', { nodad: true }),
  route('::/0', { type: 'prohibit', src: ip('fd01::1') }),
  route('fd09::/64', { dev: 'v1', src: ip('fd01::1') }),
  route('fd0a::/64', { dev: 'v1', src: ip('fd01::1'), table: 7 }),
]
const LOST_SOURCE = has('v0', 'fd01::1/64', { do: 'delete' })
const LOCAL = 'fe80::1/64'

/** A primary address and two secondary ones, each of which a route by another device prefers. */
const PREFERRED: ReadonlyArray<Ask> = [
  ...PAIR_UP,
  pair('b0', 'b1'),
  ...[1, 2, 3].flatMap((n) => [
    has('b0', `10.0.0.${n}/24`),
    route(`10.9.${n}.0/24`, { dev: 'v0', src: ip(`10.0.0.${n}`) }),
  ]),
]

const REFUSING = route('0.0.0.0/0', { type: 'prohibit', scope: 'host' })
const BY_NOBODY = route('10.9.0.0/24', { via: '10.0.0.1', dev: 'v0' })

export const FOUND_ROUTES: ReadonlyArray<FoundCase> = [
  {
    says: 'a hop that is dead is told to have no carrier, be it there',
    asks: LOST_IPV4,
    errno: null,
  },
  {
    says: 'until anything is told of its device',
    asks: [...LOST_IPV4, set('v0', { group: 7 })],
    errno: null,
  },
  {
    says: 'and then it does not hear that the carrier goes, nor does it when it lives again',
    asks: [...LOST_IPV4, set('v0', { group: 7 }), down('v1'), has('v0', '10.0.0.2/24')],
    errno: null,
  },
  {
    says: 'but when anything is told of its device again',
    asks: [...LOST_IPV4, set('v0', { group: 7 }), down('v1'), has('v0', '10.0.0.2/24'), set('v0', { group: 8 })],
    errno: null,
  },
  {
    says: 'a gateway of :: is what a route without any has, for a deletion',
    asks: [...PAIR_UP, has('v0', 'fd00::1/64', { nodad: true }), route('fd00::/64', { do: 'delete', via: '::' })],
    errno: null,
  },
  {
    says: 'also for one of a hop of several',
    asks: [
      ...PAIR_UP,
      has('v0', 'fd00::1/64', { nodad: true }),
      route('fd00::/64', { do: 'delete', hops: [{ via: ip('::') }] }),
    ],
    errno: null,
  },
  {
    says: 'and no gateway for a new route',
    asks: [...PAIR_UP, route('fd09::/64', { via: '::', dev: 'v0' })],
    errno: 'EINVAL',
  },
  {
    says: 'bits behind the prefix are not looked at by a deletion of IPv6',
    asks: [...PAIR_UP, route('fd09::/60', { dev: 'v0' }), route('fd09:0:0:7::/60', { do: 'delete' })],
    errno: null,
  },
  {
    says: 'a route by a gateway that has become an own address is another one than a new one by it',
    asks: [
      ...PAIR_UP,
      has('v0', '10.0.0.1/24'),
      route('0.0.0.0/0', { via: '10.0.0.9' }),
      has('v0', '10.0.0.9/32'),
      route('0.0.0.0/0', { do: 'append', via: '10.0.0.9' }),
    ],
    errno: null,
  },
  {
    says: 'a deletion of a route of several hops says which they are, in their order, and may say more; weights do not matter',
    asks: [...SEVERAL, route('10.9.0.0/24', { do: 'delete', hops: [...NEAR_AND_FAR, { via: ip('10.0.0.7') }] })],
    errno: null,
  },
  {
    says: 'but not less',
    asks: [...SEVERAL, route('10.9.0.0/24', { do: 'delete', hops: NEAR_AND_FAR.slice(0, 1) })],
    errno: 'ESRCH',
  },
  {
    says: 'a route that leads nowhere is meant by one hop that leads nowhere',
    asks: [
      route('10.9.0.0/24', { type: 'blackhole' }),
      route('10.9.0.0/24', { do: 'delete', hops: [{ via: ip('10.0.0.9') }] }),
    ],
    errno: 'ESRCH',
  },
  {
    says: 'and none can be made with a list of hops',
    asks: [route('10.9.0.0/24', { type: 'prohibit', hops: [{}] })],
    errno: 'EINVAL',
  },
  {
    says: 'of a list of one hop the weight is not told',
    asks: [...PAIR_UP, route('10.9.0.0/24', { hops: [{ dev: ifName('v0'), weight: 3 }] })],
    errno: null,
  },
  {
    says: 'a route by a gateway of IPv6 does not look whether its device has carrier',
    asks: [...PAIR_UP, has('v0', 'fd00::1/64', { nodad: true }), route('10.9.0.0/24', { via: 'fd00::9' })],
    errno: null,
  },
  {
    says: 'until anything is told of that',
    asks: [
      ...PAIR_UP,
      has('v0', 'fd00::1/64', { nodad: true }),
      route('10.9.0.0/24', { via: 'fd00::9' }),
      set('v0', { group: 7 }),
    ],
    errno: null,
  },
  {
    says: 'IPv6 does not look at the gateway of a hop that is one of IPv4',
    asks: [route('fd09::/64', { do: 'delete', hops: [{ via: ip('10.0.0.9') }] })],
    errno: 'ESRCH',
  },
  {
    says: 'a gateway on the link of a device is looked for by that, of equal routes',
    asks: [
      ...PAIR_UP,
      pair('v2', 'v3', { up: true }),
      ...['v0', 'v2'].map((dev, n) => has(dev, `fd00::${n + 1}/64`, { nodad: true })),
      ...['v0', 'v2'].map((dev, n) => route(`fd09:${n}::/64`, { via: 'fd00::8', dev, onlink: true })),
    ],
    errno: null,
  },
  {
    says: 'a gateway to which a route of the scope of links refuses the way is refused as that says',
    asks: [...PAIR_UP, REFUSING, BY_NOBODY],
    errno: 'EACCES',
  },
  {
    says: 'also where there is a table default that has one',
    asks: [...PAIR_UP, REFUSING, route('10.0.0.0/24', { dev: 'v0', table: 253 }), BY_NOBODY],
    errno: 'EACCES',
  },
  {
    says: 'which is asked if nothing is said before',
    asks: [...PAIR_UP, route('10.0.0.0/24', { dev: 'v0', table: 253 }), BY_NOBODY],
    errno: null,
  },
  ...([{ on: 'link', do: 'delete', dev: ifName('b0') }, set('b0', { to: C })] as const).flatMap((end) => [
    {
      says: `of a device that loses IPv4 the last secondary address is preferred as before (${end.do})`,
      asks: [...PREFERRED, end],
      errno: null,
    },
    {
      says: `but each primary one is not (${end.do})`,
      asks: [...PREFERRED, has('b0', '10.0.1.1/24'), route('10.9.9.0/24', { dev: 'v0', src: ip('10.0.1.1') }), end],
      errno: null,
    },
  ]),
  {
    says: 'nor is one that goes with its primary one',
    asks: [...PREFERRED, has('b0', '10.0.0.1/24', { do: 'delete' })],
    errno: null,
  },
  {
    says: 'a deletion by a list of hops takes no siblings along',
    asks: [...SIBLINGS, route('fd09::/64', { do: 'delete', hops: [{}] })],
    errno: null,
  },
  {
    says: 'a route of IPv6 whose device goes down is dead while a sibling lives',
    asks: [...SIBLINGS, down('v0')],
    errno: null,
  },
  {
    says: 'lives again with its device, once that has carrier',
    asks: [...SIBLINGS, down('v0'), up('v0'), up('v1')],
    errno: null,
  },
  {
    says: 'goes with the last of them',
    asks: [...SIBLINGS, down('v0'), down('v2')],
    errno: null,
  },
  {
    says: 'and is left alone, and dead, by a device that is no more',
    asks: [
      ...SIBLINGS,
      route('fd0a::/64', {
        hops: [
          { via: ip('fe80::9'), dev: ifName('v2') },
          { via: ip('fe80::9'), dev: ifName('v0') },
        ],
      }),
      down('v0'),
      { on: 'link', do: 'delete', dev: ifName('v2') },
    ],
    errno: null,
  },
  ...[1280, 1400, 2000].map((mtu) => ({
    says: `an MTU of a route of IPv6 follows that of its device, if it was that or does not fit any more (${mtu})`,
    asks: [
      ...PAIR_UP,
      ...[1300, 1400, 1500].map((most) => route(`fd09:${most}::/64`, { dev: 'v0', mtu: most })),
      set('v0', { mtu }),
    ],
    errno: null,
  })),
  {
    says: 'no route of any device or table prefers a source of IPv6 that was removed',
    asks: [...SOURCED, LOST_SOURCE],
    errno: null,
  },
  {
    says: 'unless another device has it',
    asks: [...SOURCED, has('v1', 'fd01::1/128', { nodad: true }), LOST_SOURCE],
    errno: null,
  },
  {
    says: 'a source that went with IPv6 of its device is preferred as before',
    asks: [...SOURCED, down('v0')],
    errno: null,
  },
  {
    says: 'until it is removed from another one',
    asks: [...SOURCED, down('v0'), has('v1', 'fd01::1/64', { nodad: true }), has('v1', 'fd01::1/64', { do: 'delete' })],
    errno: null,
  },
  {
    says: 'a source that is link-local is one of each device',
    asks: [
      ...PAIR_UP,
      up('v1'),
      ...['v0', 'v1'].flatMap((dev) => [
        has(dev, LOCAL, { nodad: true }),
        route('fd09::/64', { dev, src: ip('fe80::1'), metric: dev === 'v0' ? 1 : 2 }),
      ]),
      has('v0', LOCAL, { do: 'delete' }),
    ],
    errno: null,
  },
  {
    says: 'also of loopback, for what leads nowhere',
    asks: [up(LO), has(LO, LOCAL), route('::/0', { type: 'prohibit', src: ip('fe80::1') })],
    errno: null,
  },
  {
    says: 'and of that alone',
    asks: [...PAIR_UP, has('v0', LOCAL, { nodad: true }), route('::/0', { type: 'prohibit', src: ip('fe80::1') })],
    errno: 'EINVAL',
  },
]
