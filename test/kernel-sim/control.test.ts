// What the simulated kernel answers to single operations. Each fact was seen on Linux 6.18; test/lockstep/ops.test.ts keeps
// looking for the ones that are missing here.

import { describe, expect, test } from 'vitest'
import { masqueradeElement, publishElement, skeletonTable, subnetElement } from '../../src/kernel/firewall/elements.ts'
import type { KernelObject, Link } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { commandsOf } from '../../src/kernel/print.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import { deviceSysctl, FORWARD4, type SysctlName } from '../../src/kernel/sysctl.ts'
import { hasCarrier } from '../../src/kernel-sim/control/carrier.ts'
import { linkOf } from '../../src/kernel-sim/control/world.ts'
import { applyOp, hostWorld } from '../../src/kernel-sim/control.ts'
import { applyAll, simKernel } from '../../src/kernel-sim/kernel.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { cidr, showCidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { mac, ZERO_MAC } from '../../src/net/mac.ts'
import { HOST, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { getIn, valuesOf } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'

const C1 = ns('c1')
const C2 = ns('c2')
const BR0 = ifName('br0')
const BR1 = ifName('br1')
const V0 = ifName('v0')
const V1 = ifName('v1')
const ETH0 = ifName('eth0')

const add = (object: KernelObject): KernelOp => ({ verb: 'create', object })
const del = (object: KernelObject): KernelOp => ({ verb: 'delete', object })
const set = (from: Link, to: Partial<Link>): KernelOp => ({ verb: 'change', from, object: { ...from, ...to } })

const netns = (name: Ns): KernelObject => ({ kind: 'netns', ns: name })
const base = { kind: 'link', mac: mac(0x020000000001), mtu: 1500, up: true, alias: null } as const
const bridge = (name = BR0, more: Partial<Link> = {}): Link => ({
  ...base,
  ns: HOST,
  name,
  spec: { type: 'bridge' },
  ...more,
})
const veth = (name = V0, room = C1, more: Partial<Link> = {}): Link => ({
  ...base,
  ns: HOST,
  name,
  spec: { type: 'veth', peer: { ns: room, name: ETH0 } },
  ...more,
})
const inside = (room = C1): Link => ({
  ...veth(V0),
  ns: room,
  name: ETH0,
  spec: { type: 'veth', peer: { ns: HOST, name: V0 } },
})
const lo = (room = HOST): Link => ({
  ...base,
  ns: room,
  name: LO,
  spec: { type: 'loopback' },
  mac: ZERO_MAC,
  mtu: 65536,
})
const up = (link: Link): KernelOp => set({ ...link, up: false }, { up: true })
const down = (link: Link): KernelOp => set({ ...link, up: true }, { up: false })
const on = (dev: string, text: string, room = HOST): KernelObject => ({
  kind: 'address',
  ns: room,
  dev: ifName(dev),
  cidr: cidr(text),
})
const route = (to: string, via: string | null, dev = V0, metric = 0): KernelObject => ({
  kind: 'route',
  ns: HOST,
  to: cidr(to),
  via: via === null ? null : ip(via),
  dev,
  metric,
})
const member = (dev = V0, master = BR0, more = {}): KernelObject => ({
  kind: 'port',
  ns: HOST,
  dev,
  bridge: master,
  isolated: false,
  hairpin: false,
  ...more,
})
const sysctl = (name: SysctlName, value: string): KernelObject => ({
  kind: 'sysctl',
  ns: HOST,
  name,
  value,
  otherwise: '0',
})

/** The host after these operations, all of which Linux accepts. */
const host = (...ops: ReadonlyArray<KernelOp>): World => {
  const { world, refusals } = applyAll(hostWorld(), ops)
  expect(refusals).toEqual([])
  return world
}
/** The host with v0 up and carrying, its other end in c1. */
const wired = (...ops: ReadonlyArray<KernelOp>): World => host(add(netns(C1)), add(veth()), up(inside()), ...ops)

/** Rows of a table of answers, with the command that each object's creation stands for. */
const answers = (
  rows: ReadonlyArray<readonly [string | null, KernelObject]>,
): ReadonlyArray<Readonly<{ expected: string | null; object: KernelObject; command: string }>> =>
  rows.map(([expected, object]) => {
    const [command] = commandsOf(add(object), (name) => name)
    return { expected, object, command: command === undefined ? '' : `${command.tool} ${command.text}` }
  })

const errno = (world: World, op: KernelOp): string | null => {
  const result = applyOp(world, op)
  return E.isLeft(result) ? result.left : null
}
const addresses = (world: World, dev: string, room = HOST): ReadonlyArray<string> =>
  linkOf(world, room, ifName(dev))?.addresses.map((entry) => showCidr(entry.cidr)) ?? []
const routes = (world: World, room = HOST): ReadonlyArray<string> =>
  valuesOf(getIn(world.namespaces, room)?.routes ?? { root: null }).map(
    ({ to, dev, metric, origin }) => `${showCidr(to)} ${dev} ${metric} ${origin}`,
  )
const mtu = (world: World, dev = BR0): number | undefined => linkOf(world, HOST, dev)?.mtu
const value = (world: World, name: SysctlName): string | undefined => {
  const [object] = objectsOf(observe(world, { namespaces: [], sysctls: [{ ns: HOST, name }] }))
  return object?.kind === 'sysctl' ? object.value : undefined
}

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
    expect(linkOf(world, HOST, BR0)?.ports).toEqual([])
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
      return link !== undefined && hasCarrier(world, HOST, link)
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
    expect(linkOf(world, HOST, V0)?.port).toEqual({ bridge: BR1, isolated: false, hairpin: false })
    expect(linkOf(world, HOST, BR0)?.ports).toEqual([])
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

describe('an address', () => {
  test.each([
    ['EEXIST', '10.0.0.1/24'],
    [null, '10.0.0.1/25'],
    [null, '0.0.0.0/24'],
    ['EEXIST', 'fd00::1/64'],
    ['EEXIST', 'fd00::1/80'],
    ['EADDRNOTAVAIL', '::1/128'],
    ['EADDRNOTAVAIL', '::/64'],
    ['EADDRNOTAVAIL', 'ff02::5/64'],
  ])('added to 10.0.0.1/24 and fd00::1/64 gives %s: %s', (expected, text) => {
    expect(errno(wired(add(on('v0', '10.0.0.1/24')), add(on('v0', 'fd00::1/64'))), add(on('v0', text)))).toBe(expected)
  })

  test('that is not there cannot be deleted', () => {
    const world = wired(add(on('v0', '10.0.0.1/24')))
    expect(errno(world, del(on('v0', '10.0.0.1/25')))).toBe('EADDRNOTAVAIL')
    expect(errno(world, del(on('v0', 'fd00::1/64')))).toBe('EADDRNOTAVAIL')
    expect(errno(world, del(on('gone', '10.0.0.1/24')))).toBe('ENODEV')
  })

  test('that was first of its subnet takes the others along', () => {
    const three = [on('v0', '10.0.0.1/24'), on('v0', '10.0.0.2/24'), on('v0', '10.0.1.1/24')]
    const world = wired(...three.map(add))
    const rest = (gone: string): ReadonlyArray<string> =>
      addresses(applyAll(world, [del(on('v0', gone))]).world, 'v0').filter((text) => !text.includes(':'))
    expect(rest('10.0.0.2/24')).toEqual(['10.0.0.1/24', '10.0.1.1/24'])
    expect(rest('10.0.0.1/24')).toEqual(['10.0.1.1/24'])
  })

  test('that was the last IPv4 one takes the IPv4 routes of its device along; IPv6 ones stay', () => {
    const world = wired(
      add(on('v0', '10.0.0.1/24')),
      add(on('v0', 'fd00::1/64')),
      add(route('10.9.0.0/24', null)),
      add(route('fd09::/64', null)),
    )
    const gone = applyAll(world, [del(on('v0', '10.0.0.1/24')), del(on('v0', 'fd00::1/64'))]).world
    expect(routes(gone)).toEqual(expect.arrayContaining(['fd09::/64 v0 1024 user', 'fe80::/64 v0 256 kernel']))
    expect(routes(gone).length).toBe(2)
  })
})

describe('a route', () => {
  const world = (): World =>
    wired(
      add(on('v0', '10.0.0.1/24')),
      add(on('v0', 'fd00::1/64')),
      add(route('10.9.0.0/24', '10.0.0.9')),
      add(route('fd09::/64', 'fd00::9')),
      up(lo()),
    )

  test.each(
    answers([
      [null, route('0.0.0.0/0', '10.0.0.9')],
      [null, route('10.8.0.0/24', '10.0.0.1')],
      ['EEXIST', route('10.9.0.0/24', null)],
      ['EEXIST', route('10.0.0.0/24', null)],
      [null, route('10.9.0.0/24', null, V0, 5)],
      ['EINVAL', route('10.9.0.1/24', null)],
      ['EINVAL', route('10.8.0.0/24', 'fd00::9')],
      ['EINVAL', route('10.8.0.0/24', '10.0.0.255')],
      ['ENETUNREACH', route('10.8.0.0/24', '10.77.0.1')],
      ['ENETUNREACH', route('10.8.0.0/24', '10.9.0.7')],
      ['ENODEV', route('10.8.0.0/24', null, ifName('gone'))],
      [null, route('::/0', 'fd00::9')],
      [null, route('fd08::/64', 'fe80::9')],
      [null, route('fd08::1/64', null)],
      ['EEXIST', route('fd09::/64', null)],
      ['EEXIST', route('fd09::/64', null, V0, 1024)],
      [null, route('fd00::/64', null)],
      ['EHOSTUNREACH', route('fd08::/64', 'fd77::1')],
      ['EHOSTUNREACH', route('fd08::/64', 'fd09::7')],
      ['EINVAL', route('fd08::/64', 'fd00::1')],
      ['EINVAL', route('fd08::/64', '::1')],
      ['EINVAL', route('fd08::/64', 'ff02::1')],
      ['EINVAL', route('fd08::/64', 'fe80::9', LO)],
    ]),
  )('is answered with $expected: $command', ({ expected, object }) => {
    expect(errno(world(), add(object))).toBe(expected)
  })

  test('needs a device that is up', () => {
    const lowered = applyAll(world(), [down(veth())]).world
    expect(errno(lowered, add(route('10.8.0.0/24', null)))).toBe('ENETDOWN')
    expect(errno(lowered, add(route('10.8.0.0/24', '10.0.0.9')))).toBe('ENETUNREACH')
    expect(errno(lowered, add(route('fd08::/64', null)))).toBe('ENETDOWN')
    expect(errno(lowered, add(route('fd08::/64', 'fd00::9')))).toBe('EHOSTUNREACH')
  })

  test('is deleted by what is said of it: of IPv4, no metric means the lowest', () => {
    expect(errno(world(), del(route('10.8.0.0/24', null)))).toBe('ESRCH')
    expect(errno(world(), del(route('10.9.0.0/24', '10.0.0.8')))).toBe('ESRCH')
    expect(errno(world(), del(route('10.0.0.0/24', null)))).toBe('ESRCH')
    expect(errno(world(), del(route('10.9.0.0/24', null)))).toBeNull()
    const metrics = applyAll(world(), [
      add(route('10.8.0.0/24', null, V0, 7)),
      add(route('10.8.0.0/24', null, V0, 5)),
    ]).world
    expect(routes(applyAll(metrics, [del(route('10.8.0.0/24', null))]).world)).toContain('10.8.0.0/24 v0 7 user')
  })

  test('is replaced in its place', () => {
    const replaced = applyAll(world(), [
      { verb: 'change', from: route('10.9.0.0/24', null), object: route('10.9.0.0/24', '10.0.0.8') },
    ])
    const seen = objectsOf(observe(replaced.world, { namespaces: [HOST], sysctls: [] }))
    expect(seen).toContainEqual(route('10.9.0.0/24', '10.0.0.8'))
    expect(seen).not.toContainEqual(route('10.9.0.0/24', '10.0.0.9'))
  })
})

describe('the firewall', () => {
  const table = skeletonTable(HOST)
  const publish = (to: string): KernelObject =>
    publishElement(HOST, { ip: ip('0.0.0.0'), port: port(80) }, 'tcp', { ip: ip(to), port: port(80) })
  const masked = (text: string): KernelObject => masqueradeElement(HOST, cidr(text))
  const subnet = (text: string): KernelObject => subnetElement(HOST, BR0, cidr(text))

  test('has its table once, and elements only with it', () => {
    expect(errno(hostWorld(), add(masked('10.0.0.0/24')))).toBe('ENOENT')
    expect(errno(hostWorld(), del(table))).toBe('ENOENT')
    expect(errno(host(add(table)), add(table))).toBe('EEXIST')
    expect(
      errno(host(add(table), add(masked('10.0.0.0/24')), del(table), add(table)), add(masked('10.0.0.0/24'))),
    ).toBeNull()
  })

  test('holds a key once, whatever its value', () => {
    const world = host(add(table), add(publish('10.0.0.2')))
    expect(errno(world, add(publish('10.0.0.2')))).toBe('EEXIST')
    expect(errno(world, add(publish('10.0.0.3')))).toBe('EEXIST')
    expect(errno(world, del(publish('10.0.0.3')))).toBeNull()
    expect(errno(host(add(table)), del(publish('10.0.0.2')))).toBe('ENOENT')
  })

  test.each([
    ['EEXIST', '10.0.0.0/24'],
    ['EEXIST', '10.0.0.0/16'],
    ['EEXIST', '10.0.0.128/25'],
    ['EEXIST', '10.0.0.7/32'],
    ['EEXIST', '0.0.0.0/0'],
    [null, '10.0.1.0/24'],
    [null, '9.255.255.0/24'],
  ])('a set of prefixes that holds 10.0.0.0/24 answers %s to %s', (expected, text) => {
    expect(errno(host(add(table), add(masked('10.0.0.0/24'))), add(masked(text)))).toBe(expected)
  })

  test.each([
    ['EEXIST', '10.1.0.0/24'],
    ['EEXIST', '10.1.0.128/25'],
    ['EEXIST', '10.1.0.0/16'],
    [null, '10.0.0.0/8'],
  ])('a concatenation that holds 10.1.0.0/24 answers %s to %s: only ends are looked at', (expected, text) => {
    expect(errno(host(add(table), add(subnet('10.1.0.0/24'))), add(subnet(text)))).toBe(expected)
  })

  test('deletes from a concatenation what holds the first address that is named', () => {
    const world = host(add(table), add(subnet('10.1.0.0/24')), add(subnet('10.0.0.0/8')), del(subnet('10.1.0.0/25')))
    expect(objectsOf(observe(world, { namespaces: [HOST], sysctls: [] }))).toContainEqual(subnet('10.0.0.0/8'))
    expect(errno(world, del(subnet('11.0.0.0/8')))).toBe('ENOENT')
  })
})

describe('a sysctl', () => {
  const forwarding = deviceSysctl(4, V0, 'forwarding')

  test.each([
    ['ENOENT', deviceSysctl(4, V1, 'forwarding'), '1'],
    ['ENOENT', deviceSysctl(4, V0, 'disable_ipv6'), '1'],
    ['EINVAL', forwarding, 'on'],
    ['EINVAL', forwarding, ''],
    ['EINVAL', forwarding, '2147483648'],
    [null, forwarding, '-1'],
  ])('is answered with %s: %s=%s', (expected, name, text) => {
    expect(errno(wired(), add(sysctl(name, text)))).toBe(expected)
  })

  test('has a default, and shows a number however it was written', () => {
    expect(value(wired(), deviceSysctl(6, V0, 'accept_ra'))).toBe('1')
    expect(value(wired(add(sysctl(deviceSysctl(6, V0, 'accept_ra'), '0x10'))), deviceSysctl(6, V0, 'accept_ra'))).toBe(
      '16',
    )
  })

  test('of forwarding in general reaches every device, also later ones', () => {
    expect(value(wired(add(sysctl(FORWARD4, '1'))), forwarding)).toBe('1')
    expect(value(host(add(sysctl(FORWARD4, '1')), add(netns(C1)), add(veth())), forwarding)).toBe('1')
    expect(
      value(wired(add(sysctl(FORWARD4, '1')), add(sysctl(forwarding, '0')), add(sysctl(FORWARD4, '1'))), forwarding),
    ).toBe('0')
  })

  test('of IPv4 follows `default` until its device gets an address', () => {
    const filter = deviceSysctl(4, V0, 'rp_filter')
    const general = sysctl(deviceSysctl(4, ifName('default'), 'rp_filter'), '2')
    expect(value(wired(add(general)), filter)).toBe('2')
    expect(value(wired(add(on('v0', '10.0.0.1/24')), add(general)), filter)).toBe('0')
  })

  test('goes with its device', () => {
    expect(value(wired(add(sysctl(forwarding, '1')), del(veth()), add(veth())), forwarding)).toBe('0')
  })
})

describe('the port over a world', () => {
  test('goes on after a refusal and reports each with its place', async () => {
    const kernel = simKernel()
    const ops = [add(netns(C1)), add(netns(C1)), add(veth()), add(veth())]
    expect(await kernel.apply(ops)()).toEqual(
      E.left([1, 3].map((at) => ({ at, op: ops[at], errno: 'EEXIST', detail: null }))),
    )
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
