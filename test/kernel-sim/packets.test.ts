// The simulated kernel ends every probe as Linux does.

import { describe, expect, test } from 'vitest'
import type { KernelOp } from '../../src/kernel/op.ts'
import { deviceSysctl, FORWARD4, FORWARD6 } from '../../src/kernel/sysctl.ts'
import { runProbe } from '../../src/kernel-sim/datapath/probe.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { HOST, ifName, ns } from '../../src/net/name.ts'
import { type Ending, FACTS, type Fact } from './facts.ts'
import { address, ETH0, joined, route, sysctl, topology } from './topology.ts'
import { apply, attempt, endingOf, probeOf, reasonOf, worldOf } from './world.ts'

const built = worldOf(topology)
const BR_A = ifName('br-a')
const OUT = ns('out')

const deletion = (op: KernelOp): KernelOp => ({ verb: 'delete', object: op.object })

describe('what Linux does in this topology, from a world that has seen no packet', () => {
  test.each(FACTS)('%s %s %s [%s]: %s', (from, proto, to, listener, ends) => {
    expect(endingOf(attempt(built, from, proto, to, listener))).toBe(ends)
  })
})

test('all of them in a row end the same: what earlier packets left behind changes nothing', () => {
  let world = built
  for (const [from, proto, to, listener, ends] of FACTS) {
    const result = attempt(world, from, proto, to, listener)
    expect([from, proto, to, listener, endingOf(result)]).toEqual([from, proto, to, listener, ends])
    world = result.world
  }
})

test('without a trace the verdict is the same, where and why included', () => {
  for (const [from, proto, to, listener] of FACTS) {
    const probe = probeOf(from, proto, to, listener)
    const quiet = runProbe(PARTS, built, probe, { trace: false })
    expect(quiet.verdict).toEqual(runProbe(PARTS, built, probe).verdict)
    expect(quiet.trace).toEqual([])
  }
})

/** Changes to the topology, and what Linux does then. */
const CHANGED: ReadonlyArray<readonly [what: string, ops: ReadonlyArray<KernelOp>, facts: ReadonlyArray<Fact>]> = [
  [
    'a host that does not forward is silent about it',
    [sysctl(HOST, FORWARD4, '0'), sysctl(HOST, FORWARD6, '0')],
    [
      ['a1', 'icmp', '172.19.0.2', '', 'timeout'],
      ['a1', 'icmp', '172.19.0.1', '', 'arrived'],
      ['a1', 'icmp', 'fd00:b::1', '', 'arrived'],
      ['out', 'tcp', '203.0.113.1 8080', 'a1:80', 'timeout'],
      ['host', 'tcp', '203.0.113.1 8080', 'a1:80', 'arrived'],
      ['a2', 'tcp', '172.18.0.1 8080', 'a1:80', 'timeout'],
    ],
  ],
  [
    'without a route, IPv4 is silent and IPv6 says so, when forwarding is off',
    [sysctl(OUT, FORWARD4, '0'), sysctl(OUT, FORWARD6, '0')],
    [
      ['far', 'icmp', '10.9.9.9', '', 'timeout'],
      ['far', 'icmp', '2001:db8:9::9', '', 'unreachable'],
      ['far', 'icmp', '203.0.113.1', '', 'timeout'],
    ],
  ],
  [
    '127.0.0.1 reaches a container only with route_localnet on its bridge',
    [sysctl(HOST, deviceSysctl(4, BR_A, 'route_localnet'), '0')],
    [
      ['host', 'tcp', '127.0.0.1 8080', 'a1:80', 'timeout'],
      ['host', 'icmp', '127.0.0.1', '', 'arrived'],
      ['host', 'tcp', '203.0.113.1 8080', 'a1:80', 'arrived'],
    ],
  ],
  [
    'in a loop of routes IPv4 stops at the first own source, IPv6 at the last hop',
    [route(OUT, 'default', '203.0.113.1', ETH0), route(OUT, 'default', '2001:db8::1', ETH0)],
    [
      ['host', 'icmp', '10.9.9.9', '', 'timeout'],
      ['host', 'icmp', '2001:db8:9::9', '', 'unreachable'],
      ['a1', 'icmp', '2001:db8:9::9', '', 'timeout'],
    ],
  ],
  [
    'further addresses of a device answer and translate like its first',
    [address(HOST, BR_A, '172.18.0.5/16'), address(HOST, ETH0, '203.0.113.5/24')],
    [
      ['a1', 'udp', '172.18.0.5 90', 'host:90', 'arrived'],
      ['a1', 'tcp', '172.18.0.5 90', 'host:90', 'arrived'],
      ['host', 'udp', '203.0.113.5 90', 'host:90', 'arrived'],
      ['out', 'tcp', '203.0.113.5 8080', 'a1:80', 'arrived'],
      ['a1', 'icmp', '203.0.113.9', '', 'arrived'],
    ],
  ],
  [
    'a host without the way back',
    [deletion(route(HOST, 'default', '203.0.113.9', ETH0)), deletion(route(HOST, 'default', '2001:db8::9', ETH0))],
    [
      ['host', 'icmp', '10.9.9.9', '', 'unreachable'],
      ['b1', 'icmp', '10.9.9.9', '', 'unreachable'],
      ['b1', 'tcp', '10.9.9.9 80', '', 'unreachable'],
      ['far', 'icmp', '203.0.113.1', '', 'timeout'],
      ['far', 'icmp', '2001:db8::1', '', 'timeout'],
    ],
  ],
  [
    'a gateway whose address is gone',
    [deletion(address(HOST, BR_A, '172.18.0.1/16'))],
    [
      ['a1', 'icmp', '172.18.0.1', '', 'timeout'],
      ['a1', 'icmp', '203.0.113.9', '', 'timeout'],
      ['host', 'icmp', '172.18.0.2', '', 'unreachable'],
    ],
  ],
  [
    'without a firewall networks are open, and nothing is published',
    [{ verb: 'delete', object: { kind: 'nft-table', ns: HOST, skeleton: 1 } }],
    [
      ['a1', 'icmp', 'fd00:b::2', '', 'arrived'],
      ['b1', 'icmp', '172.18.0.2', '', 'arrived'],
      ['peer', 'icmp', 'fd00:a::2', '', 'arrived'],
      ['out', 'tcp', '203.0.113.1 8080', 'a1:80', 'refused'],
    ],
  ],
  [
    'isolated ports do not reach each other, and reach everybody else',
    [isolation('va1'), isolation('va2')],
    [
      ['a1', 'icmp', '172.18.0.3', '', 'timeout'],
      ['a1', 'tcp', 'fd00:a::3 80', 'a2:80', 'timeout'],
      ['a1', 'icmp', '172.18.0.1', '', 'arrived'],
      ['host', 'icmp', '172.18.0.3', '', 'arrived'],
      ['out', 'tcp', '203.0.113.1 8080', 'a1:80', 'arrived'],
    ],
  ],
]

