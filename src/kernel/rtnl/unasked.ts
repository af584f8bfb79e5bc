// What ip(8) and bridge(8) find out before they ask the kernel, and answer by themselves, in the order in which they find it out:
// devices and namespaces that are not there, and words that they do not understand. All of it stands here, for every kernel.
// Their words stand for an errno, as the kernel's do.
// Source: iproute2 6.1: iplink.c, iplink_{bridge,vlan,vxlan}.c, link_veth.c, ipaddress.c, iproute.c, iprule.c, ipneigh.c,
// bridge/{link,vlan,fdb}.c, ll_map.c (ll_name_to_index).

import { type Family, familyOf, type Ip, isMulticast } from '../../net/ip.ts'
import type { IfName, Ns } from '../../net/name.ts'
import type { Errno } from '../errno.ts'
import type { NewKind, VxlanOptions } from './kind.ts'
import type {
  AddressRequest,
  Ask,
  FdbRequest,
  NewLink,
  NextHop,
  RouteRequest,
  RuleRequest,
  SetLink,
  VlanRequest,
} from './request.ts'

export type Unasked = Readonly<{ errno: Errno; detail: string }>

/** What is there, seen from the namespace that is asked. */
export type Sight = Readonly<{ hasDev: (dev: IfName) => boolean; hasNs: (ns: Ns) => boolean }>

/** One thing that may be found; null: all is well. Who is well pays nothing: this is on the way of every request. */
type Finding = Unasked | null

const wrong = (detail: string): Unasked => ({ errno: 'EINVAL', detail })
const beyond = (value: number | undefined, most: number, what: string): Finding =>
  value !== undefined && value > most ? wrong(`${what}: ${value} is more than ${most}`) : null

const noDevice = (dev: IfName | null | undefined, { hasDev }: Sight): Finding =>
  dev === undefined || dev === null || hasDev(dev) || indexInName(dev) !== null
    ? null
    : { errno: 'ENODEV', detail: `Cannot find device "${dev}"` }
const noNamespace = (ns: Ns | undefined, { hasNs }: Sight): Finding =>
  ns === undefined || hasNs(ns) ? null : { errno: 'ENOENT', detail: `there is no network namespace ${ns}` }

/** The first that is found among many. */
const firstOf = <A>(values: ReadonlyArray<A> | undefined, look: (value: A) => Finding): Finding => {
  for (const value of values ?? []) {
    const found = look(value)
    if (found !== null) return found
  }
  return null
}

/** A name of no device that begins like `if7` is taken for the number 7, which the kernel may then not find. */
export const indexInName = (dev: IfName): number | null => {
  const digits = /^if(\d{1,9})/.exec(dev)?.[1]
  return digits === undefined || Number(digits) === 0 ? null : Number(digits)
}

const foreign = (ip: Ip | undefined, family: Family, what: string): Finding =>
  ip !== undefined && familyOf(ip) !== family ? wrong(`${what}: an address of IPv${family} is expected`) : null

const INT_MAX = 0x7fffffff
const U32_MAX = 0xffffffff
const numbers = ({ mtu, txqlen, group }: NewLink | SetLink): Finding =>
  beyond(mtu, INT_MAX, 'mtu') ?? beyond(txqlen, INT_MAX, 'txqueuelen') ?? beyond(group, INT_MAX, 'group')

const vxlan = (options: Partial<VxlanOptions>, sight: Sight): Finding => {
  const { vni, remote, local, dev, port, ttl, ageing } = options
  return (
    beyond(vni, 0xffffff, 'id') ??
    (local !== undefined && isMulticast(local) ? wrong('invalid local address') : null) ??
    (remote === undefined || local === undefined ? null : foreign(remote, familyOf(local), 'remote')) ??
    noDevice(dev, sight) ??
    beyond(port, 0xffff, 'dstport') ??
    beyond(ttl, 255, 'ttl') ??
    beyond(ageing, U32_MAX, 'ageing') ??
    (remote !== undefined && isMulticast(remote) && dev === undefined ? wrong('a group needs a device') : null)
  )
}

const kind = (kind: NewKind | SetLink['kind'], sight: Sight): Finding => {
  switch (kind?.kind) {
    case 'veth':
      return beyond(kind.peer.mtu, INT_MAX, 'mtu') ?? noNamespace(kind.peer.ns, sight)
    case 'bridge':
      return (
        beyond(kind.ageingTime, U32_MAX, 'ageing_time') ??
        beyond(kind.priority, 0xffff, 'priority') ??
        beyond(kind.vlanDefaultPvid, 0xffff, 'vlan_default_pvid')
      )
    case 'vlan':
      return beyond(kind.id, 0xffff, 'id')
    case 'vxlan':
      return vxlan(kind, sight)
    default:
      return null
  }
}

const newLink = (ask: NewLink, sight: Sight): Finding =>
  (ask.index !== undefined && (ask.index <= 0 || ask.index > INT_MAX) ? wrong('Invalid "index" value') : null) ??
  numbers(ask) ??
  noDevice(ask.master, sight) ??
  noNamespace(ask.to, sight) ??
  noDevice(ask.dev, sight) ??
  kind(ask.kind, sight)

