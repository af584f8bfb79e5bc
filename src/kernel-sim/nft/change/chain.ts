// Chains: base ones are bound to a hook for good; only their policy may change.
// Sources: net/netfilter/nf_tables_api.c (nf_tables_addchain, nf_tables_updchain, nf_tables_delchain, nft_chain_parse_hook),
// nft_chain_filter.c, nft_chain_nat.c, nft_chain_route.c (which types there are for which families and hooks).

import type { Errno } from '../../../kernel/errno.ts'
import { removeIn, setIn, valuesOf } from '../../../net/pmap.ts'
import { E } from '../../../prelude.ts'
import type { Command, Reference } from '../command.ts'
import {
  type Base,
  type Chain,
  elementKey,
  type Family,
  type Hook,
  type Ruleset,
  ruleState,
  type Table,
  withTable,
} from '../ruleset.ts'
import { absent, type Changed, chainNamed, named, refusal, tableIn, withChain } from './edit.ts'
import { isChainUsed } from './refer.ts'
import { forget } from './table.ts'

type Of<Tag extends Command['tag']> = Extract<Command, { tag: Tag }>

const IP_FAMILIES: ReadonlySet<Family> = new Set(['ip', 'ip6', 'inet'])
const NAT_HOOKS: ReadonlySet<Hook> = new Set(['prerouting', 'input', 'output', 'postrouting'])
/** At or before conntrack's own hook there is nothing to translate yet. */
const CONNTRACK_PRIORITY = -200

/** What the kernel has against a new base chain. */
const wrongBase = (family: Family, { type, hook, priority }: Base): Errno | null => {
  if (type === 'filter') return null
  if (!IP_FAMILIES.has(family)) return 'ENOENT'
  if (type === 'nat') return NAT_HOOKS.has(hook) && priority > CONNTRACK_PRIORITY ? null : 'EOPNOTSUPP'
  return hook === 'output' ? null : 'EOPNOTSUPP'
}

const sameBase = (a: Base, b: Base): boolean =>
  a.hook === b.hook && a.priority === b.priority && a.devices.join(' ') === b.devices.join(' ')

const updated = (ruleset: Ruleset, table: Table, chain: Chain, command: Of<'add-chain'>): Changed => {
  const { base, policy, policyAt, nameAt, at } = command
  if (chain.base === null) {
    if (base === null) return policy === null ? E.right(ruleset) : refusal('EOPNOTSUPP', policyAt)
    return refusal(policy === null ? 'EEXIST' : 'EOPNOTSUPP', policy === null ? nameAt : policyAt)
  }
  if (base !== null) {
    const wrong = wrongBase(table.family, base)
    if (wrong !== null) return refusal(wrong, at)
    if (!sameBase(chain.base, base)) return refusal('EOPNOTSUPP', at)
    if (chain.base.type !== base.type) return refusal('EEXIST', nameAt)
  }
  if (policy === null || policy === chain.base.policy) return E.right(ruleset)
  return E.right(withChain(ruleset, table, { ...chain, base: { ...chain.base, policy } }))
}

export const addChain = (ruleset: Ruleset, command: Of<'add-chain'>): Changed => {
  const { name, nameAt, base, policy, policyAt, comment, create, at } = command
  const table = tableIn(ruleset, command)
  if (table === null) return absent(command.tableAt)
  const there = chainNamed(table, name)
  if (there !== null) return create ? refusal('EEXIST', nameAt) : updated(ruleset, table, there, command)
  if (base === null && policy !== null) return refusal('EOPNOTSUPP', policyAt)
  const wrong = base === null ? null : wrongBase(table.family, base)
  if (wrong !== null) return refusal(wrong, at)
  const chain: Chain = { name, handle: table.nextHandle, base, comment, rules: [] }
  return E.right(withChain(ruleset, { ...table, nextHandle: table.nextHandle + 1 }, chain))
}

const chainOf = (table: Table, reference: Reference): Chain | null =>
  named(
    () => valuesOf(table.chains),
    (name) => chainNamed(table, name) ?? undefined,
    reference,
  )

