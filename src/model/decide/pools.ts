// Which subnets does a network get? What was asked for is checked in itself, then taken from a copy of the address state, one
// after the other, so that a network gets all of its pools or none. Source: libnetwork's ipamAllocateVersion.

import { wholeId } from '../../ipam/pool-id.ts'
import { isHostPrefix } from '../../ipam/prefix.ts'
import { chooseIp, choosePool, type Excluded, excluding, type PoolRequest, takeIp, takePool } from '../../ipam/space.ts'
import type { AddressSpace, Ipam, PoolId } from '../../ipam/types.ts'
import { type Cidr, cidrFamily, contains, isNetwork } from '../../net/cidr.ts'
import { type Family, type Ip, isIp4, isUnspecified } from '../../net/ip.ts'
import { hasIn } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { CnmError } from '../error.ts'
import { fail } from '../model.ts'
import type { DriverRules, Plan } from '../rules.ts'
import type { NetworkPool, NetworkScope, PoolSpec } from '../types.ts'

/** 0.0.0.0/N and ::/N: any subnet of that size. */
const isAny = (subnet: Cidr | null): boolean => subnet === null || isUnspecified(subnet.ip)

/** What is wrong with a wish in itself, whatever is in use. */
export const checkPool = (network: string, { family, subnet, range, gateway, aux }: PoolSpec): CnmError | null => {
  if (subnet !== null && cidrFamily(subnet) !== family) return { tag: 'WrongFamily', network, family, subnet }
  if (subnet === null || isAny(subnet)) return range === null ? null : { tag: 'RangeAlone', network, range }
  if (!isNetwork(subnet)) return { tag: 'HostBits', network, subnet }
  if (!isHostPrefix(subnet)) return { tag: 'NotUnicast', network, subnet }
  return outside(network, subnet, { gateway, aux })
}

/** Which of a network's own addresses does not lie in its subnet. */
const outside = (
  network: string,
  subnet: Cidr,
  { gateway, aux }: Pick<PoolSpec, 'gateway' | 'aux'>,
): CnmError | null => {
  if (gateway !== null && !contains(subnet, gateway)) return { tag: 'GatewayOutside', network, gateway, subnet }
  const stray = Object.entries(aux).find(([, ip]) => !contains(subnet, ip))
  return stray === undefined ? null : { tag: 'AuxOutside', network, name: stray[0], ip: stray[1], subnet }
}

const requestOf = ({ family, subnet, range }: PoolSpec, space: AddressSpace, exclude: Excluded): PoolRequest =>
  subnet === null || isAny(subnet)
    ? {
        tag: 'any',
        space,
        family,
        size: subnet === null || subnet.bits === 0 ? null : subnet.bits,
        exclude,
      }
    : { tag: 'exactly', space, subnet, range }

type Taken = Readonly<{ ipam: Ipam; pool: NetworkPool }>

/** What all pools of a network are taken by. */
type Taking = Readonly<{ driver: DriverRules; plan: Plan; space: AddressSpace; exclude: Excluded }>

const gatewayIn = (
  ipam: Ipam,
  { driver, plan }: Taking,
  pool: PoolId,
  { family, gateway }: PoolSpec,
): Either<CnmError, Ip | null> => {
  const rule = driver.gateway(plan.config, family)
  return rule === 'never' || (rule === 'asked' && gateway === null) ? E.right(null) : chooseIp(ipam, pool, gateway)
}

/**
 * Takes a pool, its auxiliary addresses, then its gateway: the one asked for, else, where the driver wants one, the lowest free
 * address. Auxiliary ones first, for they are the user's words: a gateway nobody asked for must not be in their way.
 */
const takeFor = (ipam: Ipam, taking: Taking, spec: PoolSpec): Either<CnmError, Taken> => {
  const { driver, plan, space } = taking
  const { network, config, internal } = plan
  const chosen = choosePool(ipam, requestOf(spec, space, taking.exclude))
  if (E.isLeft(chosen)) return chosen
  const { id, subnet, range } = chosen.right
  // IPAM lets sub-pools share a subnet; two networks of the drivers there are cannot.
  if (hasIn(ipam.subnets, wholeId(id))) return fail({ tag: 'PoolOverlap', asked: subnet, with: subnet, space })
  const stray = outside(network, subnet, spec)
  if (stray !== null) return fail(stray)
  const started = takePool(ipam, chosen.right)
  if (E.isLeft(started)) return started
  let now = started.right
  for (const ip of Object.values(spec.aux)) {
    const next = takeIp(now, id, ip)
    if (E.isLeft(next)) return next
    now = next.right
  }
  const chosenGateway = gatewayIn(now, taking, id, spec)
  if (E.isLeft(chosenGateway)) return chosenGateway
  const gateway = chosenGateway.right
  const last = gateway === null ? E.right(now) : takeIp(now, id, gateway)
  if (E.isLeft(last)) return last
  const exit = internal ? null : driver.exit(config, { subnet, gateway, aux: spec.aux })
  return E.right({ ipam: last.right, pool: { pool: id, subnet, range, gateway, exit, aux: spec.aux } })
}

const familyTwice = (pools: ReadonlyArray<PoolSpec>): Family | null =>
  ([4, 6] as const).find((family) => pools.filter((pool) => pool.family === family).length > 1) ?? null

/** The pools of a network, IPv4 first. `inUse`: where the host's routes lead, which no subnet that is chosen overlaps. */
export const takePools = (
  ipam: Ipam,
  driver: DriverRules,
  plan: Plan,
  scope: NetworkScope,
  inUse: ReadonlyArray<Cidr>,
): Either<CnmError, ReadonlyArray<NetworkPool>> => {
  const { network, asked } = plan
  if (!driver.addresses) return E.right([])
  if (asked.length === 0) return fail({ tag: 'NoAddressFamily', network })
  const twice = driver.severalSubnets ? null : familyTwice(asked)
  if (twice !== null) return fail({ tag: 'FamilyTwice', network, family: twice })
  const wrong = asked.map((spec) => checkPool(network, spec)).find((each) => each !== null)
  if (wrong !== undefined) return fail(wrong)
  const space = scope === 'global' ? 'GlobalDefault' : 'LocalDefault'
  const taking: Taking = { driver, plan, space, exclude: excluding(inUse) }
  const pools: NetworkPool[] = []
  let now = ipam
  for (const spec of [...asked].sort((a, b) => a.family - b.family)) {
    const taken = takeFor(now, taking, spec)
    if (E.isLeft(taken)) return taken
    now = taken.right.ipam
    pools.push(taken.right.pool)
  }
  return E.right(pools)
}

/** The pool of a network that an address belongs to. */
export const poolHolding = (pools: ReadonlyArray<NetworkPool>, ip: Ip): NetworkPool | undefined =>
  pools.find(({ subnet }) => contains(subnet, ip))

export const poolsOfFamily = (pools: ReadonlyArray<NetworkPool>, family: Family): ReadonlyArray<NetworkPool> =>
  pools.filter(({ subnet }) => isIp4(subnet.ip) === (family === 4))
