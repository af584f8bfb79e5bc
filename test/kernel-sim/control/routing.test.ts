// What the stack answers about addresses, routes, rules and neighbours, and tells of them. Each fact was seen on Linux 6.18.

import { describe, expect, test } from 'vitest'
import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { deviceSysctl, FORWARD6 } from '../../../src/kernel/sysctl.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip } from '../../../src/net/ip.ts'
import { ifName } from '../../../src/net/name.ts'
import {
  addressesOn,
  down,
  has,
  LOOPBACK,
  last,
  local4,
  local6,
  macOf,
  main4,
  main6,
  neighbour,
  pair,
  route,
  set,
  tell,
  up,
  WIRE,
} from './story.ts'

const V0 = ifName('v0')
const four = (lines: ReadonlyArray<string>): ReadonlyArray<string> => lines.filter((line) => !line.includes(':'))

describe('an IPv4 address', () => {
  test('brings its own route at once, the others when its device is up', () => {
    expect(main4(tell(pair('v0', 'v1'), has('v0', '10.0.0.1/24')).h)).toEqual([])
    expect(local4(tell(pair('v0', 'v1'), has('v0', '10.0.0.1/24')).h)).toEqual(['local 10.0.0.1/32 v0 src 10.0.0.1'])
    const { h } = tell(...WIRE, has('v0', '10.0.0.1/24'))
    expect(main4(h)).toEqual(['unicast 10.0.0.0/24 v0 src 10.0.0.1'])
    expect(local4(h)).toEqual(['local 10.0.0.1/32 v0 src 10.0.0.1', 'broadcast 10.0.0.255/32 v0 src 10.0.0.1'])
  })

  test('of a group has no subnet', () => {
    const { h } = tell(...WIRE, has('v0', '224.0.1.1/24'))
    expect([...main4(h), ...local4(h)]).toEqual(['local 224.0.1.1/32 v0 src 224.0.1.1'])
  })

  test('keeps its own route while the device is down', () => {
    const { h } = tell(...WIRE, has('v0', '10.0.0.1/24'), down('v0'))
    expect([main4(h), local4(h)]).toEqual([[], ['local 10.0.0.1/32 v0 src 10.0.0.1']])
  })

  test('without carrier is linkdown, but for its own route', () => {
    const { h } = tell(pair('v0', 'v1'), up('v0'), has('v0', '10.0.0.1/24'))
    expect([...main4(h), ...local4(h)]).toEqual([
      'unicast 10.0.0.0/24 v0 linkdown src 10.0.0.1',
      'local 10.0.0.1/32 v0 src 10.0.0.1',
      'broadcast 10.0.0.255/32 v0 linkdown src 10.0.0.1',
    ])
  })

  test('of a loopback makes its whole subnet local', () => {
    expect(local4(tell(LOOPBACK).h)).toEqual([
      'local 127.0.0.0/8 lo src 127.0.0.1',
      'local 127.0.0.1/32 lo src 127.0.0.1',
      'broadcast 127.255.255.255/32 lo src 127.0.0.1',
    ])
  })

  test('stands before wider ones, and after those of its scope; secondary ones come last', () => {
    const { h } = tell(
      ...WIRE,
      has('v0', '10.0.0.1/24'),
      has('v0', '10.0.0.2/24'),
      has('v0', '10.0.7.9/24', { scope: 'link' }),
      has('v0', '10.0.8.9/24'),
      has('v0', '127.0.0.9/8'),
    )
    expect(four(addressesOn(h, 'v0'))).toEqual([
      '127.0.0.9/8',
      '10.0.7.9/24',
      '10.0.0.1/24',
      '10.0.8.9/24',
      '10.0.0.2/24 secondary',
    ])
  })

  test.each([
    ['EEXIST', has('v0', '10.0.0.1/24')],
    ['EINVAL', has('v0', '10.0.0.9/24', { scope: 'link' })],
    [null, has('v0', '10.0.0.1/25')],
    [null, has('v0', '10.0.0.1/24', { do: 'replace', metric: 9 })],
    [null, has('v0', '0.0.0.0/8')],
    ['EADDRNOTAVAIL', has('v0', '10.0.0.1/25', { do: 'delete' })],
    ['EADDRNOTAVAIL', has('v0', '10.0.0.1/24', { do: 'delete', label: 'x' })],
    ['EINVAL', has('v0', '10.0.0.7/24', { peer: ip('fd00::1') })],
    ['ENODEV', has('gone', '10.0.0.7/24')],
  ])('beside 10.0.0.1/24 is answered with %s', (errno, ask) => {
    expect(last(...WIRE, has('v0', '10.0.0.1/24'), ask)).toBe(errno)
  })

  test('point to point has the route of its other end', () => {
    const { h } = tell(
      ...WIRE,
      has('v0', '10.1.0.1/32', { peer: ip('10.1.0.2') }),
      has('v0', '10.2.0.1/24', { peer: ip('10.2.0.7'), broadcast: '+' }),
    )
    expect(four(addressesOn(h, 'v0'))).toEqual(['10.1.0.1/32 peer 10.1.0.2', '10.2.0.1/24 peer 10.2.0.7'])
    expect(main4(h)).toEqual(['unicast 10.1.0.2/32 v0 src 10.1.0.1', 'unicast 10.2.0.0/24 v0 src 10.2.0.1'])
  })

  test('gives its route another metric when it is replaced, and none with noprefixroute', () => {
    const ten = has('v0', '10.0.0.1/24', { metric: 7 })
    expect(main4(tell(...WIRE, ten).h)).toEqual(['unicast 10.0.0.0/24 v0 metric 7 src 10.0.0.1'])
    expect(main4(tell(...WIRE, ten, has('v0', '10.0.0.1/24', { do: 'replace' })).h)).toEqual([
      'unicast 10.0.0.0/24 v0 src 10.0.0.1',
    ])
    expect(main4(tell(...WIRE, has('v0', '10.0.0.1/24', { noprefixroute: true })).h)).toEqual([])
  })

  test('that goes takes the routes along which prefer it, on whatever device', () => {
    const { h } = tell(
      ...WIRE,
      has('v0', '10.0.0.1/24'),
      has('v1', '10.1.0.1/24'),
      route('10.9.0.0/24', { dev: 'v1', src: ip('10.0.0.1') }),
      has('v0', '10.0.0.1/24', { do: 'delete' }),
    )
    expect(main4(h)).toEqual(['unicast 10.1.0.0/24 v1 src 10.1.0.1'])
  })
})

