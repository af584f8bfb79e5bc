// What is known of the packet while a rule is being read, from left to right: its network and its transport protocol. From it
// follow what `reject` sends, of which family an address is, and that a rule contradicts itself.
// Source: nftables src/evaluate.c (proto_ctx, meta_iiftype_gen_dependency, resolve_protocol_conflict).

import type { Place } from '../error.ts'
import type { Expression, Operand, PayloadProtocol, Statement } from '../expression.ts'
import { isProtocol, TRANSPORT } from '../field.ts'
import type { Family } from '../ruleset.ts'
import type { Cursor } from './cursor.ts'

export type Network = 'ip' | 'ip6' | 'arp'
/** All but the first two change while the rule is read. */
export type Context = {
  readonly cursor: Cursor
  readonly family: Family
  network: Network | null
  transport: string | null
  /** All transport protocols that nft believes the packet to have: of a set, each. `transport` is the last of them. */
  believed: ReadonlyArray<string>
  /** The transport header that every packet has which comes this far in the rule. */
  header: PayloadProtocol | null
  /** Matches that statements need, at the beginning of the rule. */
  needs: ReadonlyArray<Statement>
  /** The elements of the set that was read last. */
  written: ReadonlyArray<Operand>
  /** Where the set is named that was named last. */
  reference: Place | null
  /** What was written as a port last, and is kept as something else: what it is compared with is read as a port all the same. */
  port: Expression | null
}

export const contextOf = (cursor: Cursor, family: Family): Context => ({
  cursor,
  family,
  network: family === 'ip' || family === 'ip6' || family === 'arp' ? family : null,
  transport: null,
  believed: [],
  header: null,
  needs: [],
  written: [],
  reference: null,
  port: null,
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
      const other = context.believed.find((each) => each !== protocol)
      if (other !== undefined) context.cursor.meaning(`conflicting protocols specified: ${other} vs. ${protocol}`, at)
      // What nft believes already it does not make the packet prove.
      if (context.believed.length === 0) {
        context.header = protocol
        context.believed = [protocol]
      }
      context.transport = protocol
      // Where nothing is known of the network, ICMP tells which one it is; where something is, nft does not mind.
      if (LINK_FAMILIES.has(context.family) && protocol === 'icmp') context.network ??= 'ip'
      if (LINK_FAMILIES.has(context.family) && protocol === 'icmpv6') context.network ??= 'ip6'
    }
  }
}

const NETWORK_OF_NFPROTO: Readonly<Record<number, Network>> = { 2: 'ip', 10: 'ip6' }
const NETWORK_OF_ETHER: Readonly<Record<number, Network>> = { 2048: 'ip', 34525: 'ip6', 2054: 'arp' }

/** What nft knows to be carried by IP besides what it has fields of. */
const OTHER_TRANSPORT: Readonly<Record<number, string>> = { 2: 'igmp', 50: 'esp', 51: 'ah', 108: 'comp' }

const transportNamed = (value: number): string | null =>
  Object.entries(TRANSPORT).find(([, number]) => number === value)?.[0] ?? OTHER_TRANSPORT[value] ?? null

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
  const name = transportNamed(value)
  if (left.tag === 'meta' && left.key === 'l4proto') return { layer: 'transport', name: name ?? 'unknown' }
  const isHeader =
    left.tag === 'payload' &&
    ((left.protocol === 'ip' && left.field === 'protocol') || (left.protocol === 'ip6' && left.field === 'nexthdr'))
  // A header with a number that nft does not know tells it nothing.
  return isHeader && name !== null ? { layer: 'transport', name } : null
}

/** What a match says of the packet holds for the rest of the rule. `surely`: not only of one of several. */
export const learn = (context: Context, statement: Statement, surely: boolean): void => {
  const pinned = pinnedBy(statement)
  if (pinned?.layer === 'network') context.network = pinned.name
  if (pinned?.layer !== 'transport') return
  context.transport = pinned.name
  context.believed = [...context.believed, pinned.name]
  if (surely) context.header = isProtocol(pinned.name) ? pinned.name : null
}
