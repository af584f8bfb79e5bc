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

type Findings = ReadonlyArray<Unasked>
type Find = (sight: Sight) => Findings

const wrong = (holds: boolean, detail: string): Findings => (holds ? [{ errno: 'EINVAL', detail }] : [])
const beyond = (value: number | undefined, most: number, what: string): Findings =>
  wrong(value !== undefined && value > most, `${what}: ${value} is more than ${most}`)

const noDevice =
  (dev: IfName | null | undefined): Find =>
  ({ hasDev }) =>
    dev === undefined || dev === null || hasDev(dev) || indexInName(dev) !== null
      ? []
      : [{ errno: 'ENODEV', detail: `Cannot find device "${dev}"` }]
const noNamespace =
  (ns: Ns | undefined): Find =>
  ({ hasNs }) =>
    ns === undefined || hasNs(ns) ? [] : [{ errno: 'ENOENT', detail: `there is no network namespace ${ns}` }]

/** A name of no device that begins like `if7` is taken for the number 7, which the kernel may then not find. */
export const indexInName = (dev: IfName): number | null => {
  const digits = /^if(\d{1,9})/.exec(dev)?.[1]
  return digits === undefined || Number(digits) === 0 ? null : Number(digits)
}

const foreign = (ip: Ip | undefined, family: Family, what: string): Findings =>
  wrong(ip !== undefined && familyOf(ip) !== family, `${what}: an address of IPv${family} is expected`)

const INT_MAX = 0x7fffffff
const U32_MAX = 0xffffffff
const numbers = ({ mtu, txqlen, group }: NewLink | SetLink): Findings => [
  ...beyond(mtu, INT_MAX, 'mtu'),
  ...beyond(txqlen, INT_MAX, 'txqueuelen'),
  ...beyond(group, INT_MAX, 'group'),
]

const vxlan = (options: Partial<VxlanOptions>, sight: Sight): Findings => {
  const { vni, remote, local, dev, port, ttl, ageing } = options
  return [
    ...beyond(vni, 0xffffff, 'id'),
    ...wrong(local !== undefined && isMulticast(local), 'invalid local address'),
    ...(remote === undefined || local === undefined ? [] : foreign(remote, familyOf(local), 'remote')),
    ...noDevice(dev)(sight),
    ...beyond(port, 0xffff, 'dstport'),
    ...beyond(ttl, 255, 'ttl'),
    ...beyond(ageing, U32_MAX, 'ageing'),
    ...wrong(remote !== undefined && isMulticast(remote) && dev === undefined, 'a group needs a device'),
  ]
}

const kind = (kind: NewKind | SetLink['kind'], sight: Sight): Findings => {
  switch (kind?.kind) {
    case 'veth':
      return [...beyond(kind.peer.mtu, INT_MAX, 'mtu'), ...noNamespace(kind.peer.ns)(sight)]
    case 'bridge':
      return [
        ...beyond(kind.ageingTime, U32_MAX, 'ageing_time'),
        ...beyond(kind.priority, 0xffff, 'priority'),
        ...beyond(kind.vlanDefaultPvid, 0xffff, 'vlan_default_pvid'),
      ]
    case 'vlan':
      return beyond(kind.id, 0xffff, 'id')
    case 'vxlan':
      return vxlan(kind, sight)
    default:
      return []
  }
}

const newLink = (ask: NewLink, sight: Sight): Findings => [
  ...wrong(ask.index !== undefined && (ask.index <= 0 || ask.index > INT_MAX), 'Invalid "index" value'),
  ...numbers(ask),
  ...noDevice(ask.master)(sight),
  ...noNamespace(ask.to)(sight),
  ...noDevice(ask.dev)(sight),
  ...kind(ask.kind, sight),
]

/** IFALIASZ counts the NUL at the end. */
const ALIAS_BYTES = 255
const isAlias = (text: string): boolean => !text.includes('\0') && new TextEncoder().encode(text).length <= ALIAS_BYTES