describe('an IPv6 address', () => {
  test('brings a local route, one of its prefix, and the groups with it', () => {
    const { h } = tell(pair('v0', 'v1'), has('v0', 'fd00::1/64'), up('v0'), has('v0', 'fd01::1/64'))
    expect(main6(h)).toEqual(['unicast fd00::/64 v0 linkdown metric 256', 'unicast fd01::/64 v0 linkdown metric 256'])
    expect(local6(h)).toEqual([
      'local fd00::1/128 v0',
      'local fd01::1/128 v0',
      'multicast ff00::/8 v0 linkdown metric 256',
    ])
  })

  test('stands before those of its scope', () => {
    const { h } = tell(...WIRE, has('v0', 'fd00::1/64'), has('v0', 'fd00::2/64'), has('v0', 'fe80::7/64'))
    expect(addressesOn(h, 'v0')).toEqual(['fd00::2/64', 'fd00::1/64', 'fe80::7/64', 'fe80::ff:fe00:1/64'])
  })

  test('with a peer has two routes', () => {
    expect(main6(tell(...WIRE, has('v0', 'fd05::1/64', { peer: ip('fd05::2') })).h).slice(0, 2)).toEqual([
      'unicast fd05::/64 v0 metric 256',
      'unicast fd05::2/128 v0 metric 256',
    ])
  })

  test('keeps its prefix length and its metric when it is replaced, and loses its flags', () => {
    const { h } = tell(
      ...WIRE,
      has('v0', 'fd00::1/64', { nodad: true }),
      has('v0', 'fd00::1/64', { do: 'replace', metric: 99 }),
      has('v0', 'fd00::1/65', { do: 'replace' }),
    )
    expect(addressesOn(h, 'v0')[0]).toBe('fd00::1/64')
    expect(main6(h)[0]).toBe('unicast fd00::/64 v0 metric 99')
  })

  test('of a router has its subnet’s anycast address', () => {
    const forwarding = (value: string): Ask => ({ on: 'sysctl', do: 'write', name: FORWARD6, value })
    const { h } = tell(...WIRE, has('v0', 'fd00::1/64'), forwarding('1'))
    expect(local6(h)).toContain('anycast fd00::/128 v0')
    expect(local6(tell(...WIRE, forwarding('1'), has('v0', 'fd00::1/64'), forwarding('0')).h)).not.toContain(
      'anycast fd00::/128 v0',
    )
  })

  test('of link-local scope comes by itself, but not where none is to be made', () => {
    expect(addressesOn(tell(pair('v0', 'v1'), set('v0', { addrGenMode: 'none' }), up('v0'), up('v1')).h, 'v0')).toEqual(
      [],
    )
    expect(last(pair('v0', 'v1'), set('v0', { mtu: 1000 }), set('v0', { addrGenMode: 'none' }))).toBe('EAFNOSUPPORT')
  })

  test('comes again when IPv6 is switched on', () => {
    const disable = (value: string): Ask => ({
      on: 'sysctl',
      do: 'write',
      name: deviceSysctl(6, V0, 'disable_ipv6'),
      value,
    })
    expect(addressesOn(tell(...WIRE, has('v0', 'fd00::1/64'), disable('1')).h, 'v0')).toEqual([])
    expect(addressesOn(tell(...WIRE, disable('1'), disable('0')).h, 'v0')).toEqual(['fe80::ff:fe00:1/64'])
  })
})

