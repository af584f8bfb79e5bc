// What the simulated kernel answers to firewall elements and sysctls. Each fact was seen on Linux 6.18.

import { describe, expect, test } from 'vitest'
import { masqueradeElement, publishElement, skeletonTable, subnetElement } from '../../src/kernel/firewall/elements.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import { deviceSysctl, FORWARD4 } from '../../src/kernel/sysctl.ts'
import { hostWorld } from '../../src/kernel-sim/control.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { add, BR0, C1, del, errno, host, netns, on, sysctl, V0, V1, value, veth, wired } from './objects.ts'

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
