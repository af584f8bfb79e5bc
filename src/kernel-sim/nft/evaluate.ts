// A hook's chains in order of priority, asked about a packet: the verdict and the rule that gave it, what rules did on the way,
// and the ruleset after it, in which counters, limits, generators and dynamic sets have moved on.
//   accept ends the base chain that it is said in, also from within a jump; the next base chain is asked. drop ends all.
//   At the end of a base chain, and where it returns, its policy holds. A rule that cannot look is a rule that does not match.
// Sources: net/netfilter/nf_tables_core.c (nft_do_chain), nf_tables_api.c, net/netfilter/core.c (nf_hook_slow).

import { getIn, type PMap, setIn, valuesOf } from '../../net/pmap.ts'
import { memoised } from '../memo.ts'
import { compareDatum, type Datum } from './datatype.ts'
import type { Expression, Operand, Operator, SetSource, Statement, Target, Translation, Verdict } from './expression.ts'
import { fullBucket, spend } from './limit.ts'
import { findWritten, isWildcard, isWithin } from './lookup.ts'
import { type Chain, type Counter, counterState, type Rule, type Ruleset, ruleState, type Table } from './ruleset.ts'
import type { Bounds, Decision, Effect, Point, RulePlace, Sight, Wish } from './sight.ts'
import { isInSet, update } from './update.ts'
import { fieldName, lookUp, type Run, type Spot, valueFor, valuesFor } from './value.ts'

export type { Decision, Effect, Field, Point, RulePlace, Sight, Wish } from './sight.ts'

export type BaseChain = Readonly<{ table: Table; chain: Chain }>

const INET: ReadonlySet<string> = new Set(['ip', 'ip6'])

const basesOf = memoised((tables: PMap<Table>) => {
  const found = new Map<string, BaseChain[]>()
  const add = (family: string, table: Table, chain: Chain): void => {
    const key = `${family} ${chain.base?.hook ?? ''}`
    found.set(key, [...(found.get(key) ?? []), { table, chain }])
  }
  for (const table of valuesOf(tables).toSorted((a, b) => a.handle - b.handle)) {
    if (table.dormant) continue
    for (const chain of valuesOf(table.chains).toSorted((a, b) => a.handle - b.handle)) {
      if (chain.base === null) continue
      if (table.family !== 'inet') add(table.family, table, chain)
      else if (chain.base.hook === 'ingress') add('netdev', table, chain)
      else for (const family of INET) add(family, table, chain)
    }
  }
  for (const list of found.values()) list.sort((a, b) => (a.chain.base?.priority ?? 0) - (b.chain.base?.priority ?? 0))
  return found
})

/** The base chains that are asked at a point, in order: by priority, then as they were made. */
export const baseChainsAt = (ruleset: Ruleset, { family, hook, device }: Point): ReadonlyArray<BaseChain> =>
  (basesOf(ruleset.tables).get(`${family} ${hook}`) ?? []).filter(
    ({ chain }) => chain.base?.devices.length === 0 || (device !== null && chain.base?.devices.includes(device)),
  )

/** What a rule's statement says: go on, the rule does not match, or a verdict. */
type Said =
  | 'on'
  | 'break'
  | Verdict
  | Readonly<{ tag: 'reject'; decision: Decision }>
  | Readonly<{ tag: 'translate'; decision: Decision }>

const inOrder = (op: Operator, order: number): boolean => {
  switch (op) {
    case '==':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '>':
      return order > 0
    case '<=':
      return order <= 0
    case '>=':
      return order >= 0
    case 'in':
    case '!':
      return false
  }
}

const compare = (value: Datum, op: Operator, right: Exclude<Operand, SetSource>): boolean => {
  switch (right.tag) {
    case 'value':
      if (op === 'in' || op === '!') return ((Number(value) & Number(right.value)) !== 0) === (op === 'in')
      if (isWildcard(right.value)) return isWithin({ from: right.value, to: right.value }, value) === (op === '==')
      return inOrder(op, compareDatum(value, right.value))
    case 'range':
      return isWithin(right, value) === (op === '==')
    case 'prefix': {
      const shift = (typeof value === 'bigint' ? 128n : 32n) - BigInt(right.bits)
      return (BigInt(value) >> shift === BigInt(right.value) >> shift) === (op === '==')
    }
  }
}

