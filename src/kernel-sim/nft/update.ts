// What packets change in sets: elements that rules add, renew and take away, and the counters and limits that elements have.
// Source: net/netfilter/nft_dynset.c, nft_lookup.c (nft_set_elem_update_expr).

import { getIn, type PMap, removeIn, setIn, sizeOfMap } from '../../net/pmap.ts'
import { basesFollow } from './bases.ts'
import type { ElementStatement, Statement } from './expression.ts'
import { indexFollows } from './interval-index.ts'
import { fullBucket, spend } from './limit.ts'
import {
  type Element,
  type ElementState,
  elementKey,
  isAlive,
  isInterval,
  type NamedSet,
  withTable,
} from './ruleset.ts'
import type { Run, Spot } from './run.ts'
import { setFinder, valuesOf } from './value.ts'

const put = (run: Run, set: NamedSet, elements: PMap<Element>, added: ReadonlyArray<Element>): void => {
  if (isInterval(set.spec)) indexFollows(set.elements, elements, added)
  const { tables } = run.ruleset
  run.table = { ...run.table, sets: setIn(run.table.sets, set.name, { ...set, elements }) }
  run.ruleset = withTable(run.ruleset, run.table)
  basesFollow(tables, run.ruleset.tables)
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
        ? { tag: 'counter', packets: before.packets + 1, bytes: before.bytes + sight.length() }
        : { tag: 'counter', packets: before.packets, bytes: before.bytes }
    }
    const bucket = held?.tag === 'limit' ? held : fullBucket(statement.limit, sight.nowMs)
    if (!goesOn) return { tag: 'limit', ...bucket }
    const [matches, left] = spend(statement.limit, bucket, sight.length(), sight.nowMs)
    goesOn = matches
    return { tag: 'limit', ...left }
  })
  return [goesOn, { ...element, state }]
}

/** A packet lies in an element of a named set: whether the element's own statements let it go on. */
export const isInSet = (run: Run, set: NamedSet, element: Element): boolean => {
  const [goesOn, after] = counted(run, element)
  put(run, set, setIn(set.elements, elementKey(element.key), after), [])
  return goesOn
}

type Update = Statement & { tag: 'update' }

/** The element that a packet puts into a set. */
const madeFor = (set: NamedSet, statement: Update, key: Element['key'], nowMs: number): Element => {
  const lifeMs = statement.timeoutMs ?? set.spec.timeoutMs
  const statements = statement.statements.length > 0 ? statement.statements : set.spec.statements
  return {
    key,
    data: null,
    comment: null,
    timeoutMs: statement.timeoutMs,
    expiresMs: lifeMs === null ? null : nowMs + lifeMs,
    statements,
    state: freshState(statements, nowMs),
  }
}

/** Adds, renews or takes away. False: the rule does not go on. */
export const updateOf = (statement: Update, spot: Spot): ((run: Run) => boolean) => {
  const valuesNow = valuesOf(statement.key, spot)
  const setNow = setFinder(statement.set)
  return (run) => {
    const values = valuesNow(run)
    const set = setNow(run)
    if (values === null || set === null) return false
    const { nowMs } = run.sight
    const key = values.map((value) => ({ from: value, to: value }))
    const text = elementKey(key)
    const found = getIn(set.elements, text)
    const held = found !== undefined && isAlive(found, nowMs) ? found : null
    if (statement.op === 'delete') {
      if (held !== null) put(run, set, removeIn(set.elements, text), [])
      return held !== null
    }
    if (found === undefined && set.spec.size !== null && sizeOfMap(set.elements) >= set.spec.size) return false
    const made = madeFor(set, statement, key, nowMs)
    const element =
      held === null
        ? made
        : statement.op === 'update'
          ? { ...held, timeoutMs: made.timeoutMs, expiresMs: made.expiresMs }
          : held
    const [goesOn, after] = counted(run, element)
    if (after.state.length > 0 || element !== held) put(run, set, setIn(set.elements, text, after), [])
    return goesOn
  }
}
