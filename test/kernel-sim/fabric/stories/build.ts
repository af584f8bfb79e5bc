// The fabrics of stories (story.ts): hosts on one segment, each with what chance gave it, all from one generator.
// Nothing of Node's nor of a test library's is used here or in story.ts, for stories are also told where there is neither.

import type { Quality } from '../../../../src/kernel/quality.ts'
import type { Ask, Request } from '../../../../src/kernel/rtnl/request.ts'
import { FORWARD4, FORWARD6 } from '../../../../src/kernel/sysctl.ts'
import { askWorld } from '../../../../src/kernel-sim/control.ts'
import { below, fraction, type Random } from '../../../../src/kernel-sim/datapath/random.ts'
import { emptyFabric, type Fabric, plug, withHost, withSegment } from '../../../../src/kernel-sim/fabric/fabric.ts'
import { cidr } from '../../../../src/net/cidr.ts'
import { type Ip, ip } from '../../../../src/net/ip.ts'
import { ZERO_MAC } from '../../../../src/net/mac.ts'
import { HOST, type IfName, ifName, LO, type Ns, ns } from '../../../../src/net/name.ts'
import { getIn } from '../../../../src/net/pmap.ts'
import { E } from '../../../../src/prelude.ts'

export const LAN = 'lan'
export const ETH0 = ifName('eth0')
const [BRIDGE, VLAN, OVERLAY] = [ifName('br0'), ifName('eth0.7'), ifName('vx0')]

/** Whether one in so many times something is the case. */
export const once = (random: Random, in_: number): boolean => below(random, in_) === 0
export const oneOf = <A>(random: Random, choices: readonly [A, ...ReadonlyArray<A>]): A =>
  choices[below(random, choices.length)] ?? choices[0]

export const hostName = (n: number): string => `h${n}`

/** A namespace of a host, and the addresses that it is reached at. */
export type Place = Readonly<{ host: string; ns: Ns; ips: ReadonlyArray<Ip> }>
export type Places = readonly [Place, ...ReadonlyArray<Place>]
export type Setting = Readonly<{ fabric: Fabric; places: Places; refusals: ReadonlyArray<string> }>

/** The fabric after a request to one of its hosts, and the errno. */
export const asked = (
  fabric: Fabric,
  host: string,
  request: Request,
): Readonly<{ fabric: Fabric; errno: string | null }> => {
  const world = getIn(fabric.hosts, host)
  if (world === undefined) return { fabric, errno: 'no such host' }
  const { world: next, errno } = askWorld(world, request)
  return { fabric: withHost(fabric, host, next), errno }
}

const inNs = (space: Ns, asks: ReadonlyArray<Ask>): ReadonlyArray<Request> => asks.map((ask) => ({ ns: space, ask }))
const up = (dev: IfName): Ask => ({ on: 'link', do: 'set', dev, up: true })
const address = (dev: IfName, text: string): Ask => ({ on: 'address', do: 'add', dev, cidr: cidr(text) })
const route = (to: string, via: string): Ask => ({ on: 'route', do: 'add', to: cidr(to), via: ip(via) })

/** What all hosts of a fabric have, or none. */
type Plan = Readonly<{ hosts: number; vlan: boolean; overlay: 4 | 6 | null; containers: number }>

const outside = (n: number, family: 4 | 6): string => (family === 4 ? `10.0.0.${n}` : `fd00::${n}`)
const others = (plan: Plan, n: number): ReadonlyArray<number> =>
  Array.from({ length: plan.hosts }, (_, i) => i + 1).filter((other) => other !== n)

const overlay = (plan: Plan, n: number, family: 4 | 6): ReadonlyArray<Ask> => [
  {
    on: 'link',
    do: 'add',
    name: OVERLAY,
    up: true,
    kind: { kind: 'vxlan', vni: 42, port: 4789, local: ip(outside(n, family)) },
  },
  ...others(plan, n).map(
    (other): Ask => ({
      on: 'fdb',
      do: 'append',
      dev: OVERLAY,
      mac: ZERO_MAC,
      of: 'self',
      dst: ip(outside(other, family)),
    }),
  ),
  address(OVERLAY, `10.99.0.${n}/24`),
  address(OVERLAY, `fd99::${n}/64`),
]

const containerName = (i: number): Ns => ns(`c${i}`)

