// cnm network: create, list, look at, remove, and connect sandboxes. Source: the docker network commands.

import type { Command } from '../../model/command.ts'
import { ENDPOINT_OPTIONS, IFNAME, parseSysctls, SYSCTLS } from '../../model/endpoint-options.ts'
import { endpointNamed, endpointsIn, endpointsOn } from '../../model/queries.ts'
import { type Endpoint, endpointId, type Model, type Network, networkId, type Texts } from '../../model/types.ts'
import { type IfName, parseNewIfName } from '../../net/name.ts'
import { getIn, valuesOf } from '../../net/pmap.ts'
import { allOf, E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import { type ChangeOptions, change, type Deed, type Plan, removeAll } from '../host/change.ts'
import { confirmed } from '../host/confirm.ts'
import { filterOf, hasLabel } from '../host/filter.ts'
import { randomId } from '../host/id.ts'
import { inspectAll, type Listable, type ListOptions, listAll } from '../host/list.ts'
import type { Place } from '../host/place.ts'
import {
  type EndpointWords,
  misused,
  optional,
  type PoolWords,
  readLinks,
  readPairs,
  readPools,
  readPriority,
  readRoutes,
  readWishes,
} from '../host/read.ts'
import { refused } from '../host/refusal.ts'
import { theNetwork, theSandbox } from '../host/resolve.ts'
import { type NetworkView, networkView } from '../host/view.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'

type Result = Promise<Either<Problem, number>>

export type CreateOptions = ChangeOptions &
  PoolWords &
  Readonly<{
    driver: string
    internal: boolean
    attachable: boolean
    ingress: boolean
    scope?: 'local' | 'global' | 'swarm'
    configOnly: boolean
    configFrom?: string
    label?: ReadonlyArray<string>
    opt?: ReadonlyArray<string>
  }>

export const create = async (io: Io, name: string, options: CreateOptions): Result => {
  const { driver, internal, attachable, ingress, configOnly, scope, configFrom } = options
  const pools = readPools(options)
  const labels = readPairs('--label', options.label)
  const driverOptions = readPairs('--opt', options.opt)
  if (E.isLeft(pools)) return pools
  if (E.isLeft(labels)) return labels
  if (E.isLeft(driverOptions)) return driverOptions
  const id = networkId(randomId())
  const command: Command = {
    tag: 'CreateNetwork',
    id,
    name,
    driver,
    options: driverOptions.right,
    internal,
    attachable,
    labels: labels.right,
    pools: pools.right,
    ingress,
    configOnly,
    ...(scope === undefined ? {} : { scope }),
    ...(configFrom === undefined ? {} : { configFrom }),
  }
  const deed: Deed = { title: `create network "${name}"`, commands: [command], says: id }
  return change(io, options, () => [() => E.right(deed)])
}

/** Docker's own, which it never prunes. */
const BUILT_IN: ReadonlySet<string> = new Set(['host', 'null'])

/** A network that only lends its configuration has the driver null, too. */
const isBuiltIn = ({ driver, configOnly }: Pick<NetworkView, 'driver' | 'configOnly'>): boolean =>
  BUILT_IN.has(driver) && !configOnly

const TESTS: Listable<NetworkView>['tests'] = {
  name: ({ name }, value) => name.includes(value),
  id: ({ id }, value) => id.startsWith(value),
  driver: ({ driver }, value) => driver === value,
  label: ({ labels }, value) => hasLabel(labels, value),
  scope: ({ scope }, value) => scope === value,
  type: (view, value) => (isBuiltIn(view) ? 'builtin' : 'custom') === value,
  dangling: ({ endpoints }, value) => String(endpoints.length === 0) === value,
}

const LISTABLE: Listable<NetworkView> = {
  of: (model) => valuesOf(model.networks).map((network) => networkView(model, network)),
  tests: TESTS,
  columns: {
    'NETWORK ID': (view, id) => id(view.id),
    NAME: ({ name }) => name,
    DRIVER: ({ driver, configOnly }) => (configOnly ? '-' : driver),
    SCOPE: ({ scope }) => scope,
    SUBNETS: ({ pools }) => pools.map(({ subnet }) => subnet).join(' ') || '-',
    ENDPOINTS: ({ endpoints }) => String(endpoints.length),
  },
}

export const ls = (io: Io, options: ListOptions): Result => listAll(io, options, LISTABLE)

export const inspect = (io: Io, store: Place, words: ReadonlyArray<string>): Result =>
  inspectAll(io, store, words, theNetwork, networkView)

const removal = ({ id, name }: Network): Omit<Deed, 'says'> => ({
  title: `remove network "${name}"`,
  commands: [{ tag: 'DeleteNetwork', id }],
})

export const rm = (io: Io, words: ReadonlyArray<string>, options: ChangeOptions & { force: boolean }): Result =>
  removeAll(io, words, options, theNetwork, removal)

type PruneOptions = ChangeOptions & Readonly<{ force: boolean; filter?: ReadonlyArray<string> }>

/** Every network that nobody is on, but for Docker's own and those that only lend their configuration. */
export const prune = async (io: Io, options: PruneOptions): Result => {
  const wanted = filterOf<NetworkView>({ label: ({ labels }, value) => hasLabel(labels, value) }, options.filter)
  if (E.isLeft(wanted)) return wanted
  if (!options.force && !options.dryRun) {
    const text = 'This removes all networks without endpoints.'
    const sure = await confirmed({ verb: 'network prune', way: '--force, or --dry-run to see', text })
    if (E.isLeft(sure)) return sure
    if (!sure.right) return E.right(EXIT.ok)
  }
  const isUnused = (model: Model, network: Network): boolean =>
    !isBuiltIn(network) &&
    !network.configOnly &&
    endpointsOn(model, network.id).length === 0 &&
    wanted.right(networkView(model, network))
  return change(io, options, (model) =>
    valuesOf(model.networks)
      .filter((network) => isUnused(model, network))
      .map(
        (network): Plan =>
          () =>
            E.right({ ...removal(network), says: network.name }),
      ),
  )
}

export type ConnectOptions = ChangeOptions &
  EndpointWords &
  Readonly<{
    gwPriority?: string
    driverOpt?: ReadonlyArray<string>
    link?: ReadonlyArray<string>
    route?: ReadonlyArray<string>
  }>

type DriverOptions = Readonly<{ ifName: IfName | null; sysctls: Texts }>

const readDriverOptions = (options: ReadonlyArray<string> | undefined): Either<Problem, DriverOptions> => {
  const pairs = readPairs('--driver-opt', options)
  if (E.isLeft(pairs)) return pairs
  const strange = Object.keys(pairs.right).find((key) => !ENDPOINT_OPTIONS.includes(key))
  if (strange !== undefined)
    return misused(`--driver-opt: "${strange}" is not known; there are ${ENDPOINT_OPTIONS.join(' and ')}`)
  const { [IFNAME]: name, [SYSCTLS]: sysctls } = pairs.right
  return allOf({
    ifName: optional(`--driver-opt ${IFNAME}`, name, parseNewIfName),
    sysctls: E.map((values: Texts | null) => values ?? {})(optional(`--driver-opt ${SYSCTLS}`, sysctls, parseSysctls)),
  })
}

export const connect = async (io: Io, networkWord: string, sandboxWord: string, options: ConnectOptions): Result => {
  const wishes = readWishes(options)
  const priority = readPriority(options.gwPriority)
  const driverOptions = readDriverOptions(options.driverOpt)
  const links = readLinks(options.link)
  const routes = readRoutes(options.route)
  if (E.isLeft(wishes)) return wishes
  if (E.isLeft(links)) return links
  if (E.isLeft(routes)) return routes
  if (E.isLeft(priority)) return priority
  if (E.isLeft(driverOptions)) return driverOptions
  const { ifName, sysctls } = driverOptions.right
  const plan: Plan = (model) => {
    const network = theNetwork(model, networkWord)
    const sandbox = theSandbox(model, sandboxWord)
    if (E.isLeft(network)) return network
    if (E.isLeft(sandbox)) return sandbox
    const { container } = sandbox.right
    const id = endpointId(randomId())
    return E.right({
      title: `connect sandbox "${container}" to network "${network.right.name}"`,
      commands: [
        { tag: 'CreateEndpoint', id, network: network.right.id, name: container, ...wishes.right, sysctls },
        {
          tag: 'Join',
          endpoint: id,
          sandbox: sandbox.right.id,
          priority: priority.right,
          ifName,
          routes: routes.right,
          links: links.right,
        },
      ],
      says: null,
    })
  }
  return change(io, options, () => [plan])
}

/** The endpoint by which a sandbox is on a network; with force also one without a sandbox, by its name. */
const endpointBetween = (model: Model, network: Network, word: string, force: boolean): Either<Problem, Endpoint> => {
  const sandbox = theSandbox(model, word)
  const left = endpointNamed(model, network.id, word)
  const alone = left === undefined ? undefined : getIn(model.endpoints, left)
  if (E.isLeft(sandbox)) return force && alone !== undefined ? E.right(alone) : sandbox
  const placed = endpointsIn(model, sandbox.right.id).find(({ endpoint }) => endpoint.network === network.id)
  if (placed !== undefined) return E.right(placed.endpoint)
  const { container } = sandbox.right
  const line = `sandbox "${container}" is not connected to network "${network.name}"`
  return E.left(refused('NotFound', `${line}; "cnm sandbox inspect ${container}" shows its networks`))
}

export const disconnect = (
  io: Io,
  networkWord: string,
  sandboxWord: string,
  options: ChangeOptions & { force: boolean },
): Result => {
  const plan: Plan = (model) => {
    const network = theNetwork(model, networkWord)
    if (E.isLeft(network)) return network
    const endpoint = endpointBetween(model, network.right, sandboxWord, options.force)
    if (E.isLeft(endpoint)) return endpoint
    return E.right({
      title: `disconnect "${sandboxWord}" from network "${network.right.name}"`,
      commands: [{ tag: 'DeleteEndpoint', id: endpoint.right.id, force: true }],
      says: null,
    })
  }
  return change(io, options, () => [plan])
}
