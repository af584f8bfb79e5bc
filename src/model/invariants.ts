// What is always true of a model, as named predicates: checked after every turn in tests and simulations.

import { getPool } from '../ipam/space.ts'
import { isTaken } from '../ipam/subnet.ts'
import { contains, overlaps, showCidr } from '../net/cidr.ts'
import { showIp } from '../net/ip.ts'
import { HOST } from '../net/name.ts'
import { getIn, hasIn, valuesOf } from '../net/pmap.ts'
import type { Model } from './types.ts'

/** Sentences that should be true and are not; empty for a sound model. */
export const violations = (model: Model): ReadonlyArray<string> => [
  ...endpointsBelong(model),
  ...addressesUnique(model),
  ...poolsDisjoint(model),
  ...namesUnique(model),
]

const endpointsBelong = (model: Model): ReadonlyArray<string> =>
  valuesOf(model.endpoints).flatMap(({ name, network, attachment }) => [
    ...(hasIn(model.networks, network) ? [] : [`endpoint ${name} is on a network that is gone`]),
    ...(attachment === null || hasIn(model.sandboxes, attachment.sandbox)
      ? []
      : [`endpoint ${name} is joined to a sandbox that is gone`]),
  ])

/** P1: an address is held by one endpoint, lies in its pool, and the pool knows it. */
const addressesUnique = (model: Model): ReadonlyArray<string> => {
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const endpoint of valuesOf(model.endpoints)) {
    const gateways = getIn(model.networks, endpoint.network)?.pools.map(({ gateway }) => gateway) ?? []
    for (const { pool: id, cidr } of endpoint.addresses) {
      const subnet = getPool(model.ipam, id)?.subnet
      const key = `${id} ${showIp(cidr.ip)}`
      if (seen.has(key)) wrong.push(`address ${key} is held twice`)
      seen.add(key)
      if (gateways.includes(cidr.ip)) wrong.push(`endpoint ${endpoint.name} holds the gateway's address ${key}`)
      if (subnet === undefined || !contains(subnet.cidr, cidr.ip)) wrong.push(`address ${key} is in no pool`)
      else if (!isTaken(subnet, cidr.ip)) wrong.push(`address ${key} is held by ${endpoint.name} and free in its pool`)
    }
  }
  return wrong
}

/** P16: subnets of one address space do not overlap. */
const poolsDisjoint = (model: Model): ReadonlyArray<string> => {
  const subnets = valuesOf(model.ipam.subnets)
  return subnets.flatMap((a, i) =>
    subnets
      .slice(i + 1)
      .filter((b) => a.space === b.space && overlaps(a.cidr, b.cidr))
      .map((b) => `subnets ${showCidr(a.cidr)} and ${showCidr(b.cidr)} of ${a.space} overlap`),
  )
}

const twice = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name, i) => names.indexOf(name) !== i)

/** P24: a name is given once. */
const namesUnique = (model: Model): ReadonlyArray<string> => [
  ...twice(valuesOf(model.networks).map(({ name }) => name)).map((name) => `two networks are named ${name}`),
  ...twice(valuesOf(model.endpoints).map(({ network, name }) => `${network}/${name}`)).map(
    (name) => `two endpoints are named ${name}`,
  ),
  ...twice(
    valuesOf(model.sandboxes)
      .map(({ ns }) => ns)
      .filter((ns) => ns !== HOST),
  ).map((ns) => `two sandboxes have the namespace ${ns}`),
]