const matches = (run: Run, spot: Spot, left: Expression, op: Operator, right: Operand): boolean => {
  if (right.tag === 'named' || right.tag === 'anonymous') {
    const values = valuesFor(run, spot, left)
    if (values === null) return false
    const isIn =
      right.tag === 'anonymous' ? findWritten(right, values) !== null : isInSet(run, spot.table, right.name, values)
    return isIn === null ? false : isIn === (op !== '!=')
  }
  const value = valueFor(run, spot, left)
  return value !== null && compare(value, op, right)
}

const IPV4 = 2
const IPV6 = 10
const TCP = 6

const isFamily = (run: Run, family: 'ip' | 'ip6' | null): boolean =>
  family === null || run.sight.field({ tag: 'meta', key: 'nfproto' }) === (family === 'ip' ? IPV4 : IPV6)

const reject = (run: Run, by: RulePlace, statement: Statement & { tag: 'reject' }): Said => {
  const { reject: how } = statement
  if (how.with === 'icmp' && !isFamily(run, 'ip')) return 'break'
  if (how.with === 'icmpv6' && !isFamily(run, 'ip6')) return 'break'
  if (how.with === 'tcp reset' && run.sight.field({ tag: 'meta', key: 'l4proto' }) !== TCP) return 'break'
  return { tag: 'reject', decision: { tag: 'reject', by, reject: how } }
}

const lastOf = (value: Datum, bits: number): Datum =>
  typeof value === 'bigint' ? value | ((1n << BigInt(128 - bits)) - 1n) : Number(value) + 2 ** (32 - bits) - 1

/** The bounds that a target has, one for each part that it gives; null: its map has none. */
const boundsOf = (run: Run, spot: Spot, target: Target): ReadonlyArray<Bounds> | null => {
  switch (target.tag) {
    case 'range':
      return [{ from: target.from, to: target.to }]
    case 'prefix':
      return [{ from: target.value, to: lastOf(target.value, target.bits) }]
    case 'map': {
      if (target.of.tag !== 'map') {
        const values = valuesFor(run, spot, target.of)
        return values?.map((value) => ({ from: value, to: value })) ?? null
      }
      const key = valuesFor(run, spot, target.of.key)
      const data = key === null ? null : lookUp(run, spot, target.of.map, key)
      return data?.tag === 'values' ? data.values : null
    }
  }
}

const wishOf = (run: Run, spot: Spot, { kind, family, address, port, flags }: Translation): Wish | null => {
  if (!isFamily(run, family)) return null
  const to = address === null ? [] : boundsOf(run, spot, address)
  const toPort = port === null ? [] : boundsOf(run, spot, port)
  if (to === null || toPort === null) return null
  return { kind, address: to[0] ?? null, port: toPort[0] ?? to[1] ?? null, flags }
}

const count = (run: Run, key: string, start: Readonly<{ packets: number; bytes: number }>): void => {
  const held = getIn(run.ruleset.state, key)
  const before = held?.tag === 'counter' ? held : start
  const after = { tag: 'counter', packets: before.packets + 1, bytes: before.bytes + run.sight.length } as const
  run.ruleset = { ...run.ruleset, state: setIn(run.ruleset.state, key, after) }
}

const countNamed = (run: Run, table: Table, name: string): void => {
  const counter: Counter | undefined = getIn(table.counters, name)
  if (counter !== undefined) count(run, counterState(table, counter), counter)
}

const limited = (run: Run, { state }: Spot, statement: Statement & { tag: 'limit' }): boolean => {
  const { nowMs, length } = run.sight
  const held = getIn(run.ruleset.state, state)
  const bucket = held?.tag === 'limit' ? held : fullBucket(statement.limit, nowMs)
  const [isMatch, left] = spend(statement.limit, bucket, length, nowMs)
  run.ruleset = { ...run.ruleset, state: setIn(run.ruleset.state, state, { tag: 'limit', ...left }) }
  return isMatch
}

const onOrBreak = (goesOn: boolean): Said => (goesOn ? 'on' : 'break')