/** The ruleset in which a chain has none of the rules that it had. */
const withoutRules = (ruleset: Ruleset, table: Table, chain: Chain): Ruleset => {
  let { state } = ruleset
  for (const rule of chain.rules) state = forget(state, ruleState(table, rule, 0).slice(0, -1))
  return { ...withChain(ruleset, table, { ...chain, rules: [] }), state }
}

export const deleteChain = (ruleset: Ruleset, command: Of<'delete-chain'>): Changed => {
  const table = tableIn(ruleset, command)
  if (table === null) return command.destroy ? E.right(ruleset) : refusal('ENOENT', command.tableAt)
  const chain = chainOf(table, command.chain)
  if (chain === null) return command.destroy ? E.right(ruleset) : refusal('ENOENT', command.chain.at)
  const emptied = withoutRules(ruleset, table, chain)
  const now = tableIn(emptied, command) ?? table
  if (isChainUsed(now, chain.name)) return refusal('EBUSY', command.chain.at)
  return E.right(withTable(emptied, { ...now, chains: removeIn(now.chains, chain.name) }))
}

/** Of one chain; without a name, of none. */
export const flushChain = (ruleset: Ruleset, command: Of<'flush-chain'>): Changed => {
  const table = tableIn(ruleset, command)
  if (table === null) return refusal('ENOENT', command.tableAt)
  const chain = chainOf(table, command.chain)
  return chain === null ? refusal('ENOENT', command.chain.at) : E.right(withoutRules(ruleset, table, chain))
}

/** Jumps go by the chain, not by its name: they follow. */
const follow = (rule: Chain['rules'][number], from: string, to: string): Chain['rules'][number] => ({
  ...rule,
  statements: rule.statements.map((statement) => {
    if (statement.tag === 'verdict' && 'chain' in statement.verdict && statement.verdict.chain === from)
      return { ...statement, verdict: { ...statement.verdict, chain: to } }
    if (statement.tag !== 'vmap' || statement.map.tag !== 'anonymous') return statement
    const elements = statement.map.elements.map((element) =>
      element.data?.tag === 'verdict' && 'chain' in element.data.verdict && element.data.verdict.chain === from
        ? { ...element, data: { ...element.data, verdict: { ...element.data.verdict, chain: to } } }
        : element,
    )
    return { ...statement, map: { ...statement.map, elements } }
  }),
})

/**
 * nft names the chain by its handle, which it does not know yet when the chain is of the same transaction: `before` is what
 * there was before it.
 */
export const renameChain = (ruleset: Ruleset, command: Of<'rename-chain'>, before: Ruleset): Changed => {
  const table = tableIn(ruleset, command)
  if (table === null) return absent(command.tableAt)
  const chain = chainOf(table, command.chain)
  if (chain === null) return absent(command.chain.at)
  const known = tableIn(before, command)
  if (known === null || chainNamed(known, chain.name)?.handle !== chain.handle) return refusal('ENOENT', command.at)
  if (chainNamed(table, command.to) !== null) return refusal('EEXIST', command.at)
  let chains = setIn(removeIn(table.chains, chain.name), command.to, { ...chain, name: command.to })
  for (const each of valuesOf(chains))
    chains = setIn(chains, each.name, {
      ...each,
      rules: each.rules.map((rule) => follow(rule, chain.name, command.to)),
    })
  let { sets } = table
  for (const set of valuesOf(sets)) {
    if (set.spec.data !== 'verdict') continue
    let { elements } = set
    for (const element of valuesOf(elements)) {
      const { data } = element
      if (data?.tag !== 'verdict' || !('chain' in data.verdict) || data.verdict.chain !== chain.name) continue
      const verdict = { ...data.verdict, chain: command.to }
      elements = setIn(elements, elementKey(element.key), { ...element, data: { ...data, verdict } })
    }
    sets = setIn(sets, set.name, { ...set, elements })
  }
  return E.right(withTable(ruleset, { ...table, chains, sets }))
}
