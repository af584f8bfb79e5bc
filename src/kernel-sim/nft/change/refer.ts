// Who refers to what within a table: chains that are jumped to, sets and counters that rules use. What is referred to stays.
// Source: net/netfilter/nf_tables_api.c (chain->use, set->use, obj->use).

import { valuesOf } from '../../../net/pmap.ts'
import type { Data, Expression, SetSource, Statement, Verdict } from '../expression.ts'
import type { Chain, Rule, Table } from '../ruleset.ts'

/** The sets and maps that an expression looks into. */
const sourcesIn = (expression: Expression): ReadonlyArray<SetSource> => {
  switch (expression.tag) {
    case 'map':
      return [expression.map, ...sourcesIn(expression.key)]
    case 'bits':
      return sourcesIn(expression.left)
    case 'concat':
      return expression.parts.flatMap(sourcesIn)
    case 'jhash':
      return sourcesIn(expression.of)
    default:
      return []
  }
}

/** The sets and maps of a statement, named or written in it. */
export const sourcesOf = (statement: Statement): ReadonlyArray<SetSource> => {
  switch (statement.tag) {
    case 'match': {
      const { right, left } = statement
      return right.tag === 'named' || right.tag === 'anonymous' ? [right, ...sourcesIn(left)] : sourcesIn(left)
    }
    case 'vmap':
      return [statement.map, ...sourcesIn(statement.key)]
    case 'set':
      return sourcesIn(statement.value)
    case 'nat':
      return [statement.translation.address, statement.translation.port].flatMap((target) =>
        target?.tag === 'map' ? sourcesIn(target.of) : [],
      )
    case 'update':
      return [{ tag: 'named', name: statement.set }, ...sourcesIn(statement.key)]
    default:
      return []
  }
}

const target = (verdict: Verdict): ReadonlyArray<string> => ('chain' in verdict ? [verdict.chain] : [])
export const targetOfData = (data: Data | null): ReadonlyArray<string> =>
  data?.tag === 'verdict' ? target(data.verdict) : []

/** The chains that a statement may send a packet to, without those in named maps. */
export const targetsOf = (statement: Statement): ReadonlyArray<string> => {
  if (statement.tag === 'verdict') return target(statement.verdict)
  if (statement.tag !== 'vmap' || statement.map.tag !== 'anonymous') return []
  return statement.map.elements.flatMap(({ data }) => targetOfData(data))
}

/** With those that are in named maps. */
export const targetsIn = (table: Table, chain: Chain): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const { statements } of chain.rules)
    for (const statement of statements) {
      for (const name of targetsOf(statement)) found.add(name)
      if (statement.tag === 'vmap' && statement.map.tag === 'named') {
        const { name } = statement.map
        for (const set of valuesOf(table.sets))
          if (set.name === name)
            for (const element of valuesOf(set.elements)) for (const to of targetOfData(element.data)) found.add(to)
      }
    }
  return found
}

const rulesOf = (table: Table): ReadonlyArray<Rule> => valuesOf(table.chains).flatMap((chain) => chain.rules)
const someStatement = (table: Table, holds: (statement: Statement) => boolean): boolean =>
  rulesOf(table).some((rule) => rule.statements.some(holds))

export const isChainUsed = (table: Table, name: string): boolean =>
  someStatement(table, (statement) => targetsOf(statement).includes(name)) ||
  valuesOf(table.sets).some(
    (set) =>
      set.spec.data === 'verdict' &&
      valuesOf(set.elements).some((element) => targetOfData(element.data).includes(name)),
  )

export const isSetUsed = (table: Table, name: string): boolean =>
  someStatement(table, (statement) => sourcesOf(statement).some((each) => each.tag === 'named' && each.name === name))

export const isCounterUsed = (table: Table, name: string): boolean =>
  someStatement(table, (statement) => statement.tag === 'counter-ref' && statement.name === name)
