// A driver of one's own: `ptp`, point to point. Each container has a cable of its own to the host and nothing else, no bridge: the
// host's end answers as the gateway, and the host routes between containers, each by its own address. What a driver must be is said in
// src/drivers/driver.ts; all that is not said here is as in src/drivers/plain.ts.

import type { Driver, EndpointView } from '../../src/drivers/driver.ts'
import { endpointAlias, hostEndMac, hostEndName } from '../../src/drivers/names.ts'
import { isConfigOf, type OptionSpec, readNumber, readOptions } from '../../src/drivers/options.ts'
import { PLAIN } from '../../src/drivers/plain.ts'
import { masqueradeElement, skeletonTable } from '../../src/kernel/firewall/elements.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import { FORWARD4, FORWARD6 } from '../../src/kernel/sysctl.ts'
import type { DriverConfig, NetworkPool } from '../../src/model/types.ts'
import type { Cidr } from '../../src/net/cidr.ts'
import { type Ip, isIp4 } from '../../src/net/ip.ts'
import { HOST } from '../../src/net/name.ts'

const SPECS = {
  mtu: {
    names: ['com.docker.network.driver.mtu', 'mtu'],
    otherwise: 1500,
    read: readNumber(1280, 65535),
    about: 'bytes, of each cable',
  },
} satisfies Readonly<Record<string, OptionSpec>>

/** A cast: `readOptions` made it of the table above. */
const mtuOf = (config: DriverConfig): number => config['mtu'] as number

/** One address, and no subnet around it: there is nobody else on the cable. */
const alone = (ip: Ip): Cidr => ({ ip, bits: isIp4(ip) ? 32 : 128 })

const forwarding = ({ subnet }: NetworkPool): KernelObject => {
  const name = isIp4(subnet.ip) ? FORWARD4 : FORWARD6
  return { kind: 'sysctl', ns: HOST, name, value: '1', otherwise: '0' }
}

/** Between a container's address and the host: the gateway is at the host's end, and the subnet is behind it. */
const cable = ({ endpoint, network, sandbox }: EndpointView): ReadonlyArray<KernelObject> => {
  const outside = { ns: HOST, dev: hostEndName(endpoint.id) }
  const inside = { ns: sandbox.ns, dev: endpoint.attachment.ifName }
  return endpoint.addresses.flatMap(({ pool, cidr: { ip } }): ReadonlyArray<KernelObject> => {
    const { subnet, gateway } = network.pools.find((each) => each.pool === pool) ?? { subnet: alone(ip), gateway: null }
    if (gateway === null) return []
    return [
      { kind: 'address', ...outside, cidr: alone(gateway) },
      { kind: 'route', ...outside, to: alone(ip), via: null, metric: 0 },
      { kind: 'address', ...inside, cidr: alone(ip) },
      { kind: 'route', ...inside, to: alone(gateway), via: null, metric: 0 },
      { kind: 'route', ...inside, to: subnet, via: gateway, metric: 0 },
    ]
  })
}

export const ptp: Driver = {
  ...PLAIN,
  type: 'ptp',
  about: 'A cable from the host to each container, and nothing between.',
  options: SPECS,
  configure: readOptions('ptp', SPECS),
  accepts: isConfigOf(SPECS),
  network: ({ network: { pools, internal } }) => [
    skeletonTable(HOST),
    ...pools.map(forwarding),
    ...(internal ? [] : pools.map(({ subnet }) => masqueradeElement(HOST, subnet))),
  ],
  endpoint: (view) => {
    const { id, mac, attachment } = view.endpoint
    const [outside, inside] = [
      { ns: HOST, name: hostEndName(id) },
      { ns: view.sandbox.ns, name: attachment.ifName },
    ]
    const link = { kind: 'link', mtu: mtuOf(view.config), up: true } as const
    return [
      { ...link, ...outside, spec: { type: 'veth', peer: inside }, mac: hostEndMac(id), alias: endpointAlias(id) },
      { ...link, ...inside, spec: { type: 'veth', peer: outside }, mac, alias: null },
      ...cable(view),
    ]
  },
}
