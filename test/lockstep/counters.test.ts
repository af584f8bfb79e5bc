// The simulated and the real kernel count alike what the same probes send: packets, bytes and losses of every device.

import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Counters, Kernel, Probe } from '../../src/kernel/kernel.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import type { Ask } from '../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../src/kernel/sysctl.ts'
import { labNames, netnsPath } from '../../src/kernel-linux/names.ts'
import { askWorld } from '../../src/kernel-sim/control.ts'
import { applyAll, simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { HOST, ifName, type Ns, ns } from '../../src/net/name.ts'
import { bundleAgent, labKernel, rightOf, TRANSPORTS } from '../kernel-linux/labs.ts'
import { address, bridge, cable, ETH0, joined, netns } from '../kernel-sim/topology.ts'
import { probeOf } from '../kernel-sim/world.ts'
import { needs } from '../lib/need.ts'

const BR = ifName('br0')
const MEMBERS = [ns('c1'), ns('c2'), ns('c3')]
const NAMESPACES = [HOST, ...MEMBERS]

const SPACES: ReadonlyArray<KernelOp> = NAMESPACES.flatMap(netns)
const DEVICES: ReadonlyArray<KernelOp> = [
  bridge(HOST, BR, 1),
  address(HOST, BR, '10.0.0.254/24'),
  ...MEMBERS.flatMap((space, i) => [
    ...cable([HOST, ifName(`p${i + 1}`)], [space, ETH0], 0x100 + 2 * i),
    joined(HOST, ifName(`p${i + 1}`), BR),
    address(space, ETH0, `10.0.0.${i + 1}/24`),
  ]),
]

/** IPv6 and IGMP say things of their own accord when a device comes up, at times of their own. */
const QUIET = [
  'net.ipv6.conf.all.disable_ipv6=1',
  'net.ipv6.conf.default.disable_ipv6=1',
  'net.ipv4.igmp_link_local_mcast_reports=0',
]

const NO_IPV6: Ask = {
  on: 'sysctl',
  do: 'write',
  name: 'net.ipv6.conf.default.disable_ipv6' as SysctlName,
  value: '1',
}
const WITHOUT_IPV6 = NAMESPACES.reduce(
  (world, space) => askWorld(world, { ns: space, ask: NO_IPV6 }).world,
  applyAll(EMPTY_WORLD, SPACES).world,
)

/** A neighbour that is known from its own question is asked again some seconds later. */
const patient = (dev: string): string => `net.ipv4.neigh.${dev}.delay_first_probe_time=600`

const PROBES: ReadonlyArray<Probe> = [
  probeOf('c1', 'icmp', '10.0.0.2'),
  probeOf('c1', 'icmp', '10.0.0.2'),
  probeOf('host', 'icmp', '10.0.0.3'),
  probeOf('c2', 'icmp', '10.0.0.254'),
  probeOf('c1', 'icmp', '10.0.0.1'),
  probeOf('c1', 'tcp', '10.0.0.2 80'),
  probeOf('c3', 'udp', '10.0.0.1 53'),
]

/** What each probe left behind in each namespace. */
const counted = async (kernel: Kernel): Promise<ReadonlyArray<ReadonlyArray<ReadonlyArray<Counters>>>> => {
  const all: Array<ReadonlyArray<ReadonlyArray<Counters>>> = []
  for (const probe of PROBES) {
    rightOf(await kernel.probe(probe)())
    all.push(await Promise.all(NAMESPACES.map(async (space) => rightOf(await kernel.counters(space)()))))
  }
  return all
}

needs.kernel('the simulated and the real kernel', () => {
  beforeAll(bundleAgent)
  const labs: Array<() => Promise<void>> = []
  afterAll(async () => {
    for (const close of labs) await close()
  })

  test.each(TRANSPORTS)('count alike, through %s', async (transport) => {
    const { kernel, lab, close } = labKernel(`count-${transport}`, transport)
    labs.push(close)
    rightOf(await kernel.apply(SPACES)())
    const set = (space: Ns, ...values: ReadonlyArray<string>) =>
      execa('nsenter', [`--net=${netnsPath(labNames(lab)(space) ?? '')}`, '--', 'sysctl', '-qw', ...values])
    for (const space of NAMESPACES) await set(space, ...QUIET)
    rightOf(await kernel.apply(DEVICES)())
    for (const space of NAMESPACES) await set(space, patient(space === HOST ? BR : ETH0))
    const sim = simKernel(WITHOUT_IPV6)
    rightOf(await sim.apply(DEVICES)())
    expect(await counted(kernel)).toEqual(await counted(sim))
    expect(rightOf(await kernel.counters(ns('nobody'))())).toEqual([])
  })
})
