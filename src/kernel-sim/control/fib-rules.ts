// Policy rules: which of them there are, which one a deletion means, and the tables that they send a packet to.
// Source: net/core/fib_rules.c, net/ipv4/fib_rules.c, net/ipv6/fib6_rules.c, ip-rule(8).

import type { Errno } from '../../kernel/errno.ts'
import type { RuleRequest } from '../../kernel/rtnl/request.ts'
import { contains, sameCidr } from '../../net/cidr.ts'
import type { Family, Ip } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { type RuleEntry, rulesInForce, TABLES } from '../state.ts'
import type { Space } from './draft.ts'
import { openTable6 } from './table.ts'

/** One below the second rule's (fib_default_rule_pref). */
const defaultPriority = (rules: ReadonlyArray<RuleEntry>): number => Math.max(0, (rules[1]?.priority ?? 0) - 1)

const WHOLE_MARK = 0xffffffff

/** A mark without a mask is compared as a whole; one of 0 is none (fib_nl2rule). */
const markOf = ({ mark }: RuleRequest): RuleEntry['mark'] => {
  if (mark === undefined) return null
  const mask = mark.mask ?? (mark.value === 0 ? 0 : WHOLE_MARK)
  return mark.value === 0 && mask === 0 ? null : { value: mark.value, mask }
}

const entryOf = (ask: RuleRequest, priority: number): RuleEntry => ({
  priority,
  not: ask.not ?? false,
  from: ask.from ?? null,
  to: ask.to ?? null,
  iif: ask.iif ?? null,
  oif: ask.oif ?? null,
  mark: markOf(ask),
  suppressPrefixLength: ask.suppressPrefixLength ?? null,
  action: ask.action ?? { lookup: TABLES.main },
  proto: 0,
})

type Action = RuleEntry['action']

const sameAction = (a: Action, b: Action): boolean => {
  if ('lookup' in a) return 'lookup' in b && a.lookup === b.lookup
  if ('goto' in a) return 'goto' in b
  return 'is' in b && a.is === b.is
}

const sameMark = (a: RuleEntry['mark'], b: RuleEntry['mark']): boolean =>
  a === null || b === null ? a === b : a.value === b.value && a.mask === b.mask

const samePrefix = (a: RuleEntry['from'], b: RuleEntry['from']): boolean =>
  a === null || b === null ? a === b : sameCidr(a, b)

/** A prefix that a request does not name, or whose length is 0, is not looked at (fib4_rule_compare). */
const isLikePrefix = (held: RuleEntry['from'], asked: RuleEntry['from']): boolean =>
  asked === null || asked.bits === 0 || samePrefix(held, asked)

/** rule_exists; a negation is not looked at, nor where a `goto` goes to. */
const isLike = (a: RuleEntry, b: RuleEntry): boolean =>
  a.priority === b.priority &&
  a.proto === b.proto &&
  isLikePrefix(a.from, b.from) &&
  isLikePrefix(a.to, b.to) &&
  a.iif === b.iif &&
  a.oif === b.oif &&
  sameMark(a.mark, b.mark) &&
  a.suppressPrefixLength === b.suppressPrefixLength &&
  sameAction(a.action, b.action)

const addRule = (space: Space, ask: RuleRequest): Errno | null => {
  const rules = space.now.rules[ask.family]
  const rule = entryOf(ask, ask.priority ?? defaultPriority(rules))
  if (rules.some((held) => isLike(held, rule))) return 'EEXIST'
  const later = rules.findIndex(({ priority }) => priority > rule.priority)
  const place = later < 0 ? rules.length : later
  space.now.rules = { ...space.now.rules, [ask.family]: [...rules.slice(0, place), rule, ...rules.slice(place)] }
  space.now.customRules = { ...space.now.customRules, [ask.family]: true }
  if (ask.family === 6 && 'lookup' in rule.action) openTable6(space, rule.action.lookup)
  return null
}

