// The bridge driver: a Linux bridge on the host for the network, a veth pair for each endpoint, and elements of the
// firewall's sets. Options as libnetwork's (drivers/bridge); what the sets mean is in kernel/firewall/skeleton.ts.

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import type { KernelObject, Sysctl } from '../../kernel/object.ts'
import type { Fragment } from '../../kernel/state.ts'
import { deviceSysctl, FORWARD4, FORWARD6, type SysctlName } from '../../kernel/sysctl.ts'
import type { Network } from '../../model/types.ts'
import { cidr, cidrFamily } from '../../net/cidr.ts'
import type { Family } from '../../net/ip.ts'
import { HOST, type IfName, ifName } from '../../net/name.ts'
import type { Driver, EndpointView, NetworkView } from '../driver.ts'
import { insideOf } from '../inside.ts'
import { bridgeMac, bridgeName, endpointAlias, hostEndMac, hostEndName, networkAlias } from '../names.ts'
import { PLAIN } from '../plain.ts'
import { networkElements, openElements, publishedElements } from './firewall.ts'
import { linksOf } from './links.ts'
import { BRIDGE_OPTIONS, bridgeDevices, bridgeOptions, configureBridge, isBridgeConfig, modeOf } from './options.ts'
import { conflict, exit, gateway, objection, prefix } from './rules.ts'

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

/** Forwarding per family, which goes with the last network: the value that a fresh namespace has. */
const forwarding = (network: Network): ReadonlyArray<Sysctl> => [
  hostSysctl(FORWARD4, '1', '0'),
  ...(hasFamily(network, 6) ? [hostSysctl(FORWARD6, '1', '0')] : []),
]

/** Whether the host stays away from the network in IPv6, in which a bridge would have an address by itself. */
const isDark6 = (network: Network): boolean =>
  modeOf(bridgeOptions(network.config), hasFamily(network, 6) ? 6 : 4) === 'isolated'

/** No router advertisements from containers (CVE-2020-13401), where there is IPv6 at all; 127.0.0.1 to published ports. */
const bridgeSysctls = (network: Network, bridge: IfName): ReadonlyArray<Sysctl> => {
  const { mtu, mode4 } = bridgeOptions(network.config)
  return [
    ...(mtu < MIN_MTU6
      ? []
      : [
          hostSysctl(deviceSysctl(6, bridge, 'accept_ra'), '0', '1'),
          ...(isDark6(network) ? [hostSysctl(deviceSysctl(6, bridge, 'disable_ipv6'), '1', '0')] : []),
        ]),
    ...(network.internal || mode4 === 'routed'
      ? []
      : [hostSysctl(deviceSysctl(4, bridge, 'route_localnet'), '1', '0')]),
  ]
}

/**
 * The bridge's own link-local address waits a second or two for duplicate detection, and until then the host cannot ask for
 * a container's MAC on behalf of somebody outside (ndisc_send_ns in net/ipv6/ndisc.c). This one does not wait.
 */
const LINK_LOCAL = cidr('fe80::1/64')

/** The host's addresses on the bridge: those of the gateways, but where it is to have none. */
const hostAddresses = (network: Network, bridge: IfName): ReadonlyArray<KernelObject> => {
  const { inhibit4 } = bridgeOptions(network.config)
  const own = network.pools.flatMap(({ gateway: ip, subnet }) =>
    ip === null || (inhibit4 && cidrFamily(subnet) === 4) ? [] : [{ ip, bits: subnet.bits }],
  )
  const cidrs = hasFamily(network, 6) && !isDark6(network) ? [...own, LINK_LOCAL] : own
  return cidrs.map((each) => ({ kind: 'address', ns: HOST, dev: bridge, cidr: each }))
}

const ownBridge = (network: Network, bridge: IfName): Fragment => [
  {
    kind: 'link',
    ns: HOST,
    name: bridge,
    spec: { type: 'bridge' },
    mac: bridgeMac(network.id),
    mtu: bridgeOptions(network.config).mtu,
    up: true,
    alias: networkAlias(network.id),
  },
  ...hostAddresses(network, bridge),
  ...bridgeSysctls(network, bridge),
]

/** Somebody else's bridge keeps the addresses and sysctls that it has, and stays when the network goes. */
const network = (view: NetworkView): Fragment => {
  const bridge = deviceOf(view.network)
  const { foreign } = bridgeOptions(view.config)
  return [
    ...(foreign ? [] : ownBridge(view.network, bridge)),
    ...forwarding(view.network),
    ...networkElements(view, bridge),
  ]
}

const endpoint = (view: EndpointView): Fragment => {
  const { id, mac, attachment } = view.endpoint
  const { icc, mtu } = bridgeOptions(view.config)
  const outside = hostEndName(id)
  const inside = { ns: view.sandbox.ns, name: attachment.ifName }
  const published = [...publishedElements(view, 4), ...publishedElements(view, 6)]
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
    {
      kind: 'port',
      ns: HOST,
      dev: outside,
      bridge: deviceOf(view.network),
      isolated: !icc,
      // With br_netfilter on, the host translates a container's packet to its own published port while it is still a frame,
      // which must then go back out of the port it came from.
      hairpin: published.length > 0,
    },
    ...insideOf(view.endpoint, inside),
    ...published,
    ...openElements(view, 4),
    ...openElements(view, 6),
    ...linksOf(view, deviceOf(view.network)),
  ]
}

export const bridge: Driver = {
  ...PLAIN,
  type: 'bridge',
  about:
    'A bridge on the host for each network, and a cable from it into each container. The host routes between networks and the world, ' +
    'publishes ports, and keeps apart what is to be apart; it needs no router outside that knows of the networks.',
  options: BRIDGE_OPTIONS,
  devices: bridgeDevices,
  configure: configureBridge,
  accepts: isBridgeConfig,
  objection,
  conflict,
  gateway,
  exit,
  prefix,
  network,
  endpoint,
}
