// Where packets go, as `ip route get` says it: tables, rules, several hops, sources; and what else is asked of the tables.

import { describe, expect, test } from 'vitest'
import type { Request } from '../../../../src/kernel/rtnl/request.ts'
import { flowHash, upperBounds } from '../../../../src/kernel-sim/datapath/ip/flow-hash.ts'
import { ipParts } from '../../../../src/kernel-sim/datapath/ip/ip.ts'
import { type RouteAsk, routeGet } from '../../../../src/kernel-sim/datapath/ip/route-get.ts'
import { deviceOf } from '../../../../src/kernel-sim/datapath/plane.ts'
import { cidr } from '../../../../src/net/cidr.ts'
import { ip, showIp } from '../../../../src/net/ip.ts'
import { ifName } from '../../../../src/net/name.ts'
import { down, has, route } from '../../control/story.ts'
import { at, inPlane, on, spaces, via, wire, worldOf } from './lab.ts'

const TWO = [
  ...spaces('a', 'b'),
  ...wire('a', 'eth0', 'b', 'eth0'),
  ...wire('a', 'eth1', 'b', 'eth1'),
  ...on('a', 'eth0', '10.0.0.1/24', 'fd00::1/64'),
  ...on('a', 'eth1', '10.0.1.1/24', 'fd00:1::1/64'),
]

/** `ip route get`, in a few words. */
const get = (requests: ReadonlyArray<Request>, to: string, more: Omit<RouteAsk, 'to'> = {}): string => {
  let said = ''
  inPlane(worldOf([...TWO, ...requests]), 'a', (space) => {
    const told = routeGet(space, { to: ip(to), ...more })
    said =
      'errno' in told
        ? told.errno
        : [
            told.type,
            told.via === null ? '' : `via ${showIp(told.via)}`,
            told.dev,
            told.src === null ? '' : `src ${showIp(told.src)}`,
          ]
            .filter((word) => word !== '')
            .join(' ')
  })
  return said
}

describe('ip route get', () => {
  test.each([
    ['10.0.0.9', 'unicast eth0 src 10.0.0.1'],
    ['10.0.1.1', 'local lo src 10.0.1.1'],
    ['127.0.0.9', 'local lo src 127.0.0.1'],
    ['10.0.0.255', 'broadcast eth0 src 10.0.0.1'],
    ['10.9.0.1', 'unicast via 10.0.0.7 eth0 src 10.0.0.1'],
    ['10.9.1.1', 'unicast via 10.0.1.7 eth1 src 10.0.1.1'],
    ['10.8.0.1', 'ENETUNREACH'],
    ['0.0.0.0', 'local lo src 127.0.0.1'],
    ['fd00:1::9', 'unicast eth1 src fd00:1::1'],
    ['fd00::1', 'local lo src fd00::1'],
    ['fd09::1', 'unicast via fd00::7 eth0 src fd00::1'],
    ['::1', 'local lo src ::1'],
    ['fe80::9', 'EINVAL'],
  ])('%s: %s', (to, said) => {
    expect(
      get(
        [via('a', '10.9.0.0/16', '10.0.0.7'), via('a', '10.9.1.0/24', '10.0.1.7'), via('a', 'fd09::/16', 'fd00::7')],
        to,
      ),
    ).toBe(said)
  })

  test('the lower metric is taken, and the other one when its device is down', () => {
    const both = [
      via('a', '10.9.0.0/16', '10.0.0.7', { metric: 10 }),
      via('a', '10.9.0.0/16', '10.0.1.7', { metric: 5 }),
    ]
    expect(get(both, '10.9.0.1')).toBe('unicast via 10.0.1.7 eth1 src 10.0.1.1')
    expect(get([...both, at('a', down('eth1'))], '10.9.0.1')).toBe('unicast via 10.0.0.7 eth0 src 10.0.0.1')
  })

  test('a packet that came in is refused where nothing forwards it', () => {
    expect(get([], '10.0.1.9', { from: ip('10.0.0.9'), iif: 'eth0' })).toBe('EHOSTUNREACH')
    expect(get([], '10.0.1.1', { from: ip('10.0.0.9'), iif: 'eth0' })).toBe('local eth0')
    expect(get([], '10.0.1.1', { from: ip('10.0.1.1'), iif: 'eth0' })).toBe('EINVAL')
  })

  test('a jump to a priority that no rule has is none', () => {
    const rule = (priority: number, action: object): Request =>
      at('a', { on: 'rule', do: 'add', family: 4, priority, action } as Request['ask'])
    const table = at('a', route('10.9.0.0/16', { via: '10.0.0.7', table: 100 }))
    expect(
      get([table, rule(10, { goto: 30 }), rule(20, { lookup: 100 }), rule(40, { is: 'prohibit' })], '10.9.0.1'),
    ).toBe('unicast via 10.0.0.7 eth0 src 10.0.0.1')
    expect(
      get([table, rule(10, { goto: 40 }), rule(20, { lookup: 100 }), rule(40, { is: 'prohibit' })], '10.9.0.1'),
    ).toBe('EACCES')
  })

  test('a mark chooses a table', () => {
    const requests = [
      at('a', route('10.9.0.0/16', { via: '10.0.0.7', table: 100 })),
      at('a', {
        on: 'rule',
        do: 'add',
        family: 4,
        priority: 5,
        mark: { value: 0x10, mask: 0xf0 },
        action: { lookup: 100 },
      }),
    ]
    expect(get(requests, '10.9.0.1', { mark: 0x1f })).toBe('unicast via 10.0.0.7 eth0 src 10.0.0.1')
    expect(get(requests, '10.9.0.1', { mark: 0x2f })).toBe('ENETUNREACH')
  })
})

