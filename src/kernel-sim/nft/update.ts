// What packets change in sets: elements that rules add, renew and take away, and the counters and limits that elements have.
// Source: net/netfilter/nft_dynset.c, nft_lookup.c (nft_set_elem_update_expr).

import { getIn, removeIn, setIn, sizeOfMap } from '../../net/pmap.ts'
import type { Datum } from './datatype.ts'
import type { ElementStatement, Statement } from './expression.ts'
import { fullBucket, spend } from './limit.ts'
import { findElement } from './lookup.ts'
import {
  type Element,
  type ElementState,
  elementKey,
  isAlive,
  type NamedSet,
  type Table,
  tableKey,
  withTable,
} from './ruleset.ts'
import { type Run, type Spot, setNow, valuesFor } from './value.ts'

const put = (run: Run, table: Table, set: NamedSet): void => {
  const now = getIn(run.ruleset.tables, tableKey(table.family, table.name))
  if (now !== undefined) run.ruleset = withTable(run.ruleset, { ...now, sets: setIn(now.sets, set.name, set) })
}

export const freshState = (statements: ReadonlyArray<ElementStatement>, nowMs: number): ReadonlyArray<ElementState> =>
  statements.map((each) =>
    each.tag === 'counter'
      ? { tag: 'counter', packets: 0, bytes: 0 }
      : { tag: 'limit', ...fullBucket(each.limit, nowMs) },
  )

/** The element after this packet, and whether its limits let the rule go on. */
const counted = ({ sight }: Run, element: Element): readonly [boolean, Element] => {
  let goesOn = true
  const state = element.statements.map((statement, i): ElementState => {
    const held = element.state[i]
    if (statement.tag === 'counter') {
      const before = held?.tag === 'counter' ? held : { packets: 0, bytes: 0 }
      return goesOn
        ? { tag: 'counter', packets: before.packets + 1, bytes: before.bytes + sight.length }
        : { tag: 'counter', packets: before.packets, bytes: before.bytes }
    }
    const bucket = held?.tag === 'limit' ? held : fullBucket(statement.limit, sight.nowMs)
    if (!goesOn) return { tag: 'limit', ...bucket }
    const [matches, left] = spend(statement.limit, bucket, sight.length, sight.nowMs)
    goesOn = matches
    return { tag: 'limit', ...left }
  })
  return [goesOn, { ...element, state }]
}

/** Whether the values are in a named set; an element with statements of its own has a say. */
export const isInSet = (run: Run, table: Table, name: string, values: ReadonlyArray<Datum>): boolean | null => {
  const set = setNow(run, table, name)
  if (set === null) return false
  const element = findElement(set, values, run.sight.nowMs)
  if (element === null) return false
  if (element.statements.length === 0) return true
  const [goesOn, after] = counted(run, element)
  put(run, table, { ...set, elements: setIn(set.elements, elementKey(element.key), after) })
  // A limit that is spent ends the rule, also where it asks for what is not in the set.
  return goesOn ? true : null
}

/** Adds, renews or takes away. False: the rule does not go on. */
export const update = (run: Run, spot: Spot, statement: Statement & { tag: 'update' }): boolean => {
  const values = valuesFor(run, spot, statement.key)
  const set = setNow(run, spot.table, statement.set)
  if (values === null || set === null) return false
  const { nowMs } = run.sight
  const key = elementKey(values.map((value) => ({ from: value, to: value })))
  const found = getIn(set.elements, key)
  const held = found !== undefined && isAlive(found, nowMs) ? found : null
  if (statement.op === 'delete') {
    if (held !== null) put(run, spot.table, { ...set, elements: removeIn(set.elements, key) })
    return held !== null
  }
  const { spec } = set
  if (held === null && found === undefined && spec.size !== null && sizeOfMap(set.elements) >= spec.size) return false
  const lifeMs = statement.timeoutMs ?? spec.timeoutMs
  const expiresMs = lifeMs === null ? null : nowMs + lifeMs
  const statements = statement.statements.length > 0 ? statement.statements : spec.statements
  const element: Element =
    held === null
      ? {
          key: values.map((value) => ({ from: value, to: value })),
          data: null,
          comment: null,
          timeoutMs: statement.timeoutMs,
          expiresMs,
          statements,
          state: freshState(statements, nowMs),
        }
      : statement.op === 'update'
        ? { ...held, timeoutMs: statement.timeoutMs, expiresMs }
        : held
  const [goesOn, after] = counted(run, element)
  if (after.state.length > 0 || element !== held)
    put(run, spot.table, { ...set, elements: setIn(set.elements, key, after) })
  return goesOn
}
