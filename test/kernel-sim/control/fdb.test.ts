// Forwarding entries of bridges, VXLANs and filters, and the VLANs of bridges. The first were seen on Linux 6.18; what has to do with
// VLANs, which that machine lacks, on Debian's 6.1.

import { describe, expect, test } from 'vitest'
import type { Ask, FdbRequest, NewLink, VlanRequest } from '../../../src/kernel/rtnl/request.ts'
import { ip } from '../../../src/net/ip.ts'
import { type Mac, ZERO_MAC } from '../../../src/net/mac.ts'
import { ifName } from '../../../src/net/name.ts'
import { bridge, down, fdbLines, last, macOf, pair, set, tell, tellWhole, up, vlanLines, WIRE } from './story.ts'

const BR0 = ifName('br0')
const A = macOf(0x11)
const fdb = (verb: FdbRequest['do'], dev: string, mac: Mac, more: Partial<FdbRequest> = {}): Ask => ({
  on: 'fdb',
  do: verb,
  dev: ifName(dev),
  mac,
  of: 'master',
  ...more,
})
const self = (verb: FdbRequest['do'], dev: string, mac: Mac, more: Partial<FdbRequest> = {}): Ask =>
  fdb(verb, dev, mac, { of: 'self', ...more })
const joined = [bridge('br0', { mac: macOf(9), up: true }), ...WIRE, set('v0', { master: BR0 })]

describe('a bridge', () => {
  test.each<[string | null, FdbRequest['do'], string, Mac, Partial<FdbRequest>]>([
    [null, 'add', 'v0', A, {}],
    [null, 'add', 'v0', A, { state: 'dynamic', sticky: true }],
    ['EINVAL', 'add', 'v0', A, { state: 'local', sticky: true }],
    ['EINVAL', 'add', 'v0', ZERO_MAC, {}],
    ['EINVAL', 'add', 'v0', A, { vlan: 1 }],
    ['EEXIST', 'add', 'v0', macOf(9), {}],
    [null, 'replace', 'v0', macOf(9), { state: 'static' }],
    ['ENOENT', 'delete', 'v0', macOf(9), {}],
    [null, 'delete', 'v0', macOf(1), {}],
    ['EOPNOTSUPP', 'add', 'v1', A, {}],
    [null, 'add', 'br0', A, { of: 'self' }],
    ['EINVAL', 'add', 'br0', A, { of: 'self', state: 'static' }],
    ['EINVAL', 'add', 'lo', A, { of: 'self' }],
  ])('answers %s to %s %s (%#)', (errno, verb, dev, mac, more) => {
    expect(last(...joined, fdb(verb, dev, mac, more))).toBe(errno)
  })

  test('takes what ages only where a port may learn, and forgets it with the carrier', () => {
    const sticky = fdb('add', 'v0', A, { state: 'dynamic', sticky: true })
    expect(last(...joined, down('v1'), sticky)).toBe('EPERM')
    const there = 'v0 02:00:00:00:00:11  sticky'
    expect(fdbLines(tell(...joined, sticky).h)).toContain(there)
    expect(fdbLines(tell(...joined, sticky, down('v1')).h)).not.toContain(there)
    const disabled: Ask = { on: 'port', do: 'set', dev: ifName('v0'), options: { state: 0 } }
    expect(fdbLines(tell(...joined, sticky, disabled).h)).toContain(there)
  })

  test('keeps one entry for a MAC that several have, and hands it on', () => {
    const twins = [...joined, set('v1', { mac: macOf(1) }), set('v1', { master: BR0 })]
    const held = (dev: string) => `${dev} 02:00:00:00:00:01 permanent`
    expect(fdbLines(tell(...twins).h)).toEqual(['br0 02:00:00:00:00:09 permanent', held('v0')])
    expect(fdbLines(tell(...twins, set('v0', { master: null })).h)).toContain(held('v1'))
    expect(fdbLines(tell(...joined, set('br0', { mac: macOf(1) }), set('v0', { mac: macOf(2) })).h)).toEqual([
      'br0 02:00:00:00:00:01 permanent',
      'v0 02:00:00:00:00:02 permanent',
    ])
  })

  test('keeps what was put in when its port has another MAC, and loses it with the port', () => {
    const put = [...joined, fdb('replace', 'v0', macOf(1), { state: 'local' }), set('v0', { mac: macOf(7) })]
    expect(fdbLines(tell(...put).h)).toContain('v0 02:00:00:00:00:01 permanent')
    expect(fdbLines(tell(...put, set('v0', { master: null })).h)).toEqual(['br0 02:00:00:00:00:09 permanent'])
  })

  test('has entries follow the name of a port', () => {
    const told = tell(...joined, fdb('add', 'v0', A, { state: 'static' }), set('v0', { name: ifName('p') })).h
    expect(fdbLines(told)).toContain('p 02:00:00:00:00:11 static')
  })

  test('finds a way through a VXLAN dear, but for one on a veth', () => {
    const x0: NewLink = { on: 'link', do: 'add', name: ifName('x0'), mac: A, kind: { kind: 'vxlan', vni: 5 } }
    const cost = (ask: NewLink) =>
      tell(...joined, ask, set('x0', { master: BR0 })).h.links.find(({ name }) => name === 'x0')?.port?.cost
    expect(cost(x0)).toBe(100)
    expect(cost({ ...x0, kind: { kind: 'vxlan', vni: 5, dev: ifName('v1') } })).toBe(2)
  })
})

