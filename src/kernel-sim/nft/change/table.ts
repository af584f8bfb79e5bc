// Tables, and flushing of everything.
// Sources: net/netfilter/nf_tables_api.c (nf_tables_newtable, nf_tables_deltable), nftables src/evaluate.c.

import { emptyMap, keysUnder, type PMap, removeIn, setIn, valuesOf } from '../../../net/pmap.ts'
import { E } from '../../../prelude.ts'
import type { Command, Reference } from '../command.ts'
import {
  type Family,
  findTable,
  type Ruleset,
  type State,
  type Table,
  tableKey,
  tableState,
  withTable,
} from '../ruleset.ts'
import { type Changed, named, refusal } from './edit.ts'

type Of<Tag extends Command['tag']> = Extract<Command, { tag: Tag }>

export const addTable = (ruleset: Ruleset, command: Of<'add-table'>): Changed => {
  const { family, name, create, dormant, comment, nameAt } = command
  const there = findTable(ruleset, family, name)
  if (there !== null) {
    if (create) return refusal('EEXIST', nameAt)
    return E.right(dormant === there.dormant ? ruleset : withTable(ruleset, { ...there, dormant: dormant ?? false }))
  }
  const table: Table = {
    family,
    name,
    handle: ruleset.nextTable,
    dormant: dormant ?? false,
    comment,
    chains: emptyMap(),
    sets: emptyMap(),
    counters: emptyMap(),
    nextHandle: 1,
  }
  return E.right({ ...withTable(ruleset, table), nextTable: ruleset.nextTable + 1 })
}

/** The state without what begins so. */
export const forget = (state: PMap<State>, prefix: string): PMap<State> => {
  let left = state
  for (const key of keysUnder(state, prefix)) left = removeIn(left, key)
  return left
}

const without = (ruleset: Ruleset, table: Table): Ruleset => ({
  ...ruleset,
  tables: removeIn(ruleset.tables, tableKey(table.family, table.name)),
  state: forget(ruleset.state, tableState(table)),
})

const tableOf = (ruleset: Ruleset, family: Family, reference: Reference): Table | null =>
  named(
    () => valuesOf(ruleset.tables).filter((table) => table.family === family),
    (name) => findTable(ruleset, family, name) ?? undefined,
    reference,
  )

export const deleteTable = (ruleset: Ruleset, command: Of<'delete-table'>): Changed => {
  const table = tableOf(ruleset, command.family, command.table)
  if (table !== null) return E.right(without(ruleset, table))
  return command.destroy ? E.right(ruleset) : refusal('ENOENT', command.table.at)
}

/** The table without its rules; chains, sets and what is in those stay. */
export const flushTable = (ruleset: Ruleset, command: Of<'flush-table'>): Changed => {
  const table = tableOf(ruleset, command.family, command.table)
  if (table === null) return refusal('ENOENT', command.table.at)
  let { chains } = table
  for (const chain of valuesOf(chains)) chains = setIn(chains, chain.name, { ...chain, rules: [] })
  return E.right({ ...withTable(ruleset, { ...table, chains }), state: forget(ruleset.state, `${tableState(table)}r`) })
}

export const flushRuleset = (ruleset: Ruleset, command: Of<'flush-ruleset'>): Changed => {
  let left = ruleset
  for (const table of valuesOf(ruleset.tables))
    if (command.family === null || table.family === command.family) left = without(left, table)
  return E.right(left)
}
