// What must hold of a table's chains as a whole: from a base chain no jump leads in a circle or too deep, and every statement
// that can be reached may stand at that hook.
// Source: net/netfilter/nf_tables_api.c (nft_table_validate, nft_chain_validate), nft_nat.c, nft_masq.c, nft_redir.c,
// nft_reject.c, nft_fib.c (their validate functions).

import type { Errno } from '../../../kernel/errno.ts'
import { getIn, valuesOf } from '../../../net/pmap.ts'
import type { Expression, Statement, Translation } from '../expression.ts'
import type { Base, Chain, Hook, Table } from '../ruleset.ts'
import { targetsIn } from './refer.ts'

/** Chains on the stack of the kernel's evaluator. */
const MAX_DEPTH = 16

const NAT_HOOKS: Readonly<Record<Translation['kind'], ReadonlyArray<Hook>>> = {
  dnat: ['prerouting', 'output'],
  snat: ['postrouting', 'input'],
  masquerade: ['postrouting'],
  redirect: ['prerouting', 'output'],
}
const REJECT_HOOKS: ReadonlyArray<Hook> = ['prerouting', 'input', 'forward', 'output', 'ingress']
const FIB_OIF_HOOKS: ReadonlyArray<Hook> = ['prerouting', 'input', 'forward', 'ingress', 'egress']
const FIB_IIF_HOOKS: ReadonlyArray<Hook> = ['prerouting', 'input', 'forward', 'ingress', 'egress']
const FIB_OUT_HOOKS: ReadonlyArray<Hook> = ['output', 'postrouting', 'forward', 'ingress', 'egress']

const fibHooks = (expression: Expression): ReadonlyArray<Hook> | null => {
  switch (expression.tag) {
    case 'fib':
      if (expression.result !== 'type') return FIB_OIF_HOOKS
      if (expression.of.includes('iif')) return FIB_IIF_HOOKS
      return expression.of.includes('oif') ? FIB_OUT_HOOKS : null
    case 'concat':
      return expression.parts.map(fibHooks).find((hooks) => hooks !== null) ?? null
    case 'map':
      return fibHooks(expression.key)
    default:
      return null
  }
}

const mayStand = (statement: Statement, { type, hook }: Base): boolean => {
  switch (statement.tag) {
    case 'nat':
      return type === 'nat' && NAT_HOOKS[statement.translation.kind].includes(hook)
    case 'reject':
      return REJECT_HOOKS.includes(hook)
    case 'match':
      return fibHooks(statement.left)?.includes(hook) ?? true
    case 'vmap':
      return fibHooks(statement.key)?.includes(hook) ?? true
    default:
      return true
  }
}

const validateFrom = (
  table: Table,
  base: Base,
  chain: Chain,
  depth: number,
  done: Map<string, number>,
): Errno | null => {
  if (depth === MAX_DEPTH) return 'EMLINK'
  // A chain that was found right at this depth or below it is right here too.
  const known = done.get(chain.name)
  if (known !== undefined && depth <= known) return null
  for (const { statements } of chain.rules)
    if (!statements.every((statement) => mayStand(statement, base))) return 'EOPNOTSUPP'
  for (const name of targetsIn(table, chain)) {
    const next = getIn(table.chains, name)
    const errno = next === undefined ? null : validateFrom(table, base, next, depth + 1, done)
    if (errno !== null) return errno
  }
  done.set(chain.name, depth)
  return null
}

/** Null: all is right. */
export const validate = (table: Table): Errno | null => {
  for (const chain of valuesOf(table.chains)) {
    if (chain.base === null) continue
    const errno = validateFrom(table, chain.base, chain, 0, new Map())
    if (errno !== null) return errno
  }
  return null
}
