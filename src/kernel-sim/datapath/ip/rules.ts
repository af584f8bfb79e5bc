// Policy rules: which tables a packet is looked up in, and what ends the search.
// Sources: net/core/fib_rules.c (fib_rule_match, fib_rules_lookup), net/ipv4/fib_rules.c, net/ipv6/fib6_rules.c, ip-rule(8).

import { contains } from '../../../net/cidr.ts'
import { type Ip, isIp4 } from '../../../net/ip.ts'
import type { RouteEntry, RuleEntry } from '../../state.ts'

/**
 * What is looked up. `src` null: not chosen yet. `iif`: `lo` for a packet of our own. `oif`: bound to that device. IPv6
 * prefers routes through `near` (absent: `oif`); `strict`: no others count.
 */
export type Flow = Readonly<{
  dst: Ip
  src: Ip | null
  iif: string
  oif: string | null
  tos: number
  mark: number
  strict: boolean
  near?: string
}>

/** EAGAIN: look on. `by`: what said so. */
export type Refusal = Readonly<{
  errno: 'EAGAIN' | 'ENETUNREACH' | 'EHOSTUNREACH' | 'EACCES' | 'EINVAL'
  by:
    | Readonly<{ tag: 'route'; type: RouteEntry['type'] }>
    | Readonly<{ tag: 'rule'; type: 'blackhole' | 'unreachable' | 'prohibit' }>
    | null
}>

const END: Readonly<Record<'blackhole' | 'unreachable' | 'prohibit', Refusal>> = {
  blackhole: { errno: 'EINVAL', by: { tag: 'rule', type: 'blackhole' } },
  unreachable: { errno: 'ENETUNREACH', by: { tag: 'rule', type: 'unreachable' } },
  prohibit: { errno: 'EACCES', by: { tag: 'rule', type: 'prohibit' } },
}

export const NOWHERE: Refusal = { errno: 'ENETUNREACH', by: null }
export const NOT_HERE: Refusal = { errno: 'EAGAIN', by: null }

/** Without a source, IPv4 compares 0.0.0.0, and IPv6 finds that it does not match. */
const isFrom = ({ from }: RuleEntry, { src, dst }: Flow): boolean => {
  if (from === null || from.bits === 0) return true
  if (src !== null) return contains(from, src)
  return isIp4(dst) && from.ip === 0
}

const matches = (rule: RuleEntry, flow: Flow): boolean => {
  const { to, iif, oif, mark } = rule
  const hits =
    (iif === null || iif === flow.iif) &&
    (oif === null || oif === flow.oif) &&
    (mark === null || ((mark.value ^ flow.mark) & mark.mask) === 0) &&
    (to === null || contains(to, flow.dst)) &&
    isFrom(rule, flow)
  return hits !== rule.not
}

/**
 * Looks into the tables that the rules name, in their order, until one answers. A jump to a priority that nobody has is none.
 */
export const byRules = <F extends Readonly<{ route: RouteEntry }>>(
  rules: ReadonlyArray<RuleEntry>,
  flow: Flow,
  lookIn: (table: number) => F | Refusal,
): F | Refusal => {
  let at = 0
  for (let rule = rules[at]; rule !== undefined; rule = rules[at]) {
    const here = at++
    if (!matches(rule, flow)) continue
    const { action } = rule
    if ('goto' in action) {
      const target = rules.findIndex(({ priority }) => priority === action.goto)
      if (target > here) at = target
    } else if ('is' in action) {
      if (action.is !== 'nop') return END[action.is]
    } else {
      const found = lookIn(action.lookup)
      if ('errno' in found) {
        if (found.errno !== 'EAGAIN') return found
      } else if (rule.suppressPrefixLength === null || found.route.to.bits > rule.suppressPrefixLength) return found
    }
  }
  return NOWHERE
}
