// What the stack answers about links, and tells of them. Each fact was seen on Linux 6.18.

import { describe, expect, test } from 'vitest'
import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { mac, ZERO_MAC } from '../../../src/net/mac.ts'
import { ifName, ns } from '../../../src/net/name.ts'
import {
  addressesOn,
  bridge,
  C,
  down,
  H,
  has,
  LOOPBACK,
  last,
  linkIn,
  local6,
  macOf,
  pair,
  route,
  set,
  tell,
  up,
  WIRE,
} from './story.ts'

const V0 = ifName('v0')
const state = (dev: string, ...asks: ReadonlyArray<Ask>) => {
  const { up: isUp, carrier, operstate } = linkIn(tell(...asks).h, dev)
  return [isUp, carrier, operstate]
}

describe('a new link', () => {
  test('gets the next index; the other end of a veth the one before', () => {
    const { h } = tell(pair('v0', 'v1'), bridge('br0', { index: 77 }), bridge('br1'))
    expect(h.links.map(({ index, name }) => [index, name])).toEqual([
      [1, 'lo'],
      [2, 'v1'],
      [3, 'v0'],
      [4, 'br1'],
      [77, 'br0'],
    ])
  })

  test('does not get an index again that was had before', () => {
    const { h } = tell(bridge('br0'), { on: 'link', do: 'delete', dev: ifName('br0') }, bridge('br0'))
    expect(linkIn(h, 'br0').index).toBe(3)
  })

  test('that the kernel refuses for its name has had an index', () => {
    const told = tell(bridge('all'), bridge('br0'))
    expect(told.errnos).toEqual(['EINVAL', null])
    expect(linkIn(told.h, 'br0').index).toBe(3)
  })

  test.each([
    ['EEXIST', bridge('br1', { index: 1 })],
    ['EEXIST', bridge('lo')],
    ['EADDRNOTAVAIL', bridge('br1', { mac: ZERO_MAC })],
    ['EINVAL', bridge('br1', { mtu: 67 })],
    ['ENODEV', bridge('br1', { master: ifName('gone') })],
    ['ENOENT', bridge('br1', { to: ns('nowhere') })],
    ['ELOOP', bridge('br1', { mac: macOf(9), master: ifName('br0') })],
    ['EADDRNOTAVAIL', pair('br0', 'x', { kind: { kind: 'veth', peer: { name: ifName('x'), mac: ZERO_MAC } } })],
  ])('is refused with %s', (errno, ask) => {
    expect(last(bridge('br0'), ask)).toBe(errno)
  })

  test('that its master refuses is not there', () => {
    const told = tell(bridge('br0'), bridge('br1', { master: ifName('br0'), up: true }))
    expect(told.errnos).toEqual([null, 'ELOOP'])
    expect(told.h.links.map(({ name }) => name)).toEqual(['lo', 'br0'])
  })

  test('in another namespace may have a name that is taken here', () => {
    const told = tell(bridge('br0'), bridge('br0', { to: C }), bridge('br0', { to: C }))
    expect(told.errnos).toEqual([null, null, 'EEXIST'])
    expect(told.c.links.map(({ name }) => name)).toEqual(['lo', 'br0'])
  })
})

describe('operstate', () => {
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<Ask>, ReadonlyArray<unknown>]> = [
    ['of loopback is never known', 'lo', [LOOPBACK], [true, true, 'unknown']],
    [
      'of a veth whose other end is down: the lower layer is',
      'v0',
      [pair('v0', 'v1'), up('v0')],
      [true, false, 'lowerlayerdown'],
    ],
    ['of a veth with both ends up', 'v0', WIRE, [true, true, 'up']],
    ['of a device that is down', 'v1', [...WIRE, down('v1')], [false, false, 'down']],
    [
      'of a bridge that was given no MAC, before it has a port',
      'br0',
      [bridge('br0'), up('br0')],
      [true, true, 'unknown'],
    ],
    ['of a bridge that was given one', 'br0', [bridge('br0', { mac: macOf(9) }), up('br0')], [true, false, 'down']],
    [
      'of a bridge with a port that forwards',
      'br0',
      [...WIRE, bridge('br0'), up('br0'), set('v0', { master: ifName('br0') })],
      [true, true, 'up'],
    ],
    [
      'of a bridge that its last port has left',
      'br0',
      [...WIRE, bridge('br0'), up('br0'), set('v0', { master: ifName('br0') }), set('v0', { master: null })],
      [true, false, 'down'],
    ],
  ]
  test.each(cases)('%s', (_, dev, asks, expected) => {
    expect(state(dev, ...asks)).toEqual(expected)
  })
})

