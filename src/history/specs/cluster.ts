// Networks and endpoints that several hosts make and take away: each id, name, subnet and address is held by one at a time, and a network is
// not taken away while an endpoint is on it. A history is cut into what its operations say of each of these objects. That is less than all they
// say together (that an endpoint's name and its address are taken at one moment is not asked), and each object's part is quickly judged.

import type { Operation } from '../event.ts'
import { type Group, REFUSED, type Spec } from '../spec.ts'

/** `host`: on which it is done. `ip`, `subnet`: that was asked for, or null. Names are written so that they are unique as they should be. */
export type ClusterAsk = Readonly<
  | { do: 'create network'; id: string; name: string; subnet: string | null }
  | { do: 'delete network'; id: string }
  | { do: 'create endpoint'; id: string; network: string; name: string; ip: string | null; host: string }
  | { do: 'delete endpoint'; id: string; host: string }
  | { do: 'rename endpoint'; id: string; network: string; name: string; host: string }
  /** Does something with it that leaves it what it is: a join, a leave. */
  | { do: 'use endpoint'; id: string; host: string }
  /** Takes along which endpoints its answer says. */
  | { do: 'delete sandbox'; id: string; host: string }
  /** Names those that are in it, too: its answer says which. */
  | { do: 'rename sandbox'; id: string; name: string; host: string }
  /** Others take what `host` had: it is not heard of. */
  | { do: 'clear'; host: string; endpoints: ReadonlyArray<Readonly<{ id: string; ips: ReadonlyArray<string> }>> }
  /** Reads all there is, when nothing is under way any more. */
  | { do: 'look' }
>

/** What an operation says of one object; made by the spec. `by`: whom it is about. `told`: the whole operation in words. */
type Act = Readonly<{
  do: /** From nobody to `by`; from nobody or `by` to `by`; from `by` to nobody; and the last, if it was `by`. */
    | 'take'
    | 'keep'
    | 'give'
    | 'drop'
    /** It is of somebody; of another than `by`; of `by`; of nobody. */
    | 'taken'
    | 'of another'
    | 'of'
    | 'free'
    /** Of a network: with one more on it; with one less, if it was there; gone, as nobody was on it; somebody is on it. */
    | 'enter'
    | 'leave'
    | 'end'
    | 'used'
  object: string
  by: string
  told: string
}>
export type ClusterIn = ClusterAsk | Act

export type ClusterRefusal =
  | 'id taken'
  | 'name taken'
  | 'address taken'
  | 'subnet taken'
  | 'no network'
  | 'in use'
  | 'no endpoint'
  | 'elsewhere'

export type SeenEndpoint = Readonly<{
  id: string
  host: string
  network: string
  name: string
  ips: ReadonlyArray<string>
}>
export type SeenNetwork = Readonly<{ id: string; name: string; subnet: string }>

export type Renamed = Readonly<{ id: string; network: string; name: string }>

/** `ips`: that were given; `gone`, `renamed`: endpoints that went with it, or were named by it. */
export type ClusterOut = Readonly<
  | { is: 'done'; ips?: ReadonlyArray<string>; gone?: ReadonlyArray<string>; renamed?: ReadonlyArray<Renamed> }
  | { is: 'refused'; why: ClusterRefusal }
  | { is: 'seen'; networks: ReadonlyArray<SeenNetwork>; endpoints: ReadonlyArray<SeenEndpoint> }
>

type Asked = Operation<ClusterIn, ClusterOut>

/** One object: whose it is, and who is on it. */
type Held = Readonly<{ by: string | null; members: ReadonlySet<string> }>
const NOBODY: ReadonlySet<string> = new Set()
const FREE: Held = { by: null, members: NOBODY }
const THERE = 'there'

