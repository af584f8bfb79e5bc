// Sets, maps and named counters as a whole; what is in a set is elements.ts.
// Source: net/netfilter/nf_tables_api.c (nf_tables_newset, nft_set_is_same, nf_tables_delset, nf_tables_newobj).

import { emptyMap, removeIn, setIn, valuesOf } from '../../../net/pmap.ts'
import { E } from '../../../prelude.ts'
import type { Command, Reference } from '../command.ts'
import {
  type Counter,
  counterState,
  isInterval,
  type NamedSet,
  type Ruleset,
  type SetSpec,
  type Table,
  withTable,
} from '../ruleset.ts'
import { absent, type Changed, named, refusal, setNamed, tableIn, withSet } from './edit.ts'
import { isCounterUsed, isSetUsed } from './refer.ts'

type Of<Tag extends Command['tag']> = Extract<Command, { tag: Tag }>

const typesText = (types: SetSpec['data']): string =>
  types === null ? '' : types === 'verdict' ? types : types.map(({ name, bits }) => `${name}/${bits}`).join('.')

/** As far as the kernel compares a set that is there with one that is to be made. */
const sameSpec = (a: SetSpec, b: SetSpec): boolean =>
  typesText(a.key) === typesText(b.key) &&
  typesText(a.data) === typesText(b.data) &&
  a.flags.size === b.flags.size &&
  [...a.flags].every((flag) => b.flags.has(flag)) &&
  a.statements.length === b.statements.length

/** A set that is there takes over how large and for how long; how many elements fit changes when the transaction is done. */
const updatedSpec = (there: SetSpec, { size, timeoutMs, gcMs }: SetSpec): SetSpec => {
  if ((size ?? there.size) === there.size && timeoutMs === there.timeoutMs && gcMs === there.gcMs) return there
  return { ...there, size: size ?? there.size, timeoutMs, gcMs }
}

/** At the end of a transaction in which a set was added, if it was there already. */
export const settleSet = (ruleset: Ruleset, command: Of<'add-set'>): Ruleset => {
  const table = tableIn(ruleset, command)
  const set = table === null ? null : setNamed(table, command.name)
  if (table === null || set === null || command.spec.size === null || set.spec.capacity === set.spec.size)
    return ruleset
  if (set.spec.flags.has('constant')) return ruleset
  return withSet(ruleset, table, { ...set, spec: { ...set.spec, capacity: set.spec.size } })
}

export const addSet = (ruleset: Ruleset, command: Of<'add-set'>): Changed => {
  const { name, nameAt, spec, create, at } = command
  const table = tableIn(ruleset, command)
  if (table === null) return absent(command.tableAt)
  const there = setNamed(table, name)
  if (there !== null) {
    if (create || !sameSpec(there.spec, spec)) return refusal('EEXIST', nameAt)
    const now = updatedSpec(there.spec, spec)
    return E.right(now === there.spec ? ruleset : withSet(ruleset, table, { ...there, spec: now }))
  }
  if (spec.gcMs !== null && !spec.flags.has('timeout')) return refusal('EINVAL', at)
  // No store of intervals can be changed by packets.
  if (isInterval(spec) && spec.flags.has('dynamic')) return refusal('EOPNOTSUPP', at)
  const set: NamedSet = { name, handle: table.nextHandle, spec, elements: emptyMap() }
  return E.right(withSet(ruleset, { ...table, nextHandle: table.nextHandle + 1 }, set))
}

export const setOf = (table: Table, reference: Reference): NamedSet | null =>
  named(
    () => valuesOf(table.sets),
    (name) => setNamed(table, name) ?? undefined,
    reference,
  )

/** The kernel does not tell sets from maps here. */
export const deleteSet = (ruleset: Ruleset, command: Of<'delete-set'>): Changed => {
  const table = tableIn(ruleset, command)
  if (table === null) return command.destroy ? E.right(ruleset) : refusal('ENOENT', command.tableAt)
  const set = setOf(table, command.set)
  if (set === null) return command.destroy ? E.right(ruleset) : refusal('ENOENT', command.set.at)
  if (isSetUsed(table, set.name)) return refusal('EBUSY', command.set.at)
  return E.right(withTable(ruleset, { ...table, sets: removeIn(table.sets, set.name) }))
}

/** nft does tell them apart. */
export const flushSet = (ruleset: Ruleset, command: Of<'flush-set'>): Changed => {
  const table = tableIn(ruleset, command)
  if (table === null) return absent(command.tableAt)
  const set = setOf(table, command.set)
  if (set === null || (set.spec.data !== null) !== command.isMap) return absent(command.set.at)
  return E.right(withSet(ruleset, table, { ...set, elements: emptyMap() }))
}

export const addCounter = (ruleset: Ruleset, command: Of<'add-counter'>): Changed => {
  const { name, nameAt, packets, bytes, comment, create } = command
  const table = tableIn(ruleset, command)
  if (table === null) return absent(command.tableAt)
  if (valuesOf(table.counters).some((counter) => counter.name === name))
    return create ? refusal('EEXIST', nameAt) : E.right(ruleset)
  const counter: Counter = { name, handle: table.nextHandle, comment, packets, bytes }
  return E.right(
    withTable(ruleset, {
      ...table,
      counters: setIn(table.counters, name, counter),
      nextHandle: table.nextHandle + 1,
    }),
  )
}

export const deleteCounter = (ruleset: Ruleset, command: Of<'delete-counter'>): Changed => {
  const table = tableIn(ruleset, command)
  if (table === null) return command.destroy ? E.right(ruleset) : refusal('ENOENT', command.tableAt)
  const { handle, name, at } = command.counter
  const counter = valuesOf(table.counters).find((each) =>
    handle === null ? each.name === name : each.handle === handle,
  )
  if (counter === undefined) return command.destroy ? E.right(ruleset) : refusal('ENOENT', at)
  if (isCounterUsed(table, counter.name)) return refusal('EBUSY', at)
  const state = removeIn(ruleset.state, counterState(table, counter))
  return E.right({ ...withTable(ruleset, { ...table, counters: removeIn(table.counters, counter.name) }), state })
}

const reset = (ruleset: Ruleset, table: Table, counter: Counter): Ruleset => {
  const now = tableIn(ruleset, { family: table.family, table: table.name, tableAt: NOWHERE }) ?? table
  const state = removeIn(ruleset.state, counterState(table, counter))
  const counters = setIn(now.counters, counter.name, { ...counter, packets: 0, bytes: 0 })
  return { ...withTable(ruleset, { ...now, counters }), state }
}
const NOWHERE = { line: 1, from: 1, to: 1 }

/** Named counters only, as nft does. */
export const resetCounters = (ruleset: Ruleset, command: Of<'reset-counters'>): Changed => {
  let left = ruleset
  let any = false
  for (const table of valuesOf(ruleset.tables)) {
    if (command.family !== null && table.family !== command.family) continue
    if (command.table !== null && table.name !== command.table) continue
    for (const counter of valuesOf(table.counters)) {
      if (command.counter !== null && counter.name !== command.counter) continue
      any = true
      left = reset(left, table, counter)
    }
  }
  return !any && command.counter !== null ? refusal('ENOENT', command.at) : E.right(left)
}
