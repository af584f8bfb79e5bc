// Rules as functions of a packet, made once for each list of rules and kept with it: rules are persistent data, and what packets
// change lies apart from them.
// Source: net/netfilter/nf_tables_core.c (nft_do_chain).

import { getIn, type PMap } from '../../net/pmap.ts'
import type { Reject, Statement, Verdict } from './expression.ts'
import { fullBucket, spend } from './limit.ts'
import { differOf, matchOf } from './match.ts'
import { type Chain, type Counter, counterState, type Rule, ruleState, type Table } from './ruleset.ts'
import { type Cells, counterCell, fieldName, note, type Run, type Spot, stateNow } from './run.ts'
import type { RulePlace, Wish } from './sight.ts'
import { mayReject, wishOf } from './translate.ts'
import { updateOf } from './update.ts'
import { dataFinder, getterOf } from './value.ts'

/** What ends a rule that matches. */
export type Said = Readonly<
  Exclude<Verdict, { tag: 'continue' }> | { tag: 'reject'; reject: Reject } | { tag: 'translate'; wish: Wish }
>
/** True: on to the next statement. False: the rule does not match. */
type Step = (run: Run) => boolean | Said
/** Null: on to the next rule. */
export type CompiledRule = Readonly<{ by: RulePlace; say: (run: Run) => Said | null }>

const countStep = (key: (run: Run) => string | null, start: (run: Run) => Counter | Statement): Step => {
  let cells: Cells | null = null
  let cell: ReturnType<typeof counterCell> | null = null
  return (run) => {
    if (run.cells !== cells || cell === null) {
      const name = key(run)
      const from = start(run)
      if (name === null || !('packets' in from)) return true
      cell = counterCell(run, name, from)
      cells = run.cells
    }
    cell.packets += 1
    cell.bytes += run.sight.length()
    return true
  }
}

const namedCounter = (statement: Statement & { tag: 'counter-ref' }): Step => {
  let counters: PMap<Counter> | null = null
  let step: Step = () => true
  return (run) => {
    if (run.table.counters !== counters) {
      counters = run.table.counters
      const counter = getIn(counters, statement.name)
      const key = counter === undefined ? null : counterState(run.table, counter)
      step = countStep(
        () => key,
        () => counter ?? statement,
      )
    }
    return step(run)
  }
}

const limitStep = ({ limit }: Statement & { tag: 'limit' }, { state }: Spot): Step => {
  return (run) => {
    const { nowMs } = run.sight
    const held = stateNow(run, state)
    const [isMatch, left] = spend(
      limit,
      held?.tag === 'limit' ? held : fullBucket(limit, nowMs),
      run.sight.length(),
      nowMs,
    )
    run.cells.set(state, { tag: 'limit', ...left })
    return isMatch
  }
}

const setStep = ({ of, value }: Statement & { tag: 'set' }, spot: Spot): Step => {
  const getter = getterOf(value, spot)
  if (of.tag === 'numgen' || of.tag === 'jhash' || of.tag === 'symhash') return () => false
  const name = fieldName(of)
  return (run) => {
    const now = getter(run)
    if (now === null) return false
    run.overrides ??= new Map()
    run.overrides.set(name, now)
    return note(run, { tag: 'set', of, value: now, by: spot.by })
  }
}

const saidOf = (verdict: Verdict): true | Said => (verdict.tag === 'continue' ? true : verdict)

const stepOf = (statement: Statement, spot: Spot): Step => {
  const { by } = spot
  switch (statement.tag) {
    case 'match':
      return matchOf(statement.left, statement.op, statement.right, spot)
    case 'differ':
      return differOf(statement, spot)
    case 'verdict': {
      const said = saidOf(statement.verdict)
      return () => said
    }
    case 'vmap': {
      const find = dataFinder(statement.key, statement.map, spot)
      return (run) => {
        const data = find(run)
        return data?.tag === 'verdict' ? saidOf(data.verdict) : false
      }
    }
    case 'counter':
      return countStep(
        () => spot.state,
        () => statement,
      )
    case 'counter-ref':
      return namedCounter(statement)
    case 'limit':
      return limitStep(statement, spot)
    case 'log':
      return (run) => note(run, { tag: 'log', options: statement.options, by })
    case 'reject': {
      const said: Said = { tag: 'reject', reject: statement.reject }
      return (run) => (mayReject(run, statement.reject) ? said : false)
    }
    case 'set':
      return setStep(statement, spot)
    case 'notrack':
      return (run) => note(run, { tag: 'notrack', by })
    case 'nat': {
      const wish = wishOf(statement.translation, spot)
      return (run) => {
        const now = wish(run)
        return now === null ? false : { tag: 'translate', wish: now }
      }
    }
    case 'update':
      return updateOf(statement, spot)
  }
}

const compiledRule = (table: Table, chain: Chain, rule: Rule): CompiledRule => {
  const by: RulePlace = { family: table.family, table: table.name, chain: chain.name, rule }
  const steps = rule.statements.map((statement, i) => stepOf(statement, { state: ruleState(table, rule, i), by }))
  return {
    by,
    say: (run) => {
      for (let i = 0; i < steps.length; i++) {
        // Cast: i < length.
        const said = (steps[i] as Step)(run)
        if (said === true) continue
        if (said === false) return null
        if (run.follows) note(run, { tag: 'matched', by })
        return said
      }
      if (run.follows) note(run, { tag: 'matched', by })
      return null
    },
  }
}

const known = new WeakMap<Chain['rules'], ReadonlyArray<CompiledRule>>()

/** The rules of a chain. A list of rules belongs to one chain of one table. */
export const compiled = (table: Table, chain: Chain): ReadonlyArray<CompiledRule> => {
  const found = known.get(chain.rules)
  if (found !== undefined) return found
  const made = chain.rules.map((rule) => compiledRule(table, chain, rule))
  known.set(chain.rules, made)
  return made
}
