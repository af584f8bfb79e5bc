// Networks that work, over the namespaces and with the names and addresses of stack-programs.ts, so that what programs do to them is
// seen by packets: cables, bridges, routers, VXLANs, macvlans, rules.

import type { Ask, NewLink, Request, RouteRequest, RuleRequest } from '../../src/kernel/rtnl/request.ts'
import { FORWARD4, FORWARD6 } from '../../src/kernel/sysctl.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { ifName, LO, type Ns } from '../../src/net/name.ts'
import { C, D, H } from './stack-links.ts'

type Network = ReadonlyArray<Request>

const macOf = (n: number) => mac(0x020000000000 + n)
const at = (ns: Ns, ...asks: ReadonlyArray<Ask>): Network => asks.map((ask) => ({ ns, ask }))
const up = (name: string): Ask => ({ on: 'link', do: 'set', dev: ifName(name), up: true })
const link = (name: string, n: number, rest: Omit<NewLink, 'on' | 'do' | 'name' | 'mac'>): Ask => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  mac: macOf(n),
  up: true,
  ...rest,
})
const port = (name: string, bridge: string): Ask => ({
  on: 'link',
  do: 'set',
  dev: ifName(name),
  master: ifName(bridge),
})
const has = (name: string, ...texts: ReadonlyArray<string>): ReadonlyArray<Ask> =>
  texts.map((text) => ({ on: 'address', do: 'add', dev: ifName(name), cidr: cidr(text), nodad: true }))
const route = (to: string, via: string, more: Partial<RouteRequest> = {}): Ask => ({
  on: 'route',
  do: 'add',
  to: cidr(to),
  via: ip(via),
  ...more,
})
const rule = (more: Partial<RuleRequest>): Ask => ({ on: 'rule', do: 'add', family: 4, ...more })
const FORWARDING: ReadonlyArray<Ask> = [FORWARD4, FORWARD6].map((name) => ({
  on: 'sysctl',
  do: 'write',
  name,
  value: '1',
}))

/** A cable: `name` here, `peer` there, both up. */
const cable = (here: Ns, name: string, n: number, there: Ns, peer: string): Network => [
  ...at(here, link(name, n, { kind: { kind: 'veth', peer: { name: ifName(peer), mac: macOf(n + 1), ns: there } } })),
  ...at(there, up(peer)),
]

const LOOPBACKS: Network = [H, C, D].flatMap((ns) => at(ns, up(LO)))

/** c and d, each with e0 at a port of br0 in h. */
const PORTS: Network = [
  ...at(H, link('br0', 1, { kind: { kind: 'bridge' } })),
  ...cable(H, 'v0', 2, C, 'e0'),
  ...cable(H, 'v1', 4, D, 'e0'),
  ...at(H, port('v0', 'br0'), port('v1', 'br0')),
]
const SWITCHED: Network = [
  ...PORTS,
  ...at(H, ...has('br0', '10.0.0.1/24', 'fd00::1/64')),
  ...at(C, ...has('e0', '10.0.0.2/24', 'fd00::2/64')),
  ...at(D, ...has('e0', '10.0.0.3/24', 'fd00::3/64')),
]
/** h between the nets of c and d. */
const ROUTED: Network = [
  ...cable(H, 'v0', 2, C, 'e0'),
  ...cable(H, 'v1', 4, D, 'e0'),
  ...at(H, ...has('v0', '10.0.0.1/24', 'fd00::1/64'), ...has('v1', '10.0.1.1/24', 'fd01::1/64'), ...FORWARDING),
  ...at(C, ...has('e0', '10.0.0.2/24', 'fd00::2/64'), route('0.0.0.0/0', '10.0.0.1'), route('::/0', 'fd00::1')),
  ...at(D, ...has('e0', '10.0.1.2/24', 'fd01::2/64'), route('0.0.0.0/0', '10.0.1.1'), route('::/0', 'fd01::1')),
]
const vxlan = (remote: string): Ask => link('x0', 6, { kind: { kind: 'vxlan', vni: 5, remote: ip(remote) } })
/** c and d with an overlay across h, and a network of their own in it. */
const OVERLAY: Network = [
  ...ROUTED,
  ...at(C, vxlan('10.0.1.2'), ...has('x0', '10.9.0.1/24', 'fd09::1/64')),
  ...at(D, { ...vxlan('10.0.0.2'), mac: macOf(7) } as Ask, ...has('x0', '10.9.0.7/24', 'fd09::7/64')),
]
/** An overlay with a bridge at each end: what is in h reaches c through VXLANs of IPv6. */
const BRIDGED_OVERLAY: Network = [
  ...cable(H, 'v0', 2, C, 'e0'),
  ...at(H, ...has('v0', 'fd00::1/64'), link('x0', 6, { kind: { kind: 'vxlan', vni: 5, remote: ip('fd00::2') } })),
  ...at(C, ...has('e0', 'fd00::2/64'), link('x0', 7, { kind: { kind: 'vxlan', vni: 5, remote: ip('fd00::1') } })),
  ...at(H, link('br0', 1, { kind: { kind: 'bridge' } }), port('x0', 'br0')),
  ...cable(H, 'v1', 4, D, 'e0'),
  ...at(H, port('v1', 'br0')),
  ...at(C, ...has('x0', '10.9.0.1/24', 'fd09::1/64')),
  ...at(D, ...has('e0', '10.9.0.7/24', 'fd09::7/64')),
]
/** Devices of h and d on one end of a cable that c has the other end of. */
const MACVLANS: Network = [
  ...cable(H, 'v0', 2, C, 'e0'),
  ...at(H, link('m0', 8, { dev: ifName('v0'), kind: { kind: 'macvlan', mode: 'bridge' } })),
  ...at(H, link('m1', 9, { dev: ifName('v0'), to: D, kind: { kind: 'macvlan', mode: 'bridge' } })),
  ...at(D, up('m1')),
  ...at(H, ...has('v0', '10.0.0.5/24'), ...has('m0', '10.0.0.1/24', 'fd00::1/64')),
  ...at(C, ...has('e0', '10.0.0.2/24', 'fd00::2/64')),
  ...at(D, ...has('m1', '10.0.0.3/24', 'fd00::3/64')),
]
/** As ROUTED, by rules and a table of their own. */
const RULED: Network = [
  ...ROUTED,
  ...at(
    H,
    rule({ priority: 9, from: cidr('10.0.0.0/24'), action: { lookup: 77 } }),
    route('10.9.0.0/24', '10.0.1.2', { table: 77 }),
    route('10.77.0.0/24', '10.0.1.2'),
    rule({ priority: 10, mark: { value: 3 }, action: { is: 'prohibit' } }),
  ),
  ...at(D, ...has('lo', '10.9.0.7/32', '10.77.0.1/32')),
]

export const NETWORKS: ReadonlyArray<Network> = [SWITCHED, ROUTED, OVERLAY, BRIDGED_OVERLAY, MACVLANS, RULED].map(
  (network) => [...LOOPBACKS, ...network],
)
