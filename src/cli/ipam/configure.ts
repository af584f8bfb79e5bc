// The one request of a log that Docker's protocol does not have: which pools an address manager was started with, as
// dockerd has them in `default-address-pools`, and what its host used itself.

import type { HostPrefixes } from '../../ipam/default-driver.ts'
import { arrange } from '../../ipam/defaults.ts'
import type { IpamError } from '../../ipam/error.ts'
import { SPACES } from '../../ipam/pool-id.ts'
import { parsePrefix } from '../../ipam/prefix.ts'
import { isFields } from '../../ipam/protocol.ts'
import type { AddressSpace, DefaultPool, Defaults } from '../../ipam/types.ts'
import { type Cidr, networkOf, showCidr } from '../../net/cidr.ts'
import { E, type Either, traverse } from '../../prelude.ts'

export const CONFIGURE = 'Configure'

export type Settings = Readonly<{ defaults: Defaults; exclude: HostPrefixes }>

type Fields = Readonly<Record<string, unknown>>

const EXPECTED: Readonly<Record<AddressSpace | 'Exclude', string>> = {
  LocalDefault: 'LocalDefault is a list such as [{"Base":"172.16.0.0/12","Size":16}]',
  GlobalDefault: 'GlobalDefault is a list such as [{"Base":"10.0.0.0/8","Size":24}]',
  Exclude: 'Exclude is a list of prefixes such as ["10.8.0.0/24"]',
}

const invalid = (name: AddressSpace | 'Exclude'): Either<IpamError, never> =>
  E.left({ tag: 'InvalidRequest', what: EXPECTED[name] })

/** Host bits do not count: for years dockerd's own flag took a base by the network that it lies in. */
const network = (asked: string): Either<IpamError, Cidr> => {
  const prefix = parsePrefix(asked)
  return E.isLeft(prefix) ? E.left({ tag: 'InvalidPool', asked, fault: prefix.left }) : E.right(networkOf(prefix.right))
}

const defaultPool =
  (space: AddressSpace) =>
  (json: unknown): Either<IpamError, DefaultPool> => {
    const { Base, Size }: Fields = isFields(json) ? json : {}
    if (typeof Base !== 'string' || typeof Size !== 'number' || !Number.isInteger(Size) || Size < 0)
      return invalid(space)
    return E.map((base: Cidr) => ({ base, size: Size }))(network(Base))
  }

/** The pools of a space as the request has them; those of before if it does not name the space. */
const poolsOf = (
  json: Fields,
  space: AddressSpace,
  { defaults }: Settings,
): Either<IpamError, ReadonlyArray<DefaultPool>> => {
  const list = json[space] ?? null
  if (list === null) return E.right(defaults[space])
  if (!Array.isArray(list)) return invalid(space)
  const pools = traverse(list, defaultPool(space))
  return E.isLeft(pools) ? pools : arrange(pools.right)
}

const excludeOf = (json: Fields, { exclude }: Settings): Either<IpamError, HostPrefixes> => {
  const list = json['Exclude'] ?? null
  if (list === null) return E.right(exclude)
  if (!Array.isArray(list)) return invalid('Exclude')
  return traverse(list, (each: unknown) => (typeof each === 'string' ? network(each) : invalid('Exclude')))
}

/** The settings after a `Configure` request: what it does not name stays as it was. */
export const readSettings = (json: Fields, before: Settings): Either<IpamError, Settings> => {
  const local = poolsOf(json, 'LocalDefault', before)
  if (E.isLeft(local)) return local
  const global = poolsOf(json, 'GlobalDefault', before)
  if (E.isLeft(global)) return global
  return E.map((exclude: HostPrefixes) => ({
    defaults: { LocalDefault: local.right, GlobalDefault: global.right },
    exclude,
  }))(excludeOf(json, before))
}

/** The response: what is in force, in the order it is used. */
export const showSettings = ({ defaults, exclude }: Settings): Readonly<Record<string, unknown>> => ({
  ...Object.fromEntries(
    SPACES.map((space) => [space, defaults[space].map(({ base, size }) => ({ Base: showCidr(base), Size: size }))]),
  ),
  Exclude: exclude.map(showCidr),
})