const x0: Ask = { on: 'link', do: 'add', name: ifName('x0'), mac: macOf(6), kind: { kind: 'vxlan', vni: 5 } }
const to = (text: string, more: Partial<FdbRequest> = {}): Partial<FdbRequest> => ({ dst: ip(text), ...more })

describe('a VXLAN', () => {
  test.each<[string | null, FdbRequest['do'], Mac, Partial<FdbRequest>]>([
    ['EEXIST', 'add', A, to('10.0.0.8')],
    [null, 'append', A, to('10.0.0.8')],
    [null, 'replace', A, to('10.0.0.8')],
    ['EOPNOTSUPP', 'replace', ZERO_MAC, to('10.0.0.8')],
    ['EINVAL', 'add', macOf(0x12), {}],
    ['EAFNOSUPPORT', 'add', macOf(0x12), to('fd00::9')],
    [null, 'delete', A, {}],
    [null, 'delete', A, to('10.0.0.7')],
    ['ENOENT', 'delete', macOf(0x12), {}],
    ['ENODEV', 'add', macOf(0x12), to('10.0.0.8', { via: ifName('gone') })],
  ])('answers %s to %s (%#)', (errno, verb, mac, more) => {
    expect(last(x0, self('add', 'x0', A, to('10.0.0.9')), self(verb, 'x0', mac, more))).toBe(errno)
  })

  test('sends what it does not know to several, and to one what it knows', () => {
    const lines = (...asks: ReadonlyArray<Ask>) => fdbLines(tell(...WIRE, x0, ...asks).h)
    const all = self('append', 'x0', ZERO_MAC, to('10.0.0.8', { vni: 7, port: 4789, via: ifName('v0') }))
    expect(lines(self('add', 'x0', ZERO_MAC, to('10.0.0.9')), all)).toEqual([
      'x0 00:00:00:00:00:00 permanent self dst 10.0.0.9',
      'x0 00:00:00:00:00:00 permanent self dst 10.0.0.8 vni 7 port 4789 via v0',
    ])
    expect(lines(self('add', 'x0', A, to('10.0.0.9')), self('append', 'x0', A, to('10.0.0.8')))).toEqual([
      'x0 02:00:00:00:00:11 permanent self dst 10.0.0.9',
    ])
  })

  test('that goes down forgets what would age', () => {
    const known = [
      ...[x0, up('x0'), self('add', 'x0', A, to('10.0.0.9', { state: 'dynamic' }))],
      self('add', 'x0', macOf(0x12), to('10.0.0.9', { state: 'static' })),
    ]
    expect(fdbLines(tell(...known, down('x0')).h)).toEqual(['x0 02:00:00:00:00:12 static self dst 10.0.0.9'])
  })
})

describe('a device that keeps a filter', () => {
  test.each<[string | null, FdbRequest['do'], Partial<FdbRequest>]>([
    ['EEXIST', 'add', {}],
    [null, 'append', {}],
    ['EINVAL', 'add', { state: 'static' }],
    ['EINVAL', 'append', { vlan: 5 }],
    [null, 'delete', {}],
    ['EINVAL', 'delete', { state: 'dynamic' }],
  ])('answers %s to %s (%#)', (errno, verb, more) => {
    expect(last(pair('v0', 'v1'), self('add', 'v0', A), self(verb, 'v0', A, more))).toBe(errno)
  })

  test('listens to all for the sake of one, from when it is next up until it is up without', () => {
    const heard = (...asks: ReadonlyArray<Ask>) =>
      tell(pair('v0', 'v1'), self('add', 'v0', A), ...asks).h.links.find(({ name }) => name === 'v0')?.promiscuity
    expect(heard()).toBe(0)
    expect(heard(up('v0'))).toBe(1)
    expect(heard(up('v0'), down('v0'), self('delete', 'v0', A))).toBe(1)
    expect(heard(up('v0'), down('v0'), self('delete', 'v0', A), up('v0'))).toBe(0)
  })
})

const vlan = (verb: VlanRequest['do'], dev: string, id: number, more: Partial<VlanRequest> = {}): Ask => ({
  on: 'vlan',
  do: verb,
  dev: ifName(dev),
  id,
  ...more,
})
const defaultPvid = (vlanDefaultPvid: number): Ask => set('br0', { kind: { kind: 'bridge', vlanDefaultPvid } })