describe('an IPv4 route', () => {
  const there = [LOOPBACK, ...WIRE, has('v0', '10.0.0.1/24')]
  const hops = (...vias: ReadonlyArray<string>) => vias.map((via) => ({ via: ip(via), dev: V0 }))

  test.each([
    [null, route('10.9.0.0/24', { type: 'blackhole' })],
    ['EINVAL', route('10.9.0.0/24', { type: 'blackhole', dev: 'v0' })],
    ['ENODEV', route('10.9.0.0/24', {})],
    ['EINVAL', route('10.9.0.0/24', { dev: 'v0', tos: 1 })],
    ['EINVAL', route('10.9.0.0/24', { dev: 'v0', src: ip('10.0.0.77') })],
    [null, route('10.9.0.0/24', { dev: 'v0', src: ip('10.0.0.1'), table: 77 })],
    ['EINVAL', route('10.9.0.0/24', { dev: 'v0', type: 'local', scope: 'global' })],
    ['EINVAL', route('10.9.0.0/24', { via: '10.0.0.9', dev: 'v0', scope: 'host' })],
    [null, route('10.9.0.0/24', { via: '10.0.0.9' })],
    ['ENETUNREACH', route('10.9.0.0/24', { via: '10.77.0.1', dev: 'v0' })],
    [null, route('10.9.0.0/24', { via: '10.77.0.1', dev: 'v0', onlink: true })],
    ['EINVAL', route('10.9.0.0/24', { via: '127.0.0.1', dev: 'v0', onlink: true })],
    ['EINVAL', route('10.9.0.0/24', { dev: 'v0', onlink: true })],
    ['ENOENT', route('10.9.0.0/24', { do: 'change', dev: 'v0' })],
    ['ESRCH', route('10.9.0.0/24', { do: 'delete' })],
    ['ESRCH', route('10.0.0.0/24', { do: 'delete', table: 77 })],
    [null, route('10.0.0.0/24', { do: 'delete' })],
    [null, route('10.9.0.0/24', { hops: hops('10.0.0.5', '10.0.0.6') })],
    ['EEXIST', route('10.0.0.0/24', { dev: 'v0' })],
    [null, route('10.0.0.0/24', { dev: 'v0', tos: 0x10 })],
    [null, route('10.0.0.0/24', { do: 'append', dev: 'v0' })],
  ])('is answered with %s (%#)', (errno, ask) => {
    expect(last(...there, ask)).toBe(errno)
  })

  test('of several hops lives while one of them does', () => {
    const multi = route('10.9.0.0/24', { hops: [{ via: ip('10.0.0.5'), dev: V0, weight: 3 }, { dev: ifName('v2') }] })
    const two = [...there, pair('v2', 'v3'), up('v2'), up('v3'), multi]
    expect(main4(tell(...two).h)).toContain('unicast 10.9.0.0/24 via 10.0.0.5 v0 weight 3, v2')
    expect(main4(tell(...two, down('v2')).h)).toContain(
      'unicast 10.9.0.0/24 via 10.0.0.5 v0 weight 3, v2 dead linkdown',
    )
    expect(main4(tell(...two, down('v2'), down('v0')).h)).toEqual([])
    expect(main4(tell(...two, down('v2'), up('v2')).h)).toContain('unicast 10.9.0.0/24 via 10.0.0.5 v0 weight 3, v2')
  })

  test('that leads nowhere outlives all devices', () => {
    expect(main4(tell(...there, route('10.9.0.0/24', { type: 'throw' }), down('v0'), down('lo')).h)).toEqual([
      'throw 10.9.0.0/24',
    ])
  })
})