const networkObject = (id: string): string => `network ${id}`
const networkName = (name: string): string => `network name ${name}`
const subnetObject = (subnet: string): string => `subnet ${subnet}`
const endpointObject = (id: string): string => `endpoint ${id}`
const endpointName = (network: string, name: string): string => `name ${name} on ${network}`
const addressObject = (network: string, ip: string): string => `address ${ip} on ${network}`

const without = (members: ReadonlySet<string>, one: string): ReadonlySet<string> =>
  new Set([...members].filter((each) => each !== one))

const step = (state: Held, input: ClusterIn): ReadonlyArray<Held> => {
  if (!('object' in input)) return REFUSED
  const { by, members } = state
  const only = (isSo: boolean): ReadonlyArray<Held> => (isSo ? [state] : REFUSED)
  switch (input.do) {
    case 'take':
      return by === null ? [{ by: input.by, members }] : REFUSED
    case 'keep':
      return by === input.by ? [state] : by === null ? [{ by: input.by, members }] : REFUSED
    case 'give':
      return by === input.by ? [{ by: null, members }] : REFUSED
    case 'drop':
      return by === input.by ? [{ by: null, members }] : [state]
    case 'taken':
      return only(by !== null)
    case 'of another':
      return only(by !== null && by !== input.by)
    case 'of':
      return only(by === input.by)
    case 'free':
      return only(by === null)
    case 'enter':
      return by === null || members.has(input.by) ? REFUSED : [{ by, members: new Set([...members, input.by]) }]
    case 'leave':
      return members.has(input.by) ? [{ by, members: without(members, input.by) }] : [state]
    case 'end':
      return by !== null && members.size === 0 ? [FREE] : REFUSED
    case 'used':
      return only(by !== null && members.size > 0)
  }
}

/**
 * What objects an endpoint, or a network, may ever have had, as far as anybody said: a history is judged object by object, so whoever removes
 * one says something of each of them.
 */
type Known = Readonly<{
  /** By endpoint. */
  networks: ReadonlyMap<string, ReadonlySet<string>>
  claims: ReadonlyMap<string, ReadonlySet<string>>
  /** By host. */
  endpoints: ReadonlyMap<string, ReadonlySet<string>>
  /** By network: addresses that somebody asked for. */
  wished: ReadonlyMap<string, ReadonlySet<string>>
}>

const knownOf = (operations: ReadonlyArray<Asked>): Known => {
  const [networks, claims, endpoints, wished] = [0, 1, 2, 3].map(() => new Map<string, Set<string>>())
  if (networks === undefined || claims === undefined || endpoints === undefined || wished === undefined)
    return { networks: new Map(), claims: new Map(), endpoints: new Map(), wished: new Map() }
  const note = (map: Map<string, Set<string>>, key: string, ...values: ReadonlyArray<string>): void => {
    const before = map.get(key) ?? new Set()
    for (const value of values) before.add(value)
    map.set(key, before)
  }
  for (const { input, output } of operations) {
    if (input.do === 'create network')
      note(claims, input.id, networkName(input.name), ...(input.subnet === null ? [] : [subnetObject(input.subnet)]))
    if (input.do === 'create endpoint') {
      const { id, network, name, ip, host } = input
      const given = output?.is === 'done' ? (output.ips ?? []) : ip === null ? [] : [ip]
      note(networks, id, network)
      note(endpoints, host, id)
      note(claims, id, endpointName(network, name), ...given.map((each) => addressObject(network, each)))
      if (ip !== null) note(wished, network, ip)
    }
    if (input.do === 'rename endpoint') note(claims, input.id, endpointName(input.network, input.name))
    if (input.do === 'clear')
      for (const { id, ips } of input.endpoints)
        for (const network of networks.get(id) ?? [])
          note(claims, id, ...ips.map((each) => addressObject(network, each)))
    if (output?.is === 'done')
      for (const { id, network, name } of output.renamed ?? []) note(claims, id, endpointName(network, name))
    if (output?.is !== 'seen') continue
    for (const { id, network, ips } of output.endpoints)
      note(claims, id, ...ips.map((each) => addressObject(network, each)))
  }
  return { networks, claims, endpoints, wished }
}

