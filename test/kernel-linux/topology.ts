// Two networks on one host: `web` on front, `api` on both, `db` on back; web's port 80 is published as 8080.

import { freshLoopback } from '../../src/kernel/cascade.ts'
import * as firewall from '../../src/kernel/firewall/elements.ts'
import type { Fragment } from '../../src/kernel/state.ts'
import { deviceSysctl, FORWARD4, FORWARD6, ICMP_LIMIT4, ICMP_LIMIT6 } from '../../src/kernel/sysctl.ts'
import { cidr, DEFAULT4, DEFAULT6 } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, type IfName, ifName, type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'

export const WEB = ns('web')
export const API = ns('api')
export const DB = ns('db')

type Network = Readonly<{ n: number; bridge: IfName; mtu: number }>
export const FRONT: Network = { n: 1, bridge: ifName('br-front'), mtu: 1400 }
const BACK: Network = { n: 2, bridge: ifName('br-back'), mtu: 1500 }

const HOST_MACS = 0x02_42_00_00_00_00
const CONTAINER_MACS = 0x02_42_ac_00_00_00

export const container4 = (network: 1 | 2, n: number) => ip(`172.${30 + network}.0.${n}`)
export const container6 = (network: 1 | 2, n: number) => ip(`fd00:${network}::${n}`)

const netns = (of: Ns): Fragment => [
  { kind: 'netns', ns: of, at: null },
  // Many probes at once: each is to get its ICMP error.
  { kind: 'sysctl', ns: of, name: ICMP_LIMIT4, value: '0', otherwise: '1000' },
  { kind: 'sysctl', ns: of, name: ICMP_LIMIT6, value: '0', otherwise: '100' },
  { ...freshLoopback(of), up: true },
]

const network = ({ n, bridge, mtu }: Network): Fragment => {
  const spec = { type: 'bridge' } as const
  const subnet4 = cidr(`172.${30 + n}.0.0/16`)
  const subnet6 = cidr(`fd00:${n}::/64`)
  return [
    { kind: 'link', ns: HOST, name: bridge, spec, mac: mac(HOST_MACS + n), mtu, up: true, alias: `cnm:n${n}` },
    { kind: 'address', ns: HOST, dev: bridge, cidr: cidr(`172.${30 + n}.0.1/16`) },
    { kind: 'address', ns: HOST, dev: bridge, cidr: cidr(`fd00:${n}::1/64`) },
    firewall.bridgeElement(HOST, bridge),
    firewall.withinElement(HOST, bridge),
    firewall.subnetElement(HOST, bridge, subnet4),
    firewall.subnetElement(HOST, bridge, subnet6),
    firewall.masqueradeElement(HOST, subnet4),
    firewall.masqueradeElement(HOST, subnet6),
  ]
}

/** `last` is the last number of its addresses. Its port is isolated on `back`, and a hairpin on `front`. */
const endpoint = ({ n, bridge, mtu }: Network, of: Ns, dev: string, last: number): Fragment => {
  const host = ifName(`v${n}-${of}`)
  const inner = ifName(dev)
  const base = { kind: 'link', mtu, up: true } as const
  return [
    {
      ...base,
      ns: HOST,
      name: host,
      spec: { type: 'veth', peer: { ns: of, name: inner } },
      mac: mac(HOST_MACS + n * 256 + last),
      alias: `cnm:e${n}-${of}`,
    },
    {
      ...base,
      ns: of,
      name: inner,
      spec: { type: 'veth', peer: { ns: HOST, name: host } },
      mac: mac(CONTAINER_MACS + n * 256 + last),
      alias: null,
    },
    { kind: 'port', ns: HOST, dev: host, bridge, isolated: n === BACK.n, hairpin: n === FRONT.n },
    { kind: 'sysctl', ns: HOST, name: deviceSysctl(6, host, 'disable_ipv6'), value: '1', otherwise: '0' },
    { kind: 'address', ns: of, dev: inner, cidr: cidr(`172.${30 + n}.0.${last}/16`) },
    { kind: 'address', ns: of, dev: inner, cidr: cidr(`fd00:${n}::${last}/64`) },
  ]
}

const gateway = (of: Ns, n: number): Fragment => [
  { kind: 'route', ns: of, to: DEFAULT4, via: ip(`172.${30 + n}.0.1`), dev: ifName('eth0'), metric: 0 },
  { kind: 'route', ns: of, to: DEFAULT6, via: ip(`fd00:${n}::1`), dev: ifName('eth0'), metric: 0 },
]

export const NAMESPACES: ReadonlyArray<Ns> = [HOST, WEB, API, DB]

export const TWO_NETWORKS: Fragment = [
  ...NAMESPACES.flatMap(netns),
  { kind: 'sysctl', ns: HOST, name: FORWARD4, value: '1', otherwise: '0' },
  { kind: 'sysctl', ns: HOST, name: FORWARD6, value: '1', otherwise: '0' },
  firewall.skeletonTable(HOST),
  ...network(FRONT),
  ...network(BACK),
  ...endpoint(FRONT, WEB, 'eth0', 2),
  ...endpoint(FRONT, API, 'eth0', 3),
  ...endpoint(BACK, API, 'eth1', 3),
  ...endpoint(BACK, DB, 'eth0', 4),
  ...gateway(WEB, 1),
  ...gateway(API, 1),
  ...gateway(DB, 2),
  { kind: 'route', ns: API, to: cidr('10.9.0.0/16'), via: ip('172.32.0.1'), dev: ifName('eth1'), metric: 50 },
  firewall.publishElement(HOST, { ip: ip('0.0.0.0'), port: port(8080) }, 'tcp', {
    ip: container4(1, 2),
    port: port(80),
  }),
]

/** Every sysctl of the topology, as a scope asks for them. */
export const SYSCTLS = TWO_NETWORKS.flatMap((object) =>
  object.kind === 'sysctl' ? [{ ns: object.ns, name: object.name }] : [],
)
export const SCOPE = { namespaces: NAMESPACES, sysctls: SYSCTLS }