function isolation(dev: string): KernelOp {
  const from = joined(HOST, ifName(dev), BR_A, { hairpin: true }).object
  const to = joined(HOST, ifName(dev), BR_A, { hairpin: true, isolated: true }).object
  return { verb: 'change', from, object: to }
}

describe.each(CHANGED)('%s', (_, ops, facts) => {
  test.each(facts)('%s %s %s [%s]: %s', (from, proto, to, listener, ends: Ending) => {
    expect(endingOf(attempt(apply(built, ops), from, proto, to, listener))).toBe(ends)
  })
})

describe('a verdict says where a packet died, and why', () => {
  test.each([
    [
      'a1',
      'icmp',
      '172.19.0.2',
      '',
      'host, br-b: the rule "isolation: only published ports and answers enter a network" (chain forward) drops it',
    ],
    [
      'i2',
      'icmp',
      '203.0.113.9',
      '',
      'host, eth0: the rule "internal: nothing leaves an internal network" (chain forward) drops it',
    ],
    ['i1', 'icmp', '172.18.0.2', '', 'i1: there is no route to 172.18.0.2'],
    ['a1', 'icmp', '10.9.9.9', '', 'out, eth0: there is no route to 10.9.9.9'],
    ['a1', 'icmp', '172.18.0.99', '', 'a1, eth0: nobody on eth0 answers for 172.18.0.99'],
    ['out', 'tcp', '203.0.113.1 8082', '', 'host, br-a: nobody on br-a answers for 172.18.0.77'],
    ['out', 'tcp', '203.0.113.1 8080', '', 'a1, eth0: nothing listens on tcp/80'],
    ['a1', 'icmp', '172.18.255.255', '', 'a1, eth0: 172.18.255.255 is a broadcast or multicast address'],
  ] as const)('%s %s %s', (from, proto, to, listener, reason) => {
    expect(reasonOf(attempt(built, from, proto, to, listener))).toBe(reason)
  })

  test('an answer that dies is the reason too', () => {
    const world = apply(built, [deletion(route(HOST, 'default', '203.0.113.9', ETH0))])
    expect(reasonOf(attempt(world, 'far', 'icmp', '203.0.113.1'))).toBe('host: there is no route to 198.51.100.2')
  })

  test('an address of the host that only its bridge could use is martian elsewhere', () => {
    const world = apply(built, [sysctl(HOST, deviceSysctl(4, BR_A, 'route_localnet'), '0')])
    expect(reasonOf(attempt(world, 'host', 'tcp', '127.0.0.1 8080', 'a1:80'))).toBe(
      'host, br-a: 127.0.0.1 cannot be the source of a packet here',
    )
  })

  test('with strict rp_filter, a source must be reached the way it came', () => {
    const peerSpeaksAsStranger = [
      address(ns('peer'), ETH0, '192.0.2.5/24'),
      route(ns('peer'), '172.19.0.0/16', '192.0.2.1', ETH0),
      address(HOST, ifName('br-b'), '192.0.2.1/24'),
    ]
    const loose = apply(built, peerSpeaksAsStranger)
    // Asked for its MAC by such a source, the host would not even say that.
    const known = attempt(loose, 'peer', 'icmp', '172.19.0.1').world
    const strict = apply(known, [sysctl(HOST, deviceSysctl(4, ETH0, 'rp_filter'), '1')])
    expect(reasonOf(attempt(loose, 'peer', 'icmp', '172.19.0.1'))).toBe(
      'host, br-b: nobody on br-b answers for 192.0.2.5',
    )
    expect(reasonOf(attempt(strict, 'peer', 'icmp', '172.19.0.1'))).toBe(
      'host, eth0: 192.0.2.5 is not reached the way it came (rp_filter)',
    )
  })
})

test('an address of a device that is down is still an own address', () => {
  const eth0 = topology.find(
    ({ verb, object }) => verb === 'change' && object.kind === 'link' && object.ns === 'far' && object.name === ETH0,
  )
  const world = worldOf(topology.filter((op) => op !== eth0 && !(op.object.kind === 'route' && op.object.ns === 'far')))
  for (const to of ['198.51.100.2', '2001:db8:1::2'])
    expect(endingOf(attempt(world, 'far', 'tcp', `${to} 80`, 'far:80'))).toBe('arrived')
})

test('a namespace that does not exist is a verdict, not a crash', () => {
  expect(reasonOf(attempt(built, 'nowhere', 'icmp', '172.18.0.2'))).toBe('nowhere: there is no such namespace')
})
