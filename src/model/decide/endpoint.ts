// May this endpoint be made, renamed or removed, and which addresses does it get? Sources: libnetwork's CreateEndpoint,
// assignAddressVersion, Endpoint.Delete and UpdateDNSNames.

import { wholeId } from '../../ipam/pool-id.ts'
import { chooseIp } from '../../ipam/space.ts'
import { chooseSpread } from '../../ipam/spread.ts'
import { type Ip, type Ip4, ip6, isIp4, isIp6, isLinkLocal } from '../../net/ip.ts'
import { isGroup, type Mac, macFromHex, macFromIp4, ZERO_MAC } from '../../net/mac.ts'
import { getIn, hasIn, valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { isShared } from '../cluster.ts'
import type { CreateEndpoint, DeleteEndpoint, RenameEndpoint } from '../command.ts'
import type { CnmError } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { fail, findEndpointHere, findNetwork } from '../model.ts'
import { endpointNamed, endpointsOn } from '../queries.ts'
import type { Rules } from '../rules.ts'
import type { Endpoint, EndpointAddress, Model, Network, NetworkPool } from '../types.ts'
import { poolHolding, poolsOfFamily } from './pools.ts'

type Address = Either<CnmError, EndpointAddress | null>

/** The lowest free address; of a shared network, one that other hosts do not go for. */
const choose = (model: Model, network: Network, { pool, gateway, aux }: NetworkPool): Either<CnmError, Ip> => {
  if (!isShared(model, network)) return chooseIp(model.ipam, pool, null)
  const { host, held } = model.cluster
  const apart = [...Object.values(aux), ...(gateway === null ? [] : [gateway])]
  return chooseSpread(model.ipam, pool, { who: `${host}/${pool}`, own: getIn(held, wholeId(pool)), apart })
}

const withBits =
  ({ pool, subnet: { bits } }: NetworkPool) =>
  (ip: Ip): EndpointAddress => ({ pool, cidr: { ip, bits } })

const preferredAddress = (model: Model, { name, pools }: Network, ip: Ip): Address => {
  const pool = poolHolding(pools, ip)
  if (pool !== undefined) return E.map(withBits(pool))(chooseIp(model.ipam, pool.pool, ip))
  const subnets = poolsOfFamily(pools, isIp4(ip) ? 4 : 6).map(({ subnet }) => subnet)
  return fail({ tag: 'NoSuchSubnet', network: name, ip, subnets })
}

/** From the first pool of the family that has a free address; none where the family is off. */
const anyAddress = (model: Model, network: Network, endpoint: string, family: 4 | 6): Address => {
  const pools = poolsOfFamily(network.pools, family)
  for (const pool of pools) {
    const address = E.map(withBits(pool))(choose(model, network, pool))
    if (E.isRight(address) || address.left.tag !== 'NoAvailableIPs') return address
  }
  const subnets = pools.map(({ subnet }) => subnet)
  return subnets.length === 0
    ? E.right(null)
    : fail({ tag: 'NoAddressLeft', network: network.name, endpoint, family, subnets })
}

const addressesOf = (
  model: Model,
  network: Network,
  command: CreateEndpoint,
): Either<CnmError, ReadonlyArray<EndpointAddress>> => {
  const { name, ipv4, ipv6 } = command
  const v4 = ipv4 === null ? anyAddress(model, network, name, 4) : preferredAddress(model, network, ipv4)
  if (E.isLeft(v4)) return v4
  if (isWithoutIPv6(command)) return E.right(v4.right === null ? [] : [v4.right])
  const v6 = ipv6 === null ? anyAddress(model, network, name, 6) : preferredAddress(model, network, ipv6)
  return E.isLeft(v6) ? v6 : E.right([v4.right, v6.right].filter((address) => address !== null))
}

/** From its IPv4 address, so that an address that is used again is at the same MAC (P21); else from its id. */
const macOf = (id: string, addresses: ReadonlyArray<EndpointAddress>): Mac => {
  const first = addresses.map(({ cidr }) => cidr.ip).find((ip): ip is Ip4 => isIp4(ip))
  return first === undefined ? macFromHex(id) : macFromIp4(first)
}

/** The host's side of a network with IPv6 has it, as libnetwork's bridges do; it is the same on each, so nobody has to look for it. */
const HOST_LINK_LOCAL = ip6((0xfe80n << 112n) | 1n)

const checkLinkLocal = (
  model: Model,
  network: Network,
  name: string,
  linkLocal: ReadonlyArray<Ip>,
): CnmError | null => {
  if (linkLocal.length === 0) return null
  const wrong = linkLocal.find((ip) => !isLinkLocal(ip))
  if (wrong !== undefined) return { tag: 'NotLinkLocal', endpoint: name, ip: wrong }
  const holders = new Map(endpointsOn(model, network.id).flatMap((each) => each.linkLocal.map((ip) => [ip, each.name])))
  const own = poolsOfFamily(network.pools, 6).length > 0 ? HOST_LINK_LOCAL : null
  for (const ip of linkLocal) {
    const pool = poolHolding(network.pools, ip)
    if (pool !== undefined) return { tag: 'LinkLocalInSubnet', network: network.name, ip, subnet: pool.subnet }
    if (ip === own) return { tag: 'LinkLocalTaken', network: network.name, ip, by: null }
    const by = holders.get(ip)
    if (by !== undefined) return { tag: 'LinkLocalTaken', network: network.name, ip, by }
    holders.set(ip, name)
  }
  return null
}

/** A sysctl of an interface, as libnetwork takes them: IFNAME stands for the interface's name. */
export const ENDPOINT_SYSCTL = /^net\.(ipv4|ipv6|mpls)\.[a-z]+\.IFNAME\.[a-z0-9_]+$/
export const SYSCTL_VALUE = /^[^\s,]+$/

const checkSysctls = (endpoint: string, sysctls: Readonly<Record<string, string>>): CnmError | null => {
  for (const [sysctl, value] of Object.entries(sysctls)) {
    if (!ENDPOINT_SYSCTL.test(sysctl)) return { tag: 'BadSysctl', endpoint, sysctl, why: 'name' }
    if (!SYSCTL_VALUE.test(value)) return { tag: 'BadSysctl', endpoint, sysctl, why: 'value' }
  }
  return null
}

/** Who switches IPv6 off on the interface asks for no IPv6 address. */
const isWithoutIPv6 = ({ disableIPv6 = false, sysctls = {} }: CreateEndpoint): boolean =>
  disableIPv6 || !['0', undefined].includes(sysctls['net.ipv6.conf.IFNAME.disable_ipv6'])

/** Whether one interface can have it. */
export const isUnicastMac = (mac: Mac): boolean => !isGroup(mac) && mac !== ZERO_MAC

/** Who has this MAC on the network, or on another on the same device of the host. */
const holderOf = (rules: Rules, model: Model, network: Network, mac: Mac): Endpoint | undefined => {
  const belowOf = ({ driver, config }: Network): string | null => rules.get(driver)?.below(config) ?? null
  const below = belowOf(network)
  const beside = below === null ? [] : valuesOf(model.networks).filter((other) => belowOf(other) === below)
  return [network, ...beside].flatMap(({ id }) => endpointsOn(model, id)).find((each) => each.mac === mac)
}

const checkMac = (
  rules: Rules,
  model: Model,
  network: Network,
  { name: endpoint, mac }: CreateEndpoint,
): CnmError | null => {
  if (mac === null) return null
  const hasOwn = rules.get(network.driver)?.ownMac(network.config) ?? true
  if (!hasOwn) return { tag: 'NoOwnMac', endpoint, mac, network: network.name }
  if (!isUnicastMac(mac)) return { tag: 'BadMac', endpoint, mac }
  const holder = holderOf(rules, model, network, mac)
  if (holder === undefined) return null
  const on = getIn(model.networks, holder.network)?.name ?? holder.network
  return { tag: 'MacTaken', endpoint, mac, by: holder.name, network: on }
}

/** What is wrong with the wishes in themselves. */
const checkWishes = (rules: Rules, model: Model, network: Network, command: CreateEndpoint): CnmError | null => {
  const { name: endpoint, ipv6, linkLocal = [], sysctls = {} } = command
  const unwanted = isWithoutIPv6(command) ? (ipv6 ?? linkLocal.find(isIp6)) : undefined
  if (unwanted !== undefined) return { tag: 'IPv6Off', endpoint, ip: unwanted }
  const wrongMac = checkMac(rules, model, network, command)
  if (wrongMac !== null) return wrongMac
  return checkSysctls(endpoint, sysctls) ?? checkLinkLocal(model, network, endpoint, linkLocal)
}

export const createEndpoint = (
  rules: Rules,
  model: Model,
  command: CreateEndpoint,
): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const { id, name, aliases, ipv4, ipv6, mac } = command
  const found = findNetwork(model, command.network)
  if (E.isLeft(found)) return found
  const network = found.right
  if (hasIn(model.endpoints, id)) return fail({ tag: 'IdTaken', what: 'endpoint', id })
  if (name.trim() === '') return fail({ tag: 'NameEmpty', what: 'endpoint', id })
  if (network.configOnly) return fail({ tag: 'NoEndpointsHere', network: network.name, endpoint: name })
  if (endpointNamed(model, network.id, name) !== undefined)
    return fail({ tag: 'EndpointNameTaken', name, network: network.name })
  const wrong = checkWishes(rules, model, network, command)
  if (wrong !== null) return fail(wrong)
  const addresses = addressesOf(model, network, command)
  if (E.isLeft(addresses)) return addresses
  const endpoint: Endpoint = {
    id,
    network: network.id,
    name,
    aliases,
    asked: { ipv4, ipv6, mac, ifName: command.ifName ?? null },
    mac: mac ?? macOf(id, addresses.right),
    addresses: addresses.right,
    linkLocal: command.linkLocal ?? [],
    resolution: command.disableResolution !== true,
    sysctls: command.sysctls ?? {},
    exposed: command.exposed ?? [],
    attachment: null,
  }
  return E.right([{ tag: 'EndpointCreated', endpoint }])
}

