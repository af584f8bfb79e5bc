// Devices on others, and the ends of tunnels. VXLANs and macvlans were seen on Linux 6.18; 802.1Q and ipvlan, which that machine lacks,
// on Debian's 6.1.

import { describe, expect, test } from 'vitest'
import type { KindChange, NewKind, VxlanOptions } from '../../../src/kernel/rtnl/kind.ts'
import type { Ask, NewLink } from '../../../src/kernel/rtnl/request.ts'
import { worldWithout } from '../../../src/kernel-sim/state.ts'
import { ip } from '../../../src/net/ip.ts'
import { ifName, LO } from '../../../src/net/name.ts'
import {
  addressesOn,
  bridge,
  C,
  down,
  fdbLines,
  has,
  last,
  lastOn,
  linkIn,
  macOf,
  pair,
  set,
  tell,
  tellWhole,
  up,
  WIRE,
} from './story.ts'

const add = (name: string, kind: NewKind, more: Partial<NewLink> = {}): Ask => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  mac: macOf(0x40),
  kind,
  ...more,
})
const on = (dev: string): Partial<NewLink> => ({ dev: ifName(dev) })
const drop = (name: string): Ask => ({ on: 'link', do: 'delete', dev: ifName(name) })
const changed = (name: string, kind: KindChange): Ask => set(name, { kind })

const vxlan = (name: string, more: Partial<VxlanOptions> = {}, rest: Partial<NewLink> = {}): Ask =>
  add(name, { kind: 'vxlan', vni: 5, ...more }, rest)

describe('a VXLAN', () => {
  test.each([
    ['EEXIST', { vni: 5 }],
    ['EINVAL', { vni: 6, remote: ip('239.1.1.1') }],
    ['EINVAL', { vni: 6, local: ip('10.0.0.1'), remote: ip('fd00::9') }],
    ['EINVAL', { vni: 6, local: ip('fe80::1') }],
    ['EINVAL', { vni: 6, local: ip('fe80::1'), remote: ip('fd00::9'), dev: ifName('v0') }],
    ['ENODEV', { vni: 6, dev: ifName('gone') }],
    [null, { vni: 6 }],
    [null, { vni: 5, port: 4789 }],
    [null, { vni: 5, local: ip('fd00::1') }],
    [null, { vni: 6, remote: ip('239.1.1.1'), dev: ifName('v0') }],
  ])('beside another is answered %s (%#)', (errno, options) => {
    expect(last(pair('v0', 'v1'), vxlan('x0'), vxlan('x1', options))).toBe(errno)
  })

  test.each([
    [1500, {}],
    [1450, { dev: ifName('v0') }],
    [1430, { dev: ifName('v0'), remote: ip('fd00::9') }],
  ])('has an MTU of %d: what the device below has, less its headers', (mtu, options) => {
    expect(linkIn(tell(pair('v0', 'v1'), vxlan('x0', options)).h, 'x0').mtu).toBe(mtu)
  })

  test('is made no larger than the device below allows, and set no larger', () => {
    const asks = [pair('v0', 'v1'), vxlan('x0', { dev: ifName('v0') }, { mtu: 1500 }), set('x0', { mtu: 1451 })]
    const told = tell(...asks)
    expect([told.errnos, linkIn(told.h, 'x0').mtu]).toEqual([[null, null, 'EINVAL'], 1450])
  })

  test('goes with the device below, also when that moves; one that is on nothing stays', () => {
    const made = [pair('v0', 'v1'), vxlan('x0', { dev: ifName('v0') }), vxlan('x1', { vni: 6 })]
    for (const end of [drop('v0'), set('v0', { to: C })])
      expect(tell(...made, end).h.links.map(({ name }) => name)).not.toContain('x0')
    expect(linkIn(tell(...made, drop('v0')).h, 'x1').up).toBe(false)
  })

  test('that is moved still sends by the stack it was made in', () => {
    expect(last(vxlan('x0'), set('x0', { to: C }), vxlan('x0'))).toBe('EEXIST')
  })

  test('cannot go up while its port takes other packets', () => {
    const other = vxlan('x1', { vni: 6, udpZeroCsum6Rx: true })
    expect(last(vxlan('x0'), up('x0'), other, up('x1'))).toBe('EADDRINUSE')
    expect(last(vxlan('x0'), up('x0'), vxlan('x1', { vni: 6 }), up('x1'))).toBe(null)
  })

  test.each<[string | null, KindChange]>([
    [null, { kind: 'vxlan', learning: false, ageing: 10, ttl: 3 }],
    [null, { kind: 'vxlan', dev: ifName('v0') }],
    ['EOPNOTSUPP', { kind: 'vxlan', remote: ip('fd00::9') }],
    ['EOPNOTSUPP', { kind: 'vxlan', udpCsum: true }],
    ['EOPNOTSUPP', { kind: 'vxlan', proxy: false }],
    ['EBUSY', { kind: 'vxlan', dev: ifName('x0') }],
    ['EINVAL', { kind: 'vxlan', remote: ip('239.1.1.1') }],
    ['EOPNOTSUPP', { kind: 'macvlan', mode: 'vepa' }],
  ])('answers %s to a change (%#)', (errno, change) => {
    expect(last(pair('v0', 'v1'), vxlan('x0'), changed('x0', change))).toBe(errno)
  })

  test('has an entry for all that it does not know, which follows its remote', () => {
    const made = [pair('v0', 'v1'), vxlan('x0', { remote: ip('10.0.0.9'), dev: ifName('v0') })]
    expect(fdbLines(tell(...made).h)).toEqual(['x0 00:00:00:00:00:00 permanent self dst 10.0.0.9 via v0'])
    const next = changed('x0', { kind: 'vxlan', remote: ip('10.0.0.8') })
    expect(fdbLines(tell(...made, next).h)).toEqual(['x0 00:00:00:00:00:00 permanent self dst 10.0.0.8 via v0'])
    const none = changed('x0', { kind: 'vxlan', remote: ip('0.0.0.0') })
    expect(fdbLines(tell(...made, none).h)).toEqual([])
  })
})

