// What is known of the packet while a rule is being read, from left to right: its network and its transport protocol. From it
// follow what `reject` sends, of which family an address is, and that a rule contradicts itself.
// Source: nftables src/evaluate.c (proto_ctx, meta_iiftype_gen_dependency, resolve_protocol_conflict).

import type { Place } from '../error.ts'
import type { Operand, PayloadProtocol, Statement } from '../expression.ts'
import { TRANSPORT } from '../field.ts'
import type { Family } from '../ruleset.ts'
import type { Cursor } from './cursor.ts'

export type Network = 'ip' | 'ip6' | 'arp'
/** All but the first two change while the rule is read. */
export type Context = {
  readonly cursor: Cursor
  readonly family: Family
  network: Network | null
  transport: string | null
  /** The last element of the set that was read last. */
  lastWritten: Operand | null
}

export const contextOf = (cursor: Cursor, family: Family): Context => ({
  cursor,
  family,
  network: family === 'ip' || family === 'ip6' || family === 'arp' ? family : null,
  transport: null,
  lastWritten: null,
})

const LINK_FAMILIES: ReadonlySet<Family> = new Set(['bridge', 'netdev', 'inet'])

const meetNetwork = (context: Context, network: Network, at: Place): void => {
  const other = context.network ?? (network === 'arp' && context.family === 'inet' ? 'inet' : null)
  if (other !== null && other !== network)
    context.cursor.meaning(`conflicting protocols specified: ${other} vs. ${network}`, at)
  context.network = network
}

/** A rule looks at a header: the packet has it, or the rule does not match. */
export const meet = (context: Context, protocol: PayloadProtocol, at: Place): void => {
  switch (protocol) {
    case 'ether':
      return
    case 'vlan':
      if (context.network !== null) context.cursor.meaning('conflicting protocols specified: ether vs. vlan', at)
      return
    case 'ip':
    case 'ip6':
    case 'arp':
      meetNetwork(context, protocol, at)
      return
    case 'th':
      context.transport ??= 'th'
      return
    default: {
      if (context.transport !== null && context.transport !== 'th' && context.transport !== protocol)
        context.cursor.meaning(`conflicting protocols specified: ${context.transport} vs. ${protocol}`, at)
      context.transport = protocol
      if (LINK_FAMILIES.has(context.family) && protocol === 'icmp') meetNetwork(context, 'ip', at)
      if (LINK_FAMILIES.has(context.family) && protocol === 'icmpv6') meetNetwork(context, 'ip6', at)
    }
  }
}

const NETWORK_OF_NFPROTO: Readonly<Record<number, Network>> = { 2: 'ip', 10: 'ip6' }
const NETWORK_OF_ETHER: Readonly<Record<number, Network>> = { 2048: 'ip', 34525: 'ip6', 2054: 'arp' }

/** The protocol that a match pins down, and which layer's; null if it pins none. */
export const pinnedBy = (
  statement: Statement,
): Readonly<{ layer: 'network'; name: Network } | { layer: 'transport'; name: string }> | null => {
  if (statement.tag !== 'match' || statement.op !== '==' || statement.right.tag !== 'value') return null
  const { left, right } = statement
  const value = typeof right.value === 'number' ? right.value : -1
  if (left.tag === 'meta' && left.key === 'nfproto') {
    const name = NETWORK_OF_NFPROTO[value]
    return name === undefined ? null : { layer: 'network', name }
  }
  if (
    (left.tag === 'meta' && left.key === 'protocol') ||
    (left.tag === 'payload' && left.protocol === 'ether' && left.field === 'type')
  ) {
    const name = NETWORK_OF_ETHER[value]
    return name === undefined ? null : { layer: 'network', name }
  }
  const isTransport =
    (left.tag === 'meta' && left.key === 'l4proto') ||
    (left.tag === 'payload' &&
      ((left.protocol === 'ip' && left.field === 'protocol') || (left.protocol === 'ip6' && left.field === 'nexthdr')))
  if (!isTransport) return null
  const name = Object.entries(TRANSPORT).find(([, number]) => number === value)?.[0]
  return { layer: 'transport', name: name ?? String(value) }
}

/** What a match says of the packet holds for the rest of the rule. */
export const learn = (context: Context, statement: Statement): void => {
  const pinned = pinnedBy(statement)
  if (pinned?.layer === 'network') context.network = pinned.name
  if (pinned?.layer === 'transport') context.transport = pinned.name
}
