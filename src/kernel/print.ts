// Every operation as the commands it stands for: `ip`, `bridge`, `sysctl`, `nft`, and `nsenter` to give a namespace of others a
// name. The Linux backend runs exactly these, so what is shown is what is done.

import { showCidr } from '../net/cidr.ts'
import { familyOf, showIp } from '../net/ip.ts'
import { showMac, ZERO_MAC } from '../net/mac.ts'
import type { Ns } from '../net/name.ts'
import { TABLE } from './firewall/skeleton.ts'
import { elementKeyText, elementText, skeletonText } from './firewall/text.ts'
import {
  type Address,
  type BridgePort,
  DEFAULT_METRIC6,
  hasOwnMac,
  isStacked,
  type KernelObject,
  type Link,
  type NftElement,
  type NftTable,
  PLAIN_MTU,
  type Route,
  type StackedSpec,
  type Sysctl,
} from './object.ts'
import type { KernelOp } from './op.ts'
import { shellText } from './shell-words.ts'

/**
 * A command of one of the tools. `ns` is where it runs; null for what is about namespaces themselves. `words` are those of `text`,
 * which may hold anything.
 */
export type Command = Readonly<
  | { tool: 'ip' | 'bridge' | 'sysctl' | 'nft'; ns: Ns | null; text: string }
  | { tool: 'nsenter'; ns: null; text: string; words: ReadonlyArray<string> }
>

/** The routing protocol number that marks our routes (ip-route(8), `proto`); unassigned in iproute2's rt_protos. */
export const ROUTE_PROTO = 157

/** How a namespace is written where a command names one. */
export type NsNames = (ns: Ns) => string

const onOff = (flag: boolean): string => (flag ? 'on' : 'off')
const ip = (ns: Ns, text: string): Command => ({ tool: 'ip', ns, text })
const nft = (ns: Ns, text: string): Command => ({ tool: 'nft', ns, text })

const aliasOf = (link: Link): ReadonlyArray<Command> =>
  link.alias === null ? [] : [ip(link.ns, `link set dev ${link.name} alias ${link.alias}`)]

/**
 * Given by a command of its own, a bridge keeps its MTU; else it takes the smallest of its ports' (br_mtu_auto_adjust). After the
 * alias, so that a bridge whose MTU is refused bears a mark of ours.
 */
const bridgeMtu = (link: Link): ReadonlyArray<Command> =>
  link.mtu === PLAIN_MTU ? [] : [ip(link.ns, `link set dev ${link.name} mtu ${link.mtu}`)]

/** The words behind `type`. */
const stackedWords = (spec: StackedSpec): string => {
  switch (spec.type) {
    case 'vlan':
      return `vlan id ${spec.id}`
    case 'macvlan':
      return `macvlan mode ${spec.mode}`
    case 'ipvlan':
      return `ipvlan mode ${spec.mode} ${spec.flag}`
  }
}

/** Asked for where the device below is, whose name counts there. */
const createStacked = (link: Link, spec: StackedSpec, name: NsNames): ReadonlyArray<Command> => {
  const { below } = spec
  const words = [
    `link add link ${below.name} name ${link.name}`,
    below.ns === link.ns ? '' : `netns ${name(link.ns)}`,
    hasOwnMac(spec) ? `address ${showMac(link.mac)}` : '',
    link.mtu === 0 ? '' : `mtu ${link.mtu}`,
    link.up ? 'up' : '',
    `type ${stackedWords(spec)}`,
  ]
  return [ip(below.ns, words.filter((word) => word !== '').join(' ')), ...aliasOf(link)]
}

const createLink = (link: Link, name: NsNames): ReadonlyArray<Command> => {
  if (isStacked(link.spec)) return createStacked(link, link.spec, name)
  const base = `link add name ${link.name} address ${showMac(link.mac)}`
  const up = link.up ? ' up' : ''
  switch (link.spec.type) {
    case 'loopback':
      return [ip(link.ns, `link add name ${link.name} type loopback`)]
    case 'dummy':
      return [ip(link.ns, `${base} mtu ${link.mtu}${up} type dummy`), ...aliasOf(link)]
    case 'bridge':
      return [ip(link.ns, `${base}${up} type bridge`), ...aliasOf(link), ...bridgeMtu(link)]
    case 'veth': {
      const { peer } = link.spec
      const where = peer.ns === link.ns ? '' : ` netns ${name(peer.ns)}`
      return [ip(link.ns, `${base} mtu ${link.mtu}${up} type veth peer name ${peer.name}${where}`), ...aliasOf(link)]
    }
  }
}

const changeLink = (from: Link, to: Link): ReadonlyArray<Command> => {
  const words = [
    from.mac !== to.mac && to.mac !== ZERO_MAC ? `address ${showMac(to.mac)}` : '',
    from.mtu !== to.mtu && to.mtu !== 0 ? `mtu ${to.mtu}` : '',
    from.up !== to.up ? (to.up ? 'up' : 'down') : '',
  ].filter((word) => word !== '')
  const set = words.length > 0 ? [ip(to.ns, `link set dev ${to.name} ${words.join(' ')}`)] : []
  const alias = from.alias === to.alias ? [] : [ip(to.ns, `link set dev ${to.name} alias ${to.alias ?? '""'}`)]
  return [...set, ...alias]
}

