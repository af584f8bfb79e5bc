// The documents that `nft -j list` prints, object by object, without its `metainfo`.
// Sources: libnftables-json(5); nftables src/json.c (1.0.6).

import { getIn } from '../../../net/pmap.ts'
import type { Listed } from '../command.ts'
import type { Json, Type } from '../datatype.ts'
import {
  type Chain,
  type Counter,
  chainsOf,
  countersOf,
  type Element,
  type Family,
  findTable,
  type NamedSet,
  type Rule,
  type Ruleset,
  setsOf,
  type Table,
  tablesOf,
} from '../ruleset.ts'
import { jsonData, jsonElementStatement, jsonKey, jsonStatements, seconds } from './json.ts'
import { countedBy, elementsOf, flagsOf, type View } from './listing.ts'

const tableObject = (table: Table): Json => ({
  table: {
    family: table.family,
    name: table.name,
    handle: table.handle,
    ...(table.dormant ? { flags: 'dormant' } : {}),
  },
})

const chainObject = (table: Table, { name, handle, base }: Chain): Json => ({
  chain: {
    family: table.family,
    table: table.name,
    name,
    handle,
    ...(base === null
      ? {}
      : {
          type: base.type,
          hook: base.hook,
          prio: base.priority,
          policy: base.policy,
        }),
  },
})

const ruleObject = (ruleset: Ruleset, table: Table, chain: Chain, rule: Rule, { host }: View): Json => ({
  rule: {
    family: table.family,
    table: table.name,
    chain: chain.name,
    handle: rule.handle,
    ...(rule.comment === null ? {} : { comment: rule.comment }),
    expr: rule.statements.flatMap((each, index) => jsonStatements(each, { ruleset, table, rule, index }, host)),
  },
})

const typeNames = (types: ReadonlyArray<Type>): Json =>
  types.length === 1 ? (types[0]?.name ?? null) : types.map(({ name }) => name)

const elementObject = ({ spec }: NamedSet, element: Element, { host, nowMs }: View): Json => {
  const val = jsonKey(spec.key, element.key, host)
  const stateful = element.statements.map((each, i): Json => {
    const state = element.state[i]
    return each.tag === 'counter' && state?.tag === 'counter'
      ? { counter: { packets: state.packets, bytes: state.bytes } }
      : jsonElementStatement(each)
  })
  const more = {
    ...(element.timeoutMs === null ? {} : { timeout: seconds(element.timeoutMs) }),
    ...(element.expiresMs === null ? {} : { expires: seconds(element.expiresMs - nowMs) }),
    ...(element.comment === null ? {} : { comment: element.comment }),
    ...Object.assign({}, ...stateful),
  }
  const key: Json = Object.keys(more).length === 0 ? val : { elem: { val, ...more } }
  return element.data === null ? key : [key, jsonData(spec.data, element.data, host)]
}

/** libnftables joins the parts of a map's data in one text, unlike those of a key. */
const dataName = (data: ReadonlyArray<Type> | 'verdict'): string =>
  data === 'verdict' ? data : data.map(({ name }) => name).join(' . ')

const setObject = (table: Table, set: NamedSet, view: View): Json => {
  const { spec } = set
  const elements = elementsOf(set, view.nowMs)
  const flags = flagsOf(set).filter((flag) => flag !== 'dynamic')
  const body = {
    family: table.family,
    name: set.name,
    table: table.name,
    type: typeNames(spec.key),
    handle: set.handle,
    ...(spec.comment === null ? {} : { comment: spec.comment }),
    ...(spec.data === null ? {} : { map: dataName(spec.data) }),
    ...(spec.size === null ? {} : { size: spec.size }),
    ...(spec.policy === null ? {} : { policy: spec.policy }),
    ...(flags.length === 0 ? {} : { flags }),
    ...(spec.timeoutMs === null ? {} : { timeout: seconds(spec.timeoutMs) }),
    ...(spec.gcMs === null ? {} : { 'gc-interval': seconds(spec.gcMs) }),
    ...(elements.length === 0 ? {} : { elem: elements.map((element) => elementObject(set, element, view)) }),
    ...(spec.statements.length === 0 ? {} : { stmt: spec.statements.map(jsonElementStatement) }),
  }
  return spec.data === null ? { set: body } : { map: body }
}

const counterObject = (ruleset: Ruleset, table: Table, counter: Counter): Json => ({
  counter: {
    family: table.family,
    name: counter.name,
    table: table.name,
    handle: counter.handle,
    ...(counter.comment === null ? {} : { comment: counter.comment }),
    ...countedBy(ruleset, table, counter),
  },
})

const rulesOf = (ruleset: Ruleset, table: Table, chain: Chain, view: View): ReadonlyArray<Json> =>
  chain.rules.map((rule) => ruleObject(ruleset, table, chain, rule, view))

/** A table, its counters, sets and chains, and last the rules of all chains. */
const wholeTable = (ruleset: Ruleset, table: Table, view: View): ReadonlyArray<Json> => [
  tableObject(table),
  ...countersOf(table).map((counter) => counterObject(ruleset, table, counter)),
  ...setsOf(table).map((set) => setObject(table, set, view)),
  ...chainsOf(table).map((chain) => chainObject(table, chain)),
  ...chainsOf(table).flatMap((chain) => rulesOf(ruleset, table, chain, view)),
]

const tablesIn = (ruleset: Ruleset, family: Family | null, name: string | null = null): ReadonlyArray<Table> =>
  tablesOf(ruleset).filter(
    (table) => (family === null || table.family === family) && (name === null || table.name === name),
  )

const objects = (ruleset: Ruleset, listed: Listed, view: View): ReadonlyArray<Json> => {
  switch (listed.what) {
    case 'ruleset':
      return tablesIn(ruleset, listed.family).flatMap((table) => wholeTable(ruleset, table, view))
    case 'tables':
      return tablesIn(ruleset, listed.family).map(tableObject)
    case 'chains':
      return tablesIn(ruleset, listed.family).flatMap((table) =>
        chainsOf(table).map((chain) => chainObject(table, chain)),
      )
    case 'sets':
    case 'maps':
      return tablesIn(ruleset, listed.family).flatMap((table) =>
        setsOf(table)
          .filter(({ spec }) => (spec.data === null) === (listed.what === 'sets'))
          .map((set) => setObject(table, set, view)),
      )
    case 'counters':
      return tablesIn(ruleset, listed.family, listed.table).flatMap((table) =>
        countersOf(table).map((counter) => counterObject(ruleset, table, counter)),
      )
    default: {
      const table = findTable(ruleset, listed.family, listed.table)
      if (table === null) return []
      if (listed.what === 'table') return wholeTable(ruleset, table, view)
      if (listed.what === 'chain') {
        const chain = getIn(table.chains, listed.name)
        return chain === undefined ? [] : [chainObject(table, chain), ...rulesOf(ruleset, table, chain, view)]
      }
      if (listed.what === 'counter') {
        const counter = getIn(table.counters, listed.name)
        return counter === undefined ? [] : [counterObject(ruleset, table, counter)]
      }
      const set = getIn(table.sets, listed.name)
      return set === undefined ? [] : [setObject(table, set, view)]
    }
  }
}

/** `{ "nftables": [...] }`; what it names is there. */
export const listJson = (ruleset: Ruleset, listed: Listed, view: View): Json => ({
  nftables: objects(ruleset, listed, view),
})
