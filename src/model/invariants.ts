// What is always true of a model, as named predicates: checked after every turn in tests and simulations.

import { wholeId } from '../ipam/pool-id.ts'
import { getPool } from '../ipam/space.ts'
import { isTaken } from '../ipam/subnet.ts'
import { compareCidr, contains, overlaps, showCidr } from '../net/cidr.ts'
import { showIp } from '../net/ip.ts'
import { HOST } from '../net/name.ts'
import { emptyMap, entriesOf, getIn, hasIn, sizeOfMap, valuesOf } from '../net/pmap.ts'
import { clusterOf, isElsewhere, isShared } from './cluster.ts'
import { collide } from './decide/ports.ts'
import { showBinding } from './error.ts'
import { indexOf } from './index.ts'
import { type Call, keyOf, parentOf } from './plugin/ledger.ts'
import { requests } from './plugin/requests.ts'
import type { Model, PortBinding } from './types.ts'

/** Sentences that should be true and are not; empty for a sound model. */
export const violations = (model: Model): ReadonlyArray<string> => [
  ...contradictions(model),
  ...indexTrue(model),
  ...clusterTrue(model),
]

/** Those about the objects alone, as they are stored. */
export const contradictions = (model: Model): ReadonlyArray<string> => [
  ...networksHold(model),
  ...endpointsBelong(model),
  ...interfacesUnique(model),
  ...addressesUnique(model),
  ...linkLocalUnique(model),
  ...poolsDisjoint(model),
  ...namesUnique(model),
  ...portsUnique(model),
  ...callsHold(model),
]

/** What a network that lends its configuration is, and what one that takes it refers to. */
const networksHold = (model: Model): ReadonlyArray<string> =>
  valuesOf(model.networks).flatMap(({ id, name, scope, configOnly, configFrom, pools }) => {
    const lender = configFrom === null ? undefined : getIn(model.networks, configFrom)
    return [
      ...(configOnly && pools.length > 0 ? [`configuration-only network ${name} has pools`] : []),
      ...(configOnly && sizeOfMap(getIn(model.index.byNetwork, id) ?? emptyMap()) > 0
        ? [`configuration-only network ${name} has endpoints`]
        : []),
      // A shared network may have been made on another host, with a configuration that is there.
      ...(configFrom !== null && scope === 'local' && lender?.configOnly !== true
        ? [`network ${name} has the configuration of one that is gone`]
        : []),
    ]
  })

const endpointsBelong = (model: Model): ReadonlyArray<string> =>
  valuesOf(model.endpoints).flatMap(({ id, name, network: on, addresses, attachment }) => {
    const network = getIn(model.networks, on)
    const isAway = isElsewhere(model, id)
    const sandbox = attachment === null || isAway ? undefined : getIn(model.sandboxes, attachment.sandbox)
    const pools = network?.pools ?? []
    const own = addresses.every(({ pool, cidr }) =>
      pools.some((each) => each.pool === pool && each.subnet.bits === cidr.bits),
    )
    return [
      ...(network === undefined ? [`endpoint ${name} is on a network that is gone`] : []),
      ...(own ? [] : [`endpoint ${name} has an address of no pool of its network`]),
      ...(isAway && network !== undefined && !isShared(model, network)
        ? [`endpoint ${name} is elsewhere, and its network is not`]
        : []),
      ...(attachment !== null && !isAway && sandbox === undefined
        ? [`endpoint ${name} is joined to a sandbox that is gone`]
        : []),
      ...(sandbox?.ns === HOST && pools.length > 0 ? [`endpoint ${name} would be in the namespace of the host`] : []),
    ]
  })

/** A link-local address is held once on a network. */
const linkLocalUnique = (model: Model): ReadonlyArray<string> =>
  twice(
    valuesOf(model.endpoints).flatMap(({ network, linkLocal }) => linkLocal.map((ip) => `${showIp(ip)} on ${network}`)),
  ).map((at) => `link-local address ${at} is held twice`)

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

/** Interfaces of one sandbox have names of their own. */
const interfacesUnique = (model: Model): ReadonlyArray<string> =>
  twice(
    valuesOf(model.endpoints).flatMap(({ id, attachment }) =>
      attachment === null || isElsewhere(model, id) ? [] : [`${attachment.sandbox} ${attachment.ifName}`],
    ),
  ).map((at) => `two endpoints have the interface ${at}`)

