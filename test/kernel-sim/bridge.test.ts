// A bridge learns where MACs are, floods what it does not know, and forgets.

import { describe, expect, test } from 'vitest'
import type { KernelOp } from '../../src/kernel/op.ts'
import { runProbe } from '../../src/kernel-sim/datapath/probe.ts'
import type { Step } from '../../src/kernel-sim/datapath/step.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { HOST, type IfName, ifName, ns } from '../../src/net/name.ts'
import { getIn, setIn, sizeOfMap, valuesOf } from '../../src/net/pmap.ts'
import { address, bridge, cable, ETH0, joined, netns } from './topology.ts'
import { attempt, endingOf, probeOf, reasonOf, spaceIn, worldOf } from './world.ts'

const BR = ifName('br0')

/** n containers c1, c2, ... at 10.0.0.n behind ports p1, p2, ... of br0. */
const bridged = (n: number, flags: { isolated?: boolean; hairpin?: boolean } = {}): ReadonlyArray<KernelOp> => [
  ...netns(HOST),
  bridge(HOST, BR, 1),
  ...Array.from({ length: n }, (_, i) => i + 1).flatMap((i) => [
    ...netns(ns(`c${i}`)),
    ...cable([HOST, ifName(`p${i}`)], [ns(`c${i}`), ETH0], 0x100 + 2 * i),
    joined(HOST, ifName(`p${i}`), BR, flags),
    address(ns(`c${i}`), ETH0, `10.0.0.${i}/24`),
  ]),
]

const learned = (world: World): ReadonlyArray<IfName> => {
  const link = getIn(spaceIn(world, 'host').links, BR)
  return link === undefined
    ? []
    : valuesOf(link.fdb.entries).flatMap(({ dev, state }) => (dev === null || state !== 'dynamic' ? [] : dev))
}

const floods = (trace: ReadonlyArray<Step>): ReadonlyArray<string> =>
  trace.flatMap(({ event, payload }) => (event.tag === 'flooded' ? [`${payload.tag} to ${event.ports}`] : []))

const later = (world: World, ms: number): World => ({ ...world, nowMs: world.nowMs + ms })

describe('learning', () => {
  test('a first echo teaches the bridge both ends, and them each other', () => {
    const first = attempt(worldOf(bridged(4)), 'c1', 'icmp', '10.0.0.2')
    expect(endingOf(first)).toBe('arrived')
    expect(floods(first.trace)).toEqual(['arp to 3'])
    expect(learned(first.world)).toEqual(['p1', 'p2'])
    expect(floods(attempt(first.world, 'c1', 'icmp', '10.0.0.2').trace)).toEqual([])
    expect(floods(attempt(first.world, 'c2', 'icmp', '10.0.0.1').trace)).toEqual([])
  })

  test('the world before the probe is as it was', () => {
    const world = worldOf(bridged(2))
    attempt(world, 'c1', 'icmp', '10.0.0.2')
    expect(learned(world)).toEqual([])
    expect(sizeOfMap(spaceIn(world, 'c1').neighbours)).toBe(0)
  })

  test('a MAC that was not heard for 300 s is flooded to; up to then it is not', () => {
    const { world } = attempt(worldOf(bridged(3)), 'c1', 'icmp', '10.0.0.2')
    // c1 keeps its neighbour by hearing from it through another port's traffic: only the bridge's memory is at stake.
    const remembering = (ms: number): World => {
      const old = later(world, ms)
      const c1 = spaceIn(old, 'c1')
      const fresh = valuesOf(c1.neighbours).map((entry) => ({ ...entry, seenMs: old.nowMs }))
      const neighbours = fresh.reduce((all, entry) => setIn(all, `${entry.dev} ${entry.ip}`, entry), c1.neighbours)
      return { ...old, namespaces: setIn(old.namespaces, 'c1', { ...c1, neighbours }) }
    }
    expect(floods(attempt(remembering(299_999), 'c1', 'icmp', '10.0.0.2').trace)[0]).not.toBe('ip4 to 2')
    expect(floods(attempt(remembering(300_000), 'c1', 'icmp', '10.0.0.2').trace)[0]).toBe('ip4 to 2')
  })
})

describe('port flags', () => {
  test('isolated ports reach only others, and say so when the MAC is known', () => {
    const before = attempt(worldOf(bridged(2)), 'c1', 'icmp', '10.0.0.2').world
    expect(endingOf(attempt(worldOf(bridged(2, { isolated: true })), 'c1', 'icmp', '10.0.0.2'))).toBe('timeout')
    const host = spaceIn(before, 'host')
    const links = ['p1', 'p2'].reduce((all, name) => {
      const link = getIn(all, name)
      return link?.port ? setIn(all, name, { ...link, port: { ...link.port, isolated: true } }) : all
    }, host.links)
    const world = { ...before, namespaces: setIn(before.namespaces, 'host', { ...host, links }) }
    expect(reasonOf(attempt(world, 'c1', 'icmp', '10.0.0.2'))).toBe(
      'host, p1: it and p2 are isolated ports, which do not reach each other',
    )
  })

  test('a hairpin port gets its own broadcasts back', () => {
    const plain = attempt(worldOf(bridged(3)), 'c1', 'icmp', '10.0.0.2')
    const hairpin = attempt(worldOf(bridged(3, { hairpin: true })), 'c1', 'icmp', '10.0.0.2')
    expect(floods(plain.trace)).toEqual(['arp to 2'])
    expect(floods(hairpin.trace)).toEqual(['arp to 3'])
    expect(endingOf(hairpin)).toBe('arrived')
  })
})

describe('loops end', () => {
  const loop = [
    ...bridged(2),
    bridge(HOST, ifName('br1'), 2),
    ...cable([HOST, ifName('x1')], [HOST, ifName('y1')], 0x200),
    ...cable([HOST, ifName('x2')], [HOST, ifName('y2')], 0x210),
    joined(HOST, ifName('x1'), BR),
    joined(HOST, ifName('x2'), BR),
    joined(HOST, ifName('y1'), ifName('br1')),
    joined(HOST, ifName('y2'), ifName('br1')),
  ]

  test('two cables between two bridges are a storm that is cut, with a reason', () => {
    const result = runProbe(PARTS, worldOf(loop), probeOf('c1', 'icmp', '10.0.0.99'))
    expect(reasonOf(result)).toMatch(
      /^(host|c[12]), .*: the network is still busy after 20000 frames: there is a loop of bridges$/,
    )
    expect(endingOf(result)).toBe('timeout')
  })
})
