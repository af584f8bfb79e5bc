// A hook's chains in order of priority, asked about a packet: the verdict and the rule that gave it, and what rules did on the way.
//   accept ends the base chain that it is said in, also from within a jump; the next base chain is asked. drop ends all.
//   At the end of a base chain, and where it returns, its policy holds. A rule that cannot look is a rule that does not match.
// Sources: net/netfilter/nf_tables_core.c (nft_do_chain), nf_tables_api.c, net/netfilter/core.c (nf_hook_slow).

import { emptyMap, getIn } from '../../net/pmap.ts'
import { type BaseChain, baseChainsAt, tableOf } from './bases.ts'
import { compiled } from './compile.ts'
import type { Chain, Ruleset, Table } from './ruleset.ts'
import { type Run, settled } from './run.ts'
import type { ChainPlace, Decision, Effect, Point, Sight } from './sight.ts'

export { type BaseChain, baseChainsAt } from './bases.ts'
export { type Run, settled } from './run.ts'
export type { Bounds, ChainPlace, Decision, Effect, Field, Point, RulePlace, Sight, Wish } from './sight.ts'

const NOBODY: Sight = { field: () => null, random: () => 0, flowHash: () => 0, length: () => 0, nowMs: 0 }
const NOWHERE: ChainPlace = { family: 'ip', table: '', chain: '' }
const NO_TABLE: Table = {
  family: 'ip',
  name: '',
  handle: 0,
  dormant: false,
  comment: null,
  chains: emptyMap(),
  sets: emptyMap(),
  counters: emptyMap(),
  nextHandle: 1,
}

/** Packets begin to go through a ruleset. `follows`: each rule that matches a packet is told as an effect. */
export const runOf = (ruleset: Ruleset, follows = false): Run => ({
  ruleset,
  cells: new Map(),
  sight: NOBODY,
  table: NO_TABLE,
  base: NOWHERE,
  effects: [],
  overrides: null,
  follows,
})

/** What a chain decides; null: it came to its end, or returned. */
const walk = (run: Run, chain: Chain): Decision | null => {
  const rules = compiled(run.table, chain)
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]
    const said = rule === undefined ? null : rule.say(run)
    if (rule === undefined || said === null) continue
    const { by } = rule
    switch (said.tag) {
      case 'accept':
        return { tag: 'accept', by, base: run.base }
      case 'drop':
        return { tag: 'drop', by, base: run.base }
      case 'reject':
        return { tag: 'reject', by, base: run.base, reject: said.reject }
      case 'translate':
        return { tag: 'translate', by, base: run.base, wish: said.wish }
      case 'return':
        return null
      case 'jump':
      case 'goto': {
        const target = getIn(run.table.chains, said.chain)
        const decision = target === undefined ? null : walk(run, target)
        // Who goes does not come back: at the end of the other chain, it is as if this one had ended.
        if (decision !== null || said.tag === 'goto') return decision
      }
    }
  }
  return null
}

const decide = (run: Run, base: BaseChain): Decision => {
  const table = tableOf(run.ruleset, base)
  if (table === undefined) return base.otherwise
  run.table = table
  run.base = base.place
  return walk(run, base.chain) ?? base.otherwise
}

const begin = (run: Run, sight: Sight): void => {
  run.sight = sight
  run.overrides = null
  if (run.effects.length > 0) run.effects = []
}

/** Asks one base chain. For callers that do something of their own between two priorities, as tracking and translation do. */
export const askChain = (run: Run, base: BaseChain, sight: Sight): Decision => {
  begin(run, sight)
  return decide(run, base)
}

const NO_CHAIN = { tag: 'accept', by: null, base: null } as const

/**
 * Asks all chains at a point; what rules did on the way is in the run's `effects` then. The decision is the one that ended the
 * way, or a translation where rules asked for one and nobody dropped the packet; once there is a translation, no other chain of
 * type nat is asked. A packet that matches nothing costs no memory.
 */
export const askHook = (run: Run, point: Point, sight: Sight): Decision => {
  begin(run, sight)
  let decision: Decision = NO_CHAIN
  let translation: Decision | null = null
  const bases = baseChainsAt(run.ruleset, point)
  for (let i = 0; i < bases.length; i++) {
    const base = bases[i]
    if (base === undefined || (translation !== null && base.base.type === 'nat')) continue
    decision = decide(run, base)
    if (decision.tag === 'drop' || decision.tag === 'reject') return decision
    if (decision.tag === 'translate') translation = decision
  }
  return translation ?? decision
}

export type Evaluated = Readonly<{ decision: Decision; effects: ReadonlyArray<Effect>; ruleset: Ruleset }>

/** One packet, and the ruleset after it. */
export const evaluateHook = (ruleset: Ruleset, point: Point, sight: Sight): Evaluated => {
  const run = runOf(ruleset)
  const decision = askHook(run, point, sight)
  return { decision, effects: run.effects, ruleset: settled(run) }
}
