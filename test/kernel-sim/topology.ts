// A host with three networks, and a small outside world, as the operations that build them on either kernel.
//
//   far ── out ┐
//              ├ lan ── host ─┬ br-a: a1, a2        out, far: only know the host's addresses
//        peer ─┘              ├ br-b: b1            peer: has routes to the containers of br-a
//                             └ br-i: i1, i2        br-i is internal
//
// Published: tcp 8080 of every address to a1:80, udp 8081 of 203.0.113.1 to a1:81, tcp 8082 to an address nobody has.

import {
  bridgeElement,
  internalElement,
  masqueradeElement,
  publishElement,
  skeletonTable,
  subnetElement,
  withinElement,
} from '../../src/kernel/firewall/elements.ts'
import type { KernelObject, Link } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { deviceSysctl, FORWARD4, FORWARD6, type SysctlName } from '../../src/kernel/sysctl.ts'
import { cidr, DEFAULT4, DEFAULT6 } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { type Mac, mac } from '../../src/net/mac.ts'
import { HOST, type IfName, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'

const create = (object: KernelObject): KernelOp => ({ verb: 'create', object })

/** Locally administered, and different for every link of a topology. */
const macOf = (n: number): Mac => mac(0x020000000000 + n)

const loopback = (space: Ns, up: boolean): Link => ({
  kind: 'link',
  ns: space,
  name: LO,
  spec: { type: 'loopback' },
  mac: mac(0),
  mtu: 65536,
  up,
  alias: null,
})

/** A namespace with its loopback up. */
export const netns = (space: Ns): ReadonlyArray<KernelOp> => [
  create({ kind: 'netns', ns: space, at: null }),
  { verb: 'change', from: loopback(space, false), object: loopback(space, true) },
]

export const bridge = (space: Ns, name: IfName, n: number): KernelOp =>
  create({ kind: 'link', ns: space, name, spec: { type: 'bridge' }, mac: macOf(n), mtu: 1500, up: true, alias: null })

/** A cable between two namespaces, both ends up. */
export const cable = (a: readonly [Ns, IfName], b: readonly [Ns, IfName], n: number): ReadonlyArray<KernelOp> => {
  const end = (from: readonly [Ns, IfName], to: readonly [Ns, IfName], address: Mac, up: boolean): Link => ({
    kind: 'link',
    ns: from[0],
    name: from[1],
    spec: { type: 'veth', peer: { ns: to[0], name: to[1] } },
    mac: address,
    mtu: 1500,
    up,
    alias: null,
  })
  return [
    create(end(a, b, macOf(n), true)),
    { verb: 'change', from: end(b, a, mac(0), false), object: end(b, a, macOf(n + 1), true) },
  ]
}

export const joined = (
  space: Ns,
  dev: IfName,
  to: IfName,
  flags: { isolated?: boolean; hairpin?: boolean } = {},
): KernelOp =>
  create({
    kind: 'port',
    ns: space,
    dev,
    bridge: to,
    isolated: flags.isolated ?? false,
    hairpin: flags.hairpin ?? false,
  })

export const address = (space: Ns, dev: IfName, text: string): KernelOp =>
  create({ kind: 'address', ns: space, dev, cidr: cidr(text) })

export const route = (space: Ns, to: string, via: string | null, dev: IfName): KernelOp => {
  const prefix = to === 'default' ? (via?.includes(':') ? DEFAULT6 : DEFAULT4) : cidr(to)
  return create({ kind: 'route', ns: space, to: prefix, via: via === null ? null : ip(via), dev, metric: 0 })
}

export const sysctl = (space: Ns, name: SysctlName, value: string): KernelOp =>
  create({ kind: 'sysctl', ns: space, name, value, otherwise: '0' })

export const ETH0 = ifName('eth0')

/** A namespace behind a port of a bridge of another one, with its addresses and default gateways. */
const member = (
  name: string,
  behind: readonly [Ns, IfName],
  n: number,
  addresses: ReadonlyArray<string>,
  gateways: ReadonlyArray<string>,
): ReadonlyArray<KernelOp> => {
  const space = ns(name)
  const dev = ifName(`v${name}`)
  return [
    ...netns(space),
    ...cable([behind[0], dev], [space, ETH0], n),
    // With br_netfilter on, a container only reaches its own published port through a hairpin port.
    joined(behind[0], dev, behind[1], { hairpin: behind[0] === HOST }),
    ...addresses.map((text) => address(space, ETH0, text)),
    ...gateways.map((via) => route(space, 'default', via, ETH0)),
  ]
}

/** A network of the host: its bridge with the gateway's addresses, and its elements in the firewall. */
const network = (
  letter: string,
  n: number,
  gateways: ReadonlyArray<string>,
  internal: boolean,
): ReadonlyArray<KernelOp> => {
  const name = ifName(`br-${letter}`)
  return [
    bridge(HOST, name, n),
    ...gateways.map((text) => address(HOST, name, text)),
    create(bridgeElement(HOST, name)),
    create(withinElement(HOST, name)),
    ...(internal ? [create(internalElement(HOST, name))] : []),
    ...gateways.flatMap((text) => [
      create(subnetElement(HOST, name, cidr(text))),
      ...(internal ? [] : [create(masqueradeElement(HOST, cidr(text)))]),
    ]),
    sysctl(HOST, deviceSysctl(4, name, 'route_localnet'), '1'),
  ]
}

const LAN = ns('lan')
const BR_LAN = ifName('br-lan')

export const topology: ReadonlyArray<KernelOp> = [
  ...netns(HOST),
  sysctl(HOST, FORWARD4, '1'),
  sysctl(HOST, FORWARD6, '1'),
  create(skeletonTable(HOST)),
  ...network('a', 0x10, ['172.18.0.1/16', 'fd00:a::1/64'], false),
  ...network('b', 0x20, ['172.19.0.1/16', 'fd00:b::1/64'], false),
  ...network('i', 0x30, ['172.20.0.1/16', 'fd00:c::1/64'], true),
  ...member('a1', [HOST, ifName('br-a')], 0x11, ['172.18.0.2/16', 'fd00:a::2/64'], ['172.18.0.1', 'fd00:a::1']),
  ...member('a2', [HOST, ifName('br-a')], 0x13, ['172.18.0.3/16', 'fd00:a::3/64'], ['172.18.0.1', 'fd00:a::1']),
  ...member('b1', [HOST, ifName('br-b')], 0x21, ['172.19.0.2/16', 'fd00:b::2/64'], ['172.19.0.1', 'fd00:b::1']),
  ...member('i1', [HOST, ifName('br-i')], 0x31, ['172.20.0.2/16', 'fd00:c::2/64'], []),
  ...member('i2', [HOST, ifName('br-i')], 0x33, ['172.20.0.3/16', 'fd00:c::3/64'], ['172.20.0.1', 'fd00:c::1']),
  ...netns(LAN),
  bridge(LAN, BR_LAN, 0x40),
  ...cable([LAN, ifName('vhost')], [HOST, ETH0], 0x41),
  joined(LAN, ifName('vhost'), BR_LAN),
  address(HOST, ETH0, '203.0.113.1/24'),
  address(HOST, ETH0, '2001:db8::1/64'),
  ...member('out', [LAN, BR_LAN], 0x43, ['203.0.113.9/24', '2001:db8::9/64'], []),
  ...member('peer', [LAN, BR_LAN], 0x45, ['203.0.113.8/24', '2001:db8::8/64'], []),
  route(ns('peer'), '172.18.0.0/16', '203.0.113.1', ETH0),
  route(ns('peer'), 'fd00:a::/64', '2001:db8::1', ETH0),
  sysctl(ns('out'), FORWARD4, '1'),
  sysctl(ns('out'), FORWARD6, '1'),
  ...netns(ns('far')),
  ...cable([ns('out'), ifName('eth1')], [ns('far'), ETH0], 0x50),
  address(ns('out'), ifName('eth1'), '198.51.100.1/24'),
  address(ns('out'), ifName('eth1'), '2001:db8:1::1/64'),
  address(ns('far'), ETH0, '198.51.100.2/24'),
  address(ns('far'), ETH0, '2001:db8:1::2/64'),
  route(ns('far'), 'default', '198.51.100.1', ETH0),
  route(ns('far'), 'default', '2001:db8:1::1', ETH0),
  route(HOST, 'default', '203.0.113.9', ETH0),
  route(HOST, 'default', '2001:db8::9', ETH0),
  create(
    publishElement(HOST, { ip: ip('0.0.0.0'), port: port(8080) }, 'tcp', { ip: ip('172.18.0.2'), port: port(80) }),
  ),
  create(publishElement(HOST, { ip: ip('::'), port: port(8080) }, 'tcp', { ip: ip('fd00:a::2'), port: port(80) })),
  create(
    publishElement(HOST, { ip: ip('203.0.113.1'), port: port(8081) }, 'udp', { ip: ip('172.18.0.2'), port: port(81) }),
  ),
  create(
    publishElement(HOST, { ip: ip('0.0.0.0'), port: port(8082) }, 'tcp', { ip: ip('172.18.0.77'), port: port(80) }),
  ),
]
