// What an act of a plan comes to: commands for an engine, chosen by what its host knows then, and the same as a history tells it. Names and wished
// addresses are few, so that hosts go for the same.

import type { ClusterAsk, ClusterOut, ClusterRefusal } from '../history/specs/cluster.ts'
import { endpointsHere, isElsewhere, isShared } from '../model/cluster.ts'
import type { Command, CreateEndpoint, CreateNetwork, Join } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import {
  type Endpoint,
  endpointId,
  type HostId,
  type Model,
  type Network,
  networkId,
  type Sandbox,
  sandboxId,
} from '../model/types.ts'
import { type Cidr, cidr, nthOf, showCidr } from '../net/cidr.ts'
import { isIp4, showIp } from '../net/ip.ts'
import { ns } from '../net/name.ts'
import { getIn, valuesOf } from '../net/pmap.ts'
import type { Act, Names } from './plan.ts'

/** `ask`: null for what is no business of other hosts and of no object that a history is kept of. */
export type Order = Readonly<{ commands: ReadonlyArray<Command>; ask: ClusterAsk | null }>

const LOCAL_NAMES = 2
/** Of new objects, one in so many asks for an id that another was given. */
const ID_AGAIN = 16

/** 64 digits, of which the first tell objects apart, for names are made of those. */
const idOf = (kind: string, number: number): string =>
  `${number.toString(16).padStart(8, '0')}${kind}`.padEnd(64, '0').slice(0, 64)

/** A way to choose by a number. */
const chosen = <A>(items: ReadonlyArray<A>, pick: number): A | undefined => items[pick % Math.max(1, items.length)]

/** What there is to choose from, on a host. */
type Scene = Readonly<{ model: Model; host: HostId; number: number; names: Names; act: Act }>

const networksOf = ({ model }: Scene, shared: boolean): ReadonlyArray<Network> =>
  valuesOf(model.networks).filter((network) => isShared(model, network) === shared && network.driver === 'bridge')

/** How a history calls a network of the host: others may have one of that name, too. */
const nameIn = ({ host }: Scene, shared: boolean, name: string): string => (shared ? name : `${host}:${name}`)

const newId = ({ number, act: { picks } }: Scene, kind: string): string =>
  idOf(kind, picks[2] % ID_AGAIN === 0 ? Math.max(1, number - 1 - (picks[2] % 7)) : number)

const subnetOf = ({ subnets, bits }: Names, pick: number): Cidr =>
  cidr(bits === 24 ? `172.16.${pick % subnets}.0/24` : `172.${16 + (pick % subnets)}.0.0/${bits}`)

const createNetwork = (scene: Scene, shared: boolean): Order => {
  const [which, subnet] = scene.act.picks
  const name = shared ? `net${which % scene.names.networks}` : `own${which % LOCAL_NAMES}`
  const asked = shared && subnet % 3 === 0 ? subnetOf(scene.names, subnet) : null
  // Hosts do not know of each other's own networks, and two may give them one id: then nothing can be said of it.
  const id = shared ? newId(scene, 'a') : idOf('d', scene.number)
  const command: CreateNetwork = {
    tag: 'CreateNetwork',
    id: networkId(id),
    name,
    driver: 'bridge',
    options: {},
    internal: false,
    attachable: false,
    labels: {},
    pools: [{ family: 4, subnet: asked, range: null, gateway: null, aux: {} }],
    ...(shared ? { scope: 'global' as const } : {}),
  }
  const named = nameIn(scene, shared, name)
  return {
    commands: [command],
    ask: { do: 'create network', id, name: named, subnet: asked && showCidr(asked) },
  }
}

const deleteNetwork = (scene: Scene, shared: boolean): Order | null => {
  const network = chosen(networksOf(scene, shared), scene.act.picks[0])
  if (network === undefined) return null
  return { commands: [{ tag: 'DeleteNetwork', id: network.id }], ask: { do: 'delete network', id: network.id } }
}

