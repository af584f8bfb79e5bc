// The bridge driver: a Linux bridge on the host for the network, a veth pair for each endpoint, and elements of the
// firewall's sets. Options as libnetwork's (drivers/bridge); what the sets mean is in kernel/firewall/skeleton.ts.

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import {
  bridgeElement,
  internalElement,
  masqueradeElement,
  publishElement,
  skeletonTable,
  subnetElement,
  withinElement,
} from '../../kernel/firewall/elements.ts'
import type { KernelObject, Sysctl } from '../../kernel/object.ts'
import type { Fragment } from '../../kernel/state.ts'
import { deviceSysctl, FORWARD4, FORWARD6, type SysctlName } from '../../kernel/sysctl.ts'
import type { Network, PortBinding } from '../../model/types.ts'
import { cidr, cidrFamily } from '../../net/cidr.ts'
import { type Family, familyOf, type Ip, ip4, ip6 } from '../../net/ip.ts'
import { HOST, type IfName, ifName } from '../../net/name.ts'
import type { Driver, EndpointView, NetworkView } from '../driver.ts'
import { addressesInside } from '../inside.ts'
import { bridgeMac, bridgeName, endpointAlias, hostEndMac, hostEndName, networkAlias } from '../names.ts'
import { PLAIN } from '../plain.ts'
import { bridgeOptions, configureBridge, isBridgeConfig } from './options.ts'

const deviceOf = (network: Network): IfName => {
  const { name } = bridgeOptions(network.config)
  return name === null ? bridgeName(network.id) : ifName(name)
}

const hasFamily = (network: Network, family: Family): boolean =>
  network.pools.some(({ subnet }) => cidrFamily(subnet) === family)

const hostSysctl = (name: SysctlName, value: string, otherwise: string): Sysctl => ({
  kind: 'sysctl',
  ns: HOST,
  name,
  value,
  otherwise,
})

const objection: Driver['objection'] = ({ network, config, asked }) => {
  const { mtu } = bridgeOptions(config)
  return asked.some(({ family }) => family === 6) && mtu < MIN_MTU6
    ? { tag: 'MtuTooSmall', network, mtu, least: MIN_MTU6 }
    : null
}

/**
 * Forwarding per family, which goes with the last network: the value that a fresh namespace has. No router advertisements
 * from containers (CVE-2020-13401), where there is IPv6 at all; 127.0.0.1 to published ports.
 */
const sysctls = (network: Network, bridge: IfName): ReadonlyArray<Sysctl> => [
  hostSysctl(FORWARD4, '1', '0'),
  ...(hasFamily(network, 6) ? [hostSysctl(FORWARD6, '1', '0')] : []),
  ...(bridgeOptions(network.config).mtu < MIN_MTU6 ? [] : [hostSysctl(deviceSysctl(6, bridge, 'accept_ra'), '0', '1')]),
  ...(network.internal ? [] : [hostSysctl(deviceSysctl(4, bridge, 'route_localnet'), '1', '0')]),
]

const firewall = ({ network }: NetworkView, bridge: IfName): ReadonlyArray<KernelObject> => {
  const { icc, masquerade } = bridgeOptions(network.config)
  const subnets = network.pools.map(({ subnet }) => subnet)
  return [
    skeletonTable(HOST),
    bridgeElement(HOST, bridge),
    ...(network.internal ? [internalElement(HOST, bridge)] : []),
    ...(icc ? [withinElement(HOST, bridge)] : []),
    ...subnets.map((subnet) => subnetElement(HOST, bridge, subnet)),
    ...(masquerade && !network.internal ? subnets.map((subnet) => masqueradeElement(HOST, subnet)) : []),
  ]
}

/**
 * The bridge's own link-local address waits a second or two for duplicate detection, and until then the host cannot ask for
 * a container's MAC on behalf of somebody outside (ndisc_send_ns in net/ipv6/ndisc.c). This one does not wait.
 */
const LINK_LOCAL = cidr('fe80::1/64')

const network = (view: NetworkView): Fragment => {
  const { id, pools } = view.network
  const bridge = deviceOf(view.network)
  return [
    {
      kind: 'link',
      ns: HOST,
      name: bridge,
      spec: { type: 'bridge' },
      mac: bridgeMac(id),
      mtu: bridgeOptions(view.config).mtu,
      up: true,
      alias: networkAlias(id),
    },
    ...pools.flatMap(
      ({ gateway, subnet }): ReadonlyArray<KernelObject> =>
        gateway === null ? [] : [{ kind: 'address', ns: HOST, dev: bridge, cidr: { ip: gateway, bits: subnet.bits } }],
    ),
    ...(hasFamily(view.network, 6) ? [{ kind: 'address', ns: HOST, dev: bridge, cidr: LINK_LOCAL } as const] : []),
    ...sysctls(view.network, bridge),
    ...firewall(view, bridge),
  ]
}

const ANY: Readonly<Record<Family, Ip>> = { 4: ip4(0), 6: ip6(0n) }

/**
 * A port that publishes is a hairpin: with br_netfilter on, the host translates a container's packet to its own published
 * port while it is still a frame, which must then go back out of the port it came from.
 */
const isHairpin = ({ publishes }: EndpointView): boolean => publishes[4].length + publishes[6].length > 0

/** The elements that send a published port to the endpoint's address of one family. */
const published = (view: EndpointView, family: Family): ReadonlyArray<KernelObject> => {
  const address = view.endpoint.addresses.find(({ cidr }) => cidrFamily(cidr) === family)
  if (address === undefined || view.network.internal) return []
  const toUs = ({ hostIp }: PortBinding): boolean => hostIp === null || familyOf(hostIp) === family
  return view.publishes[family].filter(toUs).map(({ hostIp, hostPort, containerPort, transport }) =>
    publishElement(HOST, { ip: hostIp ?? ANY[family], port: hostPort }, transport, {
      ip: address.cidr.ip,
      port: containerPort,
    }),
  )
}

const endpoint = (view: EndpointView): Fragment => {
  const { id, mac, attachment } = view.endpoint
  const { icc, mtu } = bridgeOptions(view.config)
  const outside = hostEndName(id)
  const inside = { ns: view.sandbox.ns, name: attachment.ifName }
  return [
    {
      kind: 'link',
      ns: HOST,
      name: outside,
      spec: { type: 'veth', peer: inside },
      mac: hostEndMac(id),
      mtu,
      up: true,
      alias: endpointAlias(id),
    },
    {
      kind: 'link',
      ...inside,
      spec: { type: 'veth', peer: { ns: HOST, name: outside } },
      mac,
      mtu,
      up: true,
      alias: null,
    },
    { kind: 'port', ns: HOST, dev: outside, bridge: deviceOf(view.network), isolated: !icc, hairpin: isHairpin(view) },
    ...addressesInside(view),
    ...published(view, 4),
    ...published(view, 6),
  ]
}

export const bridge: Driver = {
  ...PLAIN,
  type: 'bridge',
  configure: configureBridge,
  accepts: isBridgeConfig,
  objection,
  network,
  endpoint,
}
