// What passes a device is counted there, in packets and bytes as Linux counts them; test/lockstep/counters.test.ts holds both
// to the same.

import { describe, expect, test } from 'vitest'
import type { Traffic } from '../../src/kernel/kernel.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { countersIn } from '../../src/kernel-sim/counters.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { HOST, ifName, LO, ns } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { address, bridge, cable, ETH0, joined, netns } from './topology.ts'
import { apply, attempt, spaceIn, worldOf } from './world.ts'

const BR = ifName('br0')
const [C1, C2, C3] = [ns('c1'), ns('c2'), ns('c3')]

/** c1, c2, c3 behind ports p1, p2, p3 of the host's br0. */
const WORLD = worldOf([
  ...netns(HOST),
  bridge(HOST, BR, 1),
  address(HOST, BR, '10.0.0.254/24'),
  ...[C1, C2, C3].flatMap((space, i) => {
    const n = i + 1
    return [
      ...netns(space),
      ...cable([HOST, ifName(`p${n}`)], [space, ETH0], 0x100 + 2 * n),
      joined(HOST, ifName(`p${n}`), BR),
      address(space, ETH0, `10.0.0.${n}/24`),
      address(space, ETH0, `fd00::${n}/64`),
    ]
  }),
])

/** As far as a change of it goes. */
const linkOf = (world: World, space: string, dev: string): KernelObject => {
  const link = getIn(spaceIn(world, space).links, dev)
  if (link === undefined) throw new Error(`no device ${dev} in ${space}`)
  const { name, mac, mtu, up, alias } = link
  return { kind: 'link', ns: ns(space), name, spec: { type: 'bridge' }, mac, mtu, up, alias }
}
const down = (world: World, space: string, dev: string): KernelOp => {
  const from = linkOf(world, space, dev)
  if (from.kind !== 'link') throw new Error('not a link')
  return { verb: 'change', from, object: { ...from, up: false } }
}

const text = ({ packets, bytes, dropped }: Traffic): string =>
  `${packets} of ${bytes}${dropped === 0 ? '' : `, ${dropped} dropped`}`
/** Of the devices that something has passed: `device: rx / tx`. */
const counted = (world: World, space: string): ReadonlyArray<string> =>
  countersIn(world, ns(space))
    .map(({ dev, rx, tx }) => `${dev}: ${text(rx)} / ${text(tx)}`)
    .filter((line) => !line.endsWith(': 0 of 0 / 0 of 0'))

const ARP = 42
const ECHO = 98
const HEADER = 14

describe('an echo between two containers', () => {
  const { world } = attempt(WORLD, 'c1', 'icmp', '10.0.0.2')

  test('is a request and an answer on each of the four ends of their cables, and so is the question before', () => {
    const both = `2 of ${ARP + ECHO}`
    expect(counted(world, 'c1')).toEqual([`eth0: ${both} / ${both}`])
    expect(counted(world, 'c2')).toEqual([`eth0: ${both} / ${both}`])
    const [, p1, p2] = counted(world, 'host')
    expect([p1, p2]).toEqual([`p1: ${both} / ${both}`, `p2: ${both} / ${both}`])
  })

  test('leaves the question, which went to all, with the bridge, less its Ethernet header, and with those not asked', () => {
    const [br0, , , p3] = counted(world, 'host')
    expect(br0).toBe(`br0: 1 of ${ARP - HEADER} / 0 of 0`)
    expect(p3).toBe(`p3: 0 of 0 / 1 of ${ARP}`)
    expect(counted(world, 'c3')).toEqual([`eth0: 1 of ${ARP} / 0 of 0`])
  })

  test('that is sent again adds only itself, for the neighbours are known', () => {
    const again = attempt(world, 'c1', 'icmp', '10.0.0.2').world
    const three = `3 of ${ARP + 2 * ECHO}`
    expect(counted(again, 'c1')).toEqual([`eth0: ${three} / ${three}`])
    expect(counted(again, 'c3')).toEqual(counted(world, 'c3'))
  })

  test('leaves the world before as it was', () => {
    expect(counted(WORLD, 'c1')).toEqual([])
  })
})

