// The elements that a bridge network and its endpoints have in the sets of the firewall (kernel/firewall/skeleton.ts).

import {
  bridgeElement,
  internalElement,
  masqueradeElement,
  openElement,
  publishElement,
  routedElement,
  skeletonTable,
  snatElement,
  subnetElement,
  trustedElement,
  unprotectedElement,
  withinElement,
} from '../../kernel/firewall/elements.ts'
import type { KernelObject } from '../../kernel/object.ts'
import type { Network, PortBinding } from '../../model/types.ts'
import { type Cidr, cidrFamily } from '../../net/cidr.ts'
import { type Family, familyOf, type Ip, ip, ip4, ip6, isUnspecified } from '../../net/ip.ts'
import { HOST, type IfName } from '../../net/name.ts'
import type { EndpointView, NetworkView } from '../driver.ts'
import { type BridgeOptions, bridgeOptions, type GatewayMode, modeOf, snatOf, trustedOf } from './options.ts'

type Elements = ReadonlyArray<KernelObject>

const isTranslated = (mode: GatewayMode): boolean => mode === 'nat' || mode === 'nat-unprotected'

/** As whom packets leave a subnet. */
const source = (options: BridgeOptions, subnet: Cidr): Elements => {
  const family = cidrFamily(subnet)
  if (!options.masquerade || !isTranslated(modeOf(options, family))) return []
  const chosen = snatOf(options, family)
  return [chosen === null ? masqueradeElement(HOST, subnet) : snatElement(HOST, subnet, chosen)]
}

/** Who may enter beside published ports and answers. */
const entrance = (options: BridgeOptions, bridge: IfName, family: Family): Elements => {
  const mode = modeOf(options, family)
  if (mode === 'nat-unprotected') return [unprotectedElement(HOST, bridge, family)]
  return mode === 'routed' ? [routedElement(HOST, bridge, family)] : []
}

const outside = ({ pools }: Network, options: BridgeOptions, bridge: IfName): Elements => [
  ...pools.flatMap(({ subnet }) => [...source(options, subnet), ...entrance(options, bridge, cidrFamily(subnet))]),
  ...trustedOf(options).map((from) => trustedElement(HOST, from, bridge)),
]

export const networkElements = ({ network, config }: NetworkView, bridge: IfName): Elements => {
  const options = bridgeOptions(config)
  return [
    skeletonTable(HOST),
    bridgeElement(HOST, bridge),
    ...(options.icc ? [withinElement(HOST, bridge)] : []),
    ...network.pools.map(({ subnet }) => subnetElement(HOST, bridge, subnet)),
    ...(network.internal ? [internalElement(HOST, bridge)] : outside(network, options, bridge)),
  ]
}

const ANY: Readonly<Record<Family, Ip>> = { 4: ip4(0), 6: ip6(0n) }

/** Where a port is published that names no address of the host; null: nowhere in this family. */
const boundTo = ({ binding4 }: BridgeOptions, family: Family): Ip | null => {
  const chosen = binding4 === null ? ANY[4] : ip(binding4)
  if (family === 4) return chosen
  return isUnspecified(chosen) ? ANY[6] : null
}

const isFor =
  (family: Family) =>
  ({ hostIp }: PortBinding): boolean =>
    hostIp === null || familyOf(hostIp) === family

/** A routed network has no use for ports of the host, nor for which endpoint is the way out. */
const opened = (ip: Ip, ports: ReadonlyArray<PortBinding>): Elements =>
  ports.map(({ containerPort, transport }) => openElement(HOST, { ip, port: containerPort }, transport))

/** What publishes an endpoint's ports at the host's addresses, in one family. */
export const publishedElements = (view: EndpointView, family: Family): Elements => {
  const options = bridgeOptions(view.config)
  const address = view.endpoint.addresses.find(({ cidr }) => cidrFamily(cidr) === family)
  if (address === undefined || view.network.internal || !isTranslated(modeOf(options, family))) return []
  const unnamed = boundTo(options, family)
  return view.publishes[family].filter(isFor(family)).flatMap(({ hostIp, hostPort, containerPort, transport }) => {
    const at = hostIp ?? unnamed
    const inside = { ip: address.cidr.ip, port: containerPort }
    return at === null ? [] : [publishElement(HOST, { ip: at, port: hostPort }, transport, inside)]
  })
}

/** What opens them at its own address. */
export const openElements = (view: EndpointView, family: Family): Elements => {
  const options = bridgeOptions(view.config)
  const mode = modeOf(options, family)
  const address = view.endpoint.addresses.find(({ cidr }) => cidrFamily(cidr) === family)
  if (address === undefined || view.network.internal) return []
  if (mode === 'routed') return opened(address.cidr.ip, view.sandbox.ports.filter(isFor(family)))
  const isTrusting = mode === 'nat' && options.trusted !== ''
  return isTrusting ? opened(address.cidr.ip, view.publishes[family].filter(isFor(family))) : []
}