/** P16: subnets of one address space do not overlap. Sorted, each would overlap the one before. */
const poolsDisjoint = (model: Model): ReadonlyArray<string> => {
  const shared = twice(valuesOf(model.networks).flatMap(({ pools }) => pools.map(({ pool }) => wholeId(pool))))
  const subnets = [...valuesOf(model.ipam.subnets)].sort(
    (a, b) => (a.space < b.space ? -1 : a.space > b.space ? 1 : 0) || compareCidr(a.cidr, b.cidr),
  )
  const overlapping = subnets.flatMap((b, i) => {
    const a = subnets[i - 1]
    return a !== undefined && a.space === b.space && overlaps(a.cidr, b.cidr)
      ? [`subnets ${showCidr(a.cidr)} and ${showCidr(b.cidr)} of ${a.space} overlap`]
      : []
  })
  return [...shared.map((id) => `two networks use the subnet ${id}`), ...overlapping]
}

const twice = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const seen = new Set<string>()
  return names.filter((name) => seen.size === seen.add(name).size)
}

/** P24: a name is given once. */
const namesUnique = (model: Model): ReadonlyArray<string> => [
  ...twice(valuesOf(model.networks).map(({ scope, name }) => `${scope} ${name}`)).map(
    (name) => `two networks are named ${name}`,
  ),
  ...twice(valuesOf(model.endpoints).map(({ network, name }) => `${network}/${name}`)).map(
    (name) => `two endpoints are named ${name}`,
  ),
  ...twice(valuesOf(model.sandboxes).map(({ container }) => container)).map(
    (container) => `two sandboxes are of container ${container}`,
  ),
  ...twice(
    valuesOf(model.sandboxes)
      .map(({ ns }) => ns)
      .filter((ns) => ns !== HOST),
  ).map((ns) => `two sandboxes have the namespace ${ns}`),
]

/** P2: a port of the host, per address and protocol, belongs to one sandbox, once. */
const portsUnique = (model: Model): ReadonlyArray<string> => {
  const groups = new Map<string, PortBinding[]>()
  for (const binding of valuesOf(model.sandboxes).flatMap(({ ports }) => ports)) {
    const key = `${binding.transport}/${binding.hostPort}`
    groups.set(key, [...(groups.get(key) ?? []), binding])
  }
  return [...groups.values()].flatMap((group) =>
    group.flatMap((a, i) =>
      group.slice(i + 1).some((b) => collide(a, b)) ? [`port ${showBinding(a)} is published twice`] : [],
    ),
  )
}

/** What is needed by something is acknowledged; calls have numbers of their own; and none is owed that is not noted. */
const callsHold = (model: Model): ReadonlyArray<string> => {
  const { calls, last } = model.ledger
  const noted = valuesOf(calls)
  const alone = ({ creation }: Call): boolean => {
    const parent = parentOf(keyOf(creation))
    return parent !== null && getIn(calls, parent)?.state !== 'there'
  }
  return [
    ...noted.filter(alone).map(({ creation }) => `call ${keyOf(creation)} needs what no plugin has`),
    ...noted.filter(({ number }) => number > last).map(({ creation }) => `call ${keyOf(creation)} is not counted`),
    ...twice(noted.map(({ number }) => String(number))).map((number) => `two calls have the number ${number}`),
    ...requests(model).map(({ state, creation }) => `call ${keyOf(creation)} is ${state} and not noted`),
  ]
}

/** The index says what the objects say. Equal maps have equal trees, so the two are compared as a whole. */
const indexTrue = (model: Model): ReadonlyArray<string> => {
  const derived = indexOf(model)
  // Casts: the keys of an index are its fields.
  return (Object.keys(derived) as ReadonlyArray<keyof Model['index']>)
    .filter((field) => JSON.stringify(model.index[field], plain) !== JSON.stringify(derived[field], plain))
    .map((field) => `the index ${field} does not say what the objects say`)
}

const clusterTrue = (model: Model): ReadonlyArray<string> => [
  ...[...entriesOf(model.cluster.elsewhere)]
    .filter(([id]) => !hasIn(model.endpoints, id))
    .map(([id, host]) => `endpoint ${id} of ${host} is not there`),
  ...(JSON.stringify(model.cluster, plain) === JSON.stringify(clusterOf(model), plain)
    ? []
    : ['what is said to be here is not what is here']),
]

const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
