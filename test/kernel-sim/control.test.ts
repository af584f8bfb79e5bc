// What the simulated kernel answers to single operations: namespaces, links, bridges. Each fact was seen on Linux 6.18;
// test/lockstep/ops.test.ts keeps looking for the ones that are missing here.

import { describe, expect, test } from 'vitest'
import type { Link } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import { deviceSysctl } from '../../src/kernel/sysctl.ts'
import { hasCarrier } from '../../src/kernel-sim/control/carrier.ts'
import { hostWorld } from '../../src/kernel-sim/control.ts'
import { applyAll, simKernel } from '../../src/kernel-sim/kernel.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { mac, ZERO_MAC } from '../../src/net/mac.ts'
import { HOST, ifName, LO } from '../../src/net/name.ts'
import { emptyMap } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import {
  add,
  addresses,
  answers,
  BR0,
  BR1,
  bridge,
  C1,
  C2,
  del,
  down,
  ETH0,
  errno,
  host,
  inside,
  linkOf,
  lo,
  member,
  mtu,
  netns,
  on,
  route,
  routes,
  set,
  sysctl,
  up,
  V0,
  V1,
  veth,
  wired,
} from './objects.ts'

describe('a namespace', () => {
  test('starts with its loopback, which is down, and nothing else', () => {
    const seen = observe(host(add(netns(C1))), { namespaces: [C1], sysctls: [] })
    expect(objectsOf(seen)).toEqual([{ ...lo(C1), up: false }, netns(C1)])
  })

  test('is there once', () => {
    expect(errno(host(add(netns(C1))), add(netns(C1)))).toBe('EEXIST')
    expect(errno(hostWorld(), del(netns(C1)))).toBe('ENOENT')
    expect(errno(hostWorld(), add(on('lo', '10.0.0.1/24', C1)))).toBe('ENOENT')
  })

  test('takes the other ends of its veths along, off their bridges', () => {
    const world = wired(add(bridge()), add(member()), del(netns(C1)))
    expect(linkOf(world, HOST, V0)).toBeUndefined()
    expect(linkOf(world, HOST, BR0)?.ports).toEqual(emptyMap())
  })
})

describe('a link', () => {
  test.each(
    answers([
      ['EEXIST', bridge(V0)],
      ['EEXIST', veth(V0)],
      ['EEXIST', veth(V1, C1)],
      ['EEXIST', { ...veth(V1), spec: { type: 'veth', peer: { ns: HOST, name: V1 } } }],
      ['EEXIST', lo()],
      ['EOPNOTSUPP', { ...lo(), name: ifName('lo2') }],
      ['ENOENT', veth(V1, C2)],
      ['ENOENT', { ...bridge(), ns: C2 }],
      ['EADDRNOTAVAIL', bridge(BR0, { mac: ZERO_MAC })],
      ['EADDRNOTAVAIL', bridge(V0, { mac: mac(0x010000000001) })],
      ['EINVAL', veth(V0, C1, { mtu: 67 })],
      ['EEXIST', bridge(V0, { mtu: 67 })],
      ['EINVAL', bridge(BR0, { mtu: 65536 })],
      ['EINVAL', bridge(ifName('all'))],
      ['EINVAL', bridge(BR0, { alias: 'x'.repeat(256) })],
    ]),
  )('is refused with $expected: $command', ({ expected, object }) => {
    expect(errno(wired(), add(object))).toBe(expected)
  })

  test('is changed if it is there, and only in what differs', () => {
    expect(errno(hostWorld(), up(veth()))).toBe('ENODEV')
    expect(errno(hostWorld(), set(veth(), {}))).toBeNull()
    expect(errno(wired(), set(veth(), { mtu: 67 }))).toBe('EINVAL')
    expect(errno(wired(), set(veth(), { mac: mac(0x010000000001) }))).toBe('EADDRNOTAVAIL')
  })

  test('is deleted with its other end; a loopback cannot be', () => {
    expect(linkOf(wired(del(veth())), C1, ETH0)).toBeUndefined()
    expect(linkOf(wired(del(inside())), HOST, V0)).toBeUndefined()
    expect(errno(hostWorld(), del(lo()))).toBe('EOPNOTSUPP')
    expect(errno(hostWorld(), del(bridge()))).toBe('ENODEV')
  })

  test("brings a veth's other end: down, with 1500 bytes and the same MAC in every simulation", () => {
    const end = (): unknown => linkOf(host(add(netns(C1)), add(veth(V0, C1, { mtu: 9000 }))), C1, ETH0)
    expect(end()).toMatchObject({ up: false, mtu: 1500 })
    expect(end()).toEqual(end())
  })

  test('has carrier when the other end is up, a bridge when a port has', () => {
    const carrier = (world: World, dev: typeof V0): boolean => {
      const link = linkOf(world, HOST, dev)
      return link !== undefined && hasCarrier(link)
    }
    const half = host(add(netns(C1)), add(veth()), add(bridge()), add(member()))
    expect([carrier(half, V0), carrier(half, BR0)]).toEqual([false, false])
    const whole = wired(add(bridge()), add(member()))
    expect([carrier(whole, V0), carrier(whole, BR0)]).toEqual([true, true])
  })
})

