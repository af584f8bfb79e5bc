// The reference of reachability: what a model says about who reaches whom, in a few lines and without a firewall.

import {
  type BridgeOptions,
  bridgeOptions,
  type GatewayMode,
  modeOf,
  snatOf,
} from '../../src/drivers/bridge/options.ts'
import { ipvlanOptions } from '../../src/drivers/ipvlan/options.ts'
import { macvlanOptions } from '../../src/drivers/macvlan/options.ts'
import { UPLINK } from '../../src/lab/world.ts'
import { endpointsIn, wayOut } from '../../src/model/queries.ts'
import type { Model, Network, PortBinding, Sandbox } from '../../src/model/types.ts'
import { type Family, familyOf, type Ip, ip } from '../../src/net/ip.ts'
import { getIn, valuesOf } from '../../src/net/pmap.ts'

export type At = Readonly<{ ip: Ip; network: Network }>

export const addressesOf = (model: Model, sandbox: Sandbox): ReadonlyArray<At> =>
  endpointsIn(model, sandbox.id).flatMap(({ endpoint, network }) =>
    endpoint.addresses.map(({ cidr }) => ({ ip: cidr.ip, network })),
  )

/** The options of a bridge. */
const options = ({ config }: Network): BridgeOptions => bridgeOptions(config)
const mode = (network: Network, family: Family): GatewayMode => modeOf(options(network), family)
const isTranslated = (network: Network, family: Family): boolean => mode(network, family).startsWith('nat')

/** Whether those on a network hear each other: as its driver's option says. */
const talks = (network: Network): boolean => {
  switch (network.driver) {
    case 'macvlan':
      return macvlanOptions(network.config).mode === 'bridge'
    case 'ipvlan':
      return ipvlanOptions(network.config).flag === 'bridge'
    default:
      return options(network).icc
  }
}

/** Whether the host has an address of the family on the network: it routes to it and for it. It is on bridges only. */
const hasHost = (network: Network, family: Family): boolean =>
  network.driver === 'bridge' && mode(network, family) !== 'isolated' && !(family === 4 && options(network).inhibit4)

/** A container has the host's card to itself, and the host hears nothing by it. */
const isCutOff = (model: Model): boolean =>
  valuesOf(model.endpoints).some(({ network: id, attachment }) => {
    const network = attachment === null ? undefined : getIn(model.networks, id)
    return network?.config['parent'] === UPLINK && network.config['mode'] === 'passthru'
  })

const isOn = (model: Model, sandbox: Sandbox, network: Network, family: Family): boolean =>
  addressesOf(model, sandbox).some((at) => at.network.id === network.id && familyOf(at.ip) === family)

/** The network by which packets of a family get out of a container and to the host. */
const wayTo = (model: Model, { id }: Sandbox, family: Family): Network | null => {
  const way = wayOut(endpointsIn(model, id), family)
  if (way === null || !hasHost(way.network, family)) return null
  const isHost = way.network.pools.some(({ gateway }) => way.exit.by === 'gateway' && way.exit.via === gateway)
  return isHost ? way.network : null
}

const masquerades = (network: Network, family: Family): boolean =>
  options(network).masquerade && isTranslated(network, family)

/** Whether an answer finds its way from a container to one on another network that sent by this one. */
const answers = (model: Model, to: Sandbox, by: Network, family: Family): boolean => {
  if (masquerades(by, family) && snatOf(options(by), family) === null) return true
  if (!masquerades(by, family) && isOn(model, to, by, family)) return talks(by)
  return wayTo(model, to, family) !== null
}

/** Whether whoever is elsewhere may ping an address of a network. */
const isOpen = (network: Network, family: Family): boolean =>
  !network.internal && hasHost(network, family) && ['routed', 'nat-unprotected'].includes(mode(network, family))

export const pingsContainer = (model: Model, from: Sandbox, to: Sandbox, at: At): boolean => {
  const family = familyOf(at.ip)
  if (isOn(model, from, at.network, family)) return talks(at.network)
  const by = wayTo(model, from, family)
  return by !== null && isOpen(at.network, family) && answers(model, to, by, family)
}

export const pingsInternet = (model: Model, from: Sandbox, family: Family): boolean => {
  const by = wayTo(model, from, family)
  return by !== null && masquerades(by, family) && !isCutOff(model)
}

export const hostPings = ({ ip: to, network }: At): boolean => hasHost(network, familyOf(to))

/** An ipvlan shares the card and its MAC: what comes to the card for its address is its own, and the host has no say in it. */
const isOnCard = ({ driver, config }: Network): boolean => driver === 'ipvlan' && config['parent'] === UPLINK

/** Whether what a container says to somebody outside gets there, be it asked or not. */
const answersOutside = (model: Model, to: Sandbox, family: Family): boolean => {
  const way = wayOut(endpointsIn(model, to.id), family)
  return wayTo(model, to, family) !== null || (way?.exit.by === 'device' && isOnCard(way.network))
}

/** From outside, where somebody knows the way to the address by the host's uplink. */
export const outsiderPings = (model: Model, to: Sandbox, at: At): boolean => {
  const family = familyOf(at.ip)
  if (isCutOff(model) || !answersOutside(model, to, family)) return false
  return isOnCard(at.network) || (isOpen(at.network, family) && wayTo(model, to, family) !== null)
}

/** The same, with a port of the container. */
export const outsiderReaches = (
  model: Model,
  to: Sandbox,
  at: At,
  port: Pick<PortBinding, 'containerPort' | 'transport'>,
  uplink: string,
): boolean => {
  const family = familyOf(at.ip)
  const { network } = at
  if (isOnCard(network)) return outsiderPings(model, to, at)
  if (isCutOff(model) || network.internal || !hasHost(network, family) || wayTo(model, to, family) === null)
    return false
  const isPublished = to.ports.some(
    ({ hostIp, containerPort, transport }) =>
      containerPort === port.containerPort &&
      transport === port.transport &&
      (hostIp === null || familyOf(hostIp) === family),
  )
  const way = wayOut(endpointsIn(model, to.id), family)?.endpoint
  const isWayOut = way?.addresses.some(({ cidr }) => cidr.ip === at.ip) === true
  const isTrusted = options(network).trusted.split(':').includes(uplink) && isWayOut
  switch (mode(network, family)) {
    case 'nat-unprotected':
      return true
    case 'routed':
      return isPublished
    case 'nat':
      return isPublished && isTrusted
    case 'isolated':
      return false
  }
}

/** Whether a published port of a container is at this address of the host. */
export const isPublishedAt = (model: Model, sandbox: Sandbox, { hostIp }: PortBinding, address: Ip): boolean => {
  const family = familyOf(address)
  const by = wayTo(model, sandbox, family)
  if (by === null || !isTranslated(by, family) || isCutOff(model)) return false
  const { binding4 } = options(by)
  const isEvery = binding4 === null || binding4 === '0.0.0.0'
  if (hostIp === null) return isEvery || ip(binding4) === address
  return hostIp === address || hostIp === ip(family === 4 ? '0.0.0.0' : '::')
}
