// A packet at a hook, as the rules of nftables see it: what of it is asked for is looked up, nothing before. One sight serves all the
// packets of a namespace, one after the other.
// Sources: net/netfilter/nft_meta.c, nft_ct.c; include/net/netfilter/nf_tables_ipv4.h, nf_tables_ipv6.h (nft_set_pktinfo).

import { BROADCAST, isGroup } from '../../../net/mac.ts'
import { jhash } from '../../jhash.ts'
import type { Datum } from '../../nft/datatype.ts'
import type { MetaKey } from '../../nft/expression.ts'
import type { Field, Sight } from '../../nft/sight.ts'
import { CT_STATE, CT_STATUS, PKT_TYPE } from '../../nft/symbols.ts'
import { protocolOf } from '../../wire/body.ts'
import type { Frame } from '../../wire/ethernet.ts'
import type { Packet } from '../../wire/nested.ts'
import { lengthOfPacket } from '../../wire/wire.ts'
import { ETHERNET, lengthBesideTag } from '../device.ts'
import type { HookAt, Space } from '../plane.ts'
import { below } from '../random.ts'
import { type Meta, NO_META } from '../skb.ts'
import type { Connection } from './connection.ts'
import { fibField } from './fib-field.ts'
import type { FlowState } from './flow.ts'
import { ETHER_TYPES, payloadField } from './payload.ts'
import { isIcmp } from './tuple.ts'

/** `frame`: what the packet is in, at hooks of devices and bridges; elsewhere what it came in, if any rule asks for that. */
export type Looking = { -readonly [Part in keyof Sight]: Sight[Part] } & {
  readonly space: Space
  at: HookAt
  packet: Packet | null
  frame: Frame | null
  meta: Meta
}

const NFPROTO: Readonly<Record<HookAt['family'], number>> = { ip: 2, ip6: 10, arp: 3, bridge: 7, netdev: 5 }

/** Of a frame that another host sent (eth_type_trans); what is ours counts as ours until it leaves. */
const packetType = ({ at, frame }: Looking): number => {
  if (frame === null || at.hook === 'output' || at.iif === null) return PKT_TYPE['host'] ?? 0
  const { dst } = frame
  if (isGroup(dst)) return (dst === BROADCAST ? PKT_TYPE['broadcast'] : PKT_TYPE['multicast']) ?? 0
  return (dst === at.iif.link.mac ? PKT_TYPE['host'] : PKT_TYPE['other']) ?? 0
}

const metaField = (seen: Looking, key: MetaKey): Datum | null => {
  const { at, packet, meta } = seen
  switch (key) {
    case 'iifname':
      return at.iif === null ? '' : at.iif.name
    case 'oifname':
      return at.oif === null ? '' : at.oif.name
    case 'iif':
      return at.iif === null ? 0 : at.iif.link.index
    case 'oif':
      return at.oif === null ? 0 : at.oif.link.index
    case 'mark':
      return meta.mark
    case 'l4proto':
      return packet === null ? null : protocolOf(packet.body)
    case 'nfproto':
      return NFPROTO[at.family]
    case 'protocol':
      if (packet !== null) return ETHER_TYPES[packet.tag]
      return seen.frame === null ? null : etherTypeOf(seen.frame)
    case 'length':
      return lengthOf(seen)
    case 'pkttype':
      return packetType(seen)
  }
}

const etherTypeOf = ({ payload }: Frame): number =>
  payload.tag === 'raw' ? payload.etherType : ETHER_TYPES[payload.tag]

const STATES: Readonly<Record<FlowState, number>> = {
  new: CT_STATE['new'] ?? 0,
  established: CT_STATE['established'] ?? 0,
  related: CT_STATE['related'] ?? 0,
  invalid: CT_STATE['invalid'] ?? 0,
  untracked: CT_STATE['untracked'] ?? 0,
}

/** IPS_SRC_NAT_DONE, IPS_DST_NAT_DONE: what a translation is was decided, be it none. */
const [SOURCE_DONE, DESTINATION_DONE] = [128, 256]

