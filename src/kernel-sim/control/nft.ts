// The firewall table and the elements of its sets. Sources: nft(8), net/netfilter/nf_tables_api.c, nft_set_rbtree.c (one
// interval), nft_set_pipapo.c (concatenations with one).

import type { Errno } from '../../kernel/errno.ts'
import { SETS, type SetName } from '../../kernel/firewall/skeleton.ts'
import type { NftElement, NftTable } from '../../kernel/object.ts'
import { type Cidr, cidrFamily, contains, firstOf, lastOf, networkOf, parseCidr } from '../../net/cidr.ts'
import { familyOf, type Ip, numberOf, parseIp, widthOf } from '../../net/ip.ts'
import { emptyMap, entriesOf, entriesUnder, getIn, hasIn, type PMap, removeIn, setIn } from '../../net/pmap.ts'
import { E } from '../../prelude.ts'
import type { FirewallEntry } from '../state.ts'
import { type Draft, type Space, spaceOf } from './draft.ts'

type Store = 'hash' | 'rbtree' | 'pipapo'

/** What the kernel keeps a set in (nft_select_set_ops). */
const STORE: ReadonlyMap<SetName, Store> = new Map(
  SETS.map((set) => [set.name, !set.interval ? 'hash' : set.key.length > 1 ? 'pipapo' : 'rbtree']),
)

const NO_ELEMENTS: PMap<NftElement> = emptyMap()
const elementsOf = (table: FirewallEntry, set: SetName): PMap<NftElement> => table.sets[set] ?? NO_ELEMENTS
const textOf = (element: NftElement): string => element.key.join(' . ')

/** The prefix that ends an interval element's key; a single address is written without its length. */
const prefixOf = (element: NftElement): Cidr | null => {
  const text = element.key.at(-1) ?? ''
  if (text.includes('/')) {
    const cidr = parseCidr(text)
    return E.isLeft(cidr) ? null : networkOf(cidr.right)
  }
  const ip = parseIp(text)
  return E.isLeft(ip) ? null : { ip: ip.right, bits: widthOf(familyOf(ip.right)) }
}

export const createTable = (draft: Draft, { ns, skeleton }: NftTable): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  if (space.now.firewall !== null) return 'EEXIST'
  space.now.firewall = { skeleton, sets: {}, intervals: emptyMap() }
  return null
}

export const deleteTable = (draft: Draft, { ns }: NftTable): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null || space.now.firewall === null) return 'ENOENT'
  space.now.firewall = null
  return null
}

/** Descending by address: the first entry from a key on is the highest prefix that starts at or below it. */
const intervalKey = (set: SetName, ip: Ip): string => {
  const width = widthOf(familyOf(ip))
  const left = (1n << BigInt(width)) - 1n - numberOf(ip)
  return `${set}/${left.toString(16).padStart(width / 4, '0')}`
}

const overlapsHeld = (table: FirewallEntry, set: SetName, prefix: Cidr): boolean => {
  for (const [key, held] of entriesOf(table.intervals, intervalKey(set, lastOf(prefix))))
    return key.startsWith(`${set}/`) && numberOf(lastOf(held)) >= numberOf(firstOf(prefix))
  return false
}

/**
 * The element of the same leading key parts that holds `ip`. Where several do, the narrowest: a wider one could only be
 * added after it.
 */
const holder = (table: FirewallEntry, element: NftElement, ip: Ip): readonly [string, Cidr] | null => {
  const lead = element.key
    .slice(0, -1)
    .map((part) => `${part} . `)
    .join('')
  let found: readonly [string, Cidr] | null = null
  for (const [text, held] of entriesUnder(elementsOf(table, element.set), lead)) {
    const prefix = prefixOf(held)
    if (prefix === null || cidrFamily(prefix) !== familyOf(ip) || !contains(prefix, ip)) continue
    if (found === null || prefix.bits > found[1].bits) found = [text, prefix]
  }
  return found
}

/** nft_pipapo_insert looks at both ends only, so a prefix around smaller ones is accepted. */
const clashes = (table: FirewallEntry, element: NftElement, prefix: Cidr): boolean =>
  holder(table, element, firstOf(prefix)) !== null || holder(table, element, lastOf(prefix)) !== null

const put = (
  space: Space,
  { skeleton, sets, intervals }: FirewallEntry,
  set: SetName,
  elements: PMap<NftElement>,
): null => {
  space.now.firewall = { skeleton, sets: { ...sets, [set]: elements }, intervals }
  return null
}

export const createElement = (draft: Draft, element: NftElement): Errno | null => {
  const space = spaceOf(draft, element.ns)
  const table = space?.now.firewall ?? null
  if (space === null || table === null) return 'ENOENT'
  const { set } = element
  const elements = elementsOf(table, set)
  const text = textOf(element)
  if (hasIn(elements, text)) return 'EEXIST'
  const store = STORE.get(set)
  const prefix = store === 'hash' ? null : prefixOf(element)
  const added = setIn(elements, text, element)
  if (prefix === null) return put(space, table, set, added)
  if (store === 'pipapo') return clashes(table, element, prefix) ? 'EEXIST' : put(space, table, set, added)
  if (overlapsHeld(table, set, prefix)) return 'EEXIST'
  const intervals = setIn(table.intervals, intervalKey(set, firstOf(prefix)), prefix)
  return put(space, { ...table, intervals }, set, added)
}

/** In a concatenation with an interval, an element is found by the first address of the prefix that is named. */
export const deleteElement = (draft: Draft, element: NftElement): Errno | null => {
  const space = spaceOf(draft, element.ns)
  const table = space?.now.firewall ?? null
  if (space === null || table === null) return 'ENOENT'
  const { set } = element
  const elements = elementsOf(table, set)
  const store = STORE.get(set)
  const prefix = store === 'hash' ? null : prefixOf(element)
  const text = store === 'pipapo' && prefix !== null ? holder(table, element, prefix.ip)?.[0] : textOf(element)
  const held = text === undefined ? undefined : getIn(elements, text)
  if (text === undefined || held === undefined) return 'ENOENT'
  const left = removeIn(elements, text)
  if (store !== 'rbtree' || prefix === null) return put(space, table, set, left)
  const intervals = removeIn(table.intervals, intervalKey(set, prefix.ip))
  return put(space, { ...table, intervals }, set, left)
}