describe('an IPv6 route', () => {
  const there = [LOOPBACK, ...WIRE, has('v0', 'fd00::1/64')]
  const multi = route('fdaa::/64', {
    hops: [
      { via: ip('fd00::5'), dev: V0, weight: 3 },
      { via: ip('fd00::6'), dev: V0 },
    ],
  })

  test.each([
    [null, route('fd0a::/64', { type: 'blackhole' })],
    [null, route('fd0b::/64', { type: 'unreachable', dev: 'v0' })],
    ['EINVAL', route('fd0a::/64', { type: 'blackhole', src: ip('fd00::77') })],
    ['EINVAL', route('fd0a::/64', { dev: 'v0', tos: 0x10 })],
    ['EINVAL', route('fdab::/64', { hops: [{ dev: V0 }, { via: ip('fd00::6') }] })],
    [null, route('fdac::/64', { via: 'fdad::1', dev: 'v0', onlink: true })],
    ['EHOSTUNREACH', route('fdac::/64', { via: 'fdad::1', dev: 'v0' })],
    ['EINVAL', route('fdac::/64', { via: 'fe80::9' })],
    ['ENODEV', route('fdac::/64', {})],
    [null, route('fdac::/64', { via: 'fd00::9' })],
    ['ENOENT', route('fdac::/64', { do: 'change', dev: 'v0' })],
  ])('is answered with %s (%#)', (errno, ask) => {
    expect(last(...there, ask)).toBe(errno)
  })

  test('of several hops is told as one, which more can join', () => {
    const joined = [...there, multi, route('fdaa::/64', { do: 'append', via: 'fd00::7', dev: 'v0' })]
    const line = 'unicast fdaa::/64 via fd00::5 v0 weight 3, via fd00::6 v0, via fd00::7 v0 metric 1024'
    expect(main6(tell(...joined).h)).toContain(line)
    const replaced = tell(...joined, route('fdaa::/64', { do: 'replace', via: 'fd00::8', dev: 'v0' })).h
    expect(main6(replaced)).toContain('unicast fdaa::/64 via fd00::8 v0 metric 1024')
    expect(main6(tell(...joined, route('fdaa::/64', { do: 'delete' })).h).join()).not.toContain('fdaa')
  })

  test('that leads nowhere is loopback’s, and goes with it', () => {
    const end = route('fd0a::/64', { type: 'prohibit', metric: 7 })
    expect(main6(tell(...there, end).h)).toContain('prohibit fd0a::/64 lo metric 7')
    expect(main6(tell(...there, end, down('lo')).h).join()).not.toContain('fd0a')
  })
})