const createEndpoint = (scene: Scene, shared: boolean, isWished: boolean): Order | null => {
  const { host, act } = scene
  const [which, name, wish] = act.picks
  const network = chosen(networksOf(scene, shared), which)
  if (network === undefined) return null
  const subnet = network.pools[0]?.subnet
  const wished = isWished && subnet !== undefined ? nthOf(subnet, BigInt(200 + (wish % scene.names.addresses))) : null
  const ip = wished !== null && isIp4(wished) ? wished : null
  const command: CreateEndpoint = {
    tag: 'CreateEndpoint',
    id: endpointId(shared ? newId(scene, 'b') : idOf('e', scene.number)),
    network: network.id,
    name: `end${name % scene.names.endpoints}`,
    aliases: [],
    ipv4: ip,
    ipv6: null,
    mac: null,
  }
  const { id } = command
  return {
    commands: [command],
    ask: { do: 'create endpoint', id, network: network.id, name: command.name, ip: ip && showIp(ip), host },
  }
}

const joinOf = (endpoint: Endpoint['id'], sandbox: Sandbox): Join => ({
  tag: 'Join',
  endpoint,
  sandbox: sandbox.id,
  priority: 0,
  ifName: null,
})

const runOnNetwork = (scene: Scene): Order | null => {
  const made = createEndpoint(scene, true, false)
  const sandbox = chosen(valuesOf(scene.model.sandboxes), scene.act.picks[1])
  if (made?.ask?.do !== 'create endpoint' || sandbox === undefined) return made
  return { ...made, commands: [...made.commands, joinOf(endpointId(made.ask.id), sandbox)] }
}

const endpointsOf = ({ model }: Scene, isHere: boolean): ReadonlyArray<Endpoint> =>
  isHere
    ? valuesOf(model.networks).flatMap(({ id }) => endpointsHere(model, id))
    : valuesOf(model.endpoints).filter(({ id }) => isElsewhere(model, id))

const deleteEndpoint = (scene: Scene, isHere: boolean): Order | null => {
  const { host, act } = scene
  const endpoint = chosen(endpointsOf(scene, isHere), act.picks[0])
  if (endpoint === undefined) return null
  const { id } = endpoint
  return {
    commands: [{ tag: 'DeleteEndpoint', id, force: act.picks[1] % 2 === 0 }],
    ask: { do: 'delete endpoint', id, host },
  }
}

const renameEndpoint = (scene: Scene): Order | null => {
  const { host, act } = scene
  const endpoint = chosen(endpointsOf(scene, act.picks[1] % 8 > 0), act.picks[0])
  if (endpoint === undefined) return null
  const { id, network } = endpoint
  const name = `end${act.picks[2] % scene.names.endpoints}`
  return {
    commands: [{ tag: 'RenameEndpoint', id, name }],
    ask: { do: 'rename endpoint', id, network, name, host },
  }
}

const sandboxName = (number: number): string => `box${number}`

const sandboxOf = (kind: string, name: string, number: number): Command => ({
  tag: 'CreateSandbox',
  id: sandboxId(idOf(kind, number)),
  container: name,
  hostname: name,
  ns: ns(name),
  ports: [],
})

const createSandbox = ({ number }: Scene): Order => ({
  commands: [sandboxOf('c', sandboxName(number), number)],
  ask: null,
})

/** Something that every host can do. */
export const probeOf = (number: number): Command => sandboxOf('f', `probe${number}`, number)

const renameSandbox = (id: Sandbox['id'], name: string, host: HostId): Order => ({
  commands: [{ tag: 'RenameSandbox', id, container: name }],
  ask: { do: 'rename sandbox', id, name, host },
})

const ofSandbox = (scene: Scene): Order | null => {
  const { model, host, number, act } = scene
  const sandbox = chosen(valuesOf(model.sandboxes), act.picks[0])
  if (sandbox === undefined) return null
  const { id } = sandbox
  if (act.deed === 'drop sandbox')
    return { commands: [{ tag: 'DeleteSandbox', id }], ask: { do: 'delete sandbox', id, host } }
  if (act.deed === 'rename sandbox') return renameSandbox(id, `${sandboxName(number)}-again`, host)
  return { commands: [{ tag: 'RefreshSandbox', id, hostname: `host${number}`, ports: [] }], ask: null }
}