const macvlan = (mode: 'private' | 'vepa' | 'bridge' | 'passthru', more: Partial<NewLink> = {}): Ask =>
  add('m0', { kind: 'macvlan', mode }, { ...on('v0'), ...more })

describe('a macvlan', () => {
  test.each([
    ['EINVAL', macvlan('bridge', { mtu: 1501 })],
    ['EINVAL', add('m0', { kind: 'macvlan' })],
    ['EINVAL', macvlan('bridge', { dev: LO })],
    ['EBUSY', macvlan('bridge', { dev: ifName('v1') })],
    [null, macvlan('bridge', { dev: ifName('br0') })],
    [null, macvlan('passthru')],
  ])('is answered %s (%#)', (errno, ask) => {
    expect(last(...WIRE, bridge('br0'), set('v1', { master: ifName('br0') }), ask)).toBe(errno)
  })

  test('that passes all through is alone on its device, for good', () => {
    const other = add('m1', { kind: 'macvlan', mode: 'bridge' }, on('v0'))
    expect(last(...WIRE, macvlan('passthru'), other)).toBe('EINVAL')
    expect(last(...WIRE, macvlan('bridge'), add('m1', { kind: 'macvlan', mode: 'passthru' }, on('v0')))).toBe('EINVAL')
    expect(last(...WIRE, macvlan('bridge'), changed('m0', { kind: 'macvlan', mode: 'passthru' }))).toBe('EINVAL')
    expect(last(...WIRE, macvlan('bridge'), changed('m0', { kind: 'macvlan', mode: 'private' }))).toBe(null)
  })

  test('on another one stands beside it', () => {
    const told = tell(...WIRE, macvlan('bridge'), add('m1', { kind: 'macvlan' }, on('m0')))
    expect(linkIn(told.h, 'm1').below).toBe('v0')
  })

  test('keeps its device from being a port, but may be one', () => {
    expect(last(...WIRE, bridge('br0'), macvlan('bridge'), set('v0', { master: ifName('br0') }))).toBe('EBUSY')
    const told = tell(...WIRE, bridge('br0'), macvlan('bridge', { up: true }), set('m0', { master: ifName('br0') }))
    expect(['m0', 'v0'].map((name) => linkIn(told.h, name).promiscuity)).toEqual([1, 2])
  })

  test('is no port of the bridge that it stands on', () => {
    const made = [bridge('br0'), macvlan('bridge', on('br0'))]
    expect(last(...made, set('m0', { master: ifName('br0') }))).toBe('EBUSY')
  })

  test('that is up has its device hear its MAC, which listens to all for that', () => {
    const told = tell(...WIRE, macvlan('bridge', { up: true })).h
    expect(fdbLines(told)).toEqual(['v0 02:00:00:00:00:40 permanent self'])
    expect(linkIn(told, 'v0').promiscuity).toBe(1)
    expect(fdbLines(tell(...WIRE, macvlan('bridge', { up: true }), down('m0')).h)).toEqual([])
  })

  test('cannot be up with the MAC of its device, or of another that is up', () => {
    expect(last(...WIRE, macvlan('bridge', { mac: macOf(1) }), up('m0'))).toBe('EADDRINUSE')
    const twin = add('m1', { kind: 'macvlan' }, on('v0'))
    expect(last(...WIRE, macvlan('bridge', { up: true }), twin, up('m1'))).toBe('EADDRINUSE')
  })

  test('that passes all through has the MAC of its device, which has its own again when it goes', () => {
    const passing = [...WIRE, macvlan('passthru'), set('m0', { mac: macOf(0x57) })]
    expect(['m0', 'v0'].map((name) => linkIn(tell(...passing).h, name).mac)).toEqual([macOf(0x57), macOf(0x57)])
    expect(linkIn(tell(...passing, drop('m0')).h, 'v0').mac).toBe(macOf(1))
    const told = tell(...WIRE, macvlan('passthru'), set('v0', { mac: macOf(0x56) }), drop('m0'))
    expect(linkIn(told.h, 'v0').mac).toBe(macOf(0x56))
  })

  test('has the carrier of its device, whether that is up or not, and shrinks with it', () => {
    const made = [bridge('br0'), add('m0', { kind: 'macvlan' }, { ...on('br0'), up: true })]
    expect(linkIn(tell(...made).h, 'm0')).toMatchObject({ carrier: true, operstate: 'up' })
    const wired = tell(...WIRE, macvlan('bridge', { up: true }), down('v1'), set('v0', { mtu: 1400 }))
    expect(linkIn(wired.h, 'm0')).toMatchObject({ carrier: false, operstate: 'lowerlayerdown', mtu: 1400 })
  })

  test('goes with its device, but not when that moves', () => {
    expect(tell(...WIRE, macvlan('bridge'), drop('v1')).h.links.map(({ name }) => name)).toEqual(['lo'])
    expect(linkIn(tell(...WIRE, macvlan('bridge'), set('v0', { to: C })).h, 'm0').below).toBe(null)
  })
})