describe('going up and down', () => {
  test('a loopback gets its addresses', () => {
    expect(addresses(host(up(lo())), 'lo')).toEqual(['127.0.0.1/8', '::1/128'])
    expect(addresses(host(up(lo()), down(lo())), 'lo')).toEqual(['127.0.0.1/8'])
  })

  test('a veth gets its link-local address when there is carrier, from the MAC it has then', () => {
    const half = host(add(netns(C1)), add(veth()))
    expect(addresses(half, 'v0')).toEqual([])
    expect(addresses(wired(), 'v0')).toEqual(['fe80::ff:fe00:1/64'])
    const renamed = wired(set(veth(), { mac: mac(0x020000000009) }))
    expect(addresses(renamed, 'v0')).toEqual(['fe80::ff:fe00:1/64'])
  })

  test('connected routes come with up', () => {
    const world = wired(down(veth()), add(on('v0', '10.0.0.1/24')), add(on('v0', 'fd00::1/64')))
    expect(routes(world)).toEqual([])
    const raised = applyAll(world, [up(veth())]).world
    expect(routes(raised)).toEqual(
      expect.arrayContaining(['10.0.0.0/24 v0 0 kernel', 'fd00::/64 v0 256 kernel', 'fe80::/64 v0 256 kernel']),
    )
  })

  test('down takes all routes and the IPv6 addresses, and leaves the IPv4 ones', () => {
    const world = wired(
      add(on('v0', '10.0.0.1/24')),
      add(on('v0', 'fd00::1/64')),
      add(route('10.9.0.0/24', '10.0.0.9')),
    )
    const lowered = applyAll(world, [down(veth())]).world
    expect([addresses(lowered, 'v0'), routes(lowered)]).toEqual([['10.0.0.1/24'], []])
  })

  test('below 1280 bytes there is no IPv6, and back above it starts anew', () => {
    const world = wired(add(on('v0', 'fd00::1/64')), set(veth(), { mtu: 1279 }))
    expect(addresses(world, 'v0')).toEqual([])
    expect(errno(world, add(on('v0', 'fd00::1/64')))).toBe('EINVAL')
    expect(errno(world, del(on('v0', 'fd00::1/64')))).toBe('ENXIO')
    expect(errno(world, add(route('fd09::/64', null)))).toBe('ENODEV')
    const grown = applyAll(world, [set({ ...veth(), mtu: 1279 }, { mtu: 1500 })]).world
    expect(addresses(grown, 'v0')).toEqual(['fe80::ff:fe00:1/64'])
  })

  test('disable_ipv6 does the same', () => {
    const off = sysctl(deviceSysctl(6, V0, 'disable_ipv6'), '1')
    const world = wired(add(on('v0', 'fd00::1/64')), add(off))
    expect(addresses(world, 'v0')).toEqual([])
    expect(errno(world, add(on('v0', 'fd00::1/64')))).toBe('EACCES')
    expect(errno(world, add(route('fd09::/64', 'fe80::9')))).toBe('EACCES')
    expect(errno(world, add(route('fd09::/64', 'fd00::9')))).toBe('EHOSTUNREACH')
    expect(addresses(applyAll(world, [del(off)]).world, 'v0')).toEqual(['fe80::ff:fe00:1/64'])
  })
})