const setLink = (ask: SetLink, sight: Sight): Findings => [
  ...numbers(ask),
  ...wrong(ask.alias !== undefined && !isAlias(ask.alias), 'alias too long'),
  ...noDevice(ask.master)(sight),
  ...noNamespace(ask.to)(sight),
  ...noDevice(ask.dev)(sight),
  ...kind(ask.kind, sight),
]

const VIDS = 4096
const vlan = ({ dev, id, until, pvid }: VlanRequest, sight: Sight): Findings => [
  ...noDevice(dev)(sight),
  ...wrong(id >= VIDS, `Invalid VLAN ID "${id}"`),
  ...wrong(until !== undefined && (id >= until || until >= VIDS), `Invalid VLAN range "${id}-${until}"`),
  ...wrong(until !== undefined && pvid === true, 'pvid cannot be configured for a vlan range'),
]

const scope = (value: unknown): Findings => wrong(typeof value === 'number' && value > 255, 'invalid scope value')

const address = (
  { do: verb, dev, cidr, peer, broadcast, scope: reach, label, metric }: AddressRequest,
  sight: Sight,
): Findings => {
  const family = familyOf(cidr.ip)
  return [
    ...foreign(peer, family, 'peer'),
    ...(broadcast === '+' ? [] : foreign(broadcast, family, 'broadcast')),
    ...scope(reach),
    ...wrong(label?.includes('\0') === true, 'no label has a NUL'),
    ...beyond(metric, U32_MAX, 'metric'),
    ...wrong(broadcast === '+' && family === 6 && verb !== 'delete', 'Broadcast can be set only for IPv4 addresses'),
    ...noDevice(dev)(sight),
  ]
}

const hop = ({ dev, weight }: NextHop, sight: Sight): Findings => [
  ...noDevice(dev)(sight),
  ...wrong(weight !== undefined && (weight < 1 || weight > 256), '"weight" is invalid'),
]

const route = (ask: RouteRequest, sight: Sight): Findings => [
  ...beyond(ask.tos, 255, 'tos'),
  ...beyond(ask.metric, U32_MAX, 'metric'),
  ...beyond(ask.table, U32_MAX, 'table'),
  ...beyond(ask.proto, 255, 'protocol'),
  ...scope(ask.scope),
  ...foreign(ask.src, familyOf(ask.to.ip), 'src'),
  ...beyond(ask.mtu, U32_MAX, 'mtu'),
  ...noDevice(ask.dev)(sight),
  ...(ask.hops ?? []).flatMap((one) => hop(one, sight)),
]

const rule = ({ on, do: verb, family, ...told }: RuleRequest): Findings => [
  ...beyond(told.priority, U32_MAX, 'priority'),
  ...foreign(told.from?.ip, family, 'from'),
  ...foreign(told.to?.ip, family, 'to'),
  ...beyond(told.suppressPrefixLength, INT_MAX, 'suppress_prefixlength'),
  ...wrong(
    Object.values(told).every((value) => value === undefined || value === false),
    `"ip ${on} ${verb === 'add' ? 'add' : 'del'}" requires arguments`,
  ),
]

const fdb = ({ dev, via, vni }: FdbRequest, sight: Sight): Findings => [
  ...beyond(vni, 0xffffff, 'vni'),
  ...noDevice(via)(sight),
  ...noDevice(dev)(sight),
]

const findings = (ask: Ask, sight: Sight): Findings => {
  switch (ask.on) {
    case 'link':
      if (ask.do === 'add') return newLink(ask, sight)
      if (ask.do === 'set') return setLink(ask, sight)
      return 'dev' in ask ? noDevice(ask.dev)(sight) : beyond(ask.group, INT_MAX, 'group')
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
      return noDevice(ask.dev)(sight)
    case 'netns':
    case 'sysctl':
      return []
  }
}

/** Null: the kernel is asked. */
export const unasked = (ask: Ask, sight: Sight): Unasked | null => findings(ask, sight)[0] ?? null

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
  findings(ask, noting)
  return { devs: [...devs], spaces: [...spaces] }
}