/** IFALIASZ counts the NUL at the end. */
const ALIAS_BYTES = 255
const UTF8 = new TextEncoder()
/** A unit of UTF-16 is at most three bytes of UTF-8. */
const isShort = (text: string): boolean => text.length * 3 <= ALIAS_BYTES || UTF8.encode(text).length <= ALIAS_BYTES
const isAlias = (text: string): boolean => !text.includes('\0') && isShort(text)

const setLink = (ask: SetLink, sight: Sight): Finding =>
  numbers(ask) ??
  (ask.alias !== undefined && !isAlias(ask.alias) ? wrong('alias too long') : null) ??
  noDevice(ask.master, sight) ??
  noNamespace(ask.to, sight) ??
  noDevice(ask.dev, sight) ??
  kind(ask.kind, sight)

const VIDS = 4096
const vlan = ({ dev, id, until, pvid }: VlanRequest, sight: Sight): Finding =>
  noDevice(dev, sight) ??
  (id >= VIDS ? wrong(`Invalid VLAN ID "${id}"`) : null) ??
  (until !== undefined && (id >= until || until >= VIDS) ? wrong(`Invalid VLAN range "${id}-${until}"`) : null) ??
  (until !== undefined && pvid === true ? wrong('pvid cannot be configured for a vlan range') : null)

const scope = (value: unknown): Finding =>
  typeof value === 'number' && value > 255 ? wrong('invalid scope value') : null

const address = (
  { do: verb, dev, cidr, peer, broadcast, scope: reach, label, metric }: AddressRequest,
  sight: Sight,
): Finding => {
  const family = familyOf(cidr.ip)
  return (
    foreign(peer, family, 'peer') ??
    (broadcast === '+' ? null : foreign(broadcast, family, 'broadcast')) ??
    scope(reach) ??
    (label?.includes('\0') === true ? wrong('no label has a NUL') : null) ??
    beyond(metric, U32_MAX, 'metric') ??
    (broadcast === '+' && family === 6 && verb !== 'delete'
      ? wrong('Broadcast can be set only for IPv4 addresses')
      : null) ??
    noDevice(dev, sight)
  )
}

const hop = ({ dev, weight }: NextHop, sight: Sight): Finding =>
  noDevice(dev, sight) ?? (weight !== undefined && (weight < 1 || weight > 256) ? wrong('"weight" is invalid') : null)

const route = (ask: RouteRequest, sight: Sight): Finding =>
  beyond(ask.tos, 255, 'tos') ??
  beyond(ask.metric, U32_MAX, 'metric') ??
  beyond(ask.table, U32_MAX, 'table') ??
  beyond(ask.proto, 255, 'protocol') ??
  scope(ask.scope) ??
  foreign(ask.src, familyOf(ask.to.ip), 'src') ??
  beyond(ask.mtu, U32_MAX, 'mtu') ??
  noDevice(ask.dev, sight) ??
  firstOf(ask.hops, (one) => hop(one, sight))

const rule = ({ on, do: verb, family, ...told }: RuleRequest): Finding =>
  beyond(told.priority, U32_MAX, 'priority') ??
  foreign(told.from?.ip, family, 'from') ??
  foreign(told.to?.ip, family, 'to') ??
  beyond(told.suppressPrefixLength, INT_MAX, 'suppress_prefixlength') ??
  (Object.values(told).every((value) => value === undefined || value === false)
    ? wrong(`"ip ${on} ${verb === 'add' ? 'add' : 'del'}" requires arguments`)
    : null)

const fdb = ({ dev, via, vni }: FdbRequest, sight: Sight): Finding =>
  beyond(vni, 0xffffff, 'vni') ?? noDevice(via, sight) ?? noDevice(dev, sight)

/** Null: the kernel is asked. */
export const unasked = (ask: Ask, sight: Sight): Unasked | null => {
  switch (ask.on) {
    case 'link':
      if (ask.do === 'add') return newLink(ask, sight)
      if (ask.do === 'set') return setLink(ask, sight)
      return 'dev' in ask ? noDevice(ask.dev, sight) : beyond(ask.group, INT_MAX, 'group')
    case 'vlan':
      return vlan(ask, sight)
    case 'address':
      return address(ask, sight)
    case 'route':
      return route(ask, sight)
    case 'rule':
      return rule(ask)
    case 'fdb':
      return fdb(ask, sight)
    case 'port':
    case 'neighbour':
      return noDevice(ask.dev, sight)
    case 'tap':
    case 'netns':
    case 'sysctl':
      return null
  }
}

/** The devices and namespaces that must be there, or the kernel is not asked. */
export const mentioned = (ask: Ask): Readonly<{ devs: ReadonlyArray<IfName>; spaces: ReadonlyArray<Ns> }> => {
  const devs = new Set<IfName>()
  const spaces = new Set<Ns>()
  const noting: Sight = {
    hasDev: (dev) => {
      devs.add(dev)
      return true
    },
    hasNs: (ns) => {
      spaces.add(ns)
      return true
    },
  }
  unasked(ask, noting)
  return { devs: [...devs], spaces: [...spaces] }
}
