// A namespace's ruleset while packets go through it: what it has counted so far, and what a packet meets at each hook, in order of
// priority. Fragments are collected at -400, tracking is at -200, destination NAT at -100, source NAT at 100, chains where they say;
// the last thing at `input` and `postrouting` is that a conversation whose first packet has come so far is entered in the table.
// Sources: include/uapi/linux/netfilter_ipv4.h (enum nf_ip_hook_priorities), net/bridge/netfilter/nf_conntrack_bridge.c.

import type { PMap } from '../../../net/pmap.ts'
import { memoised } from '../../memo.ts'
import { type BaseChain, baseChainsAt, shapeOf, type TablesShape } from '../../nft/bases.ts'
import { runOf } from '../../nft/evaluate.ts'
import { type Needs, needsOfShape } from '../../nft/needs.ts'
import { showWords } from '../../nft/print/statement.ts'
import type { Ruleset, Table } from '../../nft/ruleset.ts'
import type { Run } from '../../nft/run.ts'
import type { ChainPlace, RulePlace } from '../../nft/sight.ts'
import { interfacesOf } from '../../rulesets.ts'
import type { HookAt, Space } from '../plane.ts'
import type { RuleAt } from '../step.ts'
import { filterOf } from './memory.ts'
import type { Part } from './rewrite.ts'
import { type Looking, lookingIn } from './sight.ts'

export type Stage = Readonly<
  { priority: number } & (
    | { tag: 'gather' }
    | { tag: 'track' }
    | { tag: 'chain'; chain: BaseChain }
    | { tag: 'nat'; part: Part; chains: ReadonlyArray<BaseChain> }
    | { tag: 'enter' }
  )
>

type Family = HookAt['family']
type Hook = HookAt['hook']

const NAT_PART: Readonly<Partial<Record<Hook, Part>>> = {
  prerouting: 'destination',
  output: 'destination',
  input: 'source',
  postrouting: 'source',
}
const BEGINNINGS: ReadonlySet<Hook> = new Set<Hook>(['prerouting', 'output'])
const ENDS: ReadonlySet<Hook> = new Set<Hook>(['input', 'postrouting'])

const stagesFrom = (chains: ReadonlyArray<BaseChain>, needs: Needs, family: Family, hook: Hook) => {
  const tracks = needs.tracks.has(family)
  const stages: Stage[] = []
  for (const chain of chains)
    if (chain.base.type !== 'nat') stages.push({ tag: 'chain', chain, priority: chain.base.priority })
  const part = NAT_PART[hook]
  // A bridge tracks what passes it, and leaves what it sends itself to the IP layer.
  const begins = family === 'bridge' ? hook === 'prerouting' : BEGINNINGS.has(hook)
  if (tracks && begins) {
    if (family !== 'bridge') stages.push({ tag: 'gather', priority: -400 })
    stages.push({ tag: 'track', priority: -200 })
  }
  if (part !== undefined && needs.translates.has(family) && family !== 'bridge')
    stages.push({
      tag: 'nat',
      part,
      priority: part === 'destination' ? -100 : 100,
      chains: chains.filter(({ base }) => base.type === 'nat'),
    })
  stages.sort((a, b) => a.priority - b.priority)
  const ends = family === 'bridge' ? hook === 'postrouting' : ENDS.has(hook)
  if (tracks && ends) stages.push({ tag: 'enter', priority: 0 })
  return stages
}

/** By family and hook; of devices' hooks, also by the device. */
type Known = {
  readonly shape: TablesShape
  readonly plain: { readonly [F in Family]: Partial<Record<Hook, ReadonlyArray<Stage>>> }
  readonly ofDevices: Map<string, ReadonlyArray<Stage>>
}

const knownOf = memoised(
  (shape: TablesShape): Known => ({
    shape,
    plain: { ip: {}, ip6: {}, arp: {}, bridge: {}, netdev: {} },
    ofDevices: new Map(),
  }),
)

/** What packets do to a ruleset, as long as the plane is open. */
export type Asked = {
  readonly run: Run
  readonly sight: Looking
  /** As they were last asked; what packets put into sets makes others of them. */
  tables: PMap<Table>
  known: Known
  needs: Needs
}

const begin = (space: Space, ruleset: Ruleset): Asked => {
  const shape = shapeOf(ruleset.tables)
  return {
    run: runOf(ruleset),
    sight: lookingIn(space),
    tables: ruleset.tables,
    known: knownOf(shape),
    needs: needsOfShape(shape),
  }
}

/** Null: nobody has registered a hook, so nothing is tracked either. */
export const askedIn = (space: Space): Asked | null => {
  const { firewall } = space.entry
  if (firewall === null) return null
  const memory = filterOf(space)
  memory.asked ??= begin(space, firewall)
  return memory.asked
}

const refreshed = (asked: Asked): Known => {
  const { tables } = asked.run.ruleset
  if (tables === asked.tables) return asked.known
  const shape = shapeOf(tables)
  asked.tables = tables
  asked.known = knownOf(shape)
  asked.needs = needsOfShape(shape)
  return asked.known
}

/** Of each ruleset they are made once; nothing is asked twice of the same rules. `device`: whose hook it is. */
export const stagesAt = (asked: Asked, family: Family, hook: Hook, device: string): ReadonlyArray<Stage> => {
  const { shape, plain, ofDevices } = refreshed(asked)
  if (family !== 'netdev') {
    const of = plain[family]
    const found = of[hook]
    if (found !== undefined) return found
    const made = stagesFrom(baseChainsAt(shape, { family, hook, device: null }), needsOfShape(shape), family, hook)
    of[hook] = made
    return made
  }
  const key = `${hook} ${device}`
  const found = ofDevices.get(key)
  if (found !== undefined) return found
  const made = stagesFrom(baseChainsAt(shape, { family, hook, device }), needsOfShape(shape), family, hook)
  ofDevices.set(key, made)
  return made
}

const isRule = (place: ChainPlace | RulePlace): place is RulePlace => 'rule' in place

const placeFrom = (space: Space, place: ChainPlace | RulePlace, hook: Hook): RuleAt => {
  const { family, table, chain } = place
  if (!isRule(place)) return { family, table, chain, hook, handle: null, text: '', about: null }
  const text = showWords(place, interfacesOf(space.entry))
  return { family, table, chain, hook, handle: place.rule.handle, text, about: place.rule.comment }
}

type Placed = Readonly<{ at: RuleAt; indexes: PMap<string> }>
const placed = new WeakMap<ChainPlace, Placed>()

/** The rule that decided, or the chain whose policy did, for whoever reads of it. Its text names interfaces by their indexes. */
export const placeOf = (space: Space, place: ChainPlace | RulePlace, hook: Hook): RuleAt => {
  const { indexes } = space.entry
  const known = placed.get(place)
  if (known !== undefined && known.indexes === indexes && known.at.hook === hook) return known.at
  const at = placeFrom(space, place, hook)
  placed.set(place, { at, indexes })
  return at
}
