// The part of nftables that the skeleton is written in, as data: the simulated kernel evaluates it, `text.ts` prints it.
// Source: nft(8).

import type { SetName } from './skeleton.ts'

export type ElementType = 'ifname' | 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service'

/** A named set, or (with `value`) a map. `interval`: elements may be prefixes. */
export type SetSpec = Readonly<{
  name: SetName
  key: ReadonlyArray<ElementType>
  value: ReadonlyArray<ElementType> | null
  interval: boolean
  about: string
}>

/** What of a packet a rule looks at, in nft's own words. An `ip` field does not match an IPv6 packet, and vice versa. */
export type Field =
  | 'iifname'
  | 'oifname'
  | 'ip saddr'
  | 'ip daddr'
  | 'ip6 saddr'
  | 'ip6 daddr'
  | 'meta l4proto'
  | 'th dport'

export type CtState = 'new' | 'established' | 'related' | 'invalid'

export type Match = Readonly<
  | { tag: 'in'; fields: ReadonlyArray<Field>; set: SetName }
  | { tag: 'network'; field: 'ip saddr' | 'ip daddr' | 'ip6 saddr' | 'ip6 daddr'; network: string }
  | { tag: 'family'; family: 4 | 6 }
  | { tag: 'protocol'; protocol: 'icmp' | 'ipv6-icmp' }
  | { tag: 'ct-state'; states: ReadonlyArray<CtState> }
  | { tag: 'ct-dnat' }
  | { tag: 'fib-local'; of: 'saddr' | 'daddr' }
>

export type Statement = Readonly<
  | { tag: 'accept' }
  | { tag: 'drop' }
  | { tag: 'return' }
  | { tag: 'jump'; chain: string }
  | { tag: 'dnat' | 'snat'; family: 4 | 6; fields: ReadonlyArray<Field>; map: SetName }
  | { tag: 'masquerade' }
>

/** `about` says in words what the rule is for; nft keeps it as the rule's comment, and traces quote it. */
export type Rule = Readonly<{ matches: ReadonlyArray<Match>; statement: Statement; about: string }>

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'

/** A base chain has a hook, a regular one null. Lower priorities come first. */
export type Chain = Readonly<{
  name: string
  base: Readonly<{ type: 'filter' | 'nat'; hook: Hook; priority: number }> | null
  rules: ReadonlyArray<Rule>
}>
