// What a namespace holds of nftables, as persistent data: a snapshot is a reference. What packets change (counters, limits,
// generators) lies apart from the rules, so that rules, and indexes made from them, stay the same while traffic flows.
// Sources: nft(8); include/net/netfilter/nf_tables.h.

import { emptyMap, getIn, type PMap, setIn, valuesOf } from '../../net/pmap.ts'
import type { Type } from './datatype.ts'
import type { Data, ElementStatement, Expression, Interval, Statement } from './expression.ts'

export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev'
export const FAMILIES: ReadonlyArray<Family> = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev']

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress' | 'egress'
export type ChainType = 'filter' | 'nat' | 'route'
export type Policy = 'accept' | 'drop'

export type Rule = Readonly<{ handle: number; statements: ReadonlyArray<Statement>; comment: string | null }>

/** How a base chain is bound to its hook. `devices` only where the hook is a device's. */
export type Base = Readonly<{
  type: ChainType
  hook: Hook
  priority: number
  policy: Policy
  devices: ReadonlyArray<string>
}>

export type Chain = Readonly<{
  name: string
  handle: number
  base: Base | null
  comment: string | null
  rules: ReadonlyArray<Rule>
}>

export type SetFlag = 'constant' | 'interval' | 'timeout' | 'dynamic'

/** A counter or limit that an element carries. */
export type ElementState = Readonly<
  { tag: 'counter'; packets: number; bytes: number } | { tag: 'limit'; tokens: number; atMs: number }
>

export type Element = Readonly<{
  key: ReadonlyArray<Interval>
  data: Data | null
  comment: string | null
  /** Its own; null: the set's, if that has one. */
  timeoutMs: number | null
  /** In the namespace's virtual time; null: never. */
  expiresMs: number | null
  statements: ReadonlyArray<ElementStatement>
  state: ReadonlyArray<ElementState>
}>

/** What a set declares, a map if it has `data`. */
export type SetSpec = Readonly<{
  key: ReadonlyArray<Type>
  data: ReadonlyArray<Type> | 'verdict' | null
  /** The expressions after `typeof`, where it was declared so. */
  keyOf: Expression | null
  dataOf: Expression | null
  flags: ReadonlySet<SetFlag>
  timeoutMs: number | null
  gcMs: number | null
  size: number | null
  /** It was made with a size: the kernel keeps it in a hash that does not grow, whatever size it is given later. */
  bounded: boolean
  /** As many elements fit: the size, or those that a constant set was declared with. */
  capacity: number | null
  policy: 'memory' | null
  autoMerge: boolean
  /** Each element gets these. */
  statements: ReadonlyArray<ElementStatement>
  comment: string | null
}>

/** Elements by `elementKey`. */
export type NamedSet = Readonly<{ name: string; handle: number; spec: SetSpec; elements: PMap<Element> }>

/** A named counter; what it has counted is in the ruleset's state. */
export type Counter = Readonly<{ name: string; handle: number; comment: string | null; packets: number; bytes: number }>

export type Table = Readonly<{
  family: Family
  name: string
  handle: number
  dormant: boolean
  comment: string | null
  chains: PMap<Chain>
  sets: PMap<NamedSet>
  counters: PMap<Counter>
  /** Chains, rules, sets and counters of a table draw from one row of handles. */
  nextHandle: number
}>

/** What packets have done to a statement or a named counter. */
export type State = Readonly<
  | { tag: 'counter'; packets: number; bytes: number }
  | { tag: 'limit'; tokens: number; atMs: number }
  | { tag: 'numgen'; next: number }
>

export type Ruleset = Readonly<{
  /** By `tableKey`. */
  tables: PMap<Table>
  /** One more with every transaction. */
  generation: number
  nextTable: number
  /** By `ruleState` or `counterState`. */
  state: PMap<State>
}>

export const EMPTY_RULESET: Ruleset = { tables: emptyMap(), generation: 1, nextTable: 1, state: emptyMap() }

export const tableKey = (family: Family, name: string): string => `${family} ${name}`
export const findTable = (ruleset: Ruleset, family: Family, name: string): Table | null =>
  getIn(ruleset.tables, tableKey(family, name)) ?? null
export const withTable = (ruleset: Ruleset, table: Table): Ruleset => ({
  ...ruleset,
  tables: setIn(ruleset.tables, tableKey(table.family, table.name), table),
})

const byHandle = <A extends Readonly<{ handle: number }>>(items: PMap<A>): ReadonlyArray<A> =>
  valuesOf(items).toSorted((a, b) => a.handle - b.handle)

/** In the order of their creation, which is how nft lists them. */
export const tablesOf = (ruleset: Ruleset): ReadonlyArray<Table> => byHandle(ruleset.tables)
export const chainsOf = (table: Table): ReadonlyArray<Chain> => byHandle(table.chains)
export const setsOf = (table: Table): ReadonlyArray<NamedSet> => byHandle(table.sets)
export const countersOf = (table: Table): ReadonlyArray<Counter> => byHandle(table.counters)

/** All state of a table begins with this. */
export const tableState = (table: Table): string => `${table.handle}/`
/** The state of one statement of a rule. */
export const ruleState = (table: Table, rule: Rule, statement: number): string =>
  `${table.handle}/r${rule.handle}/${statement}`
export const counterState = (table: Table, counter: Counter): string => `${table.handle}/c${counter.handle}`

/** The key of an element in a set: equal for equal keys. */
export const elementKey = (key: ReadonlyArray<Interval>): string => {
  let text = ''
  for (const { from, to } of key) text += from === to ? `${from} . ` : `${from}-${to} . `
  return text
}

export const isInterval = (spec: SetSpec): boolean => spec.flags.has('interval')
/** Elements that have expired are there no more, whether they were collected or not. */
export const isAlive = (element: Element, nowMs: number): boolean =>
  element.expiresMs === null || element.expiresMs > nowMs