describe('a rule', () => {
  const rule = (more: object): Ask => ({ on: 'rule', do: 'add', family: 4, ...more }) as Ask
  const priorities = (...asks: ReadonlyArray<Ask>): ReadonlyArray<number> =>
    tell(...asks)
      .h.rules.filter(({ family }) => family === 4)
      .map(({ priority }) => priority)

  test('without a priority stands before the second of all', () => {
    const net = cidr('10.0.0.0/24')
    expect(priorities(rule({ from: net, action: { lookup: 77 } }), rule({ to: net, action: { lookup: 77 } }))).toEqual([
      0, 32_764, 32_765, 32_766, 32_767,
    ])
  })

  test.each([
    ['EEXIST', rule({ priority: 5, mark: { value: 3 }, action: { is: 'blackhole' } })],
    ['EINVAL', rule({ priority: 9, action: { goto: 3 } })],
    ['EINVAL', rule({ do: 'delete', priority: 9, action: { goto: 3 } })],
    ['ENOENT', rule({ do: 'delete', priority: 3 })],
    [null, rule({ do: 'delete', priority: 0 })],
    [null, rule({ priority: 32_766 })],
  ])('is answered with %s', (errno, ask) => {
    expect(last(rule({ priority: 5, mark: { value: 3 }, action: { is: 'blackhole' } }), ask)).toBe(errno)
  })

  test('decides where a gateway is looked for', () => {
    const own = route('10.9.0.0/24', { via: '10.0.0.9', dev: 'v0' })
    const there = [...WIRE, has('v0', '10.0.0.1/24')]
    expect(
      last(...there, rule({ priority: 3, action: { is: 'prohibit' } }), rule({ do: 'delete', priority: 0 }), own),
    ).toBe('EACCES')
    expect(last(...there, rule({ do: 'delete', priority: 32_766 }), own)).toBe('ENETUNREACH')
  })
})

describe('a neighbour', () => {
  const mac = macOf(9)
  const there = [...WIRE, has('v0', '10.0.0.1/24'), has('v0', 'fd00::1/64')]
  const known = (...asks: ReadonlyArray<Ask>): ReadonlyArray<string> =>
    tell(...there, ...asks).h.neighbours.map(
      ({ ip: of, state, proxy }) => `${of === ip('10.0.0.9') ? 'nine' : 'other'} ${proxy ? 'proxy' : state}`,
    )

  test.each([
    ['EEXIST', neighbour('v0', '10.0.0.9', { mac })],
    ['ENOENT', neighbour('v0', '10.0.0.8', { do: 'change', mac })],
    ['EINVAL', neighbour('v0', '10.0.0.8')],
    [null, neighbour('v0', '10.0.0.8', { state: 'failed' })],
    [null, neighbour('v0', '10.0.0.9', { do: 'change', state: 'noarp' })],
    [null, neighbour('v0', '10.0.0.8', { proxy: true })],
    ['ENOENT', neighbour('v0', '10.0.0.8', { do: 'delete', proxy: true })],
    ['ENOENT', neighbour('v0', '10.0.0.8', { do: 'delete' })],
  ])('is answered with %s (%#)', (errno, ask) => {
    expect(last(...there, neighbour('v0', '10.0.0.9', { mac }), ask)).toBe(errno)
  })

  test('that was added without a MAC is refused, and there', () => {
    expect(known(neighbour('v0', '10.0.0.9'))).toEqual(['nine NONE'])
    expect(last(...there, neighbour('v0', '10.0.0.9'), neighbour('v0', '10.0.0.9', { mac }))).toBe('EEXIST')
  })

  test('that is permanent outlives a loss of carrier, but neither a new MAC nor down', () => {
    const two = [neighbour('v0', '10.0.0.9', { mac }), neighbour('v0', 'fd00::9', { mac, state: 'noarp' })]
    expect(known(...two, down('v1'))).toEqual(['nine PERMANENT'])
    expect(known(...two, set('v0', { mac: macOf(5) }))).toEqual([])
    expect(known(...two, down('v0'))).toEqual([])
  })

  test('goes with the last address of its family', () => {
    expect(known(neighbour('v0', '10.0.0.9', { mac }), has('v0', '10.0.0.1/24', { do: 'delete' }))).toEqual([])
  })
})
