// The working memory of packets that go through one ruleset: the ruleset as they leave it, and what they have counted. Counters,
// limits and generators move in cells, which are folded into the ruleset when somebody wants to see it; sets that packets change
// are changed in the ruleset at once.

import { getIn, setIn } from '../../net/pmap.ts'
import type { Datum } from './datatype.ts'
import type { Ruleset, State, Table } from './ruleset.ts'
import type { ChainPlace, Effect, Field, RulePlace, Sight } from './sight.ts'

type CounterCell = { tag: 'counter'; packets: number; bytes: number }
export type Cells = Map<string, State | CounterCell>

export type Run = {
  ruleset: Ruleset
  /** By the key of the state. Another map after each `settled`. */
  cells: Cells
  /** Of the packet that is asked about. */
  sight: Sight
  /** The table of the base chain that is asked, as it is now, and the chain. */
  table: Table
  base: ChainPlace
  effects: Effect[]
  /** Marks and fields that rules have set, by the field's name: later rules see them. */
  overrides: Map<string, Datum> | null
  /** Whether each rule that matches is told as an effect. */
  readonly follows: boolean
}

export const fieldName = (field: Field): string => {
  switch (field.tag) {
    case 'payload':
      return `${field.protocol} ${field.field}`
    case 'meta':
      return `meta ${field.key}`
    case 'ct':
      return `ct ${field.direction ?? ''} ${field.key}`
    case 'fib':
      return `fib ${field.of.join(' ')} ${field.result}`
  }
}

/** The state as packets have left it. */
export const stateNow = (run: Run, key: string): State | undefined =>
  run.cells.get(key) ?? getIn(run.ruleset.state, key)

/** The cell of a counter, to count in. */
export const counterCell = (
  run: Run,
  key: string,
  start: Readonly<{ packets: number; bytes: number }>,
): CounterCell => {
  const known = run.cells.get(key)
  if (known?.tag === 'counter') return known
  const held = getIn(run.ruleset.state, key)
  const { packets, bytes } = held?.tag === 'counter' ? held : start
  const cell: CounterCell = { tag: 'counter', packets, bytes }
  run.cells.set(key, cell)
  return cell
}

/** The ruleset with all that packets have done; the run goes on from it. */
export const settled = (run: Run): Ruleset => {
  if (run.cells.size === 0) return run.ruleset
  let { state } = run.ruleset
  for (const [key, cell] of run.cells) state = setIn(state, key, cell)
  run.ruleset = { ...run.ruleset, state }
  run.cells = new Map()
  return run.ruleset
}

export const note = (run: Run, effect: Effect): true => {
  run.effects.push(effect)
  return true
}

/** Where a statement stands: the key of the state that it has, and what a trace says of it. */
export type Spot = Readonly<{ state: string; by: RulePlace }>