describe('a bridge', () => {
  const two = (more: Partial<Link>, ...ops: ReadonlyArray<KernelOp>): World =>
    host(
      add(netns(C1)),
      add(netns(C2)),
      add(bridge(BR0, more)),
      add(veth(V0, C1, { mtu: 1400 })),
      add(veth(V1, C2, { mtu: 1300 })),
      ...ops,
    )

  test('has the smallest MTU of its ports, and 1500 without any', () => {
    expect(mtu(two({}, add(member(V0))))).toBe(1400)
    expect(mtu(two({}, add(member(V0)), add(member(V1))))).toBe(1300)
    expect(mtu(two({}, add(member(V0)), add(member(V1)), del(veth(V1, C2))))).toBe(1400)
    expect(mtu(two({}, add(member(V0)), del(member(V0))))).toBe(1500)
    expect(mtu(two({}, add(member(V0)), set(veth(), { mtu: 1350 })))).toBe(1350)
  })

  test('keeps the MTU it was given', () => {
    expect(mtu(two({ mtu: 1450 }, add(member(V0))))).toBe(1450)
    expect(mtu(two({}, add(member(V0)), set(bridge(), { mtu: 1450 }), add(member(V1))))).toBe(1450)
  })

  test.each(
    answers([
      ['ENODEV', member(ifName('gone'))],
      ['ENODEV', member(V0, ifName('gone'))],
      ['EOPNOTSUPP', member(V0, V0)],
      ['EINVAL', member(LO)],
      ['ELOOP', member(BR1)],
      ['ELOOP', member(BR0)],
    ]),
  )('refuses with $expected: $command', ({ expected, object }) => {
    expect(errno(wired(add(bridge()), add(bridge(BR1))), add(object))).toBe(expected)
  })

  test('takes a link from another bridge, with plain flags', () => {
    const world = wired(add(bridge()), add(bridge(BR1)), add(member(V0, BR0, { isolated: true })), add(member(V0, BR1)))
    expect(linkOf(world, HOST, V0)?.port).toMatchObject({ bridge: BR1, isolated: false, hairpin: false })
    expect(linkOf(world, HOST, BR0)?.ports).toEqual(emptyMap())
  })

  test('is left without an error by what is not on it', () => {
    expect(errno(wired(), del(member()))).toBeNull()
    expect(errno(wired(), { verb: 'change', from: member(), object: member(V0, BR0, { hairpin: true }) })).toBe(
      'EOPNOTSUPP',
    )
  })

  test('releases its ports when it goes', () => {
    expect(linkOf(wired(add(bridge()), add(member()), del(bridge())), HOST, V0)?.port).toBeNull()
  })
})

describe('the port over a world', () => {
  test('goes on after a refusal and reports each with its place', async () => {
    const kernel = simKernel()
    const ops = [
      add(netns(C1)),
      add(veth()),
      add(veth()),
      add(netns(C1)),
      add({ kind: 'port', ns: HOST, dev: ifName('v0'), bridge: ifName('br0'), isolated: false, hairpin: false }),
    ]
    const refused = await kernel.apply(ops)()
    expect(E.isLeft(refused) && !('tag' in refused.left) && refused.left.map(({ at, errno }) => [at, errno])).toEqual([
      [2, 'EEXIST'],
      [3, 'EEXIST'],
      [4, 'ENOENT'],
    ])
    const seen = await kernel.observe({ namespaces: [C1], sysctls: [] })()
    expect(E.isRight(seen) && objectsOf(seen.right).map((object) => object.kind)).toEqual(['link', 'link', 'netns'])
  })

  test('does nothing until it is run, and goes back to any world', async () => {
    const kernel = simKernel()
    const before = kernel.world()
    const task = kernel.apply([add(netns(C1))])
    expect(kernel.world()).toBe(before)
    expect(await task()).toEqual(E.right(undefined))
    expect(kernel.world()).not.toBe(before)
    kernel.reset(before)
    expect(kernel.world()).toBe(before)
  })
})
