// What rules are made of: selectors that look at a packet, values to hold them against, sets and maps, statements. Trees are
// in the form that nft lists: what one field needs of another (`tcp dport` that the packet is TCP) goes without saying.
// Sources: nft(8) "EXPRESSIONS", "STATEMENTS"; nftables include/expression.h, include/statement.h.

import type { Datum, Type } from './datatype.ts'

export type PayloadProtocol =
  | 'ether'
  | 'vlan'
  | 'arp'
  | 'ip'
  | 'ip6'
  | 'icmp'
  | 'icmpv6'
  | 'tcp'
  | 'udp'
  | 'udplite'
  | 'sctp'
  | 'dccp'
  | 'th'

export type MetaKey =
  | 'length'
  | 'protocol'
  | 'mark'
  | 'iif'
  | 'oif'
  | 'iifname'
  | 'oifname'
  | 'nfproto'
  | 'l4proto'
  | 'pkttype'

export type CtKey =
  | 'state'
  | 'status'
  | 'mark'
  | 'direction'
  | 'zone'
  | 'protocol'
  | 'l3proto'
  | 'saddr'
  | 'daddr'
  | 'proto-src'
  | 'proto-dst'
export type Direction = 'original' | 'reply'
export type FibFlag = 'saddr' | 'daddr' | 'mark' | 'iif' | 'oif'

/** What a packet is asked for. */
export type Selector = Readonly<
  | { tag: 'payload'; protocol: PayloadProtocol; field: string }
  | { tag: 'meta'; key: MetaKey }
  /** `family` is that of an address; `implied` if not written, but known by the table. */
  | { tag: 'ct'; key: CtKey; direction: Direction | null; family: 'ip' | 'ip6' | null; implied: boolean }
  /** `present`: asked whether there is an output interface, not which. */
  | { tag: 'fib'; of: ReadonlyArray<FibFlag>; result: 'oif' | 'oifname' | 'type'; present: boolean }
  | { tag: 'numgen'; mode: 'inc' | 'random'; mod: number; offset: number }
  | { tag: 'jhash'; of: Expression; mod: number; seed: number | null; offset: number }
  | { tag: 'symhash'; mod: number; offset: number }
>

export type Expression = Readonly<
  | Selector
  | { tag: 'value'; type: Type; value: Datum }
  | { tag: 'concat'; parts: ReadonlyArray<Expression> }
  | { tag: 'bits'; op: '&' | '|' | '^'; left: Expression; mask: Datum }
  | { tag: 'map'; key: Expression; map: SetSource }
>

/** Part of an element's key: all values between two, both ends included; mostly they are one. */
export type Interval = Readonly<{ from: Datum; to: Datum }>

export type Verdict = Readonly<
  | { tag: 'accept' }
  | { tag: 'drop' }
  | { tag: 'continue' }
  | { tag: 'return' }
  | { tag: 'jump' | 'goto'; chain: string }
>

/** What a map has for a key. */
export type Data = Readonly<{ tag: 'values'; values: ReadonlyArray<Interval> } | { tag: 'verdict'; verdict: Verdict }>

/** A set written in a rule. Its elements are sorted, and merged where they are intervals. */
export type AnonymousSet = Readonly<{
  tag: 'anonymous'
  key: ReadonlyArray<Type>
  /** Types of a map's values. */
  data: ReadonlyArray<Type> | 'verdict' | null
  interval: boolean
  elements: ReadonlyArray<Readonly<{ key: ReadonlyArray<Interval>; data: Data | null }>>
}>
export type SetSource = AnonymousSet | Readonly<{ tag: 'named'; name: string }>

export type Operand = Readonly<
  | { tag: 'value'; value: Datum }
  | { tag: 'range'; from: Datum; to: Datum }
  /** Below and above at once, which nft lists as being outside of a range. */
  | { tag: 'both'; below: Datum; above: Datum }
  | { tag: 'prefix'; value: Datum; bits: number }
  | SetSource
>

/** `in`: one of the flags is set; `!`: none is. */
export type Operator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | '!'

/** A rate over time, with the unit in which it was written. */
export type Limit = Readonly<{
  rate: number
  unit: 'packets' | 'bytes' | 'kbytes' | 'mbytes'
  per: 'second' | 'minute' | 'hour' | 'day' | 'week'
  burst: number
  burstUnit: 'packets' | 'bytes' | 'kbytes' | 'mbytes'
  over: boolean
}>

export type NatFlag = 'random' | 'fully-random' | 'persistent'

export type LogOptions = Readonly<{
  prefix: string | null
  /** null: `warn`, which is not listed. */
  level: string | null
  group: number | null
  snaplen: number | null
  threshold: number | null
  /** In the order in which nft lists them; `all` stands for all. */
  flags: ReadonlyArray<string>
}>

export type Reject = Readonly<{ with: 'tcp reset' } | { with: 'icmp' | 'icmpv6' | 'icmpx'; code: number }>

/** Where translation leads; a map may give the address alone, or address and port. */
export type Target = Readonly<
  | { tag: 'range'; from: Datum; to: Datum }
  | { tag: 'prefix'; value: Datum; bits: number }
  | { tag: 'map'; of: Expression }
>

export type Translation = Readonly<{
  kind: 'dnat' | 'snat' | 'masquerade' | 'redirect'
  family: 'ip' | 'ip6' | null
  address: Target | null
  port: Target | null
  flags: ReadonlyArray<NatFlag>
}>

/** What is kept for each element of a dynamic set. */
export type ElementStatement = Readonly<{ tag: 'counter' } | { tag: 'limit'; limit: Limit }>

export type Statement = Readonly<
  | { tag: 'match'; left: Expression; op: Operator; right: Operand }
  /** Fields that lie beside each other, of which at least one is another: see parse/merge.ts. */
  | { tag: 'differ'; of: ReadonlyArray<Readonly<{ field: Selector; value: Datum }>> }
  | { tag: 'verdict'; verdict: Verdict }
  | { tag: 'vmap'; key: Expression; map: SetSource }
  /** A counter of the rule's own starts at these numbers; what it has counted since is the ruleset's state. */
  | { tag: 'counter'; packets: number; bytes: number }
  | { tag: 'counter-ref'; name: string }
  | { tag: 'limit'; limit: Limit }
  | { tag: 'log'; options: LogOptions }
  | { tag: 'reject'; reject: Reject }
  | { tag: 'set'; of: Selector; value: Expression }
  | { tag: 'notrack' }
  | { tag: 'nat'; translation: Translation }
  | {
      tag: 'update'
      op: 'add' | 'update' | 'delete'
      set: string
      key: Expression
      timeoutMs: number | null
      statements: ReadonlyArray<ElementStatement>
    }
>