describe('a message of several parts', () => {
  test('is done up to the part that is refused', () => {
    const told = tell(pair('v0', 'v1'), set('v0', { mac: macOf(7), mtu: 10, group: 5 }))
    expect(told.errnos).toEqual([null, 'EINVAL'])
    expect(linkIn(told.h, 'v0')).toMatchObject({ mac: macOf(7), mtu: 1500, group: 0 })
  })

  test('says the MAC before the MTU, and up or down before the master', () => {
    expect(linkIn(tell(pair('v0', 'v1'), set('v0', { mac: mac(0x030000000001), mtu: 1300 })).h, 'v0').mtu).toBe(1500)
    const told = tell(...WIRE, set('v0', { up: false, master: ifName('v1') }))
    expect(told.errnos.at(-1)).toBe('EOPNOTSUPP')
    expect(linkIn(told.h, 'v0').up).toBe(false)
  })

  test('takes a link from its bridge before another one refuses it', () => {
    const told = tell(
      pair('v0', 'v1'),
      bridge('br0'),
      set('v0', { master: ifName('br0') }),
      set('v0', { master: ifName('v1') }),
    )
    expect(told.errnos.at(-1)).toBe('EOPNOTSUPP')
    expect(linkIn(told.h, 'v0').master).toBeNull()
  })

  test('begins with what the kind is told', () => {
    const told = tell(pair('v0', 'v1'), set('v0', { mtu: 1400, kind: { kind: 'bridge', stp: true } }))
    expect(told.errnos.at(-1)).toBe('EOPNOTSUPP')
    expect(linkIn(told.h, 'v0').mtu).toBe(1500)
  })
})

describe('a name', () => {
  test.each([
    ['EEXIST', 'v1'],
    ['EINVAL', 'all'],
    [null, 'v0'],
    [null, 'w0'],
  ])('is answered with %s: %s', (errno, name) => {
    expect(last(...WIRE, set('v0', { name: ifName(name) }))).toBe(errno)
  })

  test('changes with all that is called by it, up or not', () => {
    const { h } = tell(
      ...WIRE,
      has('v0', '10.0.0.1/24'),
      has('v0', '10.0.0.2/24'),
      bridge('br0'),
      set('v0', { master: ifName('br0') }),
      set('v0', { name: ifName('w0') }),
      set('br0', { name: ifName('b') }),
    )
    expect(linkIn(h, 'v1').kind).toEqual({ kind: 'veth', peer: { ns: H, name: 'w0' } })
    expect(linkIn(h, 'w0').master).toBe('b')
    expect(h.addresses.filter(({ dev }) => dev === 'w0').map(({ label }) => label)).toEqual(['w0', 'w0:2', null])
    expect(h.routes.some(({ hops }) => hops.some(({ dev }) => dev === 'v0'))).toBe(false)
  })
})

describe('a move to another namespace', () => {
  test('is not for loopback and bridges, nor where the name is taken', () => {
    expect(last(set('lo', { to: C }))).toBe('EINVAL')
    expect(last(bridge('br0'), set('br0', { to: C }))).toBe('EINVAL')
    expect(last(bridge('v0', { to: C }), pair('v0', 'v1'), set('v0', { to: C }))).toBe('EEXIST')
    expect(last(bridge('v0', { to: C }), pair('v0', 'v1'), set('v0', { to: C, name: ifName('w0') }))).toBeNull()
  })

  test('takes the device down, off its bridge, and all that was on it away', () => {
    const told = tell(
      ...WIRE,
      has('v0', '10.0.0.1/24'),
      bridge('br0'),
      set('v0', { master: ifName('br0') }),
      set('v0', { to: C }),
    )
    expect(linkIn(told.c, 'v0')).toMatchObject({
      index: 3,
      up: false,
      master: null,
      kind: { peer: { ns: H, name: 'v1' } },
    })
    expect(addressesOn(told.c, 'v0')).toEqual([])
    expect(linkIn(told.h, 'v1')).toMatchObject({ up: true, carrier: false, kind: { peer: { ns: C, name: 'v0' } } })
  })

  test('gives another index where its own is taken', () => {
    expect(linkIn(tell(bridge('br0', { to: C }), pair('v0', 'v1'), set('v1', { to: C })).c, 'v1').index).toBe(3)
  })
})