describe('several hops', () => {
  const hops = (weights: readonly [number, number]): Request =>
    at('a', {
      on: 'route',
      do: 'add',
      to: cidr('10.9.0.0/16'),
      hops: [
        { via: ip('10.0.0.7'), weight: weights[0] },
        { via: ip('10.0.1.7'), weight: weights[1] },
      ],
    })
  const share = (requests: ReadonlyArray<Request>): number => {
    let first = 0
    inPlane(worldOf([...TWO, ...requests]), 'a', (space) => {
      for (let i = 0; i < 1000; i++) {
        const told = routeGet(space, { to: ip(`10.9.${i >> 8}.${i & 255}`) })
        if ('dev' in told && told.dev === 'eth0') first++
      }
    })
    return first
  }

  test('share destinations by their weights', () => {
    expect(share([hops([1, 1])])).toBeGreaterThan(420)
    expect(share([hops([1, 1])])).toBeLessThan(580)
    expect(share([hops([3, 1])])).toBeGreaterThan(690)
  })

  test('but not with one whose device is down', () => {
    expect(share([hops([1, 1]), at('a', down('eth0'))])).toBe(0)
  })

  test('are chosen by addresses alone: the same every time, and one way is not the other', () => {
    expect(flowHash(ip('10.0.0.1'), ip('10.0.0.2'))).toBe(flowHash(ip('10.0.0.1'), ip('10.0.0.2')))
    expect(flowHash(ip('10.0.0.1'), ip('10.0.0.2'))).not.toBe(flowHash(ip('10.0.0.2'), ip('10.0.0.1')))
    expect(upperBounds([1, 0, 1])).toEqual([2 ** 30 - 1, -1, 2 ** 31 - 1])
  })
})

describe('a source', () => {
  test('of IPv4 is the first of its subnet, and of a wide enough scope', () => {
    const requests = [
      at('a', has('eth0', '10.0.0.2/24')),
      at('a', has('eth0', '10.3.0.1/24', { scope: 'host' })),
      at('a', route('10.9.0.0/16', { via: '10.0.0.7' })),
    ]
    expect(get(requests, '10.9.0.1')).toBe('unicast via 10.0.0.7 eth0 src 10.0.0.1')
  })

  test.each([
    ['2001:db8:5::1', '2001:db8::1'],
    ['fd77::1', 'fd00::1'],
    ['2002::1', '2001:db8::1'],
  ])('of IPv6 for %s is %s: alike in label and prefix', (to, src) => {
    const requests = [...on('a', 'eth0', '2001:db8::1/64'), via('a', '::/0', 'fd00::7')]
    expect(get(requests, to)).toBe(`unicast via fd00::7 eth0 src ${src}`)
  })

  test('for masquerading is of the device and near the next hop', () => {
    inPlane(worldOf([...TWO, ...on('a', 'eth1', '10.5.0.1/24')]), 'a', (space) => {
      const dev = deviceOf(space, 'eth1')
      if (dev === null) throw new Error('no device')
      expect(ipParts.selectSource(dev, ip('10.9.9.9'), ip('10.5.0.9'))).toBe(ip('10.5.0.1'))
      expect(ipParts.selectSource(dev, ip('10.9.9.9'), ip('10.9.9.9'))).toBe(ip('10.0.1.1'))
    })
  })
})

test('a type of an address is what the local table says, on whatever device, but link-local ones on theirs', () => {
  inPlane(worldOf(TWO), 'a', (space) => {
    const [eth0, eth1] = [deviceOf(space, 'eth0'), deviceOf(space, 'eth1')]
    const own = eth0?.link.addresses.find(
      ({ cidr: { ip: address } }) => typeof address === 'bigint' && address >> 118n === 0x3fan,
    )
    expect(ipParts.typeOf(space, ip('10.0.1.1'), eth0)).toBe('local')
    expect(ipParts.typeOf(space, ip('10.0.1.255'), null)).toBe('broadcast')
    expect(ipParts.typeOf(space, ip('10.7.7.7'), null)).toBe('unicast')
    expect(ipParts.typeOf(space, ip('fd00:1::1'), eth0)).toBe('local')
    if (own === undefined) throw new Error('no link-local address')
    expect([eth0, eth1].map((dev) => ipParts.typeOf(space, own.cidr.ip, dev))).toEqual(['local', 'unicast'])
  })
  expect(ifName('eth0')).toBe('eth0')
})
