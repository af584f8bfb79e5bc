// The firewall's rules, interpreted: does a rule match a packet, and what does a chain say of it. Nothing here knows what
// the skeleton is for; chains and sets are data. Sets are indexed by value and memoised by reference.
// Source: nft(8): "VERDICT STATEMENTS", "NAT STATEMENTS", "FIB EXPRESSIONS", "SETS".

import type { Chain, CtState, Field, Hook, Match, Rule } from '../kernel/firewall/rule.ts'
import { CHAINS, SETS, type SetName } from '../kernel/firewall/skeleton.ts'
import type { NftElement } from '../kernel/object.ts'
import { type Cidr, cidr, contains, maskIp } from '../net/cidr.ts'
import { type Ip, ip, isIp4 } from '../net/ip.ts'
import type { IfName } from '../net/name.ts'
import { firstIn, type PMap, valuesOf } from '../net/pmap.ts'
import { absurd } from '../prelude.ts'
import { isLocal } from './local.ts'
import { memoised } from './memo.ts'
import { type Packet, packetFamily, protocolName } from './packet.ts'
import type { NsEntry } from './state.ts'
import type { RuleAt } from './trace.ts'

/** What rules can see of a packet. `state` and `dnat` are conntrack's; null before it has looked. */
export type Sight = Readonly<{
  space: NsEntry
  hook: Hook
  iif: IfName | null
  oif: IfName | null
  packet: Packet
  state: CtState | null
  dnat: boolean
}>

/** What a chain decided, and by which rule. */
export type Decision = Readonly<
  { at: RuleAt } & (
    | { tag: 'accept' }
    | { tag: 'drop' }
    | { tag: 'dnat'; to: Readonly<{ ip: Ip; port: number }> }
    | { tag: 'masquerade' }
  )
>

type Value = string | number | bigint

const fieldOf = ({ iif, oif, packet }: Sight, field: Field): Value | null => {
  switch (field) {
    case 'iifname':
      return iif
    case 'oifname':
      return oif
    case 'ip saddr':
      return isIp4(packet.src) ? packet.src : null
    case 'ip daddr':
      return isIp4(packet.dst) ? packet.dst : null
    case 'ip6 saddr':
      return isIp4(packet.src) ? null : packet.src
    case 'ip6 daddr':
      return isIp4(packet.dst) ? null : packet.dst
    case 'meta l4proto':
      return protocolName(packet)
    case 'th dport':
      return 'dport' in packet.body ? packet.body.dport : null
  }
}

type Target = Readonly<{ ip: Ip; port: number }>
/** `address` is the place of the address in the key of an interval set, -1 otherwise; `lengths` the prefixes there are. */
type Index = Readonly<{ address: number; lengths: ReadonlyArray<number>; entries: ReadonlyMap<string, Target | null> }>

const EMPTY: Index = { address: -1, lengths: [], entries: new Map() }

const keyOf = (values: ReadonlyArray<Value>): string => (values.length === 1 ? `${values[0]}` : values.join(' '))

/** One part of an element's key as a value; a prefix stays text that begins with its masked address. */
const parsePart = (type: string | undefined, text: string, interval: boolean): readonly [Value, number | null] => {
  if (type !== 'ipv4_addr' && type !== 'ipv6_addr') return [text, null]
  if (!interval) return [ip(text), null]
  const prefix = text.includes('/') ? cidr(text) : { ip: ip(text), bits: type === 'ipv4_addr' ? 32 : 128 }
  return [`${prefix.ip}/${prefix.bits}`, prefix.bits]
}

const buildIndex = (name: SetName, elements: PMap<NftElement>): Index => {
  const spec = SETS.find((set) => set.name === name)
  const interval = spec?.interval ?? false
  const lengths = new Set<number>()
  const entries = new Map<string, Target | null>()
  for (const { key, value } of valuesOf(elements)) {
    const parts = key.map((text, i) => parsePart(spec?.key[i], text, interval))
    for (const [, bits] of parts) if (bits !== null) lengths.add(bits)
    const [address, port] = value ?? []
    entries.set(
      keyOf(parts.map(([part]) => part)),
      address === undefined ? null : { ip: ip(address), port: Number(port) },
    )
  }
  return {
    address: interval ? (spec?.key.findIndex((type) => type === 'ipv4_addr' || type === 'ipv6_addr') ?? -1) : -1,
    lengths: [...lengths].sort((a, b) => b - a),
    entries,
  }
}

