// The base chains of each hook, in the order in which they are asked: by priority, then as they were made.
// Source: net/netfilter/core.c (nf_hook_entries_grow), net/netfilter/nf_tables_api.c.

import { getIn, type PMap, valuesOf } from '../../net/pmap.ts'
import { memoised } from '../memo.ts'
import { type Base, type Chain, type Family, type Hook, type Ruleset, type Table, tableKey } from './ruleset.ts'
import type { ChainPlace, Decision, Point } from './sight.ts'

export type BaseChain = Readonly<{
  place: ChainPlace
  /** The key of its table. */
  key: string
  chain: Chain
  base: Base
  /** What its policy says. */
  otherwise: Decision
}>

const INET: ReadonlyArray<Point['family']> = ['ip', 'ip6']

type AtHook = { readonly all: BaseChain[]; devices: boolean }
type Bases = Readonly<Partial<Record<Family, Partial<Record<Hook, AtHook>>>>>

const baseChain = (table: Table, chain: Chain, base: Base): BaseChain => {
  const place: ChainPlace = { family: table.family, table: table.name, chain: chain.name }
  return {
    place,
    key: tableKey(table.family, table.name),
    chain,
    base,
    otherwise: { tag: base.policy, by: null, base: place },
  }
}

const built = (tables: PMap<Table>): Bases => {
  const found: Partial<Record<Family, Partial<Record<Hook, AtHook>>>> = {}
  const add = (family: Family, base: BaseChain): void => {
    const hooks = found[family] ?? {}
    const there = hooks[base.base.hook] ?? { all: [], devices: false }
    found[family] = hooks
    hooks[base.base.hook] = there
    there.all.push(base)
    if (base.base.devices.length > 0) there.devices = true
  }
  for (const table of valuesOf(tables).toSorted((a, b) => a.handle - b.handle)) {
    if (table.dormant) continue
    for (const chain of valuesOf(table.chains).toSorted((a, b) => a.handle - b.handle)) {
      if (chain.base === null) continue
      const base = baseChain(table, chain, chain.base)
      if (table.family !== 'inet') add(table.family, base)
      else if (chain.base.hook === 'ingress') add('netdev', base)
      else for (const family of INET) add(family, base)
    }
  }
  for (const hooks of Object.values(found))
    for (const { all } of Object.values(hooks)) all.sort((a, b) => a.base.priority - b.base.priority)
  return found
}

/** Stands for all versions of the tables that differ in nothing but what is in sets. */
export type TablesShape = { readonly tables: PMap<Table> }
const shapes = new WeakMap<PMap<Table>, TablesShape>()
export const shapeOf = (tables: PMap<Table>): TablesShape => {
  const known = shapes.get(tables)
  if (known !== undefined) return known
  const fresh = { tables }
  shapes.set(tables, fresh)
  return fresh
}

/** Says that two versions differ in nothing but what is in their sets; of no matter before anybody has asked. */
export const basesFollow = (before: PMap<Table>, after: PMap<Table>): void => {
  const known = shapes.get(before)
  if (known !== undefined) shapes.set(after, known)
}

const basesOfShape = memoised(({ tables }: TablesShape) => built(tables))

// The version that was asked last: mostly the next packet asks the same.
let lastTables: PMap<Table> | null = null
let lastBases: Bases = {}
const basesOf = (tables: PMap<Table>): Bases => {
  if (tables !== lastTables) {
    lastBases = basesOfShape(shapeOf(tables))
    lastTables = tables
  }
  return lastBases
}

const NONE: ReadonlyArray<BaseChain> = []

export const baseChainsAt = (
  ruleset: Pick<Ruleset, 'tables'>,
  { family, hook, device }: Point,
): ReadonlyArray<BaseChain> => {
  const there = basesOf(ruleset.tables)[family]?.[hook]
  if (there === undefined) return NONE
  if (!there.devices) return there.all
  return there.all.filter(({ base }) => base.devices.length === 0 || (device !== null && base.devices.includes(device)))
}

/** The table of a base chain as it is now. */
export const tableOf = (ruleset: Ruleset, { key }: BaseChain): Table | undefined => getIn(ruleset.tables, key)