const say = (run: Run, by: RulePlace, index: number, statement: Statement): Said => {
  const { table } = by
  const spot: Spot = { table, state: ruleState(table, by.rule, index) }
  switch (statement.tag) {
    case 'match':
      return onOrBreak(matches(run, spot, statement.left, statement.op, statement.right))
    case 'differ': {
      const values = statement.of.map(({ field }) => valueFor(run, spot, field))
      if (values.includes(null)) return 'break'
      return onOrBreak(statement.of.some(({ value }, i) => values[i] !== value))
    }
    case 'verdict':
      return statement.verdict
    case 'vmap': {
      const key = valuesFor(run, spot, statement.key)
      const data = key === null ? null : lookUp(run, spot, statement.map, key)
      return data?.tag === 'verdict' ? data.verdict : 'break'
    }
    case 'counter':
      count(run, spot.state, statement)
      return 'on'
    case 'counter-ref':
      countNamed(run, table, statement.name)
      return 'on'
    case 'limit':
      return onOrBreak(limited(run, spot, statement))
    case 'log':
      run.effects.push({ tag: 'log', options: statement.options, by })
      return 'on'
    case 'reject':
      return reject(run, by, statement)
    case 'set': {
      const value = valueFor(run, spot, statement.value)
      const { of } = statement
      if (value === null || of.tag === 'numgen' || of.tag === 'jhash' || of.tag === 'symhash') return 'break'
      run.overrides.set(fieldName(of), value)
      run.effects.push({ tag: 'set', of, value, by })
      return 'on'
    }
    case 'notrack':
      run.effects.push({ tag: 'notrack', by })
      return 'on'
    case 'nat': {
      const wish = wishOf(run, spot, statement.translation)
      return wish === null ? 'break' : { tag: 'translate', decision: { tag: 'translate', by, wish } }
    }
    case 'update':
      return onOrBreak(update(run, spot, statement))
  }
}

/** All statements of a rule, up to the first that does not match or says more than "go on". */
const sayRule = (run: Run, table: Table, chain: Chain, rule: Rule): Said => {
  const by: RulePlace = { table, chain, rule }
  for (const [index, statement] of rule.statements.entries()) {
    const said = say(run, by, index, statement)
    if (said === 'on' || (typeof said === 'object' && said.tag === 'continue')) continue
    return said
  }
  return 'on'
}

/** What a chain decides; null: it came to its end, or returned. */
const walk = (run: Run, base: BaseChain, chain: Chain): Decision | null => {
  const { table } = base
  for (const rule of chain.rules) {
    const said = sayRule(run, table, chain, rule)
    if (typeof said === 'string') continue
    switch (said.tag) {
      case 'accept':
        return { tag: 'accept', by: { table, chain, rule } }
      case 'drop':
        return { tag: 'drop', by: { table, chain, rule }, chain: base }
      case 'reject':
      case 'translate':
        return said.decision
      case 'return':
        return null
      case 'continue':
        break
      case 'jump':
      case 'goto': {
        const target = getIn(table.chains, said.chain)
        const decision = target === undefined ? null : walk(run, base, target)
        // Who goes does not come back: at the end of the other chain, it is as if this one had ended.
        if (decision !== null || said.tag === 'goto') return decision
      }
    }
  }
  return null
}

/** One base chain. Its policy holds where no rule decides. */
const decide = (run: Run, base: BaseChain): Decision =>
  walk(run, base, base.chain) ??
  (base.chain.base?.policy === 'drop' ? { tag: 'drop', by: null, chain: base } : { tag: 'accept', by: null })

export type Evaluated = Readonly<{ decision: Decision; effects: ReadonlyArray<Effect>; ruleset: Ruleset }>

const runFor = (ruleset: Ruleset, sight: Sight): Run => ({ ruleset, sight, effects: [], overrides: new Map() })

/** Asks one base chain. For callers that do something of their own between two priorities, as tracking and translation do. */
export const evaluateChain = (ruleset: Ruleset, base: BaseChain, sight: Sight): Evaluated => {
  const run = runFor(ruleset, sight)
  const decision = decide(run, base)
  return { decision, effects: run.effects, ruleset: run.ruleset }
}

const isFinal = ({ tag }: Decision): boolean => tag === 'drop' || tag === 'reject'

/**
 * Asks all chains at a point. The decision is the one that ended the way, or a translation where rules asked for one and
 * nobody dropped the packet; once there is a translation, no other chain of type nat is asked.
 */
export const evaluateHook = (ruleset: Ruleset, point: Point, sight: Sight): Evaluated => {
  const run = runFor(ruleset, sight)
  let decision: Decision = { tag: 'accept', by: null }
  let translation: Decision | null = null
  for (const base of baseChainsAt(ruleset, point)) {
    if (translation !== null && base.chain.base?.type === 'nat') continue
    decision = decide(run, base)
    if (isFinal(decision)) return { decision, effects: run.effects, ruleset: run.ruleset }
    if (decision.tag === 'translate') translation = decision
  }
  return { decision: translation ?? decision, effects: run.effects, ruleset: run.ruleset }
}