describe('a group', () => {
  const group = (n: number) => ({ on: 'link', do: 'delete', group: n }) as const
  test('is deleted as a whole; that of all links is not', () => {
    const told = tell(pair('v0', 'v1', { group: 7 }), bridge('br0', { group: 7 }), bridge('br1'), group(7))
    expect(told.h.links.map(({ name }) => name)).toEqual(['lo', 'br1'])
    expect(last(group(0))).toBe('EPERM')
    expect(last(group(9))).toBe('ENODEV')
    expect(last(set('lo', { group: 9 }), group(9))).toBe('EOPNOTSUPP')
  })
})

describe('a bridge', () => {
  const joined = [...WIRE, bridge('br0', { mac: macOf(9) }), up('br0'), set('v0', { master: ifName('br0') })]
  const port = (options: object) => ({ on: 'port', do: 'set', dev: V0, options }) as const

  test('without a MAC of its own has the lowest of its ports, and none without any', () => {
    const follows = [
      pair('v0', 'v1'),
      bridge('br0'),
      ...['v1', 'v0'].map((name) => set(name, { master: ifName('br0') })),
    ]
    expect(linkIn(tell(...follows).h, 'br0').mac).toBe(macOf(1))
    expect(linkIn(tell(...follows, set('v0', { master: null })).h, 'br0').mac).toBe(macOf(2))
    expect(linkIn(tell(...follows, set('v0', { master: null }), set('v1', { master: null })).h, 'br0').mac).toBe(
      ZERO_MAC,
    )
  })

  test('listens to all that its ports hear', () => {
    expect(linkIn(tell(...joined).h, 'v0').promiscuity).toBe(1)
    expect(linkIn(tell(...joined, set('v0', { master: null })).h, 'v0').promiscuity).toBe(0)
  })

  test('keeps the MACs of itself and of its ports', () => {
    expect(tell(...joined).h.fdb.map(({ dev, mac: own, state: is }) => [dev, own, is])).toEqual([
      ['br0', macOf(9), 'permanent'],
      ['v0', macOf(1), 'permanent'],
    ])
  })

  test.each([
    [null, 3, { state: 4 }],
    [null, 0, { state: 0 }],
    [null, 1, { state: 1 }],
    ['EINVAL', 3, { state: 5 }],
    ['ERANGE', 3, { priority: 64 }],
    ['ERANGE', 3, { cost: 65_536 }],
    [null, 3, { cost: 0, isolated: true }],
  ])('answers %s to a port, whose state is %d then (%#)', (errno, is, options) => {
    const told = tell(...joined, port(options))
    expect(told.errnos.at(-1)).toBe(errno)
    expect(linkIn(told.h, 'v0').port?.state).toBe(is)
  })

  test('that speaks STP has its ports listen first, and lets nobody else set their states', () => {
    const speaks = [
      ...WIRE,
      bridge('br0', { kind: { kind: 'bridge', stp: true } }),
      up('br0'),
      set('v0', { master: ifName('br0') }),
    ]
    expect(linkIn(tell(...speaks).h, 'v0').port?.state).toBe(1)
    expect(last(...speaks, port({ state: 3 }))).toBe('EBUSY')
  })

  test('has ports only: another device answers EOPNOTSUPP', () => {
    expect(last(...WIRE, port({ isolated: true }))).toBe('EOPNOTSUPP')
  })
})

describe('a link that goes down', () => {
  test('loses its anycast and link-local routes, too', () => {
    const { h } = tell(...WIRE, has('v0', 'fd00::1/64'), route('fd09::/64', { dev: 'v0' }), down('v0'))
    expect(local6(h).filter((line) => line.includes('v0'))).toEqual([])
    expect(addressesOn(h, 'v0')).toEqual([])
  })
})