describe('lengths', () => {
  const traffic = (proto: 'icmp' | 'tcp' | 'udp', to: string, listener = ''): string | undefined =>
    counted(attempt(WORLD, 'c1', proto, to, listener).world, 'c1')[0]

  test.each([
    ['an echo of IPv6 after a neighbour solicitation', 'icmp', 'fd00::2', '', [86 + 118], [86 + 118]],
    ['a handshake: SYN, SYN-ACK, ACK', 'tcp', '10.0.0.2 80', 'c2:80', [ARP + 74], [ARP + 74 + 66]],
    ['a SYN that is refused', 'tcp', '10.0.0.2 80', '', [ARP + 54], [ARP + 74]],
    ['a handshake of IPv6', 'tcp', 'fd00::2 80', 'c2:80', [86 + 94], [86 + 94 + 86]],
    ['a datagram that is refused by an error that quotes it', 'udp', '10.0.0.2 53', '', [ARP + 75], [ARP + 47]],
  ] as const)('%s', (_, proto, to, listener, [rx], [tx]) => {
    const packets = proto === 'tcp' && listener !== '' ? 3 : 2
    expect(traffic(proto, to, listener)).toBe(`eth0: 2 of ${rx} / ${packets} of ${tx}`)
  })

  test('the host’s own address: loopback counts each packet twice, without an Ethernet header', () => {
    const twice = `2 of ${2 * (ECHO - HEADER)}`
    expect(traffic('icmp', '10.0.0.1')).toBe(`lo: ${twice} / ${twice}`)
  })

  test('the host: its bridge counts the header in what it sends only', () => {
    const { world } = attempt(WORLD, 'host', 'icmp', '10.0.0.1')
    expect(counted(world, 'host')[0]).toBe(`br0: 2 of ${ARP + ECHO - 2 * HEADER} / 2 of ${ARP + ECHO}`)
  })
})

describe('what cannot be sent is lost at the device', () => {
  /** After three questions for a MAC the host tells itself so, by an error that quotes the packet. */
  const UNREACHABLE = `lo: 1 of ${28 + ECHO - HEADER} / 1 of ${28 + ECHO - HEADER}`

  test('whose other end is down', () => {
    const world = apply(WORLD, [down(WORLD, 'host', 'p1')])
    expect(counted(attempt(world, 'c1', 'icmp', '10.0.0.2').world, 'c1')).toEqual([
      'eth0: 0 of 0 / 0 of 0, 3 dropped',
      UNREACHABLE,
    ])
  })

  test('and at loopback that is down', () => {
    const world = apply(WORLD, [down(WORLD, 'c1', 'lo')])
    expect(counted(attempt(world, 'c1', 'icmp', '10.0.0.1').world, 'c1')).toEqual(['lo: 0 of 0 / 0 of 0, 1 dropped'])
  })

  test('and at a bridge without carrier, but not at its ports', () => {
    const world = apply(
      WORLD,
      ['c1', 'c2', 'c3'].map((space) => down(WORLD, space, 'eth0')),
    )
    expect(counted(attempt(world, 'host', 'icmp', '10.0.0.1').world, 'host')).toEqual([
      'br0: 0 of 0 / 0 of 0, 3 dropped',
      UNREACHABLE,
    ])
  })
})

describe('counters', () => {
  const { world } = attempt(WORLD, 'c1', 'icmp', '10.0.0.2')

  test('are told of every device, in order of their names, and of none where there is no namespace', () => {
    expect(countersIn(world, C1).map(({ dev }) => dev)).toEqual([ETH0, LO])
    expect(countersIn(world, ns('nobody'))).toEqual([])
  })

  test('stay while a device is down', () => {
    expect(counted(apply(world, [down(world, 'c1', 'eth0')]), 'c1')).toEqual(counted(world, 'c1'))
  })

  test('go with the device: who gets its name begins at zero', () => {
    const gone = apply(world, [{ verb: 'delete', object: linkOf(world, 'c1', 'eth0') }])
    const anew = apply(gone, cable([HOST, ifName('p1')], [C1, ETH0], 0x200))
    expect(counted(anew, 'c1')).toEqual([])
    expect(counted(anew, 'host').map((line) => line.split(':')[0])).toEqual(['br0', 'p2', 'p3'])
  })
})
