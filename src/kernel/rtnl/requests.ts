// A kernel operation as the requests it stands for, in order: those of the commands that print.ts shows. What is not of the
// network stack (nftables) stands for none; nor does a loopback, which cannot be asked for.

import { familyOf } from '../../net/ip.ts'
import { ZERO_MAC } from '../../net/mac.ts'
import type { Ns } from '../../net/name.ts'
import {
  type Address,
  type BridgePort,
  DEFAULT_METRIC6,
  hasOwnMac,
  isStacked,
  type KernelObject,
  type Link,
  PLAIN_MTU,
  type Route,
  type StackedSpec,
  type Sysctl,
} from '../object.ts'
import type { KernelOp } from '../op.ts'
import { ROUTE_PROTO } from '../print.ts'
import type { NewKind } from './kind.ts'
import type { Ask, LinkSettings, Request, RouteRequest, SetLink } from './request.ts'

const one = (ns: Ns, ask: Ask): ReadonlyArray<Request> => [{ ns, ask }]

const setLink = ({ ns, name }: Link, to: LinkSettings): ReadonlyArray<Request> =>
  one(ns, { on: 'link', do: 'set', dev: name, ...to })

const aliasOf = (link: Link): ReadonlyArray<Request> =>
  link.alias === null ? [] : setLink(link, { alias: link.alias })

const kindOf = (spec: StackedSpec): NewKind => {
  switch (spec.type) {
    case 'vlan':
      return { kind: 'vlan', id: spec.id }
    case 'macvlan':
      return { kind: 'macvlan', mode: spec.mode }
    case 'ipvlan':
      return { kind: 'ipvlan', mode: spec.mode, flag: spec.flag }
  }
}

const createStacked = (link: Link, spec: StackedSpec): ReadonlyArray<Request> => {
  const { ns, name, mac, mtu, up } = link
  const { below } = spec
  return [
    ...one(below.ns, {
      on: 'link',
      do: 'add',
      name,
      dev: below.name,
      ...(below.ns === ns ? {} : { to: ns }),
      ...(hasOwnMac(spec) ? { mac } : {}),
      ...(mtu === 0 ? {} : { mtu }),
      up,
      kind: kindOf(spec),
    }),
    ...aliasOf(link),
  ]
}

const createLink = (link: Link): ReadonlyArray<Request> => {
  const { ns, name, spec, mac, mtu, up } = link
  if (isStacked(spec)) return createStacked(link, spec)
  switch (spec.type) {
    case 'loopback':
      return []
    case 'dummy':
      return [...one(ns, { on: 'link', do: 'add', name, mac, mtu, up, kind: { kind: 'dummy' } }), ...aliasOf(link)]
    case 'bridge':
      return [
        ...one(ns, { on: 'link', do: 'add', name, mac, up, kind: { kind: 'bridge' } }),
        ...aliasOf(link),
        ...(mtu === PLAIN_MTU ? [] : setLink(link, { mtu })),
      ]
    case 'veth': {
      const peer = { name: spec.peer.name, ns: spec.peer.ns }
      return [...one(ns, { on: 'link', do: 'add', name, mac, mtu, up, kind: { kind: 'veth', peer } }), ...aliasOf(link)]
    }
  }
}

/** Only what differs is sent; nothing is, for nothing. A MAC of zero means any. */
const changeLink = (from: Link, to: Link): ReadonlyArray<Request> => {
  const settings: { -readonly [Name in keyof LinkSettings]: LinkSettings[Name] } = {}
  if (from.mac !== to.mac && to.mac !== ZERO_MAC) settings.mac = to.mac
  if (from.mtu !== to.mtu && to.mtu !== 0) settings.mtu = to.mtu
  if (from.up !== to.up) settings.up = to.up
  return [
    ...(Object.keys(settings).length > 0 ? setLink(to, settings) : []),
    ...(from.alias === to.alias ? [] : setLink(to, { alias: to.alias ?? '' })),
  ]
}

const master = ({ ns, dev, bridge }: BridgePort, joins: boolean): ReadonlyArray<Request> => {
  const ask: SetLink = { on: 'link', do: 'set', dev, master: joins ? bridge : null }
  return one(ns, ask)
}

/** Flags are sent only where they differ from what `from` says (null: a link that joins, which has plain ones then). */
const setPort = (from: BridgePort | null, to: BridgePort): ReadonlyArray<Request> => {
  const { ns, dev, isolated, hairpin } = to
  const was = from !== null && from.bridge === to.bridge ? from : null
  const same = (was?.isolated ?? false) === isolated && (was?.hairpin ?? false) === hairpin
  return [
    ...(was === null ? master(to, true) : []),
    ...(same ? [] : one(ns, { on: 'port', do: 'set', dev, options: { isolated, hairpin } })),
  ]
}

const address = (verb: 'add' | 'delete', { ns, dev, cidr }: Address): ReadonlyArray<Request> => {
  const nodad = verb === 'add' && familyOf(cidr.ip) === 6 ? { nodad: true } : {}
  return one(ns, { on: 'address', do: verb, dev, cidr, ...nodad })
}

const route = (verb: RouteRequest['do'], { ns, to, via, dev, metric }: Route): ReadonlyArray<Request> => {
  const exact = metric === 0 && verb === 'delete' && familyOf(to.ip) === 6 ? DEFAULT_METRIC6 : metric
  return one(ns, {
    on: 'route',
    do: verb,
    to,
    dev,
    proto: ROUTE_PROTO,
    ...(via === null ? {} : { via }),
    ...(exact === 0 ? {} : { metric: exact }),
  })
}

const sysctl = ({ ns, name }: Sysctl, value: string): ReadonlyArray<Request> =>
  one(ns, { on: 'sysctl', do: 'write', name, value })

const created = (object: KernelObject): ReadonlyArray<Request> => {
  switch (object.kind) {
    case 'netns':
      return one(object.ns, { on: 'netns', do: 'add', ...(object.at === null ? {} : { at: object.at }) })
    case 'link':
      return createLink(object)
    case 'port':
      return setPort(null, object)
    case 'address':
      return address('add', object)
    case 'route':
      return route('add', object)
    case 'sysctl':
      return sysctl(object, object.value)
    case 'nft-table':
    case 'nft-element':
      return []
  }
}

const changed = (from: KernelObject, to: KernelObject): ReadonlyArray<Request> => {
  if (to.kind === 'link' && from.kind === 'link') return changeLink(from, to)
  if (to.kind === 'port' && from.kind === 'port') return setPort(from, to)
  if (to.kind === 'route') return route('replace', to)
  return to.kind === 'sysctl' ? sysctl(to, to.value) : []
}

const deleted = (object: KernelObject): ReadonlyArray<Request> => {
  switch (object.kind) {
    case 'netns':
      return one(object.ns, { on: 'netns', do: 'delete' })
    case 'link':
      return one(object.ns, { on: 'link', do: 'delete', dev: object.name })
    case 'port':
      return master(object, false)
    case 'address':
      return address('delete', object)
    case 'route':
      return route('delete', object)
    case 'sysctl':
      return sysctl(object, object.otherwise)
    case 'nft-table':
    case 'nft-element':
      return []
  }
}

/** The requests that an operation stands for, in order. */
export const requestsOf = (op: KernelOp): ReadonlyArray<Request> => {
  switch (op.verb) {
    case 'create':
      return created(op.object)
    case 'change':
      return changed(op.from, op.object)
    case 'delete':
      return deleted(op.object)
  }
}
