// What versions of Linux do otherwise than each other: seen on 6.1, in the virtual machine, and on 6.18; docs/known-differences.md says what
// was not.

import { describe, expect, test } from 'vitest'
import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { EMPTY_WORLD, type World } from '../../../src/kernel-sim/state.ts'
import { isSince, NEWEST, versionOf } from '../../../src/kernel-sim/version.ts'
import { ip } from '../../../src/net/ip.ts'
import { ZERO_MAC } from '../../../src/net/mac.ts'
import { ifName } from '../../../src/net/name.ts'
import { bridge, C, down, has, LOOPBACK, lastOn, linkIn, pair, route, set, tellOn, up, WIRE } from './story.ts'

const linux = (minor: number): World => ({ ...EMPTY_WORLD, linux: { major: 6, minor } })
/** Of 6.1, 6.12 and 6.18. */
const answers = (...asks: ReadonlyArray<Ask>): ReadonlyArray<string | null> =>
  [1, 12, 18].map((minor) => lastOn(linux(minor), ...asks))
const told = (name: string, ...asks: ReadonlyArray<Ask>) =>
  [1, 12, 18].map((minor) => linkIn(tellOn(linux(minor), asks).h, name))

const ipvlan: Ask = { on: 'link', do: 'add', name: ifName('i0'), dev: ifName('v0'), up: true, kind: { kind: 'ipvlan' } }
const dummy = (name: string, to?: typeof C): Ask => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  ...(to === undefined ? {} : { to }),
  kind: { kind: 'dummy' },
})

test('a version is read as uname(1) writes it', () => {
  expect(versionOf('6.1.0-56-amd64')).toEqual({ major: 6, minor: 1 })
  expect(versionOf('7.0.0-rc1')).toEqual({ major: 7, minor: 0 })
  expect(versionOf('unknown')).toEqual(NEWEST)
})

test('a version is since those that are no newer', () => {
  const version = { major: 6, minor: 12 }
  expect([isSince(version, 5, 15), isSince(version, 6, 12), isSince(version, 6, 13), isSince(version, 7, 0)]).toEqual([
    true,
    true,
    false,
    false,
  ])
})

describe('links', () => {
  test('a device that is up can be renamed since 6.2', () => {
    expect(answers(...WIRE, set('v0', { name: ifName('new') }))).toEqual(['EBUSY', null, null])
    expect(answers(...WIRE, down('v0'), set('v0', { name: ifName('new') }))).toEqual([null, null, null])
    expect(answers(...WIRE, set('v0', { name: ifName('v0') }))).toEqual([null, null, null])
  })

  test('the end of a veth is down for what it is on only if that is here, since 6.2', () => {
    const states = told('v1', ...WIRE, set('v0', { to: C })).map(({ operstate }) => operstate)
    expect(states).toEqual(['lowerlayerdown', 'down', 'down'])
  })

  test('a device that moves has its index before the VXLANs on it are gone since 6.6', () => {
    const vxlan = (vni: number) => ({ kind: 'vxlan', vni, port: 8472 }) as const
    const on: Ask = { on: 'link', do: 'add', name: ifName('x1'), to: C, kind: { ...vxlan(6), dev: ifName('x0') } }
    const asks = [{ on: 'link', do: 'add', name: ifName('x0'), kind: vxlan(5) } as const, on, set('x0', { to: C })]
    const indexes = [1, 12, 18].map((minor) => linkIn(tellOn(linux(minor), asks).c, 'x0').index)
    expect(indexes).toEqual([2, 3, 3])
  })

  test('an ipvlan hears that the device below went down since 6.10', () => {
    const carriers = told('i0', ...WIRE, ipvlan, down('v0')).map(({ carrier }) => carrier)
    expect(carriers).toEqual([true, false, false])
  })

  test('the other end of a new veth is looked at before anything is looked up, since 6.13', () => {
    const wrong: Ask = {
      on: 'link',
      do: 'add',
      name: ifName('v0'),
      kind: { kind: 'veth', peer: { name: ifName('w1'), mac: ZERO_MAC } },
    }
    expect(answers(pair('v0', 'v1'), wrong)).toEqual(['EEXIST', 'EEXIST', 'EADDRNOTAVAIL'])
    expect(answers(wrong)).toEqual(['EADDRNOTAVAIL', 'EADDRNOTAVAIL', 'EADDRNOTAVAIL'])
  })

  test('what never leaves its namespace can be told to stay since 6.13', () => {
    expect(answers(bridge('br0'), set('br0', { to: 'h' as typeof C }))).toEqual(['EINVAL', 'EINVAL', null])
    expect(answers(bridge('br0'), set('br0', { to: C }))).toEqual(['EINVAL', 'EINVAL', 'EINVAL'])
  })

  test('a name that is taken is one of where the link is made, since 6.15', () => {
    expect(answers(pair('v0', 'v1'), dummy('v0', C))).toEqual(['EEXIST', 'EEXIST', null])
    expect(answers(dummy('d0', C), dummy('d0', C))).toEqual(['EEXIST', 'EEXIST', 'EEXIST'])
  })
})

test('several hops of IPv6 are asked for their gateways first, since 6.16', () => {
  const several = (...hops: ReadonlyArray<Readonly<{ dev: string; via?: string }>>): Ask =>
    route('fd09::/64', {
      hops: hops.map(({ dev, via }) => ({ dev: ifName(dev), ...(via === undefined ? {} : { via: ip(via) }) })),
    })
  const begin = [LOOPBACK, pair('v0', 'v1'), up('v0'), has('v0', 'fd00::1/64', { nodad: true })]
  expect(answers(...begin, several({ dev: 'v1', via: 'fd00::9' }, { dev: 'v0' }))).toEqual([
    'EHOSTUNREACH',
    'EHOSTUNREACH',
    'EINVAL',
  ])
  expect(answers(...begin, up('v1'), several({ dev: 'v0' }, { dev: 'v0', via: 'fd00::9' }))).toEqual([
    'EINVAL',
    'EINVAL',
    'EINVAL',
  ])
})

test('a route of IPv6 prefers a source that is gone no more, whatever its device, since 6.6', () => {
  const begin = [
    ...WIRE,
    ...['v0', 'v1'].map((dev, n) => has(dev, `fd0${n}::1/64`, { nodad: true })),
    route('fd09::/64', { dev: 'v1', src: ip('fd00::1') }),
  ]
  const sources = (...asks: ReadonlyArray<Ask>) =>
    [1, 6].map(
      (minor) => tellOn(linux(minor), [...begin, ...asks]).h.routes.find(({ to }) => to.ip === ip('fd09::'))?.src,
    )
  const lost = has('v0', 'fd00::1/64', { do: 'delete' })
  expect(sources(lost)).toEqual([ip('fd00::1'), null])
  const both = has('v1', 'fd00::1/64', { nodad: true })
  expect(sources(both, has('v1', 'fd00::1/64', { do: 'delete' }))).toEqual([null, ip('fd00::1')])
})