const joinOrLeave = (scene: Scene): Order | null => {
  const { model, host, act } = scene
  const isJoin = act.deed === 'join'
  const fit = endpointsOf(scene, true).filter(({ attachment }) => (attachment === null) === isJoin)
  const endpoint = chosen(fit, act.picks[0])
  if (endpoint === undefined) return null
  const { id, attachment } = endpoint
  const ask: ClusterAsk = { do: 'use endpoint', id, host }
  const sandbox =
    attachment === null ? chosen(valuesOf(model.sandboxes), act.picks[1]) : getIn(model.sandboxes, attachment.sandbox)
  if (sandbox === undefined) return null
  if (isJoin) return { commands: [joinOf(id, sandbox)], ask }
  return { commands: [{ tag: 'Leave', endpoint: id, sandbox: sandbox.id }], ask }
}

/** Null: there is nothing that it could be about. `number`: another one for each act. */
export const orderOf = (scene: Scene): Order | null => {
  switch (scene.act.deed) {
    case 'share network':
      return createNetwork(scene, true)
    case 'make network':
      return createNetwork(scene, false)
    case 'drop shared network':
      return deleteNetwork(scene, true)
    case 'drop network':
      return deleteNetwork(scene, false)
    case 'share endpoint':
      return createEndpoint(scene, true, false)
    case 'share wished endpoint':
      return createEndpoint(scene, true, true)
    case 'make endpoint':
      return createEndpoint(scene, false, scene.act.picks[2] % 3 === 0)
    case 'run on shared network':
      return runOnNetwork(scene)
    case 'drop endpoint':
      return deleteEndpoint(scene, true)
    case 'drop endpoint of another':
      return deleteEndpoint(scene, false)
    case 'rename endpoint':
      return renameEndpoint(scene)
    case 'make sandbox':
      return createSandbox(scene)
    case 'drop sandbox':
    case 'refresh sandbox':
    case 'rename sandbox':
      return ofSandbox(scene)
    case 'join':
    case 'leave':
      return joinOrLeave(scene)
  }
}

/** What a history is told of an answer. `model`: as it is with it. */
export const doneOf = (model: Model, events: ReadonlyArray<CnmEvent>): ClusterOut => ({
  is: 'done',
  ips: events.flatMap((event) =>
    event.tag === 'EndpointCreated' ? event.endpoint.addresses.map(({ cidr: { ip } }) => showIp(ip)) : [],
  ),
  renamed: events.flatMap((event) => {
    const endpoint = event.tag === 'EndpointRenamed' ? getIn(model.endpoints, event.id) : undefined
    return event.tag === 'EndpointRenamed' && endpoint !== undefined
      ? [{ id: event.id, network: endpoint.network, name: event.name }]
      : []
  }),
  gone: events.flatMap((event) => (event.tag === 'EndpointDeleted' ? [event.id] : [])),
})

const WHY: Readonly<Partial<Record<CnmError['tag'], ClusterRefusal>>> = {
  IdTaken: 'id taken',
  NetworkNameTaken: 'name taken',
  EndpointNameTaken: 'name taken',
  IPAlreadyAllocated: 'address taken',
  PoolOverlap: 'subnet taken',
  HasEndpoints: 'in use',
  OnOtherHost: 'elsewhere',
}

/** Null: it says nothing of what a history is kept of. */
export const refusalOf = (error: CnmError): ClusterOut | null => {
  if (error.tag === 'NotFound') {
    if (error.what === 'sandbox') return null
    return { is: 'refused', why: error.what === 'network' ? 'no network' : 'no endpoint' }
  }
  const why = WHY[error.tag]
  return why === undefined ? null : { is: 'refused', why }
}