const indexes = memoised((elements: PMap<NftElement>) => {
  const name = firstIn(elements)?.set
  return name === undefined ? EMPTY : buildIndex(name, elements)
})

const indexOf = (space: NsEntry, name: SetName): Index => {
  const elements = space.firewall?.sets[name]
  return elements === undefined ? EMPTY : indexes(elements)
}

/** The element that a packet's fields fall in: its target (a map), null (a set), or undefined if there is none. */
const find = (sight: Sight, fields: ReadonlyArray<Field>, name: SetName): Target | null | undefined => {
  const index = indexOf(sight.space, name)
  if (index.entries.size === 0) return undefined
  const values: Value[] = []
  for (const field of fields) {
    const value = fieldOf(sight, field)
    if (value === null) return undefined
    values.push(value)
  }
  if (index.address < 0) return index.entries.get(keyOf(values))
  const field = fields[index.address] ?? ''
  const address = field.endsWith('saddr') ? sight.packet.src : sight.packet.dst
  for (const bits of index.lengths) {
    values[index.address] = `${maskIp(address, bits)}/${bits}`
    const found = index.entries.get(keyOf(values))
    if (found !== undefined) return found
  }
  return undefined
}

const NETWORKS: ReadonlyMap<string, Cidr> = new Map(
  CHAINS.flatMap((chain) => chain.rules)
    .flatMap((rule) => rule.matches)
    .flatMap((match) => (match.tag === 'network' ? [[match.network, cidr(match.network)] as const] : [])),
)

const inNetwork = (network: string, address: Ip): boolean => {
  const known = NETWORKS.get(network)
  return known !== undefined && contains(known, address)
}

const matches = (sight: Sight, match: Match): boolean => {
  switch (match.tag) {
    case 'in':
      return find(sight, match.fields, match.set) !== undefined
    case 'network':
      return inNetwork(match.network, match.field.endsWith('saddr') ? sight.packet.src : sight.packet.dst)
    case 'family':
      return packetFamily(sight.packet) === match.family
    case 'ct-state':
      return sight.state !== null && match.states.includes(sight.state)
    case 'ct-dnat':
      return sight.dnat
    case 'fib-local':
      return isLocal(sight.space, match.of === 'saddr' ? sight.packet.src : sight.packet.dst)
  }
}

const BY_NAME: ReadonlyMap<string, Chain> = new Map(CHAINS.map((chain) => [chain.name, chain]))

/** What a matching rule says; null means that the next rule is asked, 'return' that the chain is left. */
const say = (sight: Sight, chain: Chain, rule: Rule): Decision | 'return' | null => {
  const { statement } = rule
  const at: RuleAt = { hook: sight.hook, chain: chain.name, rule }
  switch (statement.tag) {
    case 'accept':
    case 'drop':
    case 'masquerade':
      return { at, tag: statement.tag }
    case 'return':
      return 'return'
    case 'jump': {
      const target = BY_NAME.get(statement.chain)
      return target === undefined ? null : evaluate(sight, target)
    }
    case 'dnat': {
      // A lookup that finds nothing ends the rule, not the chain.
      const to = packetFamily(sight.packet) === statement.family ? find(sight, statement.fields, statement.map) : null
      return to === null || to === undefined ? null : { at, tag: 'dnat', to }
    }
    default:
      return absurd(statement, 'firewall statement')
  }
}

/** The chain's decision, or null if no rule made one: then a base chain's policy (accept) holds. */
export const evaluate = (sight: Sight, chain: Chain): Decision | null => {
  for (const rule of chain.rules) {
    if (!rule.matches.every((match) => matches(sight, match))) continue
    const said = say(sight, chain, rule)
    if (said === 'return') return null
    if (said !== null) return said
  }
  return null
}
