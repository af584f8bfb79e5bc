// The firewall table of a namespace as kernel objects, by the same rules as on Linux (kernel-linux/decode/nft.ts), whoever wrote it: the
// skeleton's version by the name of its empty chain, and of its sets and maps the elements that have the skeleton's shape and
// nothing beside their key and value.
// Source of the shapes: libnftables-json(5).

import type { SetSpec } from '../kernel/firewall/rule.ts'
import { SETS, TABLE } from '../kernel/firewall/skeleton.ts'
import { versionChain } from '../kernel/firewall/text.ts'
import type { NftElement, NftTable } from '../kernel/object.ts'
import type { Ns } from '../net/name.ts'
import { keysUnder, valuesOf } from '../net/pmap.ts'
import { type Host, jsonDatum, showDatum, type Type } from './nft/datatype.ts'
import type { Interval } from './nft/expression.ts'
import { prefixLength } from './nft/print/expression.ts'
import { type Element, findTable, isAlive, type NamedSet, type Ruleset, type Table } from './nft/ruleset.ts'

/** The version of a table of our name that is not one of ours: it equals no skeleton, so it is replaced. */
const FOREIGN_SKELETON = 0
const VERSION = versionChain(0).slice(0, -1)

const versionOf = ({ chains }: Table): number => {
  for (const name of keysUnder(chains, VERSION)) {
    const version = Number(name.slice(VERSION.length))
    if (versionChain(version) === name) return version
  }
  return FOREIGN_SKELETON
}

const partText = (type: Type | undefined, part: Interval, host: Host): string | null => {
  if (type === undefined) return null
  if (part.from === part.to) {
    const shown = jsonDatum(type, part.from, host)
    return typeof shown === 'number' || typeof shown === 'string' ? String(shown) : null
  }
  const bits = prefixLength(type, part)
  return bits === null ? null : `${showDatum(type, part.from, host)}/${bits}`
}

const textsOf = (
  types: ReadonlyArray<Type>,
  parts: ReadonlyArray<Interval>,
  count: number,
  host: Host,
): ReadonlyArray<string> | null => {
  const texts: string[] = []
  for (const [i, part] of parts.entries()) {
    const text = partText(types[i], part, host)
    if (text !== null) texts.push(text)
  }
  return texts.length === count ? texts : null
}

const isPlain = ({ comment, timeoutMs, expiresMs, statements }: Element): boolean =>
  comment === null && timeoutMs === null && expiresMs === null && statements.length === 0

const dataTexts = (set: NamedSet, wanted: SetSpec, { data }: Element, host: Host): ReadonlyArray<string> | null => {
  const { data: types } = set.spec
  if (wanted.value === null || data?.tag !== 'values' || types === null || types === 'verdict') return null
  return textsOf(types, data.values, wanted.value.length, host)
}

const elementOf = (ns: Ns, set: NamedSet, wanted: SetSpec, element: Element, host: Host): NftElement | null => {
  const key = isPlain(element) ? textsOf(set.spec.key, element.key, wanted.key.length, host) : null
  const value = dataTexts(set, wanted, element, host)
  if (key === null || (wanted.value === null) !== (set.spec.data === null)) return null
  if (wanted.value !== null && value === null) return null
  return { kind: 'nft-element', ns, set: wanted.name, key, value }
}

const BY_NAME: ReadonlyMap<string, SetSpec> = new Map(SETS.map((spec) => [spec.name, spec]))

/** The table, if there is one, and what is in its sets at this moment. */
export const firewallObjects = (
  ns: Ns,
  ruleset: Ruleset,
  nowMs: number,
  host: Host,
): ReadonlyArray<NftTable | NftElement> => {
  const table = findTable(ruleset, 'inet', TABLE)
  if (table === null) return []
  const objects: Array<NftTable | NftElement> = [{ kind: 'nft-table', ns, skeleton: versionOf(table) }]
  for (const set of valuesOf(table.sets)) {
    const wanted = BY_NAME.get(set.name)
    if (wanted === undefined) continue
    for (const element of valuesOf(set.elements)) {
      const object = isAlive(element, nowMs) ? elementOf(ns, set, wanted, element, host) : null
      if (object !== null) objects.push(object)
    }
  }
  return objects
}
