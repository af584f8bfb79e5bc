// May this network be made or removed? Sources: libnetwork's NewNetwork and Network.Delete.

import { wholeId } from '../../ipam/pool-id.ts'
import { isHostPrefix } from '../../ipam/prefix.ts'
import { chooseIp, choosePool, NOTHING_EXCLUDED, type PoolRequest, takeIp, takePool } from '../../ipam/space.ts'
import type { Ipam } from '../../ipam/types.ts'
import { type Cidr, cidrFamily, contains, isNetwork } from '../../net/cidr.ts'
import { type Family, type Ip, isIp4 } from '../../net/ip.ts'
import { hasIn, valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { CreateNetwork, DeleteNetwork, PoolSpec } from '../command.ts'
import type { CnmError } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { fail, findNetwork } from '../model.ts'
import { endpointsOn, networkNamed } from '../queries.ts'
import type { DriverRules, Rules } from '../rules.ts'
import type { Model, NetworkPool } from '../types.ts'

const checkPool = (network: string, { family, subnet, gateway }: PoolSpec): CnmError | null => {
  if (subnet === null) return null
  if (cidrFamily(subnet) !== family) return { tag: 'WrongFamily', network, family, subnet }
  if (!isNetwork(subnet)) return { tag: 'HostBits', network, subnet }
  if (!isHostPrefix(subnet)) return { tag: 'NotUnicast', network, subnet }
  if (gateway !== null && !contains(subnet, gateway)) return { tag: 'GatewayOutside', network, gateway, subnet }
  return null
}

type Taken = Readonly<{ ipam: Ipam; pool: NetworkPool }>

/**
 * Takes a pool, its auxiliary addresses, then its gateway: the one asked for, else the lowest free address. Auxiliary ones
 * first, for they are the user's words: a gateway nobody asked for must not be in their way.
 */
const takeFor = (ipam: Ipam, scope: DriverRules['scope'], network: string, spec: PoolSpec): Either<CnmError, Taken> => {
  const space = scope === 'global' ? 'GlobalDefault' : 'LocalDefault'
  const asked: PoolRequest =
    spec.subnet === null
      ? { tag: 'any', space, family: spec.family, size: null, exclude: NOTHING_EXCLUDED }
      : { tag: 'exactly', space, subnet: spec.subnet, range: spec.range }
  const chosen = choosePool(ipam, asked)
  if (E.isLeft(chosen)) return chosen
  const { id, subnet, range } = chosen.right
  // IPAM lets sub-pools share a subnet; two networks of the drivers there are cannot.
  if (hasIn(ipam.subnets, wholeId(id))) return fail({ tag: 'PoolOverlap', asked: subnet, with: subnet, space })
  if (spec.gateway !== null && !contains(subnet, spec.gateway))
    return fail({ tag: 'GatewayOutside', network, gateway: spec.gateway, subnet })
  const started = takePool(ipam, chosen.right)
  if (E.isLeft(started)) return started
  let now = started.right
  for (const ip of Object.values(spec.aux)) {
    const next = takeIp(now, id, ip)
    if (E.isLeft(next)) return next
    now = next.right
  }
  const gateway = chooseIp(now, id, spec.gateway)
  if (E.isLeft(gateway)) return gateway
  const last = takeIp(now, id, gateway.right)
  if (E.isLeft(last)) return last
  return E.right({ ipam: last.right, pool: { pool: id, subnet, range, gateway: gateway.right, aux: spec.aux } })
}

const familiesTwice = (pools: ReadonlyArray<PoolSpec>): Family | null =>
  ([4, 6] as const).find((family) => pools.filter((pool) => pool.family === family).length > 1) ?? null

const takeAll = (model: Model, rules: DriverRules, command: CreateNetwork): Either<CnmError, NetworkPool[]> => {
  const pools: NetworkPool[] = []
  let { ipam } = model
  for (const spec of [...command.pools].sort((a, b) => a.family - b.family)) {
    const wrong = checkPool(command.name, spec)
    if (wrong !== null) return fail(wrong)
    const taken = takeFor(ipam, rules.scope, command.name, spec)
    if (E.isLeft(taken)) return taken
    ipam = taken.right.ipam
    pools.push(taken.right.pool)
  }
  return E.right(pools)
}

export const createNetwork = (
  rules: Rules,
  model: Model,
  command: CreateNetwork,
): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const { id, name, driver: type, internal, attachable, labels } = command
  const driver = rules.get(type)
  if (hasIn(model.networks, id)) return fail({ tag: 'IdTaken', what: 'network', id })
  if (name.trim() === '') return fail({ tag: 'NameEmpty', what: 'network' })
  if (networkNamed(model, name) !== undefined) return fail({ tag: 'NetworkNameTaken', name })
  if (driver === undefined) return fail({ tag: 'UnknownDriver', driver: type, known: [...rules.keys()] })
  const twin = driver.single ? valuesOf(model.networks).find((network) => network.driver === type) : undefined
  if (twin !== undefined) return fail({ tag: 'OnlyOne', driver: type, existing: twin.name })
  const config = driver.configure(command.options)
  if (E.isLeft(config)) return config
  if (driver.addresses && command.pools.length === 0) return fail({ tag: 'NoAddressFamily', network: name })
  const twice = familiesTwice(command.pools)
  if (twice !== null) return fail({ tag: 'FamilyTwice', network: name, family: twice })
  const families = command.pools.map(({ family }) => family)
  const objection = driver.objection(name, config.right, families)
  if (objection !== null) return fail(objection)
  const pools = driver.addresses ? takeAll(model, driver, command) : E.right([])
  if (E.isLeft(pools)) return pools
  const network = { id, name, driver: type, config: config.right, internal, attachable, labels, pools: pools.right }
  return E.right([{ tag: 'NetworkCreated', network }])
}

export const deleteNetwork = (model: Model, { id }: DeleteNetwork): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const network = findNetwork(model, id)
  if (E.isLeft(network)) return network
  const endpoints = endpointsOn(model, id)
  if (endpoints.length > 0)
    return fail({ tag: 'HasEndpoints', network: network.right.name, endpoints: endpoints.map(({ name }) => name) })
  return E.right([{ tag: 'NetworkDeleted', id }])
}

/** The pool of a network that an address belongs to. */
export const poolHolding = (pools: ReadonlyArray<NetworkPool>, ip: Ip): NetworkPool | undefined =>
  pools.find(({ subnet }) => contains(subnet, ip))

export const poolOfFamily = (pools: ReadonlyArray<NetworkPool>, family: Family): NetworkPool | undefined =>
  pools.find(({ subnet }) => cidrFamily(subnet) === family)

export const subnetsOf = (pools: ReadonlyArray<NetworkPool>, like: Ip): ReadonlyArray<Cidr> =>
  pools.map(({ subnet }) => subnet).filter(({ ip }) => isIp4(ip) === isIp4(like))