const statusOf = (c: Connection): number => {
  const bit = (is: boolean, word: keyof typeof CT_STATUS): number => (is ? (CT_STATUS[word] ?? 0) : 0)
  return (
    bit(c.seenReply, 'seen-reply') |
    bit(c.assured, 'assured') |
    bit(c.id > 0, 'confirmed') |
    bit(c.snat, 'snat') |
    bit(c.dnat, 'dnat') |
    (c.sourceDone ? SOURCE_DONE : 0) |
    (c.destinationDone ? DESTINATION_DONE : 0)
  )
}

const [IPV4, IPV6] = [2, 10]

/** Without a conversation there is still a state: one that nobody has asked about yet is invalid, too (nft_ct_get_eval). */
const ctField = ({ meta: { flow } }: Looking, { key, direction }: Field & { tag: 'ct' }): Datum | null => {
  if (key === 'state') return flow === null ? STATES.invalid : STATES[flow.state]
  const connection = flow?.connection ?? null
  if (flow === null || connection === null) return null
  const tuple = direction === 'reply' ? connection.reply : connection.original
  switch (key) {
    case 'status':
      return statusOf(connection)
    case 'mark':
      return connection.mark
    case 'direction':
      return flow.isReply ? 1 : 0
    case 'zone':
      return tuple.zone
    case 'protocol':
      return tuple.proto
    case 'l3proto':
      return typeof tuple.src === 'bigint' ? IPV6 : IPV4
    case 'saddr':
      return tuple.src
    case 'daddr':
      return tuple.dst
    case 'proto-src':
      return tuple.sport
    case 'proto-dst':
      return tuple.dport
  }
}

/** As long as Linux holds it to be there: what a device has taken off is not counted. */
const lengthOf = ({ at, packet, frame }: Looking): number => {
  if (frame === null || at.family === 'ip' || at.family === 'ip6') return packet === null ? 0 : lengthOfPacket(packet)
  const isWhole = at.hook === 'egress' || (at.family === 'arp' && at.hook === 'output')
  return lengthBesideTag(frame) - (isWhole ? 0 : ETHERNET)
}

const bytesOf = (value: number | bigint): ReadonlyArray<number> => {
  const bytes: number[] = []
  for (let left = BigInt(value); left > 0n; left >>= 8n) bytes.push(Number(left & 0xffn))
  return bytes
}

/** Both ends in an order that does not depend on who speaks (__skb_get_hash_symmetric). The kernel's secret is 0 here. */
const flowHashOf = ({ packet }: Looking): number => {
  if (packet === null) return 0
  const protocol = protocolOf(packet.body)
  const port = (field: 'sport' | 'dport'): number => {
    const found = isIcmp(protocol) ? null : payloadField(packet, null, 'th', field)
    return typeof found === 'number' ? found : 0
  }
  const ends = [
    [packet.src, port('sport')],
    [packet.dst, port('dport')],
  ] as const
  const [a, b] =
    ends[0][0] < ends[1][0] || (ends[0][0] === ends[1][0] && ends[0][1] <= ends[1][1]) ? ends : [ends[1], ends[0]]
  return jhash([...bytesOf(a[0]), ...bytesOf(b[0]), ...bytesOf(a[1] * 0x10000 + b[1]), protocol], 0)
}

const fieldOf = (seen: Looking, field: Field): Datum | null => {
  switch (field.tag) {
    case 'payload':
      return payloadField(seen.packet, seen.frame, field.protocol, field.field)
    case 'meta':
      return metaField(seen, field.key)
    case 'ct':
      return ctField(seen, field)
    case 'fib':
      return seen.packet === null ? null : fibField(seen.space, seen.at, seen.packet, seen.meta.mark, field)
  }
}

const NOWHERE: HookAt = { family: 'ip', hook: 'input', iif: null, oif: null, next: null }

/** A sight of nothing yet. */
export const lookingIn = (space: Space): Looking => {
  const seen: Looking = {
    space,
    at: NOWHERE,
    packet: null,
    frame: null,
    meta: NO_META,
    nowMs: 0,
    field: (field) => fieldOf(seen, field),
    random: (n) => below(space.plane.random, n),
    flowHash: () => flowHashOf(seen),
    length: () => lengthOf(seen),
  }
  return seen
}