const sameNames = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i])

export const renameEndpoint = (model: Model, command: RenameEndpoint): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const { id, name } = command
  const found = findEndpointHere(model, id)
  if (E.isLeft(found)) return found
  if (name.trim() === '') return fail({ tag: 'NameEmpty', what: 'endpoint', id })
  const { network, name: before, aliases: known } = found.right
  const holder = endpointNamed(model, network, name)
  if (holder !== undefined && holder !== id)
    return fail({ tag: 'EndpointNameTaken', name, network: getIn(model.networks, network)?.name ?? network })
  const { aliases = known } = command
  if (name === before && sameNames(aliases, known)) return E.right([])
  return E.right([{ tag: 'EndpointRenamed', id, name, aliases }])
}

export const deleteEndpoint = (
  model: Model,
  { id, force }: DeleteEndpoint,
): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const found = findEndpointHere(model, id)
  if (E.isLeft(found)) return found
  const { name, attachment } = found.right
  if (attachment === null) return E.right([{ tag: 'EndpointDeleted', id }])
  const container = getIn(model.sandboxes, attachment.sandbox)?.container ?? attachment.sandbox
  if (!force) return fail({ tag: 'IsJoined', endpoint: name, container })
  return E.right([
    { tag: 'Left', endpoint: id },
    { tag: 'EndpointDeleted', id },
  ])
}