const vlan = (id: number, more: Partial<NewLink> = {}): Ask => {
  const { mac: _, ...ask } = add('w0', { kind: 'vlan', id }, { ...on('v0'), ...more }) as NewLink
  return ask
}

describe('an 802.1Q link', () => {
  test.each([
    ['EEXIST', add('w1', { kind: 'vlan', id: 5 }, on('v0'))],
    [null, add('w1', { kind: 'vlan', id: 5, protocol: '802.1ad' }, on('v0'))],
    [null, add('w1', { kind: 'vlan', id: 0 }, on('v0'))],
    ['ERANGE', add('w1', { kind: 'vlan', id: 4095 }, on('v0'))],
    ['EOPNOTSUPP', add('w1', { kind: 'vlan', id: 6 }, on('lo'))],
    ['EINVAL', add('w1', { kind: 'vlan', id: 6 })],
    ['EINVAL', add('w1', { kind: 'vlan', id: 6 }, { ...on('v0'), mtu: 1501 })],
    ['ERANGE', set('w0', { mtu: 1501 })],
  ])('beside another is answered %s (%#)', (errno, ask) => {
    expect(last(...WIRE, vlan(5), ask)).toBe(errno)
  })

  test('goes up and down with its device, and only then', () => {
    expect(last(pair('v0', 'v1'), vlan(5), up('w0'))).toBe('ENETDOWN')
    expect(linkIn(tell(pair('v0', 'v1'), vlan(5), up('v0')).h, 'w0')).toMatchObject({ up: true, carrier: false })
    expect(linkIn(tell(...WIRE, vlan(5, { up: true }), down('v0')).h, 'w0').up).toBe(false)
  })

  test('that was given no MAC has that of its device, once it is up', () => {
    const made = [...WIRE, vlan(5), set('v0', { mac: macOf(0x22) })]
    expect(linkIn(tell(...made).h, 'w0').mac).toBe(macOf(1))
    expect(linkIn(tell(...made, up('w0')).h, 'w0').mac).toBe(macOf(0x22))
  })

  test('with a MAC of its own has its device hear it', () => {
    const made = [...WIRE, vlan(5, { up: true }), set('w0', { mac: macOf(0x33) })]
    expect(fdbLines(tell(...made).h)).toEqual(['v0 02:00:00:00:00:33 permanent self'])
    expect(fdbLines(tell(...made, set('v0', { mac: macOf(0x33) })).h)).toEqual([])
  })

  test('has its device listen to all with it, be it up or not', () => {
    const told = tell(...WIRE, bridge('br0'), vlan(5), set('w0', { master: ifName('br0') }))
    expect(linkIn(told.h, 'v0').promiscuity).toBe(1)
  })
})

