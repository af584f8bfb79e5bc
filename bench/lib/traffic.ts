// Networks for packets to be counted on, opened once: whoever measures sends over known ground.

import type { Probe } from '../../src/kernel/kernel.ts'
import type { Request } from '../../src/kernel/rtnl/request.ts'
import { hostWorld } from '../../src/kernel-sim/control.ts'
import { probeOver } from '../../src/kernel-sim/datapath/probe.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { type OpenWorld, openWorld } from '../../src/kernel-sim/datapath/world.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { cidr } from '../../src/net/cidr.ts'
import { type Ip, ip } from '../../src/net/ip.ts'
import { HOST, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { address, bridge, container, forwarding, inNs, obeyed, up } from './builder.ts'

export type Place = Readonly<{ ns: Ns; ip: Ip }>
const PING = 'icmp'

/** A ping from each place to each other. */
export const matrixOf = (places: ReadonlyArray<Place>): ReadonlyArray<Probe> =>
  places.flatMap((from) =>
    places.flatMap((to): ReadonlyArray<Probe> => (from === to ? [] : [{ proto: PING, ns: from.ns, to: to.ip }])),
  )

export type Traffic = Readonly<{ open: OpenWorld; probes: ReadonlyArray<Probe> }>

/** A host that routes between bridges with containers, without a firewall; all ping all. */
export const bridged = (networks: number, each: number): Traffic => {
  const requests: Request[] = [...inNs(HOST, forwarding)]
  const places: Place[] = []
  for (let i = 0; i < networks; i++) {
    const name = ifName(`br${i}`)
    requests.push(...bridge(name, cidr(`10.0.${i}.1/24`)))
    for (let n = 0; n < each; n++) {
      const [id, at] = [`c${i}-${n}`, cidr(`10.0.${i}.${n + 2}/24`)]
      requests.push(...container(name, { id, at, gateway: ip(`10.0.${i}.1`) }))
      places.push({ ns: ns(id), ip: at.ip })
    }
  }
  return trafficOf(obeyed(hostWorld(), requests), matrixOf(places))
}

const router = (n: number): Ns => ns(`r${n}`)
const [LEFT, RIGHT] = [ifName('left'), ifName('right')]

const joint = (n: number): ReadonlyArray<Request> => [
  ...inNs(router(n), {
    on: 'link',
    do: 'add',
    name: RIGHT,
    up: true,
    kind: { kind: 'veth', peer: { ns: router(n + 1), name: LEFT } },
  }),
  ...inNs(router(n + 1), up(LEFT), address(LEFT, cidr(`10.1.${n}.2/24`))),
  ...inNs(router(n), address(RIGHT, cidr(`10.1.${n}.1/24`))),
]

/** Routers in a row; one end pings the other. */
export const chained = (routers: number): Traffic => {
  const last = routers - 1
  const all = Array.from({ length: routers }, (_, n) => n)
  const world = obeyed(hostWorld(), [
    ...all.flatMap((n) => inNs(router(n), { on: 'netns', do: 'add' }, up(LO), forwarding)),
    ...all.slice(0, last).flatMap(joint),
    ...all.flatMap((n) => [
      ...(n < last - 1
        ? inNs(router(n), { on: 'route', do: 'add', to: cidr(`10.1.${last - 1}.0/24`), via: ip(`10.1.${n}.2`) })
        : []),
      ...(n > 1
        ? inNs(router(n), { on: 'route', do: 'add', to: cidr('10.1.0.0/24'), via: ip(`10.1.${n - 1}.1`) })
        : []),
    ]),
  ])
  return trafficOf(world, [{ proto: PING, ns: router(0), to: ip(`10.1.${last - 1}.2`) }])
}

const trafficOf = (world: World, probes: ReadonlyArray<Probe>): Traffic => {
  const traffic = { open: openWorld(PARTS, world), probes }
  sendAll(traffic)
  return traffic
}

/** Sends all probes; each must arrive. */
export const sendAll = ({ open: { plane, host }, probes }: Traffic, times = 1): void => {
  for (let n = 0; n < times; n++)
    for (const probe of probes) {
      const verdict = probeOver(plane, host, probe)
      if (verdict.tag !== 'arrived') throw new Error(`${probe.ns}: ${verdict.why}`)
    }
}

const counted = ({ open: { host } }: Traffic): number => {
  let packets = 0
  for (const space of host.spaces.values())
    for (const dev of space?.devices.values() ?? [])
      packets += dev === null ? 0 : dev.tally.rxPackets + dev.tally.txPackets
  return packets
}

/** Packets that devices count for one pass of all probes on known ground: each that a device sent or received is a hop. */
export const hopsOf = (traffic: Traffic): number => {
  const before = counted(traffic)
  sendAll(traffic)
  return counted(traffic) - before
}
