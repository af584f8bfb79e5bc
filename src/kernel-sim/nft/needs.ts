// What a ruleset makes a network stack do beside asking it. Conntrack begins with the first rule that needs it, in the families of
// its table, and goes on as long as that rule is there, be its table dormant; translation begins with the first chain of type nat.
// Sources: net/netfilter/nft_ct.c, nft_nat.c, nft_masq.c, nft_redir.c (nf_ct_netns_get), nft_chain_nat.c (nf_nat_register_fn).

import { type PMap, valuesOf } from '../../net/pmap.ts'
import { memoised } from '../memo.ts'
import type { TablesShape } from './bases.ts'
import type { Expression, Statement, Target } from './expression.ts'
import type { Family, Table } from './ruleset.ts'

/** A stack's own families, in which packets come by. */
export type StackFamily = Exclude<Family, 'inet'>

/** `frames`: in tables of ip, ip6 and inet, somebody asks for what is around packets. */
export type Needs = Readonly<{
  tracks: ReadonlySet<StackFamily>
  translates: ReadonlySet<StackFamily>
  frames: boolean
}>

const targetOf = (target: Target | null): ReadonlyArray<Expression> => (target?.tag === 'map' ? [target.of] : [])

const partsOf = (expression: Expression): ReadonlyArray<Expression> => {
  switch (expression.tag) {
    case 'bits':
      return [expression.left]
    case 'concat':
      return expression.parts
    case 'map':
      return [expression.key]
    case 'jhash':
      return [expression.of]
    default:
      return []
  }
}

const expressionsOf = (statement: Statement): ReadonlyArray<Expression> => {
  switch (statement.tag) {
    case 'match':
      return [statement.left]
    case 'differ':
      return statement.of.map(({ field }) => field)
    case 'vmap':
    case 'update':
      return [statement.key]
    case 'set':
      return [statement.of, statement.value]
    case 'nat':
      return [...targetOf(statement.translation.address), ...targetOf(statement.translation.port)]
    default:
      return []
  }
}

const someOf = (expression: Expression, is: (expression: Expression) => boolean): boolean =>
  is(expression) || partsOf(expression).some((part) => someOf(part, is))

const asks = (statement: Statement, is: (expression: Expression) => boolean): boolean =>
  expressionsOf(statement).some((expression) => someOf(expression, is))

const isOfFlow = ({ tag }: Expression): boolean => tag === 'ct'
const isOfFrame = (expression: Expression): boolean =>
  (expression.tag === 'payload' && (expression.protocol === 'ether' || expression.protocol === 'vlan')) ||
  (expression.tag === 'meta' && expression.key === 'pkttype')

/** Where conntrack hears packets for the tables of a family: that of bridges needs the others, too. */
const TRACKED: Readonly<Record<Family, ReadonlyArray<StackFamily>>> = {
  ip: ['ip'],
  ip6: ['ip6'],
  inet: ['ip', 'ip6'],
  bridge: ['bridge', 'ip', 'ip6'],
  arp: [],
  netdev: [],
}
const HAS_FRAMES: ReadonlySet<Family> = new Set<Family>(['bridge', 'arp', 'netdev'])

const needsOf = (tables: PMap<Table>): Needs => {
  const tracks = new Set<StackFamily>()
  const translates = new Set<StackFamily>()
  let frames = false
  for (const { family, dormant, chains } of valuesOf(tables)) {
    for (const { base, rules } of valuesOf(chains)) {
      if (base?.type === 'nat' && !dormant) for (const each of TRACKED[family]) translates.add(each)
      for (const { statements } of rules) {
        if (statements.some((each) => each.tag === 'nat' || asks(each, isOfFlow)))
          for (const each of TRACKED[family]) tracks.add(each)
        frames ||= !HAS_FRAMES.has(family) && statements.some((each) => asks(each, isOfFrame))
      }
    }
  }
  return { tracks, translates, frames }
}

/** What is in sets does not matter. */
export const needsOfShape = memoised(({ tables }: TablesShape) => needsOf(tables))
