// What the simulated kernel answers to addresses and routes. Each fact was seen on Linux 6.18.

import { describe, expect, test } from 'vitest'
import { objectsOf } from '../../src/kernel/state.ts'
import { applyAll } from '../../src/kernel-sim/kernel.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { HOST, ifName, LO, ns } from '../../src/net/name.ts'
import { add, addresses, answers, del, down, errno, lo, on, route, routes, up, V0, veth, wired } from './objects.ts'

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

  test('of a namespace that is not there is ENOENT, whatever else is wrong with it', () => {
    expect(errno(world(), add({ ...route('::/0', '10.0.0.9'), ns: ns('gone') }))).toBe('ENOENT')
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