type Bare = Omit<Act, 'told'>
const act = (what: Act['do'], object: string, by = ''): Bare => ({ do: what, object, by })

const endpointGoes = (known: Known, id: string, host: string): ReadonlyArray<Bare> => [
  act('give', endpointObject(id), host),
  ...[...(known.networks.get(id) ?? [])].map((network) => act('leave', networkObject(network), id)),
  ...[...(known.claims.get(id) ?? [])].map((claim) => act('drop', claim, id)),
]

/** It has another name now, and none of those that it had. */
const isNamed = (known: Known, { id, network, name }: Renamed): ReadonlyArray<Bare> => {
  const now = endpointName(network, name)
  const others = [...(known.claims.get(id) ?? [])].filter((claim) => claim.startsWith('name ') && claim !== now)
  return [act('keep', now, id), ...others.map((claim) => act('drop', claim, id))]
}

/** Whatever of the host's it may have named. */
const mayBeNamed = (known: Known, name: string, host: string): ReadonlyArray<Renamed> =>
  [...(known.endpoints.get(host) ?? [])].flatMap((id) =>
    [...(known.networks.get(id) ?? [])].map((network) => ({ id, network, name })),
  )

/** What it says if it was done; of one without an answer, what it may have done. */
const doneActs = (known: Known, input: ClusterAsk, output: ClusterOut | undefined): ReadonlyArray<Bare> => {
  switch (input.do) {
    case 'create network':
      return [
        act('take', networkObject(input.id), THERE),
        act('take', networkName(input.name), input.id),
        ...(input.subnet === null ? [] : [act('take', subnetObject(input.subnet), input.id)]),
      ]
    case 'delete network':
      return [
        act('end', networkObject(input.id)),
        ...[...(known.claims.get(input.id) ?? [])].map((claim) => act('drop', claim, input.id)),
      ]
    case 'create endpoint': {
      const { id, network, name, ip, host } = input
      // Without an answer it may have any address, of which those matter that somebody else is told of.
      const open = [...(known.wished.get(network) ?? [])].map((each) => addressObject(network, each))
      const later = [...(known.claims.get(id) ?? [])].filter((claim) => claim.startsWith('address '))
      const given = output?.is === 'done' ? (output.ips ?? []) : ip === null ? null : [ip]
      const addresses = given?.map((each) => addressObject(network, each)) ?? [...new Set([...open, ...later])]
      return [
        act('take', endpointObject(id), host),
        act('enter', networkObject(network), id),
        act('take', endpointName(network, name), id),
        ...addresses.map((address) => act('take', address, id)),
      ]
    }
    case 'delete endpoint':
      return endpointGoes(known, input.id, input.host)
    case 'rename endpoint':
      return [act('of', endpointObject(input.id), input.host), ...isNamed(known, input)]
    case 'rename sandbox': {
      const named = output?.is === 'done' ? (output.renamed ?? []) : mayBeNamed(known, input.name, input.host)
      return named.flatMap((each) => isNamed(known, each))
    }
    case 'use endpoint':
      return [act('of', endpointObject(input.id), input.host)]
    case 'delete sandbox': {
      const gone = output?.is === 'done' ? (output.gone ?? []) : [...(known.endpoints.get(input.host) ?? [])]
      return gone.flatMap((id) => endpointGoes(known, id, input.host))
    }
    case 'clear':
      return input.endpoints.flatMap(({ id }) => endpointGoes(known, id, input.host))
    case 'look':
      return []
  }
}