describe('the VLANs of a bridge', () => {
  test('begin with one, for all that comes untagged', () => {
    const { h } = tellWhole(...joined)
    expect(vlanLines(h)).toEqual(['br0 1 pvid untagged', 'v0 1 pvid untagged'])
    expect(fdbLines(h)).toEqual([
      'br0 02:00:00:00:00:09 permanent',
      'br0 02:00:00:00:00:09 vlan 1 permanent',
      'v0 02:00:00:00:00:01 permanent',
      'v0 02:00:00:00:00:01 vlan 1 permanent',
    ])
  })

  test('are told anew whether they are that of untagged frames', () => {
    const asks = [vlan('add', 'v0', 10, { pvid: true }), vlan('add', 'v0', 10)]
    expect(vlanLines(tellWhole(...joined, ...asks.slice(0, 1)).h)).toContain('v0 10 pvid')
    expect(vlanLines(tellWhole(...joined, ...asks).h)).toEqual([...['br0 1 pvid untagged', 'v0 1 untagged', 'v0 10']])
  })

  test.each([
    [null, vlan('delete', 'v0', 10)],
    ['EINVAL', vlan('add', 'v0', 0)],
    ['EINVAL', vlan('add', 'v0', 4095)],
    ['EOPNOTSUPP', vlan('add', 'br0', 10)],
    ['EOPNOTSUPP', vlan('add', 'v0', 10, { self: true })],
    ['EOPNOTSUPP', vlan('add', 'v1', 10)],
    [null, vlan('add', 'br0', 10, { self: true, until: 12 })],
    ['EINVAL', fdb('add', 'v0', A, { vlan: 12 })],
    ['ENOENT', self('delete', 'br0', macOf(9), { vlan: 10 })],
    ['EINVAL', self('delete', 'br0', macOf(9), { vlan: 11 })],
    ['EINVAL', defaultPvid(4095)],
  ])('are answered %s (%#)', (errno, ask) => {
    expect(tellWhole(...joined, vlan('add', 'v0', 10), ask).errnos.at(-1)).toBe(errno)
  })

  test('have the default replaced where nothing else was said', () => {
    const said = vlan('add', 'v0', 11, { pvid: true, untagged: true })
    expect(vlanLines(tellWhole(...joined, defaultPvid(7)).h)).toEqual(['br0 7 pvid untagged', 'v0 7 pvid untagged'])
    expect(vlanLines(tellWhole(...joined, said, defaultPvid(7)).h)).toEqual([
      ...['br0 7 pvid untagged', 'v0 1 untagged', 'v0 11 pvid untagged'],
    ])
    expect(vlanLines(tellWhole(...joined, defaultPvid(0)).h)).toEqual([])
  })

  test('each have an entry that was put in without one; what was put in stays when one goes', () => {
    const put = [...joined, vlan('add', 'v0', 10), fdb('add', 'v0', A, { state: 'static' }), vlan('delete', 'v0', 10)]
    expect(fdbLines(tellWhole(...put).h).filter((line) => line.includes(':11'))).toEqual([
      'v0 02:00:00:00:00:11 static',
      'v0 02:00:00:00:00:11 vlan 1 static',
      'v0 02:00:00:00:00:11 vlan 10 static',
    ])
    expect(tellWhole(...put, fdb('delete', 'v0', A, { vlan: 10 })).errnos.at(-1)).toBe('EINVAL')
  })

  test('cannot be added to a bridge without a MAC', () => {
    const bare = [bridge('br0'), ...WIRE, set('v0', { master: BR0 }), set('v0', { master: null })]
    const { mac: _, ...made } = bare[0] as NewLink
    expect(tellWhole(made, ...bare.slice(1), vlan('add', 'br0', 10, { self: true })).errnos.at(-1)).toBe('EINVAL')
  })

  test('let a single port that can choose hear only what it should', () => {
    const m0: NewLink = {
      on: 'link',
      do: 'add',
      name: ifName('m0'),
      mac: A,
      dev: ifName('v1'),
      kind: { kind: 'macvlan' },
    }
    const filtering = set('br0', { kind: { kind: 'bridge', vlanFiltering: true } })
    const made = [bridge('br0'), filtering, ...WIRE, m0, set('m0', { master: BR0 })]
    const heard = (...asks: ReadonlyArray<Ask>) =>
      tellWhole(...made, ...asks).h.links.find(({ name }) => name === 'm0')?.promiscuity
    expect([heard(), heard(set('v0', { master: BR0 }))]).toEqual([0, 1])
  })
})

describe('a kernel without VLANs on bridges', () => {
  test.each([
    ['EOPNOTSUPP', vlan('add', 'v0', 10)],
    [null, vlan('delete', 'v0', 10)],
    ['EOPNOTSUPP', set('br0', { kind: { kind: 'bridge', vlanFiltering: false } })],
    [null, defaultPvid(7)],
  ])('answers %s (%#)', (errno, ask) => {
    const told = tell(...joined, ask)
    expect([told.errnos.at(-1), told.h.vlans]).toEqual([errno, []])
  })
})