const portFlags = (port: BridgePort): ReadonlyArray<Command> => [
  {
    tool: 'bridge',
    ns: port.ns,
    text: `link set dev ${port.dev} isolated ${onOff(port.isolated)} hairpin ${onOff(port.hairpin)}`,
  },
]

const setPort = (from: BridgePort | null, to: BridgePort): ReadonlyArray<Command> => {
  const was = from !== null && from.bridge === to.bridge ? from : null
  const join = was === null ? [ip(to.ns, `link set dev ${to.dev} master ${to.bridge}`)] : []
  const isolated = was?.isolated ?? false
  const hairpin = was?.hairpin ?? false
  return [...join, ...(isolated === to.isolated && hairpin === to.hairpin ? [] : portFlags(to))]
}

const address = (verb: 'add' | 'del', { ns, dev, cidr }: Address): ReadonlyArray<Command> => {
  const nodad = verb === 'add' && familyOf(cidr.ip) === 6 ? ' nodad' : ''
  return [ip(ns, `address ${verb} ${showCidr(cidr)} dev ${dev}${nodad}`)]
}

/** A delete without a metric means the lowest there is, which for IPv6 may be another route than the one of the default. */
const route = (verb: 'add' | 'replace' | 'del', { ns, to, via, dev, metric }: Route): ReadonlyArray<Command> => {
  const gateway = via === null ? '' : ` via ${showIp(via)}`
  const exact = metric === 0 && verb === 'del' && familyOf(to.ip) === 6 ? DEFAULT_METRIC6 : metric
  const cost = exact === 0 ? '' : ` metric ${exact}`
  return [ip(ns, `route ${verb} ${showCidr(to)}${gateway} dev ${dev}${cost} proto ${ROUTE_PROTO}`)]
}

const sysctl = ({ ns, name }: Sysctl, value: string): ReadonlyArray<Command> => [
  { tool: 'sysctl', ns, text: `-qw ${name}=${value}` },
]

/** `create` where `add` would do nothing, or (for the table) would append every rule a second time. */
const table = (verb: 'create' | 'delete', { ns }: NftTable): ReadonlyArray<Command> => [
  nft(ns, verb === 'create' ? `create table inet ${TABLE}\n${skeletonText()}` : `delete table inet ${TABLE}`),
]

const element = (verb: 'create' | 'delete', object: NftElement): ReadonlyArray<Command> => [
  nft(
    object.ns,
    verb === 'create'
      ? `create element inet ${TABLE} ${object.set} ${elementText(object)}`
      : `delete element inet ${TABLE} ${object.set} ${elementKeyText(object)}`,
  ),
]

/** What `ip netns attach` names is the namespace of a process; so one enters it. */
const adopt = (at: string, name: string): Command => {
  const words = [`--net=${at}`, 'sh', '-c', `ip netns attach ${name} $$`]
  return { tool: 'nsenter', ns: null, text: shellText(words), words }
}

const created = (object: KernelObject, name: NsNames): ReadonlyArray<Command> => {
  switch (object.kind) {
    case 'netns':
      return object.at === null
        ? [{ tool: 'ip', ns: null, text: `netns add ${name(object.ns)}` }]
        : [adopt(object.at, name(object.ns))]
    case 'link':
      return createLink(object, name)
    case 'port':
      return setPort(null, object)
    case 'address':
      return address('add', object)
    case 'route':
      return route('add', object)
    case 'sysctl':
      return sysctl(object, object.value)
    case 'nft-table':
      return table('create', object)
    case 'nft-element':
      return element('create', object)
  }
}

const changed = (from: KernelObject, to: KernelObject): ReadonlyArray<Command> => {
  if (to.kind === 'link' && from.kind === 'link') return changeLink(from, to)
  if (to.kind === 'port' && from.kind === 'port') return setPort(from, to)
  if (to.kind === 'route') return route('replace', to)
  if (to.kind === 'sysctl') return sysctl(to, to.value)
  return []
}

const deleted = (object: KernelObject, name: NsNames): ReadonlyArray<Command> => {
  switch (object.kind) {
    case 'netns':
      return [{ tool: 'ip', ns: null, text: `netns delete ${name(object.ns)}` }]
    case 'link':
      return [ip(object.ns, `link delete dev ${object.name}`)]
    case 'port':
      return [ip(object.ns, `link set dev ${object.dev} nomaster`)]
    case 'address':
      return address('del', object)
    case 'route':
      return route('del', object)
    case 'sysctl':
      return sysctl(object, object.otherwise)
    case 'nft-table':
      return table('delete', object)
    case 'nft-element':
      return element('delete', object)
  }
}

/** The commands an operation stands for, in order. */
export const commandsOf = (op: KernelOp, name: NsNames): ReadonlyArray<Command> => {
  switch (op.verb) {
    case 'create':
      return created(op.object, name)
    case 'change':
      return changed(op.from, op.object)
    case 'delete':
      return deleted(op.object, name)
  }
}
