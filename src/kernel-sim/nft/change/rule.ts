// Rules: where they go in their chain, and the handles they get.
// Sources: net/netfilter/nf_tables_api.c (nf_tables_newrule, nf_tables_delrule), nftables src/evaluate.c (rule_evaluate).

import { setIn } from '../../../net/pmap.ts'
import { E } from '../../../prelude.ts'
import type { Command, InTable, Position, Reference } from '../command.ts'
import type { NftError } from '../error.ts'
import type { Statement } from '../expression.ts'
import type { RuleBody } from '../parse/rule.ts'
import { type Chain, type Rule, type Ruleset, ruleState, type Table } from '../ruleset.ts'
import { meaningOf, refusalOf } from './check.ts'
import { type Changed, chainNamed, refusal, setNamed, tableIn, withChain } from './edit.ts'
import { sourcesOf } from './refer.ts'
import { forget } from './table.ts'

type Of<Tag extends Command['tag']> = Extract<Command, { tag: Tag }>

/** A translation by a named map that also gives a port is listed with its family. */
const settled = (table: Table, statement: Statement): Statement => {
  if (statement.tag !== 'nat' || statement.translation.family !== null) return statement
  const { address } = statement.translation
  if (address?.tag !== 'map' || address.of.tag !== 'map' || address.of.map.tag !== 'named') return statement
  const data = setNamed(table, address.of.map.name)?.spec.data
  if (data === undefined || data === null || data === 'verdict' || data.length !== 2) return statement
  const family = table.family === 'ip6' ? 'ip6' : 'ip'
  return { ...statement, translation: { ...statement.translation, family } }
}

/** The rule, and its table after it has drawn handles: each set written in it takes one, before the rule does. */
const made = (table: Table, { statements, comment }: RuleBody): readonly [Rule, Table] => {
  const sets = statements.flatMap(sourcesOf).filter(({ tag }) => tag === 'anonymous').length
  const handle = table.nextHandle + sets
  const rule: Rule = { handle, statements: statements.map((each) => settled(table, each)), comment }
  return [rule, { ...table, nextHandle: handle + 1 }]
}

/**
 * Where in the chain; null: there is no rule of that handle or index. nft looks for a handle among the rules that there were
 * before the transaction.
 */
const indexFor = (chain: Chain, known: Chain | null, position: Position, insert: boolean): number | null => {
  const { length } = chain.rules
  if (position.tag === 'end') return insert ? 0 : length
  const { of } = position
  const isKnown = position.tag === 'index' ? of < length : (known?.rules.some(({ handle }) => handle === of) ?? false)
  const at = position.tag === 'index' ? of : chain.rules.findIndex(({ handle }) => handle === of)
  if (!isKnown || at < 0) return null
  return insert ? at : at + 1
}

const found = (ruleset: Ruleset, where: InTable, reference: Reference): E.Either<NftError, readonly [Table, Chain]> => {
  const table = tableIn(ruleset, where)
  if (table === null) return refusal('ENOENT', where.tableAt)
  const chain = chainNamed(table, reference.name)
  return chain === null ? refusal('ENOENT', reference.at) : E.right([table, chain])
}

/** The size that the kernel gives to a set without one, when a rule is to update it. */
const UPDATED_SIZE = 65_535

/** The table in which each set has a size that a rule updates. */
export const withSizes = (table: Table, statements: ReadonlyArray<Statement>): Table => {
  let { sets } = table
  for (const statement of statements) {
    const set = statement.tag === 'update' ? setNamed(table, statement.set) : null
    if (set === null || set.spec.size !== null) continue
    sets = setIn(sets, set.name, { ...set, spec: { ...set.spec, size: UPDATED_SIZE } })
  }
  return sets === table.sets ? table : { ...table, sets }
}

/** The table with the sets that a rule updates; one that is declared in the same transaction becomes dynamic by it. */
const withUpdated = (unsized: Table, statements: ReadonlyArray<Statement>, before: Table | null): Table => {
  const table = withSizes(unsized, statements)
  let { sets } = table
  for (const statement of statements) {
    const set = statement.tag === 'update' ? setNamed(table, statement.set) : null
    if (set === null) continue
    const isNew = before === null || setNamed(before, set.name)?.handle !== set.handle
    if (!isNew) continue
    const flags = new Set([...set.spec.flags, 'dynamic' as const])
    sets = setIn(sets, set.name, { ...set, spec: { ...set.spec, flags } })
  }
  return sets === table.sets ? table : { ...table, sets }
}

export const addRule = (ruleset: Ruleset, command: Of<'add-rule'>, before: Ruleset): Changed => {
  const { body, insert, position } = command
  const senseless = meaningOf(tableIn(ruleset, command), body)
  if (senseless !== null) return E.left(senseless)
  const place = found(ruleset, command, command.chain)
  if (E.isLeft(place)) return place
  const [table, chain] = place.right
  const earlier = tableIn(before, command)
  const knownChain = earlier === null ? null : chainNamed(earlier, chain.name)
  const at = indexFor(chain, knownChain, position, insert)
  if (at === null) return refusal('ENOENT', position.tag === 'end' ? command.at : position.at)
  const refused = refusalOf(table, body)
  if (refused !== null) return E.left(refused)
  const [rule, drawn] = made(withUpdated(table, body.statements, earlier), body)
  return E.right(withChain(ruleset, drawn, { ...chain, rules: chain.rules.toSpliced(at, 0, rule) }))
}

export const replaceRule = (ruleset: Ruleset, command: Of<'replace-rule'>): Changed => {
  const { body, handle, handleAt } = command
  const senseless = meaningOf(tableIn(ruleset, command), body)
  if (senseless !== null) return E.left(senseless)
  const place = found(ruleset, command, command.chain)
  if (E.isLeft(place)) return place
  const [table, chain] = place.right
  const at = chain.rules.findIndex((rule) => rule.handle === handle)
  const old = chain.rules[at]
  if (old === undefined) return refusal('ENOENT', handleAt)
  const refused = refusalOf(table, body)
  if (refused !== null) return E.left(refused)
  const [fresh, drawn] = made(table, body)
  // In the place of the old one it has its handle, and draws none.
  const rule = { ...fresh, handle }
  const state = forget(ruleset.state, ruleState(table, old, 0).slice(0, -1))
  const kept = { ...drawn, nextHandle: drawn.nextHandle - 1 }
  return E.right({ ...withChain(ruleset, kept, { ...chain, rules: chain.rules.with(at, rule) }), state })
}

export const deleteRule = (ruleset: Ruleset, command: Of<'delete-rule'>): Changed => {
  const place = found(ruleset, command, command.chain)
  if (E.isLeft(place)) return command.destroy ? E.right(ruleset) : place
  const [table, chain] = place.right
  const old = chain.rules.find((rule) => rule.handle === command.handle)
  if (old === undefined) return command.destroy ? E.right(ruleset) : refusal('ENOENT', command.handleAt)
  const state = forget(ruleset.state, ruleState(table, old, 0).slice(0, -1))
  const rules = chain.rules.filter((rule) => rule !== old)
  return E.right({ ...withChain(ruleset, table, { ...chain, rules }), state })
}