const ipvlan = (name: string, more: Omit<Extract<NewKind, { kind: 'ipvlan' }>, 'kind'> = {}): Ask =>
  add(name, { kind: 'ipvlan', ...more }, on('v0'))

describe('an ipvlan', () => {
  const kinds = (...asks: ReadonlyArray<Ask>) =>
    tell(...WIRE, ...asks).h.links.flatMap(({ kind }) => (kind.kind === 'ipvlan' ? [`${kind.mode} ${kind.flag}`] : []))

  test('has the mode and the flag of the last that was told, as all on its device', () => {
    expect(kinds(ipvlan('i0'))).toEqual(['l3 bridge'])
    const two = [ipvlan('i0'), ipvlan('i1', { mode: 'l2', flag: 'private' })]
    expect(kinds(...two)).toEqual(['l2 private', 'l2 private'])
    expect(kinds(...two, changed('i0', { kind: 'ipvlan', mode: 'l3s' }))).toEqual(['l3s bridge', 'l3s bridge'])
  })

  test('has the MAC of its device, and a link-local address of its own', () => {
    const told = tell(...WIRE, ipvlan('i0'), ipvlan('i1'), up('i1')).h
    expect(linkIn(told, 'i1').mac).toBe(macOf(1))
    expect(addressesOn(told, 'i1')).toEqual(['fe80::200:0:200:1/64'])
    expect(last(...WIRE, ipvlan('i0'), set('i0', { mac: macOf(1) }))).toBe('EOPNOTSUPP')
  })

  test('has no address that another on its device has', () => {
    const made = [...WIRE, ipvlan('i0'), ipvlan('i1')]
    expect(last(...made, has('i0', '10.0.0.1/24'), has('i1', '10.0.0.1/24'))).toBe('EADDRINUSE')
    expect(last(...made, has('i0', 'fd00::1/64'), has('i1', 'fd00::1/64'))).toBe('EADDRINUSE')
    expect(last(...made, has('i0', '10.0.0.1/24'), has('v0', '10.0.0.1/24'))).toBe(null)
  })

  test.each([
    ['EINVAL', [ipvlan('i0'), set('i0', { master: ifName('br0') })]],
    ['EBUSY', [ipvlan('i0'), set('v0', { master: ifName('br0') })]],
    ['EBUSY', [ipvlan('i0'), macvlan('bridge')]],
    ['EINVAL', [ipvlan('i0'), macvlan('bridge', on('i0'))]],
    ['EOPNOTSUPP', [ipvlan('i0'), vlan(5, on('i0'))]],
    ['EBUSY', [macvlan('bridge'), ipvlan('i0')]],
    ['EINVAL', [add('i0', { kind: 'ipvlan' }, on('lo'))]],
    ['EINVAL', [ipvlan('i0'), set('i0', { mtu: 65_536 })]],
    [null, [ipvlan('i0'), set('i0', { mtu: 9000 })]],
  ])('answers %s to what it does not go with (%#)', (errno, asks) => {
    expect(last(...WIRE, bridge('br0'), ...asks)).toBe(errno)
  })

  test('hears of a change of carrier', () => {
    expect(linkIn(tell(...WIRE, ipvlan('i0'), up('i0'), down('v1')).h, 'i0').carrier).toBe(false)
  })

  test('has the MTU of its device whenever that changes', () => {
    expect(linkIn(tell(...WIRE, ipvlan('i0'), set('v0', { mtu: 9000 })).h, 'i0').mtu).toBe(9000)
  })
})

describe('a kernel that lacks a kind', () => {
  test.each([
    ['EOPNOTSUPP', ipvlan('i0')],
    ['EOPNOTSUPP', add('w0', { kind: 'vlan', id: 4095 }, on('v0'))],
    ['EEXIST', add('v0', { kind: 'dummy' })],
    ['ENODEV', add('i0', { kind: 'ipvlan' }, on('gone'))],
    [null, macvlan('bridge')],
  ])('answers %s (%#)', (errno, ask) => {
    expect(lastOn(worldWithout('dummy', 'vlan', 'ipvlan'), ...WIRE, ask)).toBe(errno)
  })

  test('is told apart from one that has all', () => {
    expect(tellWhole(...WIRE, ipvlan('i0')).errnos.at(-1)).toBe(null)
  })
})
