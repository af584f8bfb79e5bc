// May this network be made or removed? In the order of libnetwork's NewNetwork: what the network is called, what it may say
// of itself, where it exists, whose configuration it takes; then what its driver reads, then its pools. Network.Delete.

import { hasIn, valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { CreateNetwork, DeleteNetwork } from '../command.ts'
import { type CnmError, isOfModel } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { fail, findNetwork } from '../model.ts'
import { borrowersOf, endpointsOn, networkNamed } from '../queries.ts'
import type { DriverRules, Plan, Rules } from '../rules.ts'
import type { Model, Network, NetworkScope, PoolSpec } from '../types.ts'
import { checkPool, takePools } from './pools.ts'

type Events = Either<CnmError, ReadonlyArray<CnmEvent>>

const hasAny = (texts: Readonly<Record<string, unknown>>): boolean => Object.keys(texts).length > 0

/** What `IPv4 on, IPv6 off` and not a word more comes to. */
const saysNothing = (pools: ReadonlyArray<PoolSpec>): boolean =>
  pools.every(
    ({ family, subnet, range, gateway, aux }) =>
      family === 4 && subnet === null && range === null && gateway === null && !hasAny(aux),
  ) && pools.length <= 1

const notOfConfigOnly = ({ ingress, internal, attachable, scope }: CreateNetwork): ReadonlyArray<string> =>
  Object.entries({ ingress: ingress === true, internal, attachable, scope: scope !== undefined }).flatMap(
    ([option, given]) => (given ? [option] : []),
  )

const ownConfig = ({ pools, labels, options }: CreateNetwork): ReadonlyArray<string> => [
  ...(saysNothing(pools) ? [] : ['address configuration']),
  ...(hasAny(labels) ? ['labels'] : []),
  ...(hasAny(options) ? ['driver options'] : []),
]

/** libnetwork's validateConfiguration: what a network that lends or takes a configuration may not say. */
const checkConfiguration = (command: CreateNetwork): CnmError | null => {
  const { name: network, configOnly = false, configFrom } = command
  const options = configOnly ? notOfConfigOnly(command) : []
  if (options.length > 0) return { tag: 'ConfigOnlyOptions', network, options }
  if (configFrom === undefined) return null
  if (configOnly) return { tag: 'ConfigOfConfig', network, config: configFrom }
  const own = ownConfig(command)
  return own.length > 0 ? { tag: 'ConfigAndOwn', network, config: configFrom, own } : null
}

const checkIngress = (model: Model, driver: DriverRules, { name, ingress = false }: CreateNetwork): CnmError | null => {
  if (!ingress) return null
  if (driver.scope !== 'global') return { tag: 'IngressScope', network: name, driver: driver.type }
  const existing = valuesOf(model.networks).find((network) => network.ingress)
  return existing === undefined ? null : { tag: 'IngressTaken', network: name, existing: existing.name }
}

/** What a network is made of: its own words, or those of the network that lends them. */
type Source = Readonly<Pick<Network, 'options' | 'asked' | 'labels' | 'configFrom'>>

const sourceOf = (model: Model, command: CreateNetwork): Either<CnmError, Source> => {
  const { name, options, labels, pools, configFrom } = command
  if (configFrom === undefined) return E.right({ options, asked: pools, labels, configFrom: null })
  const lender = networkNamed(model, configFrom)
  if (lender?.configOnly !== true) return fail({ tag: 'NoSuchConfig', network: name, config: configFrom })
  return E.right({ options: lender.options, asked: lender.asked, labels: lender.labels, configFrom: lender.id })
}

/** One that only lends: nothing is taken for it, so its words are checked in themselves. */
const createConfig = ({ id, name, options, labels, pools }: CreateNetwork): Events => {
  const wrong = pools.map((spec) => checkPool(name, spec)).find((each) => each !== null)
  if (wrong !== undefined) return fail(wrong)
  const network: Network = {
    id,
    name,
    driver: 'null',
    scope: 'local',
    options,
    asked: pools,
    config: {},
    internal: false,
    attachable: false,
    ingress: false,
    configOnly: true,
    configFrom: null,
    labels,
    pools: [],
  }
  return E.right([{ tag: 'NetworkCreated', network }])
}

/** Why there cannot be such a network beside the others, or at all. */
const objectionTo = (rules: Rules, model: Model, driver: DriverRules, plan: Plan): CnmError | null => {
  const objection = driver.objection(plan)
  if (objection !== null) return objection
  const parent = driver.below(plan.config)
  for (const { name, driver: type, config, configOnly } of valuesOf(model.networks)) {
    if (configOnly) continue
    if (type !== driver.type && parent !== null && rules.get(type)?.below(config) === parent)
      return { tag: 'ParentTaken', network: plan.network, parent, by: name, why: 'one driver' }
    const conflict = type === driver.type ? driver.conflict(plan, { network: name, config }) : null
    if (conflict !== null) return conflict
  }
  return null
}

const create = (
  rules: Rules,
  model: Model,
  driver: DriverRules,
  scope: NetworkScope,
  source: Source,
  command: CreateNetwork,
): Events => {
  const { id, name, attachable, ingress = false, host } = command
  const { type } = driver
  const others = driver.single ? valuesOf(model.networks).filter(({ configOnly }) => !configOnly) : []
  const twin = others.find((network) => network.driver === type)
  if (twin !== undefined) return fail({ tag: 'OnlyOne', driver: type, existing: twin.name })
  const config = driver.configure(source.options, host?.devices ?? null)
  if (E.isLeft(config)) return config
  const asked = driver.addresses ? source.asked : []
  const internal = command.internal || driver.internal(config.right)
  const plan: Plan = { network: name, config: config.right, internal, asked }
  const objection = objectionTo(rules, model, driver, plan)
  if (objection !== null) return fail(objection)
  const pools = takePools(model.ipam, driver, plan, scope, host?.prefixes ?? [])
  if (E.isLeft(pools)) return pools
  const network: Network = {
    id,
    name,
    driver: type,
    scope,
    options: source.options,
    asked,
    config: config.right,
    internal,
    attachable,
    ingress,
    configOnly: false,
    configFrom: source.configFrom,
    labels: source.labels,
    pools: pools.right,
  }
  return E.right([{ tag: 'NetworkCreated', network }])
}

/** A borrower did not say the subnet that is wrong; so it is named. */
const named =
  (network: string) =>
  (error: CnmError): CnmError =>
    isOfModel(error) ? error : { ...error, network }

export const createNetwork = (rules: Rules, model: Model, command: CreateNetwork): Events => {
  const { id, name, driver: type } = command
  if (hasIn(model.networks, id)) return fail({ tag: 'IdTaken', what: 'network', id })
  if (name.trim() === '') return fail({ tag: 'NameEmpty', what: 'network', id })
  if (networkNamed(model, name) !== undefined) return fail({ tag: 'NetworkNameTaken', name })
  const contradiction = checkConfiguration(command)
  if (contradiction !== null) return fail(contradiction)
  if (command.configOnly === true) return createConfig(command)
  const driver = rules.get(type)
  if (driver === undefined) return fail({ tag: 'UnknownDriver', driver: type, known: [...rules.keys()] })
  const { scope = driver.scope } = command
  if (scope === 'local' && driver.scope === 'global')
    return fail({ tag: 'ScopeTooLow', network: name, driver: type, scope, least: driver.scope })
  const ingress = checkIngress(model, driver, command)
  if (ingress !== null) return fail(ingress)
  const source = sourceOf(model, command)
  if (E.isLeft(source)) return source
  if (scope === 'swarm') return fail({ tag: 'NoSwarm', network: name })
  const created = create(rules, model, driver, scope, source.right, command)
  return source.right.configFrom === null ? created : E.mapLeft(named(name))(created)
}

export const deleteNetwork = (model: Model, { id, force = false }: DeleteNetwork): Events => {
  const found = findNetwork(model, id)
  if (E.isLeft(found)) return found
  const { name: network, ingress, configOnly } = found.right
  if (ingress && !force) return fail({ tag: 'IngressHeld', network })
  const borrowers = configOnly ? borrowersOf(model, id) : []
  if (borrowers.length > 0) return fail({ tag: 'ConfigInUse', network, networks: borrowers.map(({ name }) => name) })
  const endpoints = endpointsOn(model, id)
  if (endpoints.length > 0) return fail({ tag: 'HasEndpoints', network, endpoints: endpoints.map(({ name }) => name) })
  return E.right([{ tag: 'NetworkDeleted', id }])
}
