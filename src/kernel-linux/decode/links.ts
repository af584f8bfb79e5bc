// `ip -j -d address show`: every device of a namespace with its addresses, its kind and its bridge port's flags. Only kinds
// that we model are read; a foreign device (a physical one, a tunnel) is not there for us, nor is what sits on it.

import { UNFINISHED_ALIAS } from '../../kernel/owned.ts'
import type { Cidr } from '../../net/cidr.ts'
import { parseCidr } from '../../net/cidr.ts'
import { type Mac, parseMac } from '../../net/mac.ts'
import { type IfName, parseIfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { isCondemned, UNFINISHED } from '../netlink/groups.ts'
import { fields, type Json, list, text, whole } from './json.ts'

/** The other end of a veth: `nsid` is the reader's number for the other namespace, null for its own. */
export type RawPeer = Readonly<{ index: number; nsid: number | null }>

/** `index` is unique in its namespace only. */
export type RawLink = Readonly<{
  index: number
  name: IfName
  type: Readonly<{ type: 'loopback' } | { type: 'bridge' } | { type: 'veth'; peer: RawPeer }>
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

/** ip(8) gives the other end's name instead of its index if it is in the same namespace. */
const peerOf = (link: Json, indexes: ReadonlyMap<string, number>): RawPeer | null => {
  const near = text(link['link'])
  const index = near === null ? whole(link['link_index']) : (indexes.get(near) ?? null)
  return index === null ? null : { index, nsid: near === null ? whole(link['link_netnsid']) : null }
}

const typeOf = (link: Json, indexes: ReadonlyMap<string, number>): RawLink['type'] | null => {
  if (link['link_type'] === 'loopback') return { type: 'loopback' }
  switch (fields(link['linkinfo'])['info_kind']) {
    case 'bridge':
      return { type: 'bridge' }
    case 'veth': {
      const peer = peerOf(link, indexes)
      return peer === null ? null : { type: 'veth', peer }
    }
    default:
      return null
  }
}

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
  const type = typeOf(link, indexes)
  const mac = parseMac(text(link['address']) ?? '')
  const mtu = whole(link['mtu'])
  if (index === null || name === null || type === null || mtu === null || E.isLeft(mac)) return []
  return [
    {
      index,
      name,
      type,
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

export const decodeLinks = (json: unknown): ReadonlyArray<RawLink> => {
  const links = list(json).map(fields)
  const indexes = new Map(links.map((link) => [text(link['ifname']) ?? '', whole(link['ifindex']) ?? 0]))
  return links.flatMap((link) => linkOf(link, indexes))
}