const NO_MARK = { value: 0, mask: 0 }

/** A mark or a mask of 0 is not looked at, each by itself. */
const isMeantMark = (held: RuleEntry['mark'], asked: RuleEntry['mark']): boolean => {
  const { value, mask } = asked ?? NO_MARK
  const { value: heldValue, mask: heldMask } = held ?? NO_MARK
  return (value === 0 || value === heldValue) && (mask === 0 || mask === heldMask)
}

/** rule_find: only what is said must match; a rule's being a negation is not asked for. */
const isMeant = (rule: RuleEntry, ask: RuleRequest): boolean =>
  (ask.priority === undefined || rule.priority === ask.priority) &&
  isLikePrefix(rule.from, ask.from ?? null) &&
  isLikePrefix(rule.to, ask.to ?? null) &&
  (ask.iif === undefined || rule.iif === ask.iif) &&
  (ask.oif === undefined || rule.oif === ask.oif) &&
  isMeantMark(rule.mark, markOf(ask)) &&
  (ask.suppressPrefixLength === undefined || rule.suppressPrefixLength === ask.suppressPrefixLength) &&
  (ask.action === undefined || sameAction(rule.action, ask.action))

const deleteRule = (space: Space, ask: RuleRequest): Errno | null => {
  const rules = space.now.rules[ask.family]
  const found = rules.find((rule) => isMeant(rule, ask))
  if (found === undefined) return 'ENOENT'
  space.now.rules = { ...space.now.rules, [ask.family]: rules.filter((rule) => rule !== found) }
  if (ask.family === 4) space.now.customRules = { ...space.now.customRules, 4: true }
  return null
}

/** A jump goes forward; that is looked at of a deletion, too. */
const goesBack = (space: Space, { action, family, priority }: RuleRequest): boolean =>
  action !== undefined && 'goto' in action && action.goto <= (priority ?? defaultPriority(space.now.rules[family]))

export const askRule = (space: Space, ask: RuleRequest): Errno | null => {
  if (goesBack(space, ask)) return 'EINVAL'
  return ask.do === 'add' ? addRule(space, ask) : deleteRule(space, ask)
}

/** What a rule makes of a packet: a table to look in, or an end. */
type Verdict = Readonly<{ lookup: number; error: Errno | null; suppress: number | null }>

const END: Readonly<Record<'blackhole' | 'unreachable' | 'prohibit', Errno>> = {
  blackhole: 'EINVAL',
  unreachable: 'ENETUNREACH',
  prohibit: 'EACCES',
}

/** A search for the way to a gateway: as for a packet of our own, without a source and unmarked. `oif`: by this device. */
export type Search = Readonly<{ to: Ip; iif: IfName | null; oif: IfName | null }>

const applies = (rule: RuleEntry, { to, iif, oif }: Search): boolean => {
  const hits =
    (rule.to === null || contains(rule.to, to)) &&
    (rule.from === null || rule.from.bits === 0) &&
    (rule.iif === null || rule.iif === iif) &&
    (rule.oif === null || rule.oif === oif) &&
    (rule.mark === null || (rule.mark.value & rule.mark.mask) === 0)
  return hits !== rule.not
}

/** What the rules say of a search, in their order. */
export function* rulesFor(space: Space, family: Family, search: Search): Generator<Verdict> {
  const rules = rulesInForce(space.now, family)
  let from = 0
  for (const [at, rule] of rules.entries()) {
    if (at < from || !applies(rule, search)) continue
    const { action } = rule
    // To where there is none, it is no jump.
    if ('goto' in action) from = rules.findIndex(({ priority }) => priority === action.goto)
    else if ('lookup' in action) yield { lookup: action.lookup, error: null, suppress: rule.suppressPrefixLength }
    else if (action.is !== 'nop') yield { lookup: 0, error: END[action.is], suppress: null }
  }
}
