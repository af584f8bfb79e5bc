// A transaction: all commands of a script, or none. nft looks at all of them before the kernel sees the first, so that what it
// has to say comes before what the kernel has.
// Sources: nftables src/libnftables.c (nft_evaluate, nft_netlink), net/netfilter/nf_tables_api.c (nf_tables_commit).

import { changesBetween, getIn } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { addChain, deleteChain, flushChain, renameChain } from './change/chain.ts'
import { ABSENT, type Changed, type Environment, refusal, setNamed, tableIn } from './change/edit.ts'
import { addElements, deleteElements } from './change/elements.ts'
import { addRule, deleteRule, replaceRule, withSizes } from './change/rule.ts'
import { addCounter, addSet, deleteCounter, deleteSet, flushSet, resetCounters, settleSet } from './change/set.ts'
import { addTable, deleteTable, flushRuleset, flushTable } from './change/table.ts'
import { validate } from './change/validate.ts'
import type { Command, Listed } from './command.ts'
import { firstOf, meaningError, type NftError, type Place } from './error.ts'
import { findTable, type Ruleset, withTable } from './ruleset.ts'

export type { Environment } from './change/edit.ts'

/** What is there now, and what was asked to be listed of it, in order. */
export type Done = Readonly<{ ruleset: Ruleset; listed: ReadonlyArray<Readonly<{ listed: Listed; of: Ruleset }>> }>

const listable = (ruleset: Ruleset, listed: Listed): NftError | null => {
  const absent = (at: Place): NftError => meaningError(ABSENT, at)
  switch (listed.what) {
    case 'table':
      return findTable(ruleset, listed.family, listed.table) === null ? absent(listed.at) : null
    case 'chain':
    case 'set':
    case 'map':
    case 'counter': {
      const table = tableIn(ruleset, listed)
      if (table === null) return absent(listed.tableAt)
      const no = absent(listed.at)
      if (listed.what === 'chain') return getIn(table.chains, listed.name) === undefined ? no : null
      if (listed.what === 'counter') return getIn(table.counters, listed.name) === undefined ? no : null
      const set = setNamed(table, listed.name)
      return set === null || (set.spec.data !== null) !== (listed.what === 'map') ? no : null
    }
    default:
      return null
  }
}

const change = (ruleset: Ruleset, command: Command, before: Ruleset, environment: Environment): Changed => {
  switch (command.tag) {
    case 'add-table':
      return addTable(ruleset, command)
    case 'delete-table':
      return deleteTable(ruleset, command)
    case 'flush-table':
      return flushTable(ruleset, command)
    case 'add-chain':
      return addChain(ruleset, command)
    case 'delete-chain':
      return deleteChain(ruleset, command)
    case 'flush-chain':
      return flushChain(ruleset, command)
    case 'rename-chain':
      return renameChain(ruleset, command, before)
    case 'add-rule':
      return addRule(ruleset, command, before)
    case 'replace-rule':
      return replaceRule(ruleset, command)
    case 'delete-rule':
      return deleteRule(ruleset, command)
    case 'add-set':
      return addSet(ruleset, command)
    case 'delete-set':
      return deleteSet(ruleset, command)
    case 'flush-set':
      return flushSet(ruleset, command)
    case 'add-elements':
      return addElements(ruleset, command, environment)
    case 'delete-elements':
      return deleteElements(ruleset, command, environment)
    case 'add-counter':
      return addCounter(ruleset, command)
    case 'delete-counter':
      return deleteCounter(ruleset, command)
    case 'flush-ruleset':
      return flushRuleset(ruleset, command)
    case 'reset-counters':
      return resetCounters(ruleset, command)
    case 'list': {
      const wrong = listable(ruleset, command.listed)
      return wrong === null ? E.right(ruleset) : E.left(wrong)
    }
  }
}

/** What the kernel finds when it looks at changed tables as a whole; it blames the last rule or element. */
const wrongWhole = (before: Ruleset, after: Ruleset, commands: ReadonlyArray<Command>): NftError | null => {
  for (const { after: table } of changesBetween(before.tables, after.tables)) {
    const errno = table === undefined ? null : validate(table)
    if (errno === null) continue
    const blamed = commands.findLast(
      ({ tag }) => tag === 'add-rule' || tag === 'add-elements' || tag === 'replace-rule',
    )
    const at = blamed?.at ?? { line: 1, from: 1, to: 1 }
    const refused = refusal(errno, at)
    return E.isLeft(refused) ? refused.left : null
  }
  return null
}

/** Elements of a set that the kernel would not make, be there another of its name: what they are is the set's own matter. */
const isOf = (lost: ReadonlyArray<Command>, command: Command): boolean =>
  command.tag === 'add-elements' &&
  lost.some(
    (each) =>
      each.tag === 'add-set' &&
      each.family === command.family &&
      each.table === command.table &&
      each.name === command.set.name,
  )

/** What is reset is listed as it was. */
const listedByReset = (command: Extract<Command, { tag: 'reset-counters' }>): Listed => {
  const { family, table, counter, nameAt } = command
  return counter === null || table === null
    ? { what: 'counters', family, table }
    : { what: 'counter', family: family ?? 'ip', table, tableAt: nameAt, name: counter, at: nameAt }
}

/** That a rule which updates it has given a set a size is not taken back with the rule. */
const leaked = (ruleset: Ruleset, command: Extract<Command, { tag: 'add-rule' }>): Ruleset => {
  const table = tableIn(ruleset, command)
  if (table === null) return ruleset
  const sized = withSizes(table, command.body.statements)
  return sized === table ? ruleset : withTable(ruleset, sized)
}

/** Why nothing was done, as nft would say it first, and what there is. */
export type Refused = Readonly<{ error: NftError; ruleset: Ruleset }>

/** Applies commands, all or none. */
export const transact = (
  before: Ruleset,
  commands: ReadonlyArray<Command>,
  environment: Environment,
): Either<Refused, Done> => {
  let now = before
  const listed: Array<Readonly<{ listed: Listed; of: Ruleset | null }>> = []
  let refused: NftError | null = null
  const lost: Command[] = []
  const updated: Array<Extract<Command, { tag: 'add-rule' }>> = []
  for (const command of commands) {
    const earlier = now
    const next = change(now, command, before, environment)
    const wrong = firstOf(command.wrong ?? null, E.isLeft(next) ? next.left : null)
    if (wrong === null) now = E.isRight(next) ? next.right : now
    else if (wrong.kind === 'kernel') refused ??= wrong
    else if (!isOf(lost, command)) return E.left({ error: wrong, ruleset: before })
    if (wrong !== null && command.tag === 'add-set') lost.push(command)
    if (wrong === null && command.tag === 'add-rule') updated.push(command)
    if (command.tag === 'list') listed.push({ listed: command.listed, of: null })
    if (command.tag === 'reset-counters') listed.push({ listed: listedByReset(command), of: earlier })
  }
  for (const command of commands) if (command.tag === 'add-set') now = settleSet(now, command)
  refused ??= wrongWhole(before, now, commands)
  if (refused !== null) return E.left({ error: refused, ruleset: updated.reduce(leaked, before) })
  const ruleset = now === before ? before : { ...now, generation: before.generation + 1 }
  return E.right({ ruleset, listed: listed.map((each) => ({ listed: each.listed, of: each.of ?? ruleset })) })
}