const container = (n: number, i: number): ReadonlyArray<Request> => {
  const own = containerName(i)
  const kind = { kind: 'veth', peer: { ns: own, name: ETH0 } } as const
  return [
    ...inNs(own, [{ on: 'netns', do: 'add' }, up(LO)]),
    ...inNs(HOST, [{ on: 'link', do: 'add', name: ifName(`v${i}`), up: true, master: BRIDGE, kind }]),
    ...inNs(own, [
      up(ETH0),
      address(ETH0, `10.${n}.0.${i + 1}/24`),
      address(ETH0, `fd00:${n}::${i + 1}/64`),
      route('0.0.0.0/0', `10.${n}.0.1`),
      route('::/0', `fd00:${n}::1`),
    ]),
  ]
}

const requestsFor = (plan: Plan, n: number): ReadonlyArray<Request> => [
  ...inNs(HOST, [
    up(LO),
    up(ETH0),
    address(ETH0, `${outside(n, 4)}/24`),
    address(ETH0, `${outside(n, 6)}/64`),
    { on: 'sysctl', do: 'write', name: FORWARD4, value: '1' },
    { on: 'sysctl', do: 'write', name: FORWARD6, value: '1' },
    { on: 'link', do: 'add', name: BRIDGE, up: true, kind: { kind: 'bridge' } },
    address(BRIDGE, `10.${n}.0.1/24`),
    address(BRIDGE, `fd00:${n}::1/64`),
    ...others(plan, n).flatMap((other) => [
      route(`10.${other}.0.0/24`, outside(other, 4)),
      route(`fd00:${other}::/64`, outside(other, 6)),
    ]),
    ...(plan.vlan
      ? [
          { on: 'link', do: 'add', name: VLAN, dev: ETH0, up: true, kind: { kind: 'vlan', id: 7 } } as const,
          address(VLAN, `10.77.0.${n}/24`),
        ]
      : []),
    ...(plan.overlay === null ? [] : overlay(plan, n, plan.overlay)),
  ]),
  ...Array.from({ length: plan.containers }, (_, i) => container(n, i + 1)).flat(),
]

const placesOf = (plan: Plan, n: number): Places => [
  {
    host: hostName(n),
    ns: HOST,
    ips: [
      ip(outside(n, 4)),
      ip(outside(n, 6)),
      ...(plan.vlan ? [ip(`10.77.0.${n}`)] : []),
      ...(plan.overlay === null ? [] : [ip(`10.99.0.${n}`), ip(`fd99::${n}`)]),
    ],
  },
  ...Array.from({ length: plan.containers }, (_, i) => ({
    host: hostName(n),
    ns: containerName(i + 1),
    ips: [ip(`10.${n}.0.${i + 2}`), ip(`fd00:${n}::${i + 2}`)],
  })),
]

const chance = (random: Random, most: number): number => (once(random, 2) ? 0 : fraction(random) * most)

export const randomQuality = (random: Random): Quality => ({
  delayMs: chance(random, 20),
  jitterMs: chance(random, 10),
  loss: chance(random, 0.2),
  duplicate: chance(random, 0.2),
  reorder: chance(random, 0.3),
  bitsPerMs: once(random, 3) ? 1_000 + below(random, 100_000) : null,
})

export const randomSetting = (random: Random): Setting => {
  const plan: Plan = {
    hosts: 2 + below(random, 3),
    vlan: once(random, 2),
    overlay: oneOf(random, [null, 4, 6]),
    containers: below(random, 3),
  }
  let fabric = withSegment(emptyFabric(below(random, 2 ** 32)), LAN, randomQuality(random))
  const refusals: string[] = []
  for (let n = 1; n <= plan.hosts; n++) {
    const plugged = plug(withHost(fabric, hostName(n)), hostName(n), LAN, ETH0)
    if (E.isLeft(plugged)) throw new Error(`${plugged.left.tag}: ${hostName(n)}`)
    fabric = plugged.right
    for (const request of requestsFor(plan, n)) {
      const { fabric: next, errno } = asked(fabric, hostName(n), request)
      fabric = next
      if (errno !== null) refusals.push(`${hostName(n)} ${request.ns} ${request.ask.on}: ${errno}`)
    }
  }
  const rest = others(plan, 1).flatMap((n) => placesOf(plan, n))
  return { fabric, places: [...placesOf(plan, 1), ...rest], refusals }
}
