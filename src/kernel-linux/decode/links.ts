// `ip -j -d address show`: every device of a namespace with its addresses, its kind and its bridge port's flags. Only kinds
// that we model are read; a foreign device (a physical one, a tunnel) is not there for us, nor is what sits on it.

import { UNFINISHED_ALIAS } from '../../kernel/owned.ts'
import {
  IPVLAN_FLAGS,
  IPVLAN_MODES,
  type IpvlanFlag,
  type IpvlanMode,
  MACVLAN_MODES,
  type MacvlanMode,
} from '../../kernel/rtnl/kind.ts'
import type { Cidr } from '../../net/cidr.ts'
import { parseCidr } from '../../net/cidr.ts'
import { type Mac, parseMac } from '../../net/mac.ts'
import { type IfName, parseIfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { isCondemned, UNFINISHED } from '../netlink/groups.ts'
import { fields, type Json, list, text, whole } from './json.ts'

/** A device by its index: `nsid` is the reader's number for the namespace that it is in, null for the reader's own. */
export type RawPlace = Readonly<{ index: number; nsid: number | null }>

/** What a link is, but for where the device is that it is bound to. */
export type RawSpec = Readonly<{ type: 'loopback' | 'bridge' | 'dummy' }> | BoundSpec
export type BoundSpec = Readonly<
  | { type: 'veth' }
  | { type: 'vlan'; id: number }
  | { type: 'macvlan'; mode: MacvlanMode }
  | { type: 'ipvlan'; mode: IpvlanMode; flag: IpvlanFlag }
>

/** `index` is unique in its namespace only. `to`: the device that it is bound to (boundTo). */
export type RawLink = Readonly<{
  index: number
  name: IfName
  spec: RawSpec
  to: RawPlace | null
  mac: Mac
  mtu: number
  up: boolean
  alias: string | null
  port: Readonly<{ bridge: IfName; isolated: boolean; hairpin: boolean }> | null
  addresses: ReadonlyArray<Cidr>
}>

const nameOf = (value: unknown): IfName | null => {
  const name = parseIfName(text(value) ?? '')
  return E.isRight(name) ? name.right : null
}

/** ip(8) gives the other device's name instead of its index if it is in the same namespace. */
const placeOf = (link: Json, indexes: ReadonlyMap<string, number>): RawPlace | null => {
  const near = text(link['link'])
  const index = near === null ? whole(link['link_index']) : (indexes.get(near) ?? null)
  return index === null ? null : { index, nsid: near === null ? whole(link['link_netnsid']) : null }
}

const oneOf = <T extends string>(value: unknown, known: ReadonlyArray<T>): T | null =>
  known.find((one) => one === value) ?? null

const specOf = (link: Json): RawSpec | null => {
  if (link['link_type'] === 'loopback') return { type: 'loopback' }
  const info = fields(link['linkinfo'])
  const data = fields(info['info_data'])
  switch (info['info_kind']) {
    case 'bridge':
    case 'dummy':
    case 'veth':
      return { type: info['info_kind'] }
    case 'vlan': {
      const id = whole(data['id'])
      return id === null || data['protocol'] !== '802.1Q' ? null : { type: 'vlan', id }
    }
    case 'macvlan': {
      const mode = oneOf(data['mode'], MACVLAN_MODES)
      return mode === null ? null : { type: 'macvlan', mode }
    }
    case 'ipvlan': {
      const mode = oneOf(data['mode'], IPVLAN_MODES)
      const flag = oneOf(data['flags'], IPVLAN_FLAGS)
      return mode === null || flag === null ? null : { type: 'ipvlan', mode, flag }
    }
    default:
      return null
  }
}

/** Whether a link of this kind is nothing without the device that it is bound to. */
export const isBound = (spec: RawSpec): spec is BoundSpec =>
  spec.type !== 'loopback' && spec.type !== 'bridge' && spec.type !== 'dummy'

/** What is cut off its bridge is no port any more. */
const portOf = (link: Json): RawLink['port'] => {
  if (isCondemned(Number(link['group']))) return null
  const info = fields(link['linkinfo'])
  const bridge = nameOf(link['master'])
  if (bridge === null || info['info_slave_kind'] !== 'bridge') return null
  const flags = fields(info['info_slave_data'])
  return { bridge, isolated: flags['isolated'] === true, hairpin: flags['hairpin'] === true }
}

const addressOf = (value: unknown): ReadonlyArray<Cidr> => {
  const address = fields(value)
  const cidr = parseCidr(`${text(address['local'])}/${whole(address['prefixlen'])}`)
  return E.isRight(cidr) ? [cidr.right] : []
}

const linkOf = (link: Json, indexes: ReadonlyMap<string, number>): ReadonlyArray<RawLink> => {
  const index = whole(link['ifindex'])
  const name = nameOf(link['ifname'])
  const spec = specOf(link)
  const to = spec !== null && isBound(spec) ? placeOf(link, indexes) : null
  const mac = parseMac(text(link['address']) ?? '')
  const mtu = whole(link['mtu'])
  if (index === null || name === null || spec === null || mtu === null || E.isLeft(mac)) return []
  if (isBound(spec) && to === null) return []
  return [
    {
      index,
      name,
      spec,
      to,
      mac: mac.right,
      mtu,
      up: list(link['flags']).includes('UP'),
      alias: text(link['ifalias']) ?? (Number(link['group']) === UNFINISHED ? UNFINISHED_ALIAS : null),
      port: portOf(link),
      addresses: list(link['addr_info']).flatMap(addressOf),
    },
  ]
}

/** Links that were to be deleted by a process that died: on their bridges as far as the kernel knows. */
export const decodeCondemned = (json: unknown): ReadonlyArray<IfName> =>
  list(json)
    .map(fields)
    .flatMap((link) => nameOf(isCondemned(Number(link['group'])) ? link['ifname'] : null) ?? [])

/** The names of all devices by their indexes, also of those that we do not model. */
export const decodeNames = (json: unknown): ReadonlyMap<number, IfName> =>
  new Map(
    list(json)
      .map(fields)
      .flatMap((link) => {
        const [index, name] = [whole(link['ifindex']), nameOf(link['ifname'])]
        return index === null || name === null ? [] : [[index, name] as const]
      }),
  )

export const decodeLinks = (json: unknown): ReadonlyArray<RawLink> => {
  const links = list(json).map(fields)
  const indexes = new Map(links.map((link) => [text(link['ifname']) ?? '', whole(link['ifindex']) ?? 0]))
  return links.flatMap((link) => linkOf(link, indexes))
}