const refusedActs = (input: ClusterAsk, why: ClusterRefusal): ReadonlyArray<Bare> => {
  const endpoint = 'host' in input && 'id' in input ? endpointObject(input.id) : ''
  switch (why) {
    case 'no network': {
      const network = input.do === 'create endpoint' ? input.network : input.do === 'delete network' ? input.id : null
      return network === null ? [] : [act('free', networkObject(network))]
    }
    case 'in use':
      return input.do === 'delete network' ? [act('used', networkObject(input.id))] : []
    case 'id taken':
      if (input.do === 'create network') return [act('taken', networkObject(input.id))]
      return [act('taken', endpoint)]
    case 'name taken':
      if (input.do === 'create network') return [act('taken', networkName(input.name))]
      if (input.do !== 'create endpoint' && input.do !== 'rename endpoint') return []
      return [act('of another', endpointName(input.network, input.name), input.id)]
    case 'subnet taken':
      return input.do === 'create network' && input.subnet !== null ? [act('taken', subnetObject(input.subnet))] : []
    case 'address taken':
      return input.do === 'create endpoint' && input.ip !== null
        ? [act('taken', addressObject(input.network, input.ip))]
        : []
    case 'no endpoint':
      return [act('free', endpoint)]
    case 'elsewhere':
      return 'host' in input ? [act('of another', endpoint, input.host)] : []
  }
}

/** Of every object that somebody spoke of: whose it is in the end. */
const seenActs = (
  objects: Iterable<string>,
  { networks, endpoints }: Extract<ClusterOut, { is: 'seen' }>,
): ReadonlyArray<Bare> => {
  const holders = new Map<string, string>()
  for (const { id, name, subnet } of networks) {
    holders.set(networkObject(id), THERE).set(networkName(name), id).set(subnetObject(subnet), id)
  }
  for (const { id, host, network, name, ips } of endpoints) {
    holders.set(endpointObject(id), host).set(endpointName(network, name), id)
    for (const each of ips) holders.set(addressObject(network, each), id)
  }
  return [...objects].map((object) => {
    const by = holders.get(object)
    return by === undefined ? act('free', object) : act('of', object, by)
  })
}

const said = (output: ClusterOut | undefined): string => {
  if (output === undefined) return '?'
  if (output.is === 'refused') return output.why
  return output.is === 'done' ? [output.is, ...(output.ips ?? [])].join(' ') : output.is
}

const show = (input: ClusterIn, output: ClusterOut | undefined): string => {
  if ('object' in input) return input.told
  const { do: what, ...rest } = input
  const words = Object.values(rest).flatMap((each) =>
    typeof each === 'string' ? [each] : (each ?? []).map(({ id }) => id),
  )
  return `${[what, ...words].join(' ')}: ${said(output)}`
}

const partition = (operations: ReadonlyArray<Asked>): ReadonlyArray<Group<ClusterIn, ClusterOut>> => {
  const known = knownOf(operations)
  const groups = new Map<string, Asked[]>()
  const add = (operation: Asked, { object, ...bare }: Bare, told: string): void => {
    const input: Act = { ...bare, object, told }
    const group = groups.get(object)
    if (group === undefined) groups.set(object, [{ ...operation, input }])
    else group.push({ ...operation, input })
  }
  for (const operation of operations) {
    const { input, output } = operation
    if ('object' in input || output?.is === 'seen') continue
    const acts = output?.is === 'refused' ? refusedActs(input, output.why) : doneActs(known, input, output)
    const told = show(input, output)
    for (const each of acts) add(operation, each, told)
  }
  for (const operation of operations) {
    const { output } = operation
    if (output?.is !== 'seen') continue
    for (const each of seenActs([...groups.keys()], output))
      add(operation, each, each.do === 'free' ? 'look: nobody' : `look: ${each.by}`)
  }
  return [...groups].map(([name, its]) => ({ name, operations: its }))
}

export const CLUSTER: Spec<Held, ClusterIn, ClusterOut> = {
  initial: FREE,
  step,
  key: ({ by, members }) => `${by} ${[...members].sort().join()}`,
  observes: ({ do: what }) => ['taken', 'of another', 'of', 'free', 'used'].includes(what),
  partition,
  show,
}
